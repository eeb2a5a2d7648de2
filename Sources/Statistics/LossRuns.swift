/// How losses cluster: the lengths of runs of consecutive lost sequence numbers.
///
/// A run is the loss period of RFC 3357 section 5.3, taken over sequence numbers, not over time. Fed in order of
/// sequence number with numbers whose fate is settled.
public struct LossRuns: Hashable, Sendable {
  /// Runs that have ended, by length: index 0 counts runs of 1, index 8 runs of 9, index 9 runs of 10 or more.
  public private(set) var histogram = [Int](repeating: 0, count: 10)
  /// The number of runs that have ended.
  public private(set) var count = 0
  /// The number of packets in all runs that have ended.
  public private(set) var packets = 0
  /// The longest run that has ended, in packets; 0 when there is none.
  public private(set) var max = 0

  /// The length of the run that the last number fed belongs to.
  private var open = 0

  /// Starts with no losses.
  public init() {}

  /// The mean length of a run in packets; 0 when there is none.
  public var mean: Double { count == 0 ? 0 : Double(packets) / Double(count) }

  /// The next `count` sequence numbers were lost.
  mutating func appendLost(_ count: Int) { open += count }

  /// The next sequence numbers were received: a run of losses before them has ended.
  mutating func appendReceived() {
    guard open > 0 else { return }
    count += 1
    packets += open
    max = Swift.max(max, open)
    histogram[Swift.min(open, 10) - 1] += 1
    open = 0
  }
}
