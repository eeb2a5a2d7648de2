internal import Statistics
internal import Timeline

extension RaceReport {
  /// The report as one JSON object with the keys of docs/report-format.md, in their order.
  ///
  /// - Parameter pretty: whether each member stands on a line of its own; else the object is one line.
  public func json(pretty: Bool = false) -> String {
    var writer = JSONWriter(pretty: pretty)
    writer.object { json in
      writeSettings(to: &json)
      json.value("duration_ms", duration.milliseconds, decimals: 3)
      json.value("ended", ended)
      json.array("verdict") { array in
        for sentence in verdictSentences { array.value(nil, sentence) }
      }
      json.array("lanes") { array in
        for lane in lanes { array.object { lane.write(of: self, to: &$0) } }
      }
    }
    return writer.text
  }

  /// Writes what was raced and how.
  func writeSettings(to json: inout JSONWriter) {
    json.value("tool", "jitterbug")
    json.value("version", version)
    json.value("verb", "race")
    json.value("link", link)
    json.value("return_link", returnLink ?? link)
    json.value("seed", seed.flatMap { Int(exactly: $0) })
    json.value("file", file)
    json.value("encoding", encoding)
    json.value("command", commandLine)
    json.value("setting", setting.rawValue)
    json.value("began_unix_ms", began.map { Double($0) / 1e6 }, decimals: 3)
    json.value("packet_ms", packetInterval.milliseconds, decimals: 3)
    json.object("buffer") { json in
      json.value("policy", isBufferAdaptive ? "adaptive" : "fixed")
      json.value("target_ms", buffer.milliseconds, decimals: 3)
    }
    json.value("tcp_player", tcpPlayer.rawValue)
  }

  /// The packets as CSV: one line for each packet of each lane.
  public func csv() -> String {
    var text = "lane,packet,sent_ms,delay_ms,fate\n"
    for lane in lanes {
      let name = Self.field(lane.name)
      for (place, packet) in lane.packets.enumerated() {
        text += "\(name),\(place),\(Figures.fixed(packet.sentAt.milliseconds, decimals: 3)),"
        text += packet.delay.map { Figures.fixed($0.milliseconds, decimals: 3) } ?? ""
        text += ",\(packet.fate.name)\n"
      }
    }
    return text
  }

  /// A text as a field of CSV (RFC 4180): in quotes where it has to be.
  static func field(_ text: String) -> String {
    let clean = Printable.cleaned(text)
    guard clean.contains(where: { $0 == "," || $0 == "\"" }) else { return clean }
    return "\"" + clean.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}

extension LaneFate {
  /// The name in machine-readable output.
  var name: String {
    switch self {
    case .onTime: "on_time"
    case .late: "late"
    case .lost: "lost"
    case .recovered: "recovered"
    }
  }

  /// The letter in `fates`, where it is one of those that `strip` of a stream's page has.
  var letter: Character {
    switch self {
    case .onTime: "."
    case .late: "T"
    case .lost: "L"
    case .recovered: "F"
    }
  }
}

extension LaneReport {
  /// Packets up to which they stand in the JSON one by one; the CSV has them all.
  static let packetsInJSON = 10_000
  /// Samples of TCP_INFO, and points of a curve, that stand in the JSON.
  static let samplesInJSON = 2_000

  /// Writes the members of one object in `lanes`.
  func write(of race: RaceReport, to json: inout JSONWriter) {
    json.value("lane", name)
    json.value("transport", transport.rawValue)
    json.value("congestion_control", congestionControl)
    json.value("failure", failure)
    stream?.write(to: &json)
    write(summary(interval: race.packetInterval), of: race, to: &json)
    json.value("wire_bytes", wireBytes)
    json.value("wire_bytes_back", wireBytesBack)
    json.value("wire_packets", wirePackets)
    json.value("payload_bytes", payloadBytes)
    json.value("overhead", overhead, decimals: 4)
    json.value("retransmits", retransmits)
    json.value("connection_ms", connectionSetup?.milliseconds, decimals: 3)
    writeByteStream(of: race, to: &json)
    for (key, record) in [("link_record", linkRecord), ("return_link_record", returnLinkRecord)] {
      guard let record else {
        json.value(key, nil as String?)
        continue
      }
      json.object(key) { record.write(to: &$0) }
    }
    writeNeed(of: race, to: &json)
    writePackets(to: &json)
  }

  private func write(_ summary: LaneSummary, of race: RaceReport, to json: inout JSONWriter) {
    json.object("frames") { json in
      summary.writeCounts(to: &json)
      json.value("concealed_ms", concealed(interval: race.packetInterval).milliseconds, decimals: 3)
    }
    json.value("on_time_ratio", summary.onTimeRatio, decimals: 6)
    json.value("playable_ratio", summary.playableRatio, decimals: 6)
    summary.stalls.write("stalls", to: &json)
    summary.delay.write("delay_ms", to: &json)
    let runs = missingRuns
    json.object("missing_runs") { json in
      json.value("count", runs.count)
      json.value("mean", runs.isEmpty ? 0 : Double(runs.reduce(0, +)) / Double(runs.count), decimals: 3)
      json.value("max", runs.max() ?? 0)
      json.array("histogram") { array in
        for count in Self.histogram(of: runs) { array.value(nil, count) }
      }
    }
  }

