public import Timeline

/// How late a sender's packets leave: the instant of sending less the instant at which each was due.
///
/// Negative is early. The 99th percentile comes from bins of 10 µs within 1.3 s, so it is right to 5 µs; the others are
/// exact.
public struct PacingError: Sendable {
  /// The number of packets counted.
  public private(set) var count = 0
  /// How late the last packet left.
  public private(set) var last = Interval.zero
  /// How late the latest packet left; zero without one.
  public private(set) var max = Interval.zero

  private var sum = Int128.zero
  private var bins = PagedHistogram(width: 10_000)

  /// Starts with no packet.
  public init() {}

  /// Counts a packet that left `lateness` after it was due.
  public mutating func record(_ lateness: Interval) {
    last = lateness
    max = count == 0 ? lateness : Swift.max(max, lateness)
    sum += Int128(lateness.nanoseconds)
    count += 1
    bins.add(lateness.nanoseconds)
  }

  /// The mean; zero without a packet.
  public var mean: Interval { count == 0 ? .zero : Interval(nanoseconds: Int64(clamping: sum / Int128(count))) }

  /// The lateness that 99 % of the packets don't exceed; zero without one.
  public var p99: Interval {
    guard count > 0 else { return .zero }
    let value = bins.value(atRank: Int((0.99 * Double(count)).rounded(.up)))
    return value.map { Swift.min(Interval(nanoseconds: $0), max) } ?? max
  }
}
