/// How far losses are apart (RFC 3357 sections 4 and 5.3): a lost packet's number less that of the one lost before it.
///
/// Neighbours have distance 1. The first loss of a run of numbers has none.
public struct LossDistance: Hashable, Sendable {
  /// The loss constraint that the report's rate is made with: the same 16 that separate bursts (RFC 3611 section 4.7.2).
  public static let reportedDelta = 16

  /// Distances: index 0 counts those of 1, index 15 those of 16, index 16 those of 17 or more.
  public private(set) var histogram = [Int](repeating: 0, count: 17)
  /// Losses, those without a distance among them.
  public private(set) var losses = 0
  /// Losses that have a distance.
  public private(set) var count = 0
  /// The largest distance; 0 without one.
  public private(set) var max = 0

  private var sum = 0.0
  /// Received numbers since the last loss; nil before the first.
  private var since: Int?

  /// Starts with no loss.
  public init() {}

  /// The mean distance; 0 without one.
  public var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// The share of losses that a listener may notice: those at most `delta` after the one before
  /// (Type-P-One-Way-Loss-Noticeable-Rate, RFC 3357 section 6.1).
  ///
  /// - Parameter delta: the loss constraint, 1 to 16.
  /// - Returns: 0 without a loss.
  public func noticeableRate(delta: Int = reportedDelta) -> Double {
    guard losses > 0 else { return 0 }
    let near = histogram.prefix(Swift.min(Swift.max(delta, 0), 16)).reduce(0, +)
    return Double(near) / Double(losses)
  }

  /// The next `count` numbers were lost.
  mutating func appendLost(_ count: Int) {
    guard count > 0 else { return }
    losses += count
    if let since { add(since + 1, times: 1) }
    add(1, times: count - 1)
    since = 0
  }

  /// The next `count` numbers were received.
  mutating func appendReceived(_ count: Int) {
    if let since { self.since = since + count }
  }

  /// Ends this run of numbers: the next loss has none before it.
  mutating func close() { since = nil }

  private mutating func add(_ distance: Int, times: Int) {
    guard times > 0 else { return }
    histogram[Swift.min(distance, 17) - 1] += times
    max = Swift.max(max, distance)
    sum += Double(distance) * Double(times)
    count += times
  }
}
