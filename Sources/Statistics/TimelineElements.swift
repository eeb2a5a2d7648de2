public import Timeline

/// One stretch of a stream's time, usually a second: what a line of the table by second says.
///
/// `fates` but for its duplicates are of the sequence numbers whose place was in this stretch (those that the highest
/// number passed in it), whenever they arrived: so none is lost twice, and a packet that comes late takes back the loss
/// of its own second. Duplicates, `bytes`, jitter and delay are of what arrived in it.
public struct TimelineRow: Hashable, Sendable {
  /// When it begins, from the stream's first packet on.
  public var start: Interval
  /// How long it is.
  public var duration: Interval
  /// What became of the sequence numbers whose place was here, and the copies that arrived here.
  public var fates: FateCounts
  /// Bytes that arrived.
  public var bytes: Int
  /// The interarrival jitter after each packet; nil when none arrived.
  public var jitter: TimelineExtent?
  /// Delays above the smallest of the whole stream; nil when nothing arrived.
  public var delay: TimelineExtent?
  /// Media in the buffer, looked at each time something was played; nil when nothing was.
  public var bufferLevel: TimelineExtent?
  /// The delay that the buffer aimed at, in milliseconds; nil when nothing was played.
  public var bufferTarget: Double?
  /// The smallest and the largest delay that the buffer counted from, on the scale of `delay`: the time of what came
  /// later than `bufferBase + bufferTarget` had passed.
  public var bufferBase: ClosedRange<Double>?
}

/// The smallest, mean and largest of values in milliseconds.
public struct TimelineExtent: Hashable, Sendable {
  /// The smallest.
  public var min: Double
  /// The mean.
  public var mean: Double
  /// The largest.
  public var max: Double
}

/// What became of some sequence numbers: those of a stretch of time, of a cell of the strip, or a single one.
public struct FateCounts: Hashable, Sendable {
  /// The sequence numbers that were expected.
  public var expected = 0
  /// Those that arrived.
  public var unique = 0
  /// Those that arrived too late to be played.
  public var late = 0
  /// Those that were thrown away.
  public var discarded = 0
  /// Those that arrived after a higher number.
  public var reordered = 0
  /// Further copies of them.
  public var duplicates = 0

  /// Those that never arrived.
  public var lost: Int { expected - unique }

  /// Counts the first copy of a packet.
  mutating func record(_ packet: StreamTimeline.Packet) {
    unique += 1
    if packet.reception.isReordered { reordered += 1 }
    switch packet.fate {
    case .inTime: break
    case .late: late += 1
    case .discarded: discarded += 1
    }
  }
}

extension FateCounts: Coarsenable {
  mutating func absorb(_ later: FateCounts) {
    expected += later.expected
    unique += later.unique
    late += later.late
    discarded += later.discarded
    reordered += later.reordered
    duplicates += later.duplicates
  }
}

/// What became of a stream's sequence numbers in their order; numbers between a restart's two runs have no place.
public struct FateStrip: Hashable, Sendable {
  /// The sequence numbers that each cell stands for, less in the last one.
  public var numbersPerCell: Int
  /// The cells in order.
  public var cells: [FateCounts]
}

/// Delays of the packets that arrived within one short stretch of time, in milliseconds above the smallest of all.
public struct DelaySample: Hashable, Sendable {
  /// The middle of the stretch, from the stream's first packet on.
  public var time: Interval
  /// The smallest and the largest delay of packets that came in time; nil when there was none.
  public var inTime: ClosedRange<Double>?
  /// The smallest and the largest delay of packets that came too late; nil when there was none.
  public var late: ClosedRange<Double>?
}

/// Something that happened to a stream as a whole.
public struct TimelineEvent: Hashable, Sendable {
  /// What happened.
  public enum Kind: Hashable, Sendable {
    /// The source was validated.
    case began
    /// The sender began anew with other sequence numbers.
    case restarted
    /// The stream went on after so many missing packets that it had to be told from a restart.
    case dropout(packets: Int)
    /// The source went on from another address.
    case moved
    /// Nothing arrived for that long.
    case gap(Interval)
    /// The timestamps, or the delay of the path, jumped by more than can be delay.
    case jump
    /// The target delay rose, because a packet came so much later than the fastest.
    case targetRose(from: Interval, to: Interval, delay: Interval)
    /// The target delay fell again.
    case targetFell(from: Interval, to: Interval)
    /// The smallest transit changed at once by so much.
    case routeChanged(Interval)
    /// There was nothing to play for so long.
    case ranDry(Interval)
    /// The delay came back to the target after so long.
    case recovered(after: Interval)
    /// So much media was given up.
    case gaveUp(Interval)
    /// Everything was played.
    case ended

    /// Of the buffer's events the more important have more; nil for those of the stream itself.
    public var bufferRank: Int? {
      switch self {
      case .began, .restarted, .dropout, .moved, .gap, .jump, .ended: nil
      case .recovered: 0
      case .targetFell: 1
      case .ranDry: 2
      case .targetRose: 3
      case .routeChanged: 4
      case .gaveUp: 5
      }
    }
  }

  /// When, from the stream's first packet on.
  public var time: Interval
  /// What.
  public var kind: Kind
}

/// Sum and extremes of one quantity.
struct TimelineSpread: Coarsenable {
  var least = Double.infinity
  var most = -Double.infinity
  var sum = 0.0
  var count = 0

  mutating func record(_ value: Double) {
    least = min(least, value)
    most = max(most, value)
    sum += value
    count += 1
  }

  mutating func absorb(_ later: TimelineSpread) {
    least = min(least, later.least)
    most = max(most, later.most)
    sum += later.sum
    count += later.count
  }

  /// From the least to the most less `origin`; nil without any.
  func range(above origin: Double) -> ClosedRange<Double>? {
    count > 0 ? (least - origin)...(most - origin) : nil
  }

  /// The values less `origin`; nil without any.
  func extent(above origin: Double = 0) -> TimelineExtent? {
    guard count > 0 else { return nil }
    return TimelineExtent(min: least - origin, mean: sum / Double(count) - origin, max: most - origin)
  }
}

/// What a row is made of while the stream runs; delays in milliseconds from an origin that only the end knows.
struct TimelineTally: Coarsenable {
  var fates = FateCounts()
  var bytes = 0
  /// The highest sequence number so far at its end.
  var highest: Int64
  var jitter = TimelineSpread()
  var delay = TimelineSpread()
  var level = TimelineSpread()
  var base = TimelineSpread()
  /// The last target; not finite when there was none.
  var target = Double.nan

  init(highest: Int64) { self.highest = highest }

  mutating func absorb(_ later: TimelineTally) {
    fates.absorb(later.fates)
    bytes += later.bytes
    highest = later.highest
    jitter.absorb(later.jitter)
    delay.absorb(later.delay)
    level.absorb(later.level)
    base.absorb(later.base)
    if later.target.isFinite { target = later.target }
  }
}

/// The extreme delays of a stretch of time, in milliseconds from an origin that only the end knows.
struct DelayTally: Coarsenable {
  var inTime = TimelineSpread()
  var late = TimelineSpread()

  mutating func absorb(_ later: DelayTally) {
    inTime.absorb(later.inTime)
    late.absorb(later.late)
  }
}
