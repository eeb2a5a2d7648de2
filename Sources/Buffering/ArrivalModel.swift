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
  /// A power of two, as many as `minima` has.
  private static let bucketCount: Int64 = 8
  private static let nothing = Interval(nanoseconds: .max)

  /// The smallest transit of each bucket; the longest interval there is where nothing arrived.
  private var minima: InlineArray<8, Interval>
  private var bucket: Int64
  private(set) var base: Interval

  /// Starts with one packet's transit.
  init(transit: Interval, at arrival: Instant) {
    minima = InlineArray(repeating: Self.nothing)
    bucket = Self.bucketNumber(of: arrival)
    base = transit
    minima[slot(of: bucket)] = transit
  }

  /// Takes in one packet's transit; arrivals that run backwards count as now.
  mutating func observe(transit: Interval, at arrival: Instant) {
    let number = max(bucket, Self.bucketNumber(of: arrival))
    if number == bucket {
      let index = slot(of: number)
      minima[index] = min(minima[index], transit)
      base = min(base, transit)
      return
    }
    let steps = min(number - bucket, Self.bucketCount)
    // A clock that jumps far ahead clears every bucket; there is no need to walk through the time between.
    for step in 0..<steps { minima[slot(of: number - step)] = Self.nothing }
    bucket = number
    let index = slot(of: number)
    minima[index] = min(minima[index], transit)
    base = minima[0]
    for place in 1..<minima.count { base = min(base, minima[place]) }
  }

  private static func bucketNumber(of arrival: Instant) -> Int64 {
    arrival.nanoseconds / (window.nanoseconds / bucketCount)
  }

  private func slot(of number: Int64) -> Int {
    Int(truncatingIfNeeded: number & (Self.bucketCount - 1))
  }
}
