internal import Statistics
internal import Timeline

/// What happened to each lane and why, sentence by sentence.
extension RaceJudge {
  /// What became of a lane's packets.
  func account(of place: Int) -> [String] {
    race.lanes[place].transport == .byteStream ? byteStream(place) : [datagrams(place)]
  }

  // MARK: Datagrams

  private func datagrams(_ place: Int) -> String {
    let (lane, summary) = (race.lanes[place], summaries[place])
    let share = Figures.percent(summary.missing, of: summary.packets)
    let limit = buffer(lane).words
    var text = "\(title(place)) missed "
    switch (summary.lost, summary.late) {
    case (0, 0): text += "nothing"
    case (_, 0):
      text += "\(Figures.count(summary.lost, "packet")) (\(share)), exactly what never came and nothing else"
    case (0, _): text += "\(Figures.count(summary.late, "packet")) (\(share)) that came too late for \(limit)"
    default:
      text +=
        "\(Figures.count(summary.missing, "packet")) (\(share)): \(Figures.grouped(summary.lost)) never came, "
        + "\(Figures.grouped(summary.late)) came too late for \(limit)"
    }
    if let longest = lane.missingRuns.max() {
      text +=
        longest == 1
        ? ", never two in a row"
        : ", up to \(Figures.grouped(longest)) in a row (\(Figures.duration(race.packetInterval * Int64(longest))))"
    }
    if summary.recovered > 0 {
      text +=
        summary.recovered == 1
        ? "; 1 was rebuilt from the packet after it"
        : "; \(Figures.grouped(summary.recovered)) were rebuilt from the packets after them"
    }
    text += "."
    if summary.lost > 0, summary.late == 0 { text += " A datagram that is lost stays lost, and delays no other." }
    return text + asides(lane)
  }

  /// What else happened to datagrams: out of order, twice, dropped by this host.
  private func asides(_ lane: LaneReport) -> String {
    guard let stream = lane.stream else { return "" }
    var text = ""
    var parts: [String] = []
    let counts = stream.reception
    if counts.reordered > 0 { parts.append("\(Figures.grouped(counts.reordered)) came out of order") }
    if counts.duplicates > 0 { parts.append("\(Figures.grouped(counts.duplicates)) came more than once") }
    if !parts.isEmpty {
      text +=
        " \(Self.list(parts)): the player’s buffer put that right"
        + (lane.count(.late) == 0 ? " at no cost." : " where there was time.")
    }
    if stream.socketDrops > 0 {
      text +=
        " \(Figures.grouped(stream.socketDrops)) of the lost were dropped by this host’s socket, not on the network."
    }
    return text
  }

  // MARK: Byte streams

  private func byteStream(_ place: Int) -> [String] {
    let (lane, name) = (race.lanes[place], title(place))
    let blocks = lane.heldBack
    let again = lane.retransmits ?? 0
    let behind = blocks.map(\.held)
    var text: String
    if summaries[place].lost > 0 {
      text = "\(name) hadn’t delivered \(Figures.count(summaries[place].lost, "packet")) when the race ended"
    } else {
      text = "\(name) lost nothing"
    }
    if again > 0 {
      text += "; it sent \(Figures.count(again, "segment")) again"
      if lane.linkRecord?.dropped == 0, lane.returnLinkRecord?.dropped ?? 0 == 0 {
        text += ", though the link lost none: what is out of order for long looks lost to it"
      }
    } else {
      text += " and had nothing to send again"
    }
    let waiting = behind.reduce(0, +)
    if waiting > 0, let most = behind.max() {
      let times = behind.count { $0 > 0 }
      text +=
        ". Bytes are handed over in order, so what was missing or slow held back what had come after it (head-of-line "
        + "blocking): \(Self.times(times)), "
        + (times == 1
          ? "\(Figures.count(most, "packet"))."
          : "\(Figures.trimmed(Double(waiting) / Double(times), decimals: 1)) packets on average and "
            + "\(Figures.grouped(most)) at worst.")
    } else if again > 0 {
      text += ", and nothing had to wait behind them."
    } else {
      text += blocks.isEmpty ? "; its packets came as steadily as datagrams." : "."
    }
    return [text, retransmission(place, blocks), starvation(place), pauses(of: place)].compactMap { $0 }
  }

