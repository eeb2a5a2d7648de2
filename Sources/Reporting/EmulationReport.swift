public import Timeline

/// What an emulated link did while a command ran behind it, both directions.
public struct EmulationReport: Sendable {
  /// One direction of the link.
  public struct Direction: Sendable {
    /// The link's spec.
    public var spec: String
    /// What the link did.
    public var record: LinkReport
    /// Bytes of IP packets given to the link.
    public var bytesOffered = 0
    /// Bytes of IP packets handed over.
    public var bytesDelivered = 0
    /// Packets that passed without being judged: to groups, and what the kernel says about neighbours.
    public var passed = 0
    /// Packets that the emulator was too slow for.
    public var missed = 0
    /// Packets that the far side's interface didn't take.
    public var refused = 0
    /// How much later than due packets were handed over: the mean, the 99th percentile, the most.
    public var lateness: (mean: Interval, p99: Interval, max: Interval) = (.zero, .zero, .zero)

    /// Starts with what was asked for and what the link did.
    public init(spec: String, record: LinkReport) {
      self.spec = spec
      self.record = record
    }
  }

  /// The tool's version.
  public var version: String
  /// The command and its arguments.
  public var command: [String]
  /// The command at the other side, if there was one.
  public var peer: String?
  /// The command's exit status, or 128 and the number of the signal that ended it.
  public var status = 0
  /// How long the command ran.
  public var duration = Interval.zero
  /// The processor's time that moving the packets took.
  public var processorTime = Interval.zero
  /// The time for which moving the packets had to wait for a processor.
  public var processorWait = Interval.zero
  /// From the peer to the command.
  public var down: Direction
  /// From the command to the peer.
  public var up: Direction

  /// Starts with what was asked for and what the link did.
  public init(version: String, command: [String], peer: String?, down: Direction, up: Direction) {
    self.version = version
    self.command = command
    self.peer = peer
    self.down = down
    self.up = up
  }

  /// One line for people.
  public var line: String {
    "link: down \(down.text); up \(up.text)" + Self.trouble(down.missed + up.missed, down.refused + up.refused)
  }

  /// The report as JSON.
  public var json: String {
    var json = JSONWriter(pretty: true)
    json.object { json in
      json.value("version", version)
      json.value("verb", "link")
      json.array("command") { json in for word in command { json.value(nil, word) } }
      json.value("peer", peer)
      json.value("status", status)
      json.value("duration_s", duration.seconds, decimals: 3)
      json.value("forwarder_cpu_s", processorTime.seconds, decimals: 4)
      json.value("forwarder_wait_s", processorWait.seconds, decimals: 4)
      json.object("down") { down.write(to: &$0) }
      json.object("up") { up.write(to: &$0) }
    }
    return json.text + "\n"
  }

  private static func trouble(_ missed: Int, _ refused: Int) -> String {
    (missed > 0
      ? "; \(Figures.count(missed, "packet")) came too fast for the emulator and were lost beside the link" : "")
      + (refused > 0 ? "; \(Figures.count(refused, "packet")) found no room on the far side" : "")
  }
}

extension EmulationReport.Direction {
  fileprivate var text: String {
    guard record.offered > 0 else { return "no packet" }
    var parts: [String] = []
    func add(_ count: Int, _ what: String, of whole: Int? = nil) {
      guard count > 0 else { return }
      parts.append("\(Figures.grouped(count)) \(what) (\(Figures.percent(count, of: whole ?? record.offered)))")
    }
    add(record.lost, "lost")
    add(record.queueDropped, "dropped by the queue")
    add(record.outageLost, "lost in outages")
    add(record.duplicated, "doubled")
    add(record.reordered, "overtaken")
    // Of a packet that arrives twice both copies are counted.
    add(record.corrupted, "corrupted", of: record.delivered)
    if parts.isEmpty { parts.append("none lost") }
    return "\(Figures.count(record.offered, "packet")), " + parts.joined(separator: ", ")
      + (record.inFlight > 0 ? ", \(Figures.grouped(record.inFlight)) still under way" : "")
  }

  fileprivate func write(to json: inout JSONWriter) {
    json.value("link", spec)
    json.object("link_record") { record.write(to: &$0) }
    json.value("bytes_offered", bytesOffered)
    json.value("bytes_delivered", bytesDelivered)
    json.value("passed", passed)
    json.value("missed", missed)
    json.value("refused", refused)
    json.object("lateness_ms") { json in
      json.value("mean", lateness.mean.milliseconds, decimals: 4)
      json.value("p99", lateness.p99.milliseconds, decimals: 4)
      json.value("max", lateness.max.milliseconds, decimals: 4)
    }
  }
}
