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
  /// The view in at most `width` columns, for `LiveScreen`.
  public func lines(width: Int) -> [String] { [] }

  /// One line of figures, for output that isn't a terminal.
  public func plain() -> String { "" }
}
