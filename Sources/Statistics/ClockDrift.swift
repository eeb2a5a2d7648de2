public import Timeline

/// How much faster the sender's media clock runs than ours, from the packets that hardly queued.
///
/// Of each stretch of time only the fastest packet counts, as queues only add delay; through these points goes the line
/// whose slope is the median of the slopes between all pairs (Theil and Sen), which a change of route over up to a
/// quarter of the time doesn't bend. Stretches are 1 s long and double when there are more than 128.
public struct ClockDrift: Hashable, Sendable {
  /// Parts in a million that the sender's clock is faster; negative when it is slower.
  public var ppm: Double
  /// The bounds of its 95 % confidence interval (by Kendall's tau, Sen 1968).
  public var bounds: ClosedRange<Double>
  /// From the first to the last of the points.
  public var span: Interval

  /// Whether zero is not among what the drift may be.
  public var isSignificant: Bool { !bounds.contains(0) }
  /// By how much the delay seems to change over the whole span because of it.
  public var effect: Interval { Interval(seconds: ppm.magnitude / 1e6 * span.seconds) }

  /// Makes a drift.
  public init(ppm: Double, bounds: ClosedRange<Double>, span: Interval) {
    self.ppm = ppm
    self.bounds = bounds
    self.span = span
  }
}

/// Collects what ``ClockDrift`` is estimated from, in 3 KiB.
struct DriftTracker: Sendable {
  private struct Point {
    var time: Int64
    var transit: Int64
    /// Which run of timestamps it belongs to: between two of them transits don't compare.
    var run: Int
  }

  private var points: [Point] = []
  private var width: Int64 = 1_000_000_000
  private var current: Point?
  private var windowEnd: Int64 = 0
  private var run = 0

  /// Takes in a packet.
  mutating func record(arrival: Instant, transit: Interval) {
    if let fastest = current, arrival.nanoseconds < windowEnd {
      if transit.nanoseconds < fastest.transit {
        current = Point(time: arrival.nanoseconds, transit: transit.nanoseconds, run: run)
      }
      return
    }
    flush()
    current = Point(time: arrival.nanoseconds, transit: transit.nanoseconds, run: run)
    windowEnd = arrival.nanoseconds.addingReportingOverflow(width).partialValue
  }

  /// The next timestamps stand in no relation to those so far.
  mutating func restart() {
    flush()
    current = nil
    run += 1
  }

  /// The drift; nil when there are fewer than ten points or 10 s, or the points leave it open by more than ±100 ppm.
  func estimate() -> ClockDrift? {
    var tracker = self
    tracker.flush()
    let points = tracker.points
    guard let first = points.first, let last = points.last, points.count >= 10 else { return nil }
    let span = Interval(nanoseconds: last.time) - Interval(nanoseconds: first.time)
    guard span >= .seconds(10) else { return nil }
    var slopes: [Double] = []
    slopes.reserveCapacity(points.count * (points.count - 1) / 2)
    var variance = 0.0
    var start = 0
    while start < points.count {
      let end = points[start...].firstIndex { $0.run != points[start].run } ?? points.count
      for later in start..<end {
        for earlier in start..<later where points[later].time > points[earlier].time {
          let rise = Double(points[later].transit) - Double(points[earlier].transit)
          slopes.append(rise / Double(points[later].time - points[earlier].time))
        }
      }
      let n = Double(end - start)
      variance += n * (n - 1) * (2 * n + 5) / 18
      start = end
    }
    guard slopes.count >= 45 else { return nil }
    var ranked = RankedValues(slopes)
    let half = 1.96 * variance.squareRoot() / 2
    let middle = Double(slopes.count) / 2
    func slope(_ rank: Double) -> Double { ranked.value(atRank: Int(rank.rounded(.down))) }
    // A fast sender's timestamps run ahead, so transits fall.
    let result = ClockDrift(
      ppm: -1e6 * slope(middle), bounds: -1e6 * slope(middle + half)...(-1e6 * slope(middle - half)), span: span)
    return result.bounds.upperBound - result.bounds.lowerBound <= 200 ? result : nil
  }

  private mutating func flush() {
    guard let point = current else { return }
    current = nil
    points.append(point)
    guard points.count > Self.capacity else { return }
    width *= 2
    var merged: [Point] = []
    var index = 0
    while index < points.count {
      let one = points[index]
      if index + 1 < points.count, points[index + 1].run == one.run {
        merged.append(points[index + 1].transit < one.transit ? points[index + 1] : one)
      } else {
        merged.append(one)
        // The other of the pair belongs to another run: it begins the next pair.
        index += index + 1 < points.count ? 1 : 2
        continue
      }
      index += 2
    }
    // Runs so short that nothing could be merged: the oldest go.
    points = merged.count > Self.capacity ? Array(merged.suffix(Self.capacity / 2)) : merged
  }

  private static let capacity = 128
}