  /// How long what was missing held up the rest, and whether the player could wait for it.
  private func retransmission(_ place: Int, _ blocks: [HeldBack]) -> String? {
    let lane = race.lanes[place]
    guard lane.retransmits ?? 0 > 0, !blocks.isEmpty, !isStarved(place) else { return nil }
    let excess = blocks.map(\.excess).sorted()
    let (limit, words) = (buffer(lane).delay, buffer(lane).words)
    let over = excess.count { $0 > limit }
    let (usual, worst) = (rounded(excess[excess.count / 2]), rounded(excess[excess.count - 1]))
    var text = "Such a delay was \(Figures.duration(usual))"
    if excess.count > 1 { text += " as a rule" }
    if worst > usual { text += ", \(Figures.duration(worst)) at worst" }
    let trip = lane.roundTrip
    if let trip { text += " (the round trip is \(Figures.milliseconds(trip.milliseconds)))" }
    switch over {
    case 0: text += ": \(words) had room for that, so nobody heard it."
    case excess.count: text += ": \(excess.count == 1 ? "more" : "always more") than \(words)"
    default:
      text +=
        ": \(Figures.grouped(over)) of \(Figures.grouped(excess.count)) \(over == 1 ? "was" : "were") more than \(words)"
    }
    if over > 0 {
      // A buffer that follows the network may have had the room all the same.
      text += lane.pauses == nil && summaries[place].late > 0 ? ", and what was due meanwhile was concealed." : "."
      if let trip, trip >= limit {
        text += " What is sent again comes a round trip late at the least, and that alone is more."
      }
    }
    let timeouts = excess.count { $0 >= .milliseconds(200) + (trip ?? .zero) }
    if timeouts > 0 {
      text +=
        " \(Self.times(timeouts).capitalizedAtFirst) it took longer than a round trip and 200 ms, the least that Linux "
        + "waits until a retransmission timeout."
    }
    return text
  }

  /// What a player that waited did.
  private func pauses(of place: Int) -> String? {
    let stalls = summaries[place].stalls
    guard let behind = race.lanes[place].behind else { return nil }
    guard stalls.count > 0 else { return "Its player, which waits, never had to." }
    return
      "Its player stood still \(Self.times(stalls.count)), \(Figures.duration(rounded(stalls.longest))) "
      + "the longest, and ended \(Figures.duration(rounded(behind))) behind; each pause leaves it that much more buffer."
  }

  /// Whether a byte stream couldn't carry the media at its pace.
  private func isStarved(_ place: Int) -> Bool {
    guard let delay = summaries[place].delay else { return false }
    let usual = delay.p50 - delay.min
    guard usual > max(buffer(race.lanes[place]).delay.milliseconds, 100) else { return false }
    // The link's own jitter delays datagrams as well, and leaves nothing waiting at the sender.
    let others = rivals.filter { race.lanes[$0].transport == .datagrams }.compactMap { summaries[$0].delay }
    if let least = others.map({ $0.p50 - $0.min }).min() { return usual >= 2 * least }
    let lane = race.lanes[place]
    let queued = lane.tcpSamples.compactMap(\.queuedBytes)
    guard !queued.isEmpty, summaries[place].packets > 0 else { return true }
    let packetsWaiting = Interval.milliseconds(500).seconds / max(race.packetInterval.seconds, 0.001)
    let much = Double(lane.payloadBytes) / Double(summaries[place].packets) * packetsWaiting
    return queued.count { Double($0) > much } * 2 > queued.count
  }

  private func starvation(_ place: Int) -> String? {
    let lane = race.lanes[place]
    guard isStarved(place), let delay = summaries[place].delay else { return nil }
    var text =
      "\(title(place)) starved: it took each loss for congestion and slowed down below the pace of the media, so that "
      + "half of the packets came \(Figures.milliseconds(delay.p50 - delay.min)) late or more, "
      + "\(Figures.milliseconds(delay.max - delay.min)) at worst"
    // A full queue's losses are congestion: then TCP read them right.
    let isCongested = lane.linkRecord.map { $0.lost == 0 && $0.outageLost == 0 && $0.queueDropped > 0 } ?? false
    if lane.retransmits ?? 0 == 0 || isCongested {
      text =
        "\(title(place)) couldn’t carry the media at its pace: half of the packets came "
        + "\(Figures.milliseconds(delay.p50 - delay.min)) late or more, "
        + "\(Figures.milliseconds(delay.max - delay.min)) at worst"
    }
    if let least = lane.tcpSamples.map(\.congestionWindow).min() {
      text += "; its congestion window was down to \(Figures.count(least, "segment"))"
    }
    return text + "."
  }

  func rounded(_ interval: Interval) -> Interval {
    Interval(nanoseconds: (interval.nanoseconds + 500_000) / 1_000_000 * 1_000_000)
  }

  /// "once", "twice", "3 times".
  static func times(_ count: Int) -> String {
    count == 1 ? "once" : count == 2 ? "twice" : Figures.count(count, "time")
  }

