import Packets
import Timeline

/// When the pictures of a transport stream are shown, on one timeline.
///
/// A picture's own time (PTS) is one by the file's clock. It goes on without a gap where the sender paused, and begins
/// anew where the file does. The times of sending tell how long that took: where both steps differ for good, what
/// follows is shown by so much later.
struct TransportTimeline: Sendable {
  /// A difference by no more than this is left alone, and so is a step between two datagrams.
  private static let pause = Interval.milliseconds(400)
  /// How far pictures may be from one another by one clock and not by the other without a pause: a buffer's content.
  private static let slack = Interval.seconds(2)

  /// What the timestamp of a picture without any is beyond the one before: a thirtieth of a second.
  private let step: Int64
  private let clockRate: UInt32
  private let pauseUnits: Int64
  private let slackUnits: Int64
  /// When the last datagram was to be sent.
  private var sent: Int64?
  /// Whether one was to be sent long after the one before, or before it, since the last picture began.
  private var hasStepped = false
  /// The last picture with a decoding time that began: when it was to be sent, and its decoding time, a number of 33 bits.
  private var begun: (sent: Int64, decode: Int64)?
  /// What is added to the own times of pictures, and what to those of the one under way.
  private var offset: Int64 = 0
  private var offsetOfCurrent: Int64 = 0
  /// The last picture's own time, unwrapped, and where it stands.
  private var own: Int64?
  private var last: Int64?

  init(clockRate: UInt32) {
    self.clockRate = clockRate
    step = Int64(clockRate) / 30
    pauseUnits = Self.pause.units(rate: clockRate)
    slackUnits = Self.slack.units(rate: clockRate)
  }

  /// A datagram's time has come; `isNext` says that none is missing before it.
  mutating func note(_ time: Int64, isNext: Bool) {
    if isNext, let sent, abs(time &- sent) > pauseUnits { hasStepped = true }
    sent = time
  }

  /// A picture begins in the datagram noted last.
  mutating func begin(_ decode: Int64?) {
    defer { offsetOfCurrent = offset }
    guard let decode, let sent else { return }
    defer { (begun, hasStepped) = ((sent, decode), false) }
    guard let begun else { return }
    let step = units(Self.difference(decode, begun.decode))
    let change = (sent &- begun.sent) &- step
    // Less is a matter of the sender's buffer, unless the pictures' own times tell that they are another file's.
    let limit = hasStepped || step < 0 ? max(pauseUnits, 2 * step) : slackUnits
    guard abs(change) > limit else { return }
    offset &+= change
  }

  /// The picture under way, or the one before it, has ended: when it is shown, in units of the RTP clock.
  mutating func end(_ presentation: Int64?) -> Int64 {
    var time = (last ?? 0) &+ step
    if let presentation {
      let own = self.own.map { $0 &+ Self.difference(presentation, $0) } ?? presentation
      self.own = own
      time = units(own) &+ offsetOfCurrent
    }
    last = time
    return time
  }

  /// The sender has begun anew.
  mutating func restart() { self = TransportTimeline(clockRate: clockRate) }

  // MARK: Private

  /// The difference of two numbers of 33 bits.
  private static func difference(_ time: Int64, _ other: Int64) -> Int64 {
    let step = (time &- other) & 0x1_ffff_ffff
    return step >= 1 << 32 ? step - (1 << 33) : step
  }

  /// 1/90000 s in units of the RTP clock.
  private func units(_ time: Int64) -> Int64 {
    guard clockRate != 90_000 else { return time }
    return Interval(units: time, rate: 90_000).units(rate: clockRate)
  }
}
