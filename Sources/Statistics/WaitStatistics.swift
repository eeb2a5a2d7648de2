public import Timeline

/// How long something waited: mean and most exact, the 99th percentile right to 1.6 % or 0.5 µs.
public struct WaitStatistics: Sendable {
  /// How many waited.
  public private(set) var count = 0
  /// The longest wait; zero without one.
  public private(set) var max = Interval.zero

  private var sum = 0.0
  private var bins = LogarithmicHistogram()

  /// Starts with nothing.
  public init() {}

  /// The mean wait; zero without one.
  public var mean: Interval { count == 0 ? .zero : Interval(nanoseconds: Int64(sum / Double(count))) }

  /// The wait that 99 % don't exceed; zero without one.
  public var p99: Interval {
    guard count > 0 else { return .zero }
    let value = bins.value(atRank: Int((0.99 * Double(count)).rounded(.up)))
    return value.map { Swift.min(Interval(nanoseconds: $0), max) } ?? max
  }

  /// Counts a wait; a negative one counts as none.
  public mutating func record(_ wait: Interval) {
    let wait = Swift.max(wait, .zero)
    count += 1
    max = Swift.max(max, wait)
    sum += Double(wait.nanoseconds)
    bins.add(wait.nanoseconds)
  }
}
