public import Sending
public import Statistics
public import Timeline

/// Sends the streams of a profile: the prober's way up, and a reflector's way down.
///
/// Inputs: `handleRTCP`. Outputs: `poll`, at `nextWake` and after each input, until it returns nil.
public struct ProbeSender: Sendable {
  /// What a datagram is.
  public enum Output: Equatable, Sendable {
    /// An RTP packet of this many bytes.
    case media(bytes: Int)
    /// A compound RTCP packet of this many bytes.
    case control(bytes: Int)
  }

  /// One RTP stream.
  private struct Stream: Sendable {
    var session: SendSession
    var schedule: SendSchedule
    var source: ProbeSource
    var pending: ProbePacket?
    var admission: SendSchedule.Admission?
    var isDone = false
    var goodbyes = 0
    var nextGoodbye: Instant?
  }

  /// Goodbyes sent for each stream: more than one, because the tail of the account hangs on it.
  public static let goodbyeCount = 3
  /// The time between them.
  public static let goodbyeSpacing = Interval.milliseconds(100)

  /// How late packets left, over all streams.
  public private(set) var pacing = PacingError()
  /// Bytes of RTP packets sent, headers included.
  public private(set) var mediaBytes = 0

  private let profile: ProbeProfile
  private let duration: Interval
  private var streams: [Stream]
  private var payload: [UInt8]

  /// Prepares one stream for each configuration; the first packets leave at `start`, those of several streams evenly
  /// spread.
  public init(
    _ profile: ProbeProfile, _ configurations: [SendSession.Configuration], start: Instant, duration: Interval
  ) {
    self.profile = profile
    self.duration = duration
    payload = [UInt8](repeating: 0, count: profile.packetBytes)
    let count = Int64(max(configurations.count, 1))
    streams = configurations.enumerated().map { index, configuration in
      let begin = start + profile.interval * Int64(index) / count
      return Stream(
        session: SendSession(configuration),
        schedule: SendSchedule(start: begin, clockRate: configuration.clockRate), source: ProbeSource(profile))
    }
  }

  /// The sessions, for what they count and what far ends report.
  public var sessions: [SendSession] { streams.map(\.session) }

  /// RTP packets sent.
  public var packetCount: Int { streams.reduce(0) { $0 + $1.session.packetCount } }

  /// RTCP packets sent.
  public var reportCount: Int { streams.reduce(0) { $0 + $1.session.reportCount } }

  /// How often a stream stood still for longer than it could catch up, and for how long in all.
  public var pauses: (count: Int, time: Interval) {
    streams.reduce((0, .zero)) { ($0.0 + $1.schedule.pauseCount, $0.1 + $1.schedule.pausedTime) }
  }

  /// Whether all media has been sent.
  public var isMediaOver: Bool { streams.allSatisfy(\.isDone) }

  /// Whether all media and all goodbyes have been sent.
  public var isOver: Bool { streams.allSatisfy { $0.isDone && $0.goodbyes >= Self.goodbyeCount } }

  /// When to call `poll` again.
  public var nextWake: Instant? { Instant.earliest(nextMedia, nextControl) }

  /// When the next RTP packet is due.
  var nextMedia: Instant? {
    var wake: Instant?
    for stream in streams where !stream.isDone {
      // Without a packet at hand the first poll has to fetch one.
      wake = Instant.earliest(wake, stream.admission?.deadline ?? .zero)
    }
    return wake
  }

  /// When the next RTCP packet is due.
  var nextControl: Instant? {
    streams.reduce(nil) { Instant.earliest($0, $1.nextGoodbye ?? $1.session.nextReport) }
  }

  /// Takes in RTCP from the far end.
  public mutating func handleRTCP(_ datagram: RawSpan, at arrival: Instant) {
    for index in streams.indices { streams[index].session.handleRTCP(datagram, at: arrival) }
  }

  /// Ends the media now; the goodbyes come from `poll`.
  public mutating func stop(at now: Instant) {
    for index in streams.indices where !streams[index].isDone { finish(index, at: now) }
  }

  /// Writes the next datagram that is due by `now`; nil when none is.
  ///
  /// `allowance` is how many bytes of media may leave: a packet that is larger waits.
  public mutating func poll(
    into bytes: inout MutableSpan<UInt8>, at now: Instant, allowance: Int = .max
  ) -> Output? {
    for index in streams.indices {
      if let output = media(of: index, into: &bytes, at: now, allowance: allowance) { return output }
    }
    for index in streams.indices {
      if let due = streams[index].nextGoodbye {
        guard due <= now else { continue }
        streams[index].goodbyes += 1
        let isLast = streams[index].goodbyes >= Self.goodbyeCount
        streams[index].nextGoodbye = isLast ? nil : now + Self.goodbyeSpacing
        if let size = goodbye(of: index, into: &bytes, at: now) { return .control(bytes: size) }
      } else if let size = streams[index].session.pollReport(into: &bytes, at: now) {
        return .control(bytes: size)
      }
    }
    return nil
  }

  // MARK: Private

  private mutating func finish(_ index: Int, at now: Instant) {
    streams[index].isDone = true
    streams[index].pending = nil
    streams[index].admission = nil
    streams[index].nextGoodbye = now
  }

  private mutating func goodbye(of index: Int, into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    streams[index].session.goodbye(into: &bytes, at: now)
      ?? streams[index].session.repeatGoodbye(into: &bytes, at: now)
  }

  private mutating func media(
    of index: Int, into bytes: inout MutableSpan<UInt8>, at now: Instant, allowance: Int
  ) -> Output? {
    guard !streams[index].isDone else { return nil }
    let clockRate = streams[index].session.configuration.clockRate
    let packet = streams[index].pending ?? streams[index].source.next()
    guard packet.time < duration else {
      let end = streams[index].schedule.deadline(of: duration.units(rate: clockRate))
      finish(index, at: max(now, min(end, now + .seconds(1))))
      return nil
    }
    streams[index].pending = packet
    let sendOffset = packet.sendOffset.units(rate: clockRate)
    let mediaTime = packet.time.units(rate: clockRate)
    let admission = streams[index].schedule.admit(mediaTime: mediaTime + sendOffset, at: now)
    streams[index].admission = admission
    guard admission.deadline <= now, packet.payloadBytes <= allowance else { return nil }
    // Taken out while it is written, so that nothing is copied.
    var content = payload
    payload = []
    defer { payload = content }
    var fresh = content.mutableSpan
    profile.fill(&fresh, number: packet.number)
    let size = unsafe streams[index].session.packetize(
      content.span.bytes.extracting(first: packet.payloadBytes),
      timestampOffset: admission.timestampOffset - sendOffset,
      marker: packet.marker, into: &bytes, deadline: admission.deadline)
    streams[index].pending = nil
    streams[index].admission = nil
    guard let size else { return nil }
    streams[index].schedule.sent(deadline: admission.deadline, at: now)
    pacing.record(now - admission.deadline)
    mediaBytes += size
    return .media(bytes: size)
  }
}
