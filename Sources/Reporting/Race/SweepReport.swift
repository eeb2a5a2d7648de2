public import Timeline

/// What one lane came to in one race, in the figures that a sweep compares.
public struct LaneSummary: Hashable, Sendable {
  /// The lane's name.
  public var name: String
  /// Packets that were due.
  public var packets: Int
  /// Packets by what became of them.
  public var onTime: Int
  /// Those that came too late.
  public var late: Int
  /// Those that never came.
  public var lost: Int
  /// Those whose media was rebuilt.
  public var recovered: Int
  /// The delay from when a packet was due to be sent to when it was there, in milliseconds; nil when none came.
  public var delay: DelayFigures?
  /// The stalls.
  public var stalls: StallFigures
  /// How far a waiting player was behind at the end; nil for one that conceals.
  public var behind: Interval?
  /// Segments that TCP sent again; nil for what knows no retransmissions.
  public var retransmits: Int?
}

/// Delays of a lane by rank, in milliseconds.
public struct DelayFigures: Hashable, Sendable {
  /// The smallest.
  public var min: Double
  /// Half are at most this.
  public var p50: Double
  /// 95 % are.
  public var p95: Double
  /// 99 % are.
  public var p99: Double
  /// The greatest.
  public var max: Double
}

/// How often, and how long, a lane had nothing to play.
public struct StallFigures: Hashable, Sendable {
  /// How many there were.
  public var count: Int
  /// Their length together.
  public var total: Interval
  /// The longest.
  public var longest: Interval
}

/// One race of a sweep: a value of what is swept, and a seed.
public struct SweepRun: Sendable {
  /// The value as a number in the unit of `SweepReport.unit`.
  public var value: Double
  /// The value as it was written: "2%".
  public var text: String
  /// The seed of the link.
  public var seed: UInt64
  /// What the lanes came to.
  public var lanes: [LaneSummary]

  /// Describes a race; `LaneReport.summary(interval:)` makes the lanes' figures.
  public init(value: Double, text: String, seed: UInt64, lanes: [LaneSummary]) {
    self.value = value
    self.text = text
    self.seed = seed
    self.lanes = lanes
  }
}

/// What `race --sweep` reports: a race at each value of one setting, with several seeds.
public struct SweepReport: Sendable {
  /// The settings that all races share; its lanes are unused, `link` is the specification without what is swept.
  public var race: RaceReport
  /// What is swept: "loss", "delay", "buffer".
  public var key: String
  /// The unit of the values: "%" or "ms".
  public var unit: String
  /// The races in any order.
  public var runs: [SweepRun] = []

  /// Starts a report without races.
  public init(race: RaceReport, key: String, unit: String) {
    self.race = race
    self.key = key
    self.unit = unit
  }
}
