/// The smallest, largest, mean and last value of something that is looked at again and again, in its own unit.
public struct RunningExtent: Hashable, Sendable {
  /// The smallest value; 0 without one.
  public private(set) var min = 0.0
  /// The largest value; 0 without one.
  public private(set) var max = 0.0
  /// The last value; 0 without one.
  public private(set) var last = 0.0
  /// The number of values.
  public private(set) var count = 0

  private var sum = 0.0

  /// Starts with no value.
  public init() {}

  /// The mean; 0 without a value.
  public var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// Takes a value in; one that isn't finite is ignored.
  public mutating func record(_ value: Double) {
    guard value.isFinite else { return }
    min = count == 0 ? value : Swift.min(min, value)
    max = count == 0 ? value : Swift.max(max, value)
    last = value
    sum += value
    count += 1
  }
}
