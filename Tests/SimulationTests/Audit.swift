import Buffering
import Impairment
import Packets
import Receiving
import Simulation
import Statistics
import Testing
import Timeline

/// What must hold after every run, whatever the network and the senders did.
func audit(_ world: World, _ comment: Comment) {
  let record = world.record
  let receiver = world.receiver
  #expect(!receiver.hasOpenStreams, comment)
  #expect(receiver.datagrams.rtp == record.handedIn, comment)
  #expect(receiver.datagrams.held == 0, comment)
  #expect(receiver.forgottenStreams == 0, comment)

  let streams = receiver.streams
  for stream in streams { audit(stream, comment) }
  let received = streams.reduce(0) { $0 + $1.statistics.received + $1.statistics.tooOld }
  #expect(record.handedIn == received + receiver.datagrams.discarded.total, comment)

  auditFates(world, comment)
  for stream in streams { auditPlayout(of: stream, record, comment) }
  for (before, after) in zip(record.playout, record.playout.dropFirst()) { #expect(before.at <= after.at, comment) }
}

/// The sums that docs/report-format.md promises.
private func audit(_ stream: ReceiveStream, _ comment: Comment) {
  let statistics = stream.statistics
  let playout = stream.playout
  #expect(statistics.expected == statistics.unique + statistics.lost, comment)
  #expect(statistics.received == statistics.unique + statistics.duplicates, comment)
  #expect(statistics.lost >= 0, comment)
  #expect(
    statistics.unique == playout.played + playout.late + playout.discarded.total + playout.stillBuffered, comment)
  #expect(statistics.expected == playout.played + playout.recovered + playout.concealed, comment)
  #expect(stream.end != nil, comment)
  if let timeline = stream.timeline { audit(timeline, of: stream, comment) }
}

/// The rows and the cells of the strip add up to the counts.
private func audit(_ timeline: StreamTimeline, of stream: ReceiveStream, _ comment: Comment) {
  let (statistics, playout) = (stream.statistics, stream.playout)
  for limit in [StreamTimeline.rowLimit, 10] {
    let rows = timeline.rows(atMost: limit)
    #expect(rows.reduce(0) { $0 + $1.fates.expected } == statistics.expected, comment)
    #expect(rows.reduce(0) { $0 + $1.fates.unique } == statistics.unique, comment)
    #expect(rows.reduce(0) { $0 + $1.fates.late } == playout.late, comment)
    #expect(rows.reduce(0) { $0 + $1.fates.discarded } == playout.discarded.total, comment)
    #expect(rows.reduce(0) { $0 + $1.fates.reordered } == statistics.reordered, comment)
    #expect(rows.reduce(0) { $0 + $1.fates.duplicates } == statistics.duplicates, comment)
    #expect(rows.reduce(0) { $0 + $1.bytes } == statistics.bytes, comment)
    #expect(rows.allSatisfy { $0.fates.lost >= 0 }, comment)
    let cells = timeline.strip(atMost: limit).cells
    #expect(cells.reduce(0) { $0 + $1.expected } == statistics.expected, comment)
    #expect(cells.reduce(0) { $0 + $1.unique } == statistics.unique, comment)
    #expect(cells.reduce(0) { $0 + $1.late } == playout.late, comment)
    #expect(cells.allSatisfy { $0.lost >= 0 && $0.expected > 0 }, comment)
  }
  #expect(timeline.events.first?.kind == .began && timeline.events.last?.kind == .ended, comment)
}

/// Each datagram has one fate, and the fates add up to the counts.
private func auditFates(_ world: World, _ comment: Comment) {
  let fates = world.record.fates
  #expect(fates.count == world.record.handedIn, comment)
  #expect(Set(fates.map(\.index)) == Set(0..<UInt64(world.record.handedIn)), comment)
  let streams = world.receiver.streams
  #expect(fates.count { $0.fate == .played } == streams.reduce(0) { $0 + $1.playout.played }, comment)
  #expect(fates.count { $0.fate == .late } == streams.reduce(0) { $0 + $1.playout.late }, comment)
  #expect(fates.count { $0.fate == .duplicate } == streams.reduce(0) { $0 + $1.statistics.duplicates }, comment)
  #expect(fates.count { $0.fate == .buffered } == streams.reduce(0) { $0 + $1.playout.stillBuffered }, comment)
  for reason in DiscardReason.allCases {
    var count = world.receiver.datagrams.discarded[reason]
    for stream in streams {
      count += stream.playout.discarded[reason]
      if reason == .outOfRange { count += stream.statistics.tooOld }
    }
    #expect(fates.count { $0.fate == .discarded(reason) } == count, comment)
  }
}

