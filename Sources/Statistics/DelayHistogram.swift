internal import Timeline

/// How many packets were how much slower than the fastest one, in bins that grow with the delay.
public struct DelayHistogram: Hashable, Sendable {
  /// The upper edges of the bins in milliseconds, but for the last, which has none.
  ///
  /// Six edges a decade from 0.1 ms to 10 s; a value on an edge belongs to the bin below it.
  public static let edges = [
    0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500,
    2000, 3000, 5000, 7000, 10_000,
  ]

  /// Packets in each bin; one more than there are edges.
  public private(set) var counts = [Int](repeating: 0, count: edges.count + 1)

  /// Starts empty.
  public init() {}

  /// All packets.
  public var total: Int { counts.reduce(0, +) }

  /// Counts `times` packets that were slower by so many nanoseconds.
  mutating func add(_ nanoseconds: Int64, times: Int) {
    let value = Interval(nanoseconds: nanoseconds).milliseconds
    counts[Self.edges.firstIndex { value <= $0 } ?? Self.edges.count] += times
  }
}
