import Timeline

/// The longest delay of the recent past: a sliding maximum in constant time and memory, within an eighth of its window.
struct RecentMaximum: Sendable {
  private static let bucketCount: Int64 = 8

  private let width: Int64
  private var maxima = InlineArray<8, Interval>(repeating: .zero)
  private var bucket = Int64.min / 2

  init(window: Interval) { width = max(1, window.nanoseconds / Self.bucketCount) }

  /// Takes in a delay; times that run backwards count as now.
  mutating func observe(_ delay: Interval, at now: Instant) {
    advance(to: now)
    let place = slot(of: bucket)
    maxima[place] = max(maxima[place], delay)
  }

  /// The longest delay within the window before `now`.
  mutating func value(at now: Instant) -> Interval {
    advance(to: now)
    var longest = Interval.zero
    for place in maxima.indices { longest = max(longest, maxima[place]) }
    return longest
  }

  private mutating func advance(to now: Instant) {
    let number = max(bucket, now.nanoseconds / width)
    guard number != bucket else { return }
    let steps = min(number - bucket, Self.bucketCount)
    for step in 0..<steps { maxima[slot(of: number - step)] = .zero }
    bucket = number
  }

  private func slot(of number: Int64) -> Int { Int(truncatingIfNeeded: number & (Self.bucketCount - 1)) }
}