  /// How many runs there are of each length from 1 to 9, and of 10 or more.
  static func histogram(of runs: [Int]) -> [Int] {
    var counts = [Int](repeating: 0, count: 10)
    for run in runs where run > 0 { counts[min(run, 10) - 1] += 1 }
    return counts
  }

  private func writeByteStream(of race: RaceReport, to json: inout JSONWriter) {
    guard transport == .byteStream else { return }
    let blocks = heldBack.filter { $0.held > 0 }
    json.object("head_of_line") { json in
      json.value("count", blocks.count)
      json.value("packets_held", blocks.reduce(0) { $0 + $1.held })
      json.value("max_packets_held", blocks.map(\.held).max() ?? 0)
      json.value("max_excess_ms", blocks.map(\.excess).max()?.milliseconds, decimals: 3)
    }
    json.object("waiting_player") { json in
      json.value("raced", self.pauses != nil)
      let pauses = self.pauses ?? waiting(buffer: meanBuffer ?? race.buffer)
      let total = pauses.reduce(Interval.zero) { $0 + $1.length }
      let stalls = StallFigures(count: pauses.count, total: total, longest: pauses.map(\.length).max() ?? .zero)
      stalls.write("stalls", to: &json)
      json.value("behind_ms", total.milliseconds, decimals: 3)
    }
    json.array("tcp_info") { array in
      for sample in tcpSamples.thinned(to: Self.samplesInJSON) {
        array.object { json in
          json.value("time_ms", sample.time.milliseconds, decimals: 3)
          json.value("rtt_ms", sample.roundTrip.milliseconds, decimals: 3)
          json.value("cwnd", sample.congestionWindow)
          json.value("retransmits", sample.retransmits)
          json.value("rto_ms", sample.timeout?.milliseconds, decimals: 3)
          json.value("queued_bytes", sample.queuedBytes)
        }
      }
    }
  }

  /// Writes what other buffers would have missed.
  private func writeNeed(of race: RaceReport, to json: inout JSONWriter) {
    let need = BufferNeed(self, interval: race.packetInterval, buffer: meanBuffer ?? race.buffer)
    json.value("enough_buffer_ms", need.buffer(missing: RaceJudge.tolerable), decimals: 3)
    json.array("buffer_curve") { array in
      for delay in BufferNeed.curveDelays {
        array.object { json in
          json.value("buffer_ms", delay, decimals: 0)
          json.value("missing", need.missing(at: delay), decimals: 6)
        }
      }
    }
  }

  private func writePackets(to json: inout JSONWriter) {
    guard packets.count <= Self.packetsInJSON else {
      json.value("fates", nil as String?)
      return json.value("delays_ms", nil as String?)
    }
    json.value("fates", String(packets.map(\.fate.letter)))
    json.array("delays_ms") { array in
      for packet in packets { array.value(nil, packet.delay?.milliseconds, decimals: 2) }
    }
  }
}

extension BufferNeed {
  /// The buffers whose misses stand in the JSON, in milliseconds.
  static let curveDelays: [Double] = [
    0, 5, 10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000,
  ]
}

extension LaneSummary {
  /// Writes the packets by fate.
  func writeCounts(to json: inout JSONWriter) {
    json.value("due", packets)
    json.value("on_time", onTime)
    json.value("late", late)
    json.value("lost", lost)
    json.value("recovered", recovered)
  }
}

extension StallFigures {
  /// Writes how many there were and how long.
  func write(_ key: String, to json: inout JSONWriter) {
    json.object(key) { json in
      json.value("count", count)
      json.value("total_ms", total.milliseconds, decimals: 3)
      json.value("longest_ms", longest.milliseconds, decimals: 3)
    }
  }
}

extension DelayFigures? {
  /// Writes the delays by rank, or `null`.
  func write(_ key: String, to json: inout JSONWriter) {
    guard let self else { return json.value(key, nil as String?) }
    json.object(key) { json in
      json.value("min", self.min, decimals: 3)
      json.value("p50", self.p50, decimals: 3)
      json.value("p95", self.p95, decimals: 3)
      json.value("p99", self.p99, decimals: 3)
      json.value("max", self.max, decimals: 3)
    }
  }
}

extension Array {
  /// At most so many of the elements, evenly spread, the first and the last among them.
  func thinned(to limit: Int) -> [Element] {
    guard count > limit, limit > 1 else { return self }
    return (0..<limit).map { self[$0 * (count - 1) / (limit - 1)] }
  }
}