  // MARK: Buffers

  /// The delay of a lane's buffer, and how it is called.
  func buffer(_ lane: LaneReport) -> (delay: Interval, words: String) {
    guard race.isBufferAdaptive else {
      return (race.buffer, "the buffer of \(Figures.duration(race.buffer))")
    }
    let mean = lane.meanBuffer ?? race.typicalBuffer
    return (mean, "the adaptive buffer (\(Figures.milliseconds(mean.milliseconds)) on average)")
  }

  /// Which buffer would have been enough, and which would have turned the race.
  var bufferSentences: [String] {
    guard rivals.contains(where: { unheard($0) > 0 || race.lanes[$0].behind ?? .zero > .zero }) else { return [] }
    var (enough, never): ([String], [String]) = ([], [])
    for place in rivals {
      if let buffer = needs[place].buffer(missing: Self.tolerable) {
        enough.append("\(title(place)) needs a buffer of \(Figures.fixed(max(buffer.rounded(.up), 1), decimals: 0)) ms")
      } else {
        let share = Figures.trimmed(needs[place].missing(at: .greatestFiniteMagnitude) * 100, decimals: 2)
        never.append("\(title(place)) (\(share) % never came)")
      }
    }
    var sentences = never.isEmpty ? [] : ["No buffer brings \(Self.list(never)) down to 1 % missing."]
    if !enough.isEmpty { sentences.append("To miss at most 1 %, \(Self.list(enough)).") }
    return sentences + crossings
  }

  /// From which buffer on a byte stream misses less than the datagrams did.
  private var crossings: [String] {
    // A buffer that follows the network isn't one to choose.
    guard !race.isBufferAdaptive, let plain = rivals.first(where: { race.lanes[$0].transport == .datagrams }) else {
      return []
    }
    let streams = rivals.filter { race.lanes[$0].transport == .byteStream }.compactMap { place in
      needs[place].crossing(needs[plain]).map { (place: place, buffer: max($0.rounded(.up), 1)) }
    }
    guard let first = streams.first else { return [] }
    func from(_ buffer: Double) -> String { "from \(Figures.fixed(buffer, decimals: 0)) ms" }
    let lead = "No buffer brings back what \(title(plain)) lost: "
    guard streams.count == 1 else {
      let parts = streams.map { "\(title($0.place)) \(from($0.buffer)) on" }
      return [lead + "with more of it others miss less, \(Self.list(parts))."]
    }
    let isNow = first.buffer <= buffer(race.lanes[first.place]).delay.milliseconds
    return [lead + "\(from(first.buffer)) of buffer on \(title(first.place)) \(isNow ? "misses" : "would miss") less."]
  }

  /// The share of missing packets that is called tolerable.
  static let tolerable = 0.01

  // MARK: The other player, and the price

  /// What a player of the other kind would have made of the byte streams.
  var otherPlayer: [String] {
    let streams = rivals.filter { race.lanes[$0].transport == .byteStream }
    let calls = streams.filter { race.lanes[$0].pauses != nil }.map { place in
      let share = needs[place].missing(at: buffer(race.lanes[place]).delay.milliseconds) * 100
      return "\(share == 0 ? "nothing" : Figures.trimmed(share, decimals: 2) + " %") over \(title(place))"
    }
    let waits = streams.filter { race.lanes[$0].pauses == nil && summaries[$0].late > 0 }.compactMap { place in
      let pauses = race.lanes[place].waiting(buffer: buffer(race.lanes[place]).delay)
      return pauses.map(\.length).max().map { longest in
        "\(Self.times(pauses.count)) over \(title(place)) (\(Figures.duration(rounded(longest))) the longest) and ended "
          + "\(Figures.duration(rounded(pauses.reduce(.zero) { $0 + $1.length }))) behind"
      }
    }
    var sentences: [String] = []
    if !calls.isEmpty { sentences.append("A call, which can’t wait, would have missed \(Self.list(calls)).") }
    if !waits.isEmpty {
      sentences.append(
        "A player that waits instead of concealing, as web players do, would have played all that came, but stood still "
          + Self.list(waits) + ".")
    }
    return sentences
  }

  /// What the lanes cost on the wire.
  var wire: String? {
    let known = rivals.compactMap { place in race.lanes[place].wireBytes.map { (title(place), $0) } }
    guard known.count > 1, known.allSatisfy({ $0.1 > 0 }) else { return nil }
    return "On the wire, with headers, acknowledgements and what was sent again, "
      + Self.list(known.map { "\($0) took \(Figures.bytes($1))" }) + "."
  }
}
