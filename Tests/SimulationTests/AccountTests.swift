import Buffering
import Impairment
import Receiving
import Simulation
import Statistics
import TestSupport
import Testing
import Timeline

/// The account that reaches from what a sender sent to what was played, beside what truly happened.
struct AccountTests {
  private func places(_ stream: ReceiveStream, _ ends: StreamEnds) -> LossAccount {
    LossAccount(stream.statistics.summary(), stream.playout, ends, socketDrops: stream.droppedBySocket)
  }

  private func sum(_ loss: LossAccount) -> Int {
    loss.played + loss.late + loss.discarded + loss.stillBuffered + loss.droppedBySocket + loss.network
  }

  /// Packets of a sender that the path never delivered, before the first and after the last that arrived.
  private func lostAtEnds(_ world: World) -> (before: Int, after: Int) {
    let arrived = Set(world.record.arrivals.map(\.sentIndex))
    guard let first = arrived.min(), let last = arrived.max() else { return (0, 0) }
    return (first, world.record.sentCount - 1 - last)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `with the sender's goodbye every packet sent has its place, and no split is told that isn't true`(
    seed: UInt64
  ) throws {
    let links = [
      "loss=30%,burst=4", "loss=5%,delay=40ms,jitter=30ms,jitter-order=break,duplicate=5%", "outage=1s:500ms",
      "loss=2%,reorder=5%,delay=10ms",
    ]
    let link = links[Int(seed % 4)] + ",seed=\(seed)"
    let world = try world([.packets(count: 400 + Int(seed) * 20)], link: link, seed: seed) {
      $0.reportLink = try? LinkSpec(parsing: "delay=\(seed % 3 * 50)ms")
      $0.scripts[0].firstSequence = 65_400
    }
    audit(world, "seed \(seed)")
    try #require(world.receiver.streams.count == 1)
    let stream = world.receiver.streams[0]
    let ends = stream.ends(listeningSince: .zero)
    let truth = lostAtEnds(world)
    #expect(ends.knowledge == .finalCount && ends.sent == world.record.sentCount)
    #expect(ends.lostAtEnds == truth.before + truth.after)
    if let before = ends.lostBefore { #expect(before == truth.before) }
    if let after = ends.lostAfter { #expect(after == truth.after) }
    let loss = places(stream, ends)
    let lost = world.record.sent.count { $0.fate?.cause != .delivered }
    #expect(loss.isComplete && loss.network == lost && sum(loss) == world.record.sentCount)
    #expect(loss.late == world.record.fates.count { $0.fate == .late })
  }

  @Test func `an outage over the tail, and one over the head, are counted where they were`() throws {
    let world = try world(
      [
        .blackout(.milliseconds(490)), .packets(count: 1500), .blackout(.milliseconds(1050)), .packets(count: 50),
        .stall(.milliseconds(90)),
      ])
    let stream = world.receiver.streams[0]
    let truth = lostAtEnds(world)
    let ends = stream.ends(listeningSince: .zero)
    #expect(truth.before > 20 && truth.after > 40)
    #expect(ends.sent == 1550 && ends.lostBefore == truth.before && ends.lostAfter == truth.after)
    // What RTP alone shows knows nothing of it.
    #expect(stream.statistics.lost == 0 && stream.statistics.rfc3550Lost == 0)
  }

  @Test func `a sender that dies leaves the tail unknown, and says up to when it was known`() throws {
    let world = try world([.packets(count: 1000), .blackout(.seconds(10)), .packets(count: 400)]) {
      $0.scripts[0].saysGoodbye = false
    }
    let stream = world.receiver.streams[0]
    let ends = stream.ends(listeningSince: .zero)
    #expect(stream.end == .idle && ends.knowledge == .lastReport)
    #expect(ends.sent == nil && ends.lostAtEnds == nil)
    let loss = places(stream, ends)
    #expect(!loss.isComplete && loss.total == 1000 && loss.atEnds == nil && sum(loss) == loss.total)
  }

  @Test func `reports that go on while packets don't say how many are missing at least`() throws {
    // The path of RTP is dark for good after 20 s, that of RTCP isn't; the receiver is stopped before the goodbye.
    var recording = LinkRecording()
    for packet in 0..<3000 { recording.append(packet < 1000 ? [Interval.zero] : []) }
    let dark = try LinkSpec(replaying: recording, named: "dark.link")
    let world = try world([.packets(count: 3000)]) {
      $0.link = dark
      $0.reportLink = .perfect
      $0.receiver.idleTimeout = nil
      $0.stopAt = .zero + .seconds(55)
    }
    let ends = world.receiver.streams[0].ends(listeningSince: .zero)
    let least = try #require(ends.sentAtLeast)
    #expect(ends.knowledge == .lastReport && ends.sent == nil && least > 2000 && least <= 2701)
  }

  @Test func `another source has an account of its own`() throws {
    let world = try world([
      .packets(count: 500), .restart(ssrc: 5, sequence: 9, timestamp: 9), .packets(count: 600),
    ])
    let ends = world.receiver.streams.map { $0.ends(listeningSince: .zero) }
    #expect(ends.map(\.sent) == [nil, 600] && ends[0].knowledge == .lastReport && ends[1].lostAtEnds == 0)
  }

  @Test func `a restart without a goodbye leaves the first run's tail unknown`() throws {
    let world = try world([
      .packets(count: 500), .restart(ssrc: 0x1a2b_3c4d, sequence: 40_000, timestamp: 77), .packets(count: 600),
    ])
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.restarts == 1)
    #expect(stream.ends(listeningSince: .zero).knowledge == .earlierRunUnknown)
  }

  @Test(arguments: LongRun.seeds(20))
  func `bursts and gaps count what was lost, late or thrown away`(seed: UInt64) throws {
    let world = try world(
      [.packets(count: 3000)], link: "loss=3%,burst=2,delay=60ms,jitter=35ms,jitter-order=break,seed=\(seed)"
    ) { $0.receiver.target = .milliseconds(40) }
    let stream = world.receiver.streams[0]
    let metrics = stream.statistics.summary().burstGap
    let played = Set(world.record.fates.filter { $0.fate == .played }.compactMap(\.extended))
    let numbers = try #require(stream.statistics.numbers)
    var model = BurstGapMetrics()
    for number in numbers { if played.contains(number) { model.appendGood(1) } else { model.appendMissing(1) } }
    model.close()
    #expect(stream.playout.late > 50)
    #expect(metrics.burstCount == model.burstCount && metrics.burstPackets == model.burstPackets)
    #expect(metrics.burstMissing == model.burstMissing && metrics.gapMissing == model.gapMissing)
    #expect(metrics.packetInterval == .milliseconds(20))
  }

  /// The curve says for each delay what a buffer of that delay would have done with the same arrivals.
  @Test(arguments: LongRun.seeds(8))
  func `the lateness curve equals buffers of those delays`(seed: UInt64) throws {
    let order = seed % 2 == 0 ? "keep" : "break"
    let link = "loss=2%,delay=80ms,jitter=\(10 + seed * 3)ms,jitter-order=\(order),seed=\(seed)"
    func run(_ target: Int64) throws -> ReceiveStream {
      try world([.packets(count: 4000)], link: link) { $0.receiver.target = .milliseconds(target) }.receiver.streams[0]
    }
    let curve = try run(60).latenessCurve
    for point in curve.points where [5, 10, 20, 40, 60, 80, 100].contains(point.delay.milliseconds) {
      let stream = try run(point.delay.nanoseconds / 1_000_000)
      let share = Double(stream.playout.late) / Double(stream.statistics.unique)
      // A packet's place may have been passed while the fastest recent packet was another one than when it arrived.
      #expect((share - point.late).magnitude <= 0.002, "\(point.delay.milliseconds) ms: \(share), not \(point.late)")
    }
    #expect(curve.points.count > 5)
  }

  @Test(arguments: [0, 40, -40] as [Int64])
  func `one-way delay and drift are what the link and the script made them`(drift: Int64) throws {
    let world = try world([.packets(count: 6000)], link: "delay=37ms,jitter=1ms,seed=3") {
      $0.scripts[0].driftPPM = drift
    }
    let stream = world.receiver.streams[0]
    let summary = stream.statistics.summary()
    let found = try #require(summary.drift)
    #expect((found.ppm - Double(drift)).magnitude < 5 && (found.isSignificant || drift == 0))
    guard drift == 0 else { return }
    let delay = PathDelay(
      leastTransit: summary.leastTransit, senderOrigin: stream.senderOrigin,
      ourOrigin: .nanoseconds(1_700_000_000_000_000_000), isSameHost: true, roundTrip: nil)
    let arrivals = world.record.arrivals.map { ($0.at - world.record.sent[$0.sentIndex].at).milliseconds }
    let least = try #require(delay.least).milliseconds
    // The report's timestamp is a whole tick of 21 µs.
    #expect((least - (arrivals.min() ?? 0)).magnitude < 0.03)
  }
}
