public import Timeline

/// What share of packets would have come too late for a jitter buffer of this or that delay.
public struct LatenessCurve: Hashable, Sendable {
  /// One delay and its share.
  public struct Point: Hashable, Sendable {
    /// The fixed delay of the buffer.
    public var delay: Interval
    /// The share of unique packets that would have been late, 0...1.
    public var late: Double

    /// Makes a point.
    public init(delay: Interval, late: Double) {
      self.delay = delay
      self.late = late
    }
  }

  /// The points by growing delay.
  public var points: [Point]

  /// Makes a curve.
  public init(points: [Point]) { self.points = points }
}

/// Counts how late packets come, in constant memory and time, so that every fixed delay can be judged afterwards.
///
/// A packet's lateness is its transit less the smallest transit of the recent past as the jitter buffer had it when the
/// packet came: a buffer of a fixed delay calls the packet late when that is no less than the delay. Counted in steps of
/// 0.5 ms up to 1 s, so that the share at a multiple of a step is exact.
public struct LatenessCounts: Sendable {
  /// The width of a step.
  public static let step = Interval.microseconds(500)
  private static let binCount = 2000

  /// Packets counted.
  public private(set) var total = 0
  private var bins = [UInt32](repeating: 0, count: binCount)
  /// Packets later than all steps.
  private var beyond = 0

  /// Starts with no packet.
  public init() {}

  /// Counts a packet that came so much after the fastest of the recent past; negative when it is the fastest.
  public mutating func record(_ lateness: Interval) {
    total += 1
    guard lateness >= .zero else { return }
    let bin = lateness.nanoseconds / Self.step.nanoseconds
    if bin < Self.binCount { bins[Int(bin)] &+= 1 } else { beyond += 1 }
  }

  /// The share of packets late for a buffer of this delay, taken down to a whole step; 0 without a packet.
  public func late(for delay: Interval) -> Double {
    guard total > 0 else { return 0 }
    let first = Int(min(max(delay.nanoseconds / Self.step.nanoseconds, 0), Int64(Self.binCount)))
    let late = bins[first...].reduce(beyond) { $0 + Int($1) }
    return Double(late) / Double(total)
  }

  /// The curve over round delays, up to the first at which nothing is late or to 1 s.
  public func curve() -> LatenessCurve {
    var points: [LatenessCurve.Point] = []
    guard total > 0 else { return LatenessCurve(points: points) }
    for milliseconds in Self.delays {
      let delay = Interval.milliseconds(milliseconds)
      points.append(LatenessCurve.Point(delay: delay, late: late(for: delay)))
      if points.last?.late == 0 { break }
    }
    return LatenessCurve(points: points)
  }

  private static let delays: [Int64] = [
    1, 2, 3, 4, 5, 7, 10, 15, 20, 25, 30, 35, 40, 50, 60, 70, 80, 100, 120, 150, 200, 250, 300, 400, 500, 700, 1000,
  ]
}
