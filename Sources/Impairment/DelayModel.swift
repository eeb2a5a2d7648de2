import Timeline

/// Decides how long a packet is under way once it has left the line: a mean delay with random deviations.
struct DelayModel: Sendable {
  private let delay: Interval
  private let jitter: Interval
  private let shape: JitterShape
  private let keepsOrder: Bool
  private var generator: SeededGenerator
  private var lastArrival: Instant?

  init(_ spec: LinkSpec, generator: SeededGenerator) {
    delay = spec.delay
    jitter = spec.jitter
    shape = spec.jitterShape
    keepsOrder = spec.jitterOrder == .keep
    self.generator = generator
  }

  /// The time on the way that the next packet would take by itself; never negative.
  mutating func next() -> Interval {
    guard jitter > .zero else { return delay }
    // In the middle of its 2^-53, so that 0 is as far from the lower end as the largest value is from 1.
    let z = NormalDeviate.quantile(generator.nextUnit() + 0x1p-54)
    let deviation = shape == .normal ? z : NormalDeviate.heavy(z)
    let nanoseconds = Double(delay.nanoseconds) + deviation * Double(jitter.nanoseconds)
    return Interval(nanoseconds: Int64(max(0, nanoseconds.rounded())))
  }

  /// When a packet that is held back would arrive without jitter, in order with those before it.
  func undisturbedArrival(departure: Instant) -> Instant {
    let arrival = departure + delay
    guard keepsOrder, let lastArrival else { return arrival }
    return max(arrival, lastArrival)
  }

  /// When a packet arrives that leaves the line at `departure` and takes `time`, in order with those before it.
  mutating func arrival(departure: Instant, time: Interval) -> Instant {
    var arrival = departure + time
    if keepsOrder, let lastArrival { arrival = max(arrival, lastArrival) }
    lastArrival = arrival
    return arrival
  }
}
