import Timeline

/// How fast the sender's clock runs against ours, from the smallest transits of slots of 2.5 s.
///
/// The slope is the median of the slopes between all pairs of slots that lie far enough apart (Theil and Sen), which a
/// few slots without an undelayed packet don't move. What doesn't look like a clock (a jump of the transit, slots that
/// contradict each other) gives no answer.
struct DriftEstimator: Sendable {
  private static let slotLength = Interval.milliseconds(2500)
  private static let slotCount = 24
  /// Slots nearer than this say more of jitter than of clocks.
  private static let nearest = 3
  /// Slots from which on there is an answer: a quarter of a minute.
  private static let enough = 6
  /// No two clocks drift apart by this within a slot; it is another route.
  private static let jump = Interval.milliseconds(5)
  /// A drift below this is left alone: on a quiet network audio stays bit for bit as it was sent.
  private static let smallest = 5e-6
  /// What is in use goes on down to this.
  private static let smallestInUse = 2e-6

  private var minima: [Interval] = []
  private var slopes: [Double] = []
  private var slotEnd: Instant?
  private var minimum = Interval.zero
  /// The change of transit with time, 0 while it isn't known or too small to matter; positive when the sender is slow.
  private(set) var slope = 0.0

  /// Takes in a packet's transit.
  mutating func observe(transit: Interval, at arrival: Instant) {
    guard let end = slotEnd else { return begin(transit, at: arrival) }
    guard arrival >= end else {
      minimum = min(minimum, transit)
      return
    }
    // A gap in the arrivals leaves slots without a minimum, and a slope needs even steps.
    guard arrival < end + Self.slotLength else { return restart(transit, at: arrival) }
    if let last = minima.last, magnitude(minimum - last) > Self.jump { minima.removeAll(keepingCapacity: true) }
    minima.append(minimum)
    if minima.count > Self.slotCount { minima.removeFirst() }
    slotEnd = end + Self.slotLength
    minimum = transit
    update()
  }

  /// The timeline begins anew; the sender's clock is the same.
  mutating func restart() {
    minima.removeAll(keepingCapacity: true)
    slotEnd = nil
  }

  private mutating func begin(_ transit: Interval, at arrival: Instant) {
    slotEnd = arrival + Self.slotLength
    minimum = transit
  }

  private mutating func restart(_ transit: Interval, at arrival: Instant) {
    restart()
    begin(transit, at: arrival)
  }

  private func magnitude(_ interval: Interval) -> Interval { interval < .zero ? -interval : interval }

  private mutating func update() {
    guard minima.count >= Self.enough else { return }
    slopes.removeAll(keepingCapacity: true)
    for first in minima.indices {
      for second in minima.indices.dropFirst(first + Self.nearest) {
        let rise = (minima[second] - minima[first]).seconds
        slopes.append(rise / (Double(second - first) * Self.slotLength.seconds))
      }
    }
    let middle = rank(slopes.count / 2)
    let spread = rank(slopes.count * 3 / 4) - rank(slopes.count / 4)
    guard spread < max(abs(middle) / 2, Self.smallestInUse) else { return }
    slope = abs(middle) < (slope == 0 ? Self.smallest : Self.smallestInUse) ? 0 : middle
  }

  /// The slope that would stand at `place` if they were sorted; sorting them all would need memory.
  private mutating func rank(_ place: Int) -> Double {
    var low = 0
    var high = slopes.count - 1
    while low < high {
      let pivot = slopes[(low + high) / 2]
      var left = low
      var right = high
      while left <= right {
        while slopes[left] < pivot { left += 1 }
        while slopes[right] > pivot { right -= 1 }
        guard left <= right else { break }
        slopes.swapAt(left, right)
        left += 1
        right -= 1
      }
      if place <= right {
        high = right
      } else if place >= left {
        low = left
      } else {
        break
      }
    }
    return slopes[place]
  }
}
