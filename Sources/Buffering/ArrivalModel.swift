import Timeline

/// The smallest transit of the recent past: what the jitter buffer's delay is counted from.
///
/// Transit is the arrival time less the media time; its value means nothing by itself (the two clocks have different
/// origins), but its smallest value over a short while belongs to a packet that hardly queued. A sliding minimum follows
/// clock drift and route changes within its window, in constant memory: the window is cut into buckets, each with its
/// own minimum.
struct ArrivalModel: Sendable {
  /// How much of the past counts.
  static let window = Interval.seconds(2)
  private static let bucketCount = 8

  private var minima: [Interval?]
  private var bucket: Int64
  private(set) var base: Interval

  /// Starts with one packet's transit.
  init(transit: Interval, at arrival: Instant) {
    minima = Array(repeating: nil, count: Self.bucketCount)
    bucket = Self.bucketNumber(of: arrival)
    base = transit
    minima[slot(of: bucket)] = transit
  }

  /// Takes in one packet's transit; arrivals that run backwards count as now.
  mutating func observe(transit: Interval, at arrival: Instant) {
    let number = max(bucket, Self.bucketNumber(of: arrival))
    let steps = min(number - bucket, Int64(Self.bucketCount))
    // A clock that jumps far ahead clears every bucket; there is no need to walk through the time between.
    for step in 0..<steps { minima[slot(of: number - step)] = nil }
    bucket = number
    let index = slot(of: number)
    minima[index] = minima[index].map { min($0, transit) } ?? transit
    base = minima.reduce(transit) { smallest, value in value.map { min(smallest, $0) } ?? smallest }
  }

  private static func bucketNumber(of arrival: Instant) -> Int64 {
    arrival.nanoseconds / (window.nanoseconds / Int64(bucketCount))
  }

  private func slot(of number: Int64) -> Int {
    Int(((number % Int64(Self.bucketCount)) + Int64(Self.bucketCount)) % Int64(Self.bucketCount))
  }
}
