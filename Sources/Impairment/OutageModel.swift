import Timeline

/// Decides when the whole link is down: up and down by turns, each for an exponentially distributed time.
struct OutageModel: Sendable {
  private let means: Outage?
  private var generator: SeededGenerator
  private var isDown = false
  private var until: Instant?
  /// Since when there may be outages; nil for since the first call.
  var start: Instant?

  init(_ spec: LinkSpec, generator: SeededGenerator) {
    means = spec.outage
    self.generator = generator
  }

  /// Whether the link is down at `now`, which must not be earlier than in the call before; it is up at
  /// the first call, and before `start`.
  mutating func isDown(at now: Instant) -> Bool {
    guard let means else { return false }
    if let start, now < start { return false }
    var end = until ?? (start ?? now) + length(means.up)
    // A jump over very many turns is taken in one step: the exponential distribution has no memory.
    if now - end > (means.up + means.down) * 1000 {
      isDown = generator.nextUnit() < means.down.seconds / (means.up.seconds + means.down.seconds)
      end = now + length(isDown ? means.down : means.up)
    }
    while now >= end, end < .distantFuture {
      isDown.toggle()
      end += length(isDown ? means.down : means.up)
    }
    until = end
    return isDown
  }

  private mutating func length(_ mean: Interval) -> Interval {
    Interval(seconds: -NormalDeviate.naturalLogarithm(1 - generator.nextUnit()) * mean.seconds)
  }
}