/// Nothing is played twice, out of order or before its time, and the media adds up.
private func auditPlayout(of stream: ReceiveStream, _ record: WorldRecord, _ comment: Comment) {
  let decisions = record.playout.filter { $0.stream == stream.id }
  var plays: [(packet: BufferedPacket, skip: Int64, at: Instant)] = []
  var units: Int64 = 0
  var unitsAtLastPlay: Int64 = 0
  for entry in decisions {
    switch entry.decision {
    case .play(let packet, _, let skip):
      plays.append((packet, skip, entry.at))
      #expect(skip >= 0 && skip <= packet.duration, comment)
      units += packet.duration - skip
      unitsAtLastPlay = units
    case .recover(_, let duration), .conceal(let duration), .silence(let duration):
      #expect(duration > 0, comment)
      units += duration
    case .discard: break
    case .wait, .ended: Issue.record("a wait isn't a decision")
    }
  }
  #expect(plays.count == stream.playout.played, comment)
  for (before, after) in zip(plays, plays.dropFirst()) {
    #expect(before.packet.sequence < after.packet.sequence, comment)
  }
  if let samples = stream.playout.samples, stream.playout.adaptation != nil {
    // Playing waits and stretches: the delay isn't fixed, but every sample is counted.
    #expect(plays.allSatisfy { $0.at >= $0.packet.arrival }, comment)
    let change = Int64(samples.inserted + samples.removed)
    #expect(Int64(samples.total) >= unitsAtLastPlay - change - 2, comment)
    #expect(Int64(samples.total) <= units + change + 2, comment)
    return
  }
  let counted = Interval(units: unitsAtLastPlay, rate: stream.format.clockRate)
  let playout = stream.playout
  let sum = playout.playedDuration + playout.recoveredDuration + playout.concealedDuration + playout.silenceDuration
  // Each of the four is rounded down to a nanosecond. Late packets behind the last one played are media as well.
  #expect(sum >= counted - .nanoseconds(4), comment)
  #expect(sum <= Interval(units: units, rate: stream.format.clockRate), comment)
  if let last = plays.last, last.packet.sequence == stream.statistics.highestSequence {
    #expect(sum <= counted, comment)
  }

  guard stream.resynchronisations == 0, let first = plays.first, let last = plays.last else { return }
  #expect(unitsAtLastPlay == last.packet.timestamp + last.packet.duration - first.packet.timestamp, comment)
  let transits = plays.map { ($0.packet.arrival - .zero) - Interval(units: $0.packet.timestamp, rate: 48_000) }
  guard let least = transits.min() else { return }
  for play in plays {
    let media = Interval(units: play.packet.timestamp + play.skip, rate: 48_000)
    #expect(play.at >= .zero + least + media + stream.playout.target - .nanoseconds(2), comment)
    #expect(play.at >= play.packet.arrival, comment)
  }
}

/// Compares the receiver's counts of a world with one sender, one session and no hostile datagrams with the truth,
/// packet for packet.
func compareWithTruth(_ world: World, _ comment: Comment) throws {
  try #require(world.receiver.streams.count == 1, comment)
  for reason in DiscardReason.allCases {
    try #require(world.receiver.datagrams.discarded[reason] == 0, "\(reason) \(comment)")
  }
  let record = world.record
  let stream = world.receiver.streams[0]
  var seen: Set<Int> = []
  var highest = -1
  var reordered = 0
  for arrival in record.arrivals where seen.insert(arrival.sentIndex).inserted {
    if arrival.sentIndex < highest { reordered += 1 }
    highest = max(highest, arrival.sentIndex)
  }
  let lowest = try #require(seen.min(), comment)
  let statistics = stream.statistics
  #expect(statistics.expected == highest - lowest + 1, comment)
  #expect(statistics.received == record.arrivals.count, comment)
  #expect(statistics.unique == seen.count, comment)
  #expect(statistics.lost == highest - lowest + 1 - seen.count, comment)
  #expect(statistics.duplicates == record.arrivals.count - seen.count, comment)
  #expect(statistics.reordered == reordered, comment)

  // The link's own record says the same.
  let link = world.linkRecord
  #expect(UInt64(statistics.received) == link.delivered, comment)
  #expect(UInt64(statistics.duplicates) == link.duplicated, comment)
  #expect(UInt64(statistics.reordered) == link.reordered, comment)
  let fates = record.sent.map { $0.fate?.cause == .delivered }
  #expect(statistics.lost == fates[lowest...highest].count { !$0 }, comment)

  // And it is the same packets: each fate's extended number is that of the packet that truly arrived then.
  let origin = Int64(record.sent[0].sequence)
  let fatesByIndex = record.fates.sorted { $0.index < $1.index }
  for (arrival, fate) in zip(record.arrivals, fatesByIndex) where fate.extended != origin + Int64(arrival.sentIndex) {
    Issue.record("datagram \(fate.index) is packet \(arrival.sentIndex), not \(fate.extended ?? -1) - \(origin)")
    return
  }
}

/// What a world is told to do, in one line.
func world(
  _ steps: [MediaScript.Step], link: String = "none", seed: UInt64 = 1,
  change: (inout World.Configuration) -> Void = { _ in }
) throws -> World {
  var configuration = World.Configuration([MediaScript(steps)], link: try LinkSpec(parsing: link), seed: seed)
  configuration.receiver.keepsTimelines = true
  change(&configuration)
  var world = World(configuration)
  world.run()
  return world
}
