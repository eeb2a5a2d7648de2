import Packets
public import Sending
public import Timeline

/// Sends the packets of a ramp: one stream, evenly spaced, whose rate the controller sets.
///
/// A packet's timestamp is the instant at which it left, so that its transit says nothing about this host.
public struct RampSender: Sendable {
  /// What decides the rates.
  public private(set) var controller: RampController
  /// The stream.
  public private(set) var session: SendSession

  /// The profile that stands for a ramp's packets: the payload type and the clock.
  public static let payloadType: UInt8 = 112
  /// The clock's rate in Hz.
  public static let clockRate: UInt32 = 90_000
  /// A sender that lags by more, and by more than two packets, doesn't catch up: that would be a burst.
  static let lagLimit = Interval.milliseconds(3)

  private let start: Instant
  private var step = 0
  private var nextPacket: Instant
  /// What is left of a nanosecond, so that the rate is exact in the mean.
  private var remainder = 0.0
  private var payload: [UInt8]
  private var hasLeft = false

  /// Begins with the first step.
  public init(_ configuration: RampController.Configuration, session: SendSession, at now: Instant) {
    controller = RampController(configuration, at: now)
    self.session = session
    start = now
    nextPacket = now
    payload = (0..<1_460).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
  }

  /// When to call `poll` again.
  public var nextWake: Instant? {
    let wake = Instant.earliest(controller.nextWake, session.nextReport)
    return controller.rate == nil ? wake : Instant.earliest(wake, nextPacket)
  }

  /// Takes in a feedback.
  public mutating func handle(_ feedback: ProbeFeedback, at now: Instant) {
    guard let stream = feedback.streams.first(where: { $0.ssrc == session.configuration.ssrc }) else { return }
    controller.handle(stream, at: now)
  }

  /// Takes in RTCP from the far end.
  public mutating func handleRTCP(_ datagram: RawSpan, at arrival: Instant) {
    session.handleRTCP(datagram, at: arrival)
  }

  /// Writes the next datagram that is due by `now`; nil when none is.
  public mutating func poll(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> ProbeSender.Output? {
    controller.advance(at: now)
    if controller.outcome != nil, !hasLeft {
      hasLeft = true
      if let size = session.goodbye(into: &bytes, at: now) { return .control(bytes: size) }
    }
    if let rate = controller.rate, let size = packet(rate: rate, into: &bytes, at: now) { return .media(bytes: size) }
    return session.pollReport(into: &bytes, at: now).map { .control(bytes: $0) }
  }

  private mutating func packet(rate: Double, into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    if step != controller.stepNumber {
      step = controller.stepNumber
      nextPacket = now
    }
    guard nextPacket <= now else { return nil }
    let overhead = RTPHeader.size + ProbeProfile.lowerLayers
    // A hundred packets a second, until they are as big as video has them; then more of them.
    let size = min(max(Int(rate / 800), 100), 1_200 + ProbeProfile.lowerLayers)
    let isFirst = session.packetCount == 0
    let units = (now - start).units(rate: Self.clockRate)
    // A second reference: a span of the sender's own storage can't be lent while the session changes.
    let content = payload
    let written = unsafe session.packetize(
      content.span.bytes.extracting(first: size - overhead), timestampOffset: units, marker: isFirst,
      into: &bytes, deadline: now)
    let gap = Double(size) * 8e9 / rate + remainder
    remainder = gap - gap.rounded(.down)
    let lag = max(Self.lagLimit, .nanoseconds(Int64(2 * gap)))
    nextPacket = max(nextPacket, now - lag) + .nanoseconds(Int64(gap))
    let sequence = UInt32(session.configuration.firstSequence.rawValue) &+ UInt32(session.packetCount - 1)
    controller.noteSent(bytes: size, sequence: sequence)
    return written
  }
}
