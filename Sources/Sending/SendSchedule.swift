public import Statistics
public import Timeline

/// When each piece of media is due on the wire: absolute deadlines on the media clock, so that errors don't add up.
///
/// A sender that was held up (a stopped process, a slow source) must not make up for it with a burst: packets that come
/// later than a jitter buffer waits are useless, and the burst itself causes loss. So a delay of more than ``lagLimit``
/// is taken as a pause: the deadlines, and with them the RTP timestamps, move on by its length, as they would for a
/// live source that fell silent. Smaller delays are caught up.
public struct SendSchedule: Sendable {
  /// The deadline of a piece of media, and how far the timeline had to be moved for it.
  public struct Admission: Equatable, Sendable {
    /// When the piece is to be sent.
    public var deadline: Instant
    /// The piece's place on the RTP timeline: its media time plus all pauses so far, in clock units.
    public var timestampOffset: Int64
    /// Whether a pause was made right before this piece.
    public var followsPause: Bool
  }

  /// The delay that is caught up unless another is given.
  public static let usualLagLimit = Interval.milliseconds(100)

  /// Ticks of the media clock a second.
  public let clockRate: UInt32
  /// The delay that is still caught up by sending faster.
  public let lagLimit: Interval
  /// Media seconds per second of real time; nil sends without waiting.
  public let speed: Double?
  /// Pauses made so far.
  public private(set) var pauseCount = 0
  /// The time lost in them.
  public private(set) var pausedTime = Interval.zero
  /// How late packets were sent, against their deadlines: what must not be blamed on the network.
  public private(set) var error = PacingError()
  /// Packets that were sent later than half the time to the next one.
  public private(set) var lateCount = 0

  private let start: Instant
  private var pausedUnits: Int64 = 0

  /// Starts the media clock: media time 0 is due at `start`.
  ///
  /// A speed that isn't a number from 0.001 to 1000 is taken as 1.
  public init(
    start: Instant, clockRate: UInt32, speed: Double? = 1, lagLimit: Interval = Self.usualLagLimit
  ) {
    self.start = start
    self.clockRate = clockRate
    self.speed = speed.map { (0.001...1000).contains($0) ? $0 : 1 }
    self.lagLimit = lagLimit
  }

  /// Plans the piece of media at `mediaTime` (clock units since the start), which became available at `now`.
  ///
  /// If it makes a pause, that is no shorter than `leastPause`: the piece then waits for the rest of it.
  public mutating func admit(mediaTime: Int64, at now: Instant, leastPause: Interval = .zero) -> Admission {
    guard let speed else {
      return Admission(deadline: now, timestampOffset: mediaTime, followsPause: false)
    }
    let lag = now - deadline(of: mediaTime + pausedUnits, at: speed)
    let isPause = lag > lagLimit
    if isPause {
      // Whole clock units, rounded up, and the deadline from their sum: so timestamps and deadlines stay together for
      // ever, and the deadline isn't past again.
      let units = Self.scaled(max(lag, leastPause), by: 1 / speed).units(rate: clockRate) + 1
      let before = deadline(of: mediaTime + pausedUnits, at: speed)
      pausedUnits += units
      pauseCount += 1
      pausedTime += deadline(of: mediaTime + pausedUnits, at: speed) - before
    }
    let offset = mediaTime + pausedUnits
    return Admission(deadline: deadline(of: offset, at: speed), timestampOffset: offset, followsPause: isPause)
  }

  /// Moves all that is still to come by a pause that another stream of the same media made: so they stay together.
  public mutating func follow(pause: Interval) {
    guard let speed, pause > .zero else { return }
    pausedUnits += Self.scaled(pause, by: 1 / speed).units(rate: clockRate)
  }

  /// When media time `mediaTime` is due, as things stand; without a speed, at the start.
  public func deadline(of mediaTime: Int64) -> Instant {
    speed.map { deadline(of: mediaTime + pausedUnits, at: $0) } ?? start
  }

  /// Notes that what was due at `deadline` was sent at `now`; it is late after half of its length of media.
  public mutating func sent(deadline: Instant, at now: Instant, duration: Interval = .zero) {
    error.record(now - deadline)
    if duration > .zero, now - deadline > duration / 2 { lateCount += 1 }
  }

  private func deadline(of offset: Int64, at speed: Double) -> Instant {
    start + Self.scaled(Interval(units: offset, rate: clockRate), by: speed)
  }

  private static func scaled(_ interval: Interval, by speed: Double) -> Interval {
    speed == 1 ? interval : Interval(seconds: interval.seconds / speed)
  }
}
