import Timeline

/// The clock by which a listener pulls audio, and what has been decided ahead of it.
struct ElasticPlayout: Sendable {
  /// What a sink pulls at once.
  static let block = Interval.milliseconds(10)
  /// The first block is pulled this long after the first packet: the packets to come have as much time, without which
  /// each that was the least bit slower than the first would be late by a whole block.
  static let lead = Interval.milliseconds(5)

  /// The second packet comes after the first one's length, of at most 120 ms; the network may have made it later.
  static let longestProof = Interval.milliseconds(200)
  /// What the network does isn't known before so much of it was seen.
  private static let learning = Interval.seconds(1)

  /// A block that lacks no more than this is whole: lengths in clock units are rounded to nanoseconds.
  static let rounding = Interval.microseconds(50)

  /// Packets that begin within blocks in smaller steps than this begin anywhere.
  private static let smallestGrain = Interval.microseconds(500)

  /// When the next block is pulled.
  var tick = Instant.zero
  /// What has been decided and isn't played at `tick` yet.
  var queued = Interval.zero
  /// Whether the delay of what is played has anything to do with the target: not at a beginning, or after a long stall.
  var isAnchored = false
  /// Until the buffer has run dry for the first time, the delay it began with is left alone.
  var hasRunDry = false
  /// What the buffer began with, and how much of it was added to wait for another stream.
  private(set) var firstDelay = Interval.zero
  private var firstAdded = Interval.zero
  /// When what the beginning had to wait for, beyond the target, begins to be taken back; nil where it hadn't to.
  private(set) var settling: Instant?
  /// Whether stale media is being given up.
  var isDiscarding = false
  /// Until then little is enough to be given up, as something was just before.
  var endOfDiscarding = Instant.zero
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

  /// What the sink pulls at once.
  private(set) var pulled = Self.block
  /// Whether the sink has a clock of its own.
  private(set) var isPulled = false
  private var isVarying = false
  /// In steps of this packets begin within blocks; a block when each begins with one, 0 when anywhere.
  private(set) var grain = Self.block
  private var grainUnits: Int64 = 0

  /// Notes what the sink pulls.
  mutating func note(block: Interval) {
    if isPulled, block != pulled { isVarying = true }
    isPulled = true
    guard block != pulled else { return }
    pulled = block
    grainUnits = 0
  }

  /// Notes how long packets are: where that isn't a whole number of blocks, some are needed before they are heard.
  @inline(__always) mutating func note(packet units: Int64, rate: UInt32) {
    if units != grainUnits, units > 0 { measureGrain(units, rate: rate) }
  }

  private mutating func measureGrain(_ units: Int64, rate: UInt32) {
    grainUnits = units
    var (larger, smaller) = (Interval(units: units, rate: rate).nanoseconds, pulled.nanoseconds)
    while smaller > 0 { (larger, smaller) = (smaller, larger % smaller) }
    grain = isVarying || larger < Self.smallestGrain.nanoseconds ? .zero : .nanoseconds(larger)
  }

  /// How much earlier than it is heard a packet is needed at worst, at best.
  var unevenness: Interval { pulled - grain }

  /// How far packets begin from where they would be needed least early, when one has `remainder` before it in its block.
  func offset(of remainder: Interval) -> Interval {
    guard grain > .zero else { return .zero }
    let rest = (remainder + Self.rounding).nanoseconds % grain.nanoseconds
    return max(.zero, .nanoseconds(rest) - Self.rounding)
  }

  /// The smallest change by which packets are needed that much later, when none begins later than it must.
  func roundedUp(_ change: Interval) -> Interval {
    guard grain > .zero else { return change }
    return grain * max(1, (change.nanoseconds + grain.nanoseconds - 1) / grain.nanoseconds)
  }

  /// Puts `length` of media into the queue, as long as resampling makes it.
  mutating func append(_ length: Interval) {
    queued += correction == 0 ? length : Interval(seconds: length.seconds * (1 + correction))
  }

  /// How many times as long as a change it takes until the next one, where the delay is too long by `excess`.
  static func pace(for excess: Interval) -> Int64 {
    if excess > .milliseconds(400) { return 1 }
    return excess > .milliseconds(250) ? 2 : excess > .milliseconds(60) ? 4 : 10
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

  /// Begins no earlier than `instant`, without moving the blocks against the packets.
  mutating func hold(until instant: Instant, atLeast least: Interval = longestProof) {
    guard instant - tick > least else { return }
    let blocks = ((instant - tick).nanoseconds - 1) / Self.block.nanoseconds + 1
    tick = tick + Self.block * blocks
    settling = tick + Self.learning
  }

  /// What the beginning had to wait for has been taken back; the delay stays as it is now.
  mutating func settle(at delay: Interval, added: Interval) {
    settling = nil
    begin(with: delay, added: added)
  }

  /// Notes the delay that it begins with.
  mutating func begin(with delay: Interval, added: Interval) {
    firstDelay = delay
    firstAdded = added
  }

  /// What was added is no longer needed, or less of it: the rest isn't left alone.
  mutating func lower(by change: Interval) {
    let taken = min(max(change, .zero), firstAdded)
    firstDelay -= taken
    firstAdded -= taken
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
