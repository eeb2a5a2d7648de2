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
    var causes: [String] = []
    if summary.lost > 0 { causes.append("\(Figures.grouped(summary.lost)) that the network lost") }
    if summary.late > 0 {
      causes.append("\(Figures.grouped(summary.late)) that came too late for \(buffer(lane).words)")
    }
    var text: String
    if causes.isEmpty {
      text = "\(title(place)) missed nothing"
    } else {
      text = "\(title(place)) missed "
      if summary.late == 0 { text += "exactly what was lost and nothing else, " }
      text += "\(Self.list(causes)) (\(Figures.percent(summary.missing, of: summary.packets)))"
      let longest = lane.missingRuns.max() ?? 0
      text +=
        longest == 1
        ? ", never two in a row"
        : ", up to \(Figures.grouped(longest)) in a row (\(Figures.duration(race.packetInterval * Int64(longest))))"
    }
    if summary.recovered > 0 {
      text += "; \(Figures.grouped(summary.recovered)) more were rebuilt from the packets after them"
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
    if again == 0 {
      text += " and had nothing to send again"
      text += blocks.isEmpty ? "; its packets came as steadily as datagrams." : "."
    } else {
      text += "; it sent \(Figures.count(again, "segment")) again"
      let waiting = behind.reduce(0, +)
      if waiting > 0, let most = behind.max() {
        let mean = Double(waiting) / Double(max(behind.count { $0 > 0 }, 1))
        text +=
          ". Bytes are handed over in order, so what was missing held back what had come after it (head-of-line "
          + "blocking): \(Figures.count(behind.count { $0 > 0 }, "time")), "
          + "\(Figures.trimmed(mean, decimals: 1)) packets on average and \(Figures.grouped(most)) at worst."
      } else {
        text += ", and nothing had to wait behind them."
      }
    }
    return [text, retransmission(place, blocks), starvation(place)].compactMap { $0 }
  }

  /// Whether what was sent again came in time, and why not.
  private func retransmission(_ place: Int, _ blocks: [HeldBack]) -> String? {
    let lane = race.lanes[place]
    guard lane.retransmits ?? 0 > 0, !blocks.isEmpty, !isStarved(place) else { return nil }
    let excess = blocks.map(\.excess).sorted()
    let (typical, worst) = (excess[excess.count / 2], excess[excess.count - 1])
    let (limit, words) = (buffer(lane).delay, buffer(lane).words)
    let fitting = excess.count { $0 <= limit }
    let trip = roundTrip(of: lane).map { " (the round trip is \(Figures.milliseconds($0.milliseconds)))" } ?? ""
    var text = "What was held up came \(Figures.duration(rounded(typical))) late as a rule"
    text += excess.count > 1 ? ", \(Figures.duration(rounded(worst))) at worst\(trip): " : "\(trip): "
    if fitting == excess.count {
      text += "\(words) had room for that, so nobody heard it."
    } else if typical > limit {
      text += "\(words) can’t wait that long, and each time everything up to there was missing."
    } else {
      text += "\(words) had room for \(Figures.grouped(fitting)) of these \(Figures.grouped(excess.count)) delays."
    }
    if let roundTrip = roundTrip(of: lane), roundTrip >= limit {
      text += " A packet sent again is at least a round trip late, and that alone is more than the buffer."
    }
    let timeouts = excess.count { $0 >= .milliseconds(200) + (roundTrip(of: lane) ?? .zero) }
    if timeouts > 0 {
      text +=
        " \(Figures.count(timeouts, "time")) it took longer than a round trip and 200 ms, the least that Linux waits "
        + "until a retransmission timeout."
    }
    return text
  }

  /// Whether a byte stream couldn't carry the media at its pace.
  private func isStarved(_ place: Int) -> Bool {
    guard let delay = summaries[place].delay else { return false }
    return delay.p50 - delay.min > max(buffer(race.lanes[place]).delay.milliseconds, 100)
  }

  private func starvation(_ place: Int) -> String? {
    let lane = race.lanes[place]
    guard isStarved(place), let delay = summaries[place].delay else { return nil }
    var text =
      "\(title(place)) starved: it took each loss for congestion and slowed down below the pace of the media, so that "
      + "half of the packets came \(Figures.milliseconds(delay.p50 - delay.min)) late or more, "
      + "\(Figures.milliseconds(delay.max - delay.min)) at worst"
    if lane.retransmits ?? 0 == 0 {
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

  /// The time there and back without queues: by the kernel, or twice the fastest packet.
  private func roundTrip(of lane: LaneReport) -> Interval? {
    lane.tcpSamples.map(\.roundTrip).filter { $0 > .zero }.min()
      ?? lane.packets.compactMap(\.delay).min().map { $0 * 2 }
  }

  private func rounded(_ interval: Interval) -> Interval {
    Interval(nanoseconds: (interval.nanoseconds + 500_000) / 1_000_000 * 1_000_000)
  }

  // MARK: Buffers

  /// The delay of a lane's buffer, and how it is called.
  func buffer(_ lane: LaneReport) -> (delay: Interval, words: String) {
    guard race.isBufferAdaptive else {
      return (race.buffer, "the buffer of \(Figures.duration(race.buffer))")
    }
    let mean = lane.stream?.playout.samples?.meanTarget.map { Interval(seconds: $0) }
    guard let mean else { return (race.buffer, "the adaptive buffer") }
    return (mean, "the adaptive buffer (\(Figures.milliseconds(mean.milliseconds)) on average)")
  }

  /// Which buffer would have been enough, and which would have turned the race.
  var bufferSentences: [String] {
    guard rivals.contains(where: { unheard($0) > 0 || race.lanes[$0].behind ?? .zero > .zero }) else { return [] }
    var parts: [String] = []
    for place in rivals {
      if let enough = needs[place].buffer(missing: Self.tolerable) {
        parts.append("\(title(place)) needs \(Figures.fixed(enough.rounded(.up), decimals: 0)) ms of buffer")
      } else {
        let never = needs[place].missing(at: .greatestFiniteMagnitude) * 100
        parts.append("\(title(place)) gets there with none, as \(Figures.trimmed(never, decimals: 2)) % never came")
      }
    }
    return ["For at most 1 % missing \(Self.list(parts))."] + crossings
  }

  /// From which buffer on a byte stream misses less than the datagrams did.
  private var crossings: [String] {
    guard let plain = rivals.first(where: { race.lanes[$0].transport == .datagrams }) else { return [] }
    return rivals.filter { race.lanes[$0].transport == .byteStream }.compactMap { place in
      guard let crossing = needs[place].crossing(needs[plain]) else { return nil }
      let words = "\(Figures.fixed(max(crossing.rounded(.up), 1), decimals: 0)) ms"
      let (name, other) = (title(place), title(plain))
      return crossing <= buffer(race.lanes[place]).delay.milliseconds
        ? "From \(words) of buffer on \(name) misses less than \(other), whose losses no buffer brings back."
        : "From \(words) of buffer on it would be \(name) that misses less: no buffer brings back what \(other) lost."
    }
  }

  /// The share of missing packets that is called tolerable.
  static let tolerable = 0.01

  // MARK: The other player, and the price

  /// What a player of the other kind would have made of the byte streams.
  var otherPlayer: [String] {
    rivals.filter { race.lanes[$0].transport == .byteStream }.compactMap { place in
      let (lane, name) = (race.lanes[place], title(place))
      if lane.pauses != nil {
        let share = needs[place].missing(at: race.buffer.milliseconds) * 100
        return share == 0
          ? "A player that conceals instead of waiting would have missed nothing over \(name) either."
          : "A call, which can’t wait, would have missed \(Figures.trimmed(share, decimals: 2)) % over \(name)."
      }
      guard summaries[place].late > 0 else { return nil }
      let pauses = lane.waiting(buffer: buffer(lane).delay)
      guard let longest = pauses.map(\.length).max() else { return nil }
      let total = pauses.reduce(.zero) { $0 + $1.length }
      return "A player that waits instead of concealing, as web players do, would have played all that came over "
        + "\(name), stood still \(Figures.count(pauses.count, "time")) (\(Figures.duration(rounded(longest))) the "
        + "longest) and ended \(Figures.duration(rounded(total))) behind."
    }
  }

  /// What the lanes cost on the wire.
  var wire: String? {
    let known = rivals.compactMap { place in race.lanes[place].wireBytes.map { (title(place), $0) } }
    guard known.count > 1, known.allSatisfy({ $0.1 > 0 }) else { return nil }
    return "On the wire, with headers, acknowledgements and what was sent again, "
      + Self.list(known.map { "\($0) took \(Figures.bytes($1))" }) + "."
  }
}
