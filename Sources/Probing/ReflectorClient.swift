import Packets
import Sending
import Timeline

/// One address that has proved that it asked: what it gets, and what it has given.
struct ReflectorClient<Address: Hashable & Sendable>: Sendable {
  /// The time between two feedbacks.
  static var feedbackInterval: Interval { .milliseconds(100) }
  /// Bytes that may go out for each that came in.
  ///
  /// More than one, so that the way down can still be measured while half of the way up is lost.
  static var creditFactor: Int { 2 }

  let address: Address
  let token: ProbeToken
  var sender: ProbeSender?
  var renewedAt: Instant
  private var heardAt: Instant
  private let began: Instant
  private var meters: [ArrivalMeter]
  private var nextFeedback: Instant?
  /// Bytes that may be sent now, and the most that may be saved up: two seconds of media.
  private var credit: Int
  private let creditLimit: Int

  init(
    _ address: Address, token: ProbeToken, wish: ProbeWish, as configuration: Reflector<Address>.Configuration,
    at now: Instant, using generator: inout some RandomNumberGenerator
  ) {
    self.address = address
    self.token = token
    began = now
    renewedAt = now
    heardAt = now
    meters = wish.sources.map { ArrivalMeter(ssrc: $0, clockRate: wish.clockRate) }
    nextFeedback = wish.wantsFeedback ? now + Self.feedbackInterval : nil
    let rate = (wish.profile?.totalBitrate ?? 0) / 8
    creditLimit = max(Int(2 * rate), 16_384)
    credit = creditLimit / 2
    guard let profile = wish.profile else { return }
    let configurations = (0..<profile.streams).map { _ in
      SendSession.Configuration(
        ssrc: UInt32(truncatingIfNeeded: generator.next()), payloadType: profile.payloadType,
        clockRate: profile.format.clockRate,
        firstSequence: SequenceNumber(UInt16(truncatingIfNeeded: generator.next())),
        firstTimestamp: RTPTimestamp(UInt32(truncatingIfNeeded: generator.next())), cname: configuration.cname,
        bandwidth: profile.totalBitrate, wallClockOffset: configuration.wallClockOffset, seed: generator.next())
    }
    sender = ProbeSender(
      profile, configurations, start: now, duration: min(wish.duration, configuration.durationLimit))
  }

  mutating func noteReceived(bytes: Int, at arrival: Instant) {
    heardAt = max(heardAt, arrival)
    credit = min(credit + Self.creditFactor * (bytes + ProbeProfile.lowerLayers), creditLimit)
  }

  mutating func record(_ header: RTPHeader, bytes: Int, arrival: Instant) {
    guard let place = meters.firstIndex(where: { $0.ssrc == header.ssrc }) else { return }
    meters[place].record(header, bytes: bytes, arrival: arrival)
  }

  /// Writes the next datagram that is due and covered by what came in.
  mutating func poll(
    into bytes: inout MutableSpan<UInt8>, at now: Instant, as configuration: Reflector<Address>.Configuration
  ) -> Int? {
    let overhead = ProbeProfile.lowerLayers
    if let due = nextFeedback, due <= now {
      nextFeedback = max(due + Self.feedbackInterval, now)
      let feedback = ProbeMessage.feedback(ProbeFeedback(streams: meters.indices.compactMap { meters[$0].take() }))
      if credit > ProbeMessage.paddedSize * 2,
        let size = feedback.write(ssrc: configuration.ssrc, cname: configuration.cname, into: &bytes)
      {
        credit -= size + overhead
        return size
      }
    }
    let allowance = credit - overhead - RTPHeader.size
    switch sender?.poll(into: &bytes, at: now, allowance: allowance) {
    case .media(let size)?, .control(let size)?:
      credit -= size + overhead
      return size
    case nil: return nil
    }
  }

  /// When something is due, or the client may have to go.
  func nextWake(as configuration: Reflector<Address>.Configuration) -> Instant {
    var wake = min(renewedAt + configuration.renewalLimit, heardAt + configuration.silenceLimit)
    wake = min(wake, nextFeedback ?? .distantFuture)
    guard let sender else { return wake }
    wake = min(wake, sender.nextControl ?? .distantFuture)
    // Without credit only a datagram from the client changes anything.
    let isCovered = credit >= ProbeProfile.packetSizes.upperBound + ProbeProfile.lowerLayers
    return isCovered ? min(wake, sender.nextMedia ?? .distantFuture) : wake
  }

  /// Why it is over; nil while it goes on.
  func reasonToEnd(at now: Instant, as configuration: Reflector<Address>.Configuration) -> ReflectionEnd? {
    if now - heardAt > configuration.silenceLimit { return .silent }
    if now - renewedAt > configuration.renewalLimit { return .notRenewed }
    if now - began > configuration.durationLimit + .seconds(10) { return .done }
    return nil
  }
}
