public import Timeline

/// The spread of one-way delays: delay less the smallest delay (PDV, RFC 5481 section 4.2), over unique packets.
///
/// The clocks of the two ends need not agree: the delay of a packet is only known up to a constant, and the smallest is
/// taken off at the end. Until then delays are counted relative to the first packet's in bins of 0.1 ms, within 13.1 s
/// either side, in pages of 25.6 ms made when first needed (at most 24 pages; delays that are spread over more widen the
/// bins). The smallest and the largest are kept exactly; percentiles are right to half a bin, 0.05 ms, or to 0.1 ms when
/// the sender restarted. A delay outside counts as the smallest or the largest one.
public struct DelayVariation: Sendable {
  /// The number of packets counted.
  public private(set) var count = 0

  /// The first packet's transit in nanoseconds, which the others are counted from.
  private var reference: Int64?
  private var least: Int64 = .max
  private var most: Int64 = .min
  private var bins = PagedHistogram(width: Self.resolution)
  /// Earlier runs of timestamps, each relative to its own smallest delay; made when there is one.
  private var closed = PagedHistogram(width: Self.resolution)
  private var hasClosed = false
  private var closedMost: Int64 = 0

  /// Starts with no packet.
  public init() {}

  /// Takes in a packet's transit time: its arrival less its extended timestamp, both in nanoseconds.
  public mutating func record(transit: Interval) {
    let origin = reference ?? transit.nanoseconds
    reference = origin
    let delay = (transit - Interval(nanoseconds: origin)).nanoseconds
    least = min(least, delay)
    most = max(most, delay)
    bins.add(delay)
    count += 1
  }

  /// Begins anew with timestamps that stand in no relation to those so far; the counts go on.
  public mutating func restart() {
    guard reference != nil else { return }
    closed.merge(bins, shiftedDown: least)
    closedMost = max(closedMost, Self.difference(most, least))
    hasClosed = true
    reference = nil
    least = .max
    most = .min
    bins = PagedHistogram(width: Self.resolution)
  }

  /// The percentiles; nil without a packet.
  public func percentiles() -> DelayPercentiles? {
    guard count > 0 else { return nil }
    guard hasClosed else {
      return Self.percentiles(of: bins, above: least, count: count, largest: Self.difference(most, least))
    }
    var merged = self
    merged.restart()
    return Self.percentiles(of: merged.closed, above: 0, count: count, largest: merged.closedMost)
  }

  /// The smallest transit, in the units of the two clocks that it is the difference of; nil without a packet, and after
  /// a restart, when there are several.
  public var leastTransit: Interval? {
    guard let reference, !hasClosed else { return nil }
    return Interval(nanoseconds: reference) + Interval(nanoseconds: least)
  }

  /// How many packets were how much slower than the fastest.
  public func histogram() -> DelayHistogram {
    var result = DelayHistogram()
    guard count > 0 else { return result }
    var merged = self
    if hasClosed { merged.restart() }
    let origin = hasClosed ? 0 : least
    let largest = hasClosed ? merged.closedMost : Self.difference(most, least)
    (hasClosed ? merged.closed : bins).forEach { middle, times in
      // What lies below the bins counts as the smallest delay, what lies above them as the largest.
      result.add(min(max(Self.difference(middle, origin), 0), largest), times: times)
    }
    return result
  }

  private static func percentiles(
    of histogram: PagedHistogram, above origin: Int64, count: Int, largest: Int64
  ) -> DelayPercentiles {
    func at(_ share: Double) -> Double {
      let value = histogram.value(atRank: Int((share * Double(count)).rounded(.up)))
      let spread = value.map { min(max(difference($0, origin), 0), largest) } ?? largest
      return Interval(nanoseconds: spread).milliseconds
    }
    return DelayPercentiles(
      p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: Interval(nanoseconds: largest).milliseconds)
  }

  private static let resolution = PagedHistogram.usualWidth

  private static func difference(_ left: Int64, _ right: Int64) -> Int64 {
    (Interval(nanoseconds: left) - Interval(nanoseconds: right)).nanoseconds
  }
}

/// Delay variation in milliseconds above the smallest delay; a percentile is the nearest rank.
public struct DelayPercentiles: Hashable, Sendable {
  /// The median.
  public var p50: Double
  /// The value that 95 % of the packets don't exceed.
  public var p95: Double
  /// The value that 99 % of the packets don't exceed.
  public var p99: Double
  /// The value that 99.9 % of the packets don't exceed: what a jitter buffer is to be sized by (RFC 5481 section 7.3).
  public var p999: Double
  /// The largest.
  public var max: Double

  /// Makes the percentiles.
  public init(p50: Double, p95: Double, p99: Double, p999: Double, max: Double) {
    self.p50 = p50
    self.p95 = p95
    self.p99 = p99
    self.p999 = p999
    self.max = max
  }
}
