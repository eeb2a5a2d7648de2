public import Timeline

/// What a race shows of one lane while it runs.
public struct LiveLane: Sendable {
  /// The lane's name.
  public var name: String
  /// Packets by fate so far, in the order of `LaneFate`.
  public private(set) var counts = [Int](repeating: 0, count: LaneFate.allCases.count)
  /// The last packets, oldest first, at most `LiveLane.kept`.
  private(set) var recent: [(fate: LaneFate, delay: Double?)] = []
  /// Segments that TCP sent again so far; nil for what knows no retransmissions.
  public var retransmits: Int?
  /// How far a waiting player is behind; nil for one that conceals.
  public var behind: Interval?

  /// Starts without packets.
  public init(name: String) { self.name = name }

  /// Counts a packet whose fate is settled; they come in the order in which they were sent.
  public mutating func record(_ fate: LaneFate, delay: Interval?) {
    counts[Int(fate.rawValue)] += 1
    // Cut seldom, so that it costs nothing on average.
    if recent.count >= 2 * Self.kept { recent.removeFirst(Self.kept) }
    recent.append((fate, delay?.milliseconds))
  }

  /// How many packets are kept for the ticks.
  static let kept = 256
}

/// The live view of a race: its lanes under each other.
public struct LiveRace: Sendable {
  /// The lanes in order.
  public var lanes: [LiveLane]
  /// Time since the first packet.
  public var elapsed = Interval.zero
  /// The length of the media; nil when it isn't known.
  public var total: Interval?
  /// The delay of the playout buffer.
  public var buffer: Interval

  /// Starts with nothing sent.
  public init(lanes: [LiveLane], buffer: Interval) {
    self.lanes = lanes
    self.buffer = buffer
  }
}

extension LiveRace {
  /// The view in at most `width` columns, for `LiveScreen`: each lane's figures, a tick a packet, and the delays.
  public func lines(width: Int) -> [String] {
    let names = lanes.map { Printable.cleaned($0.name, limit: 16) }
    let column = min((names.map { Printable.columns($0) }.max() ?? 0) + 2, max(width / 3, 1))
    let room = max(width - column, 1)
    let shown = lanes.map { Array($0.recent.suffix(min(room, LiveLane.kept))) }
    // The lanes have one scale, so that they can be compared.
    let delays = shown.joined().compactMap(\.delay)
    let least = delays.min() ?? 0
    let most = max((delays.max() ?? 0) - least, 2 * buffer.milliseconds)
    var lines = [heading]
    for (lane, (name, recent)) in zip(lanes, zip(names, shown)) {
      let indent = String(repeating: " ", count: column)
      let label = name + String(repeating: " ", count: max(column - Printable.columns(name), 1))
      lines.append(label + lane.figures)
      lines.append(indent + String(recent.map(\.fate.tick)))
      lines.append(indent + String(recent.map { Self.height($0.delay.map { ($0 - least) / most }) }))
    }
    lines.append(
      "· on time  ! late  x lost  + rebuilt   delay ▁ to █: \(Figures.fixed(least, decimals: 0)) to "
        + "\(Figures.fixed(least + most, decimals: 0)) ms")
    return lines.map { Printable.truncated($0, columns: width) }
  }

  /// One line of figures, for output that isn't a terminal.
  public func plain() -> String {
    ([Figures.clock(elapsed)] + lanes.map { "\(Printable.cleaned($0.name, limit: 16)): \($0.figures)" })
      .joined(separator: "  ")
  }

  private var heading: String {
    var text = Figures.clock(elapsed)
    if let total { text += " of " + Figures.clock(total) }
    return text + "  buffer \(Figures.duration(buffer))"
  }

  private static func height(_ share: Double?) -> Character {
    guard let share, share.isFinite else { return " " }
    return "▁▂▃▄▅▆▇█".dropFirst(min(max(Int((share * 8).rounded(.down)), 0), 7)).first ?? " "
  }
}

extension LiveLane {
  /// The figures so far.
  fileprivate var figures: String {
    let total = counts.reduce(0, +)
    func count(_ fate: LaneFate) -> Int { counts[Int(fate.rawValue)] }
    var fields = [
      "\(Figures.percent(count(.onTime), of: total)) on time", "\(Figures.grouped(count(.late))) late",
      "\(Figures.grouped(count(.lost))) lost",
    ]
    if count(.recovered) > 0 { fields.append("\(Figures.grouped(count(.recovered))) rebuilt") }
    if let delay = recent.last?.delay { fields.append("delay \(Figures.milliseconds(delay))") }
    if let retransmits { fields.append("\(Figures.grouped(retransmits)) sent again") }
    if let behind { fields.append("\(Figures.duration(behind)) behind") }
    return fields.joined(separator: "  ")
  }
}

extension LaneFate {
  /// The mark of a packet in the live view.
  fileprivate var tick: Character {
    switch self {
    case .onTime: "·"
    case .late: "!"
    case .lost: "x"
    case .recovered: "+"
    }
  }
}
