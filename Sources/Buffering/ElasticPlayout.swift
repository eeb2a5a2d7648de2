import Timeline

/// The clock by which a listener pulls audio, and what has been decided ahead of it.
struct ElasticPlayout: Sendable {
  /// What a sink pulls at once.
  static let block = Interval.milliseconds(10)
  /// The first block is pulled this long after the first packet: the packets to come have as much time, without which
  /// each that was the least bit slower than the first would be late by a whole block.
  static let lead = Interval.milliseconds(5)

  /// A block that lacks no more than this is whole: lengths in clock units are rounded to nanoseconds.
  static let rounding = Interval.microseconds(50)

  /// When the next block is pulled.
  var tick = Instant.zero
  /// What has been decided and isn't played at `tick` yet.
  var queued = Interval.zero
  /// Whether the delay of what is played has anything to do with the target: not at a beginning, or after a long stall.
  var isAnchored = false
  /// Until the buffer has run dry for the first time, the delay it began with is left alone.
  var hasRunDry = false
  /// Whether stale media is being given up.
  var isDiscarding = false
  /// How fast the sender's clock runs.
  var drift = DriftEstimator()
  /// How much longer (or, negative, shorter) audio is made by resampling, as a share.
  var correction = 0.0
  /// No stretching before this, unless the buffer is about to run dry.
  var nextStretch = Instant.zero
  /// Whether the last wish couldn't be granted.
  var hasMissed = false
  /// How many times as long as a change it takes until the next one.
  var pace: Int64 = 10

  /// Puts `length` of media into the queue, as long as resampling makes it.
  mutating func append(_ length: Interval) {
    queued += correction == 0 ? length : Interval(seconds: length.seconds * (1 + correction))
  }

  /// Sets when audio may be stretched again after a change.
  mutating func rest(after change: Interval) {
    nextStretch = tick + (change < .zero ? -change : change) * pace
  }

  mutating func begin(at arrival: Instant) {
    tick = arrival + Self.lead
    queued = .zero
    isAnchored = false
  }

  /// Pulls as many blocks as there are until `now`; true when one more is wanted than there is.
  mutating func pull(until now: Instant) -> Bool {
    guard tick <= now else { return false }
    let wanted = (now - tick).nanoseconds / Self.block.nanoseconds + 1
    let blocks = min(wanted, max(.zero, queued + Self.rounding).nanoseconds / Self.block.nanoseconds)
    tick = tick + Self.block * blocks
    queued -= Self.block * blocks
    return blocks < wanted
  }
}
