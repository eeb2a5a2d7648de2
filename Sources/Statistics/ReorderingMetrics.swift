public import Timeline

/// How far packets arrive out of place, by RFC 4737: ratio, extent, late time and n-reordering.
///
/// A packet is reordered when one with a higher number arrived before its first copy; duplicates have no place.
public struct ReorderingMetrics: Hashable, Sendable {
  /// Packets that were reordered (section 3.3).
  public internal(set) var count = 0
  /// Packets that arrived, each once.
  public internal(set) var unique = 0
  /// The largest extent in packets (section 4.2.2), exact up to 1,024.
  public internal(set) var maxExtent = 0
  /// The largest late time (section 4.3.2).
  public internal(set) var maxLateTime = Interval.zero
  /// Packets by the largest n for which they are n-reordered (section 5.3): index 0 counts 1-reordered ones, index 8
  /// 9-reordered ones, index 9 those with 10 and more.
  ///
  /// A reordered packet that directly follows one with a lower number is in none of them.
  public internal(set) var histogram = [Int](repeating: 0, count: 10)
  /// The largest n, exact up to 1,023.
  public internal(set) var maxN = 0

  var extentSum = 0.0
  var lateSum = 0.0

  /// Starts with no packet.
  public init() {}

  /// The share of packets that were reordered (section 4.1); 0 without a packet.
  public var ratio: Double { unique == 0 ? 0 : Double(count) / Double(unique) }
  /// The mean extent in packets; 0 without reordering.
  public var meanExtent: Double { count == 0 ? 0 : extentSum / Double(count) }
  /// The mean late time in milliseconds; 0 without reordering.
  public var meanLateTime: Double { count == 0 ? 0 : lateSum / Double(count) }

  /// Packets that are n-reordered for this n: 1 to 10.
  ///
  /// From 3 on a TCP of RFC 5681 would have taken them for lost.
  public func reordered(byAtLeast n: Int) -> Int { histogram.dropFirst(min(max(n, 1), 10) - 1).reduce(0, +) }
}
