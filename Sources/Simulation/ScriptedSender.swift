import Packets
import Sending
import Timeline

/// A `SendSession` with its schedule that plays a script on a virtual clock.
struct ScriptedSender: Sendable {
  /// What a step of time brought forth.
  enum Output {
    /// An RTP packet with its timeline and duration in clock units.
    case rtp(bytes: Int, sequence: UInt16, timestamp: UInt32, duration: Int64)
    case rtcp(bytes: Int)
    /// The path goes dark until then.
    case blackout(until: Instant)
    case nothing
  }

  static let clockRate: UInt32 = 48_000

  let script: MediaScript
  private(set) var session: SendSession
  private(set) var schedule: SendSchedule
  /// When it has to be asked again; nil when the script is over.
  private(set) var wake: Instant?

  private var step = 0
  private var done = 0
  private var mediaTime: Int64 = 0
  private var planned: SendSchedule.Admission?
  private var needsMarker = true
  private var hasSaidGoodbye = false
  private var lastDeadline: Instant
  private let seed: UInt64

  init(_ script: MediaScript, seed: UInt64) {
    self.script = script
    self.seed = seed
    session = SendSession(
      Self.configuration(
        ssrc: script.ssrc, sequence: script.firstSequence, timestamp: script.firstTimestamp, seed: seed))
    schedule = SendSchedule(start: script.start, clockRate: Self.clockRate)
    wake = script.start
    lastDeadline = script.start
  }

  /// Whether the script is over.
  var isDone: Bool { wake == nil }

  /// Does what is due at `now` by the sender's own clock, writing a datagram into `buffer`.
  mutating func advance(at now: Instant, into buffer: inout MutableSpan<UInt8>) -> Output {
    guard let due = wake, due <= now else { return .nothing }
    if let report = session.nextReport, report <= now, let count = session.pollReport(into: &buffer, at: now) {
      plan(at: now)
      return .rtcp(bytes: count)
    }
    guard step < script.steps.count else { return finish(at: now, into: &buffer) }
    switch script.steps[step] {
    case .packets(let count, let duration, let bytes, let fec):
      let payload = MediaScript.payload(duration: duration, bytes: bytes, fec: fec)
      return send(payload, duration: duration, spacing: duration, count: count, at: now, into: &buffer)
    case .silence(let length):
      let count = max(1, Int(length.nanoseconds / 400_000_000))
      return send([31 << 3], duration: 960, spacing: 19_200, count: count, at: now, into: &buffer)
    case .stall(let length):
      nextStep()
      wake = now + length
    case .jump(let units):
      nextStep()
      jumped &+= units
      plan(at: now)
    case .restart(let ssrc, let sequence, let timestamp, let pause):
      nextStep()
      session = SendSession(
        Self.configuration(ssrc: ssrc, sequence: sequence, timestamp: timestamp, seed: seed &+ UInt64(step)))
      let start = max(now, lastDeadline) + pause
      schedule = SendSchedule(start: start, clockRate: Self.clockRate)
      mediaTime = 0
      jumped = 0
      needsMarker = true
      wake = start
    case .blackout(let length):
      nextStep()
      plan(at: now)
      return .blackout(until: now + length)
    }
    return .nothing
  }

  mutating func handleRTCP(_ datagram: RawSpan, at now: Instant) { session.handleRTCP(datagram, at: now) }

  // MARK: Private

  private var jumped: Int64 = 0

  private static func configuration(
    ssrc: UInt32, sequence: UInt16, timestamp: UInt32, seed: UInt64
  ) -> SendSession.Configuration {
    SendSession.Configuration(
      ssrc: ssrc, payloadType: 111, clockRate: clockRate, firstSequence: SequenceNumber(sequence),
      firstTimestamp: RTPTimestamp(timestamp), cname: "sender@simulation", bandwidth: 64_000,
      wallClockOffset: 1_700_000_000_000_000_000, seed: seed)
  }

  private mutating func nextStep() {
    step += 1
    done = 0
    planned = nil
  }

  /// Sends the next packet of a step, or waits for its deadline.
  private mutating func send(
    _ payload: [UInt8], duration: Int64, spacing: Int64, count: Int, at now: Instant,
    into buffer: inout MutableSpan<UInt8>
  ) -> Output {
    guard done < count else {
      nextStep()
      plan(at: now)
      return .nothing
    }
    let admission = planned ?? schedule.admit(mediaTime: mediaTime, at: now)
    planned = admission
    guard admission.deadline <= now else {
      plan(at: now)
      return .nothing
    }
    planned = nil
    schedule.sent(
      deadline: admission.deadline, at: now, duration: Interval(units: duration, rate: Self.clockRate))
    lastDeadline = admission.deadline
    let isSilence = payload.count < 3
    let offset = admission.timestampOffset &+ jumped
    let written = unsafe session.packetize(
      payload.span.bytes, timestampOffset: offset, marker: needsMarker || admission.followsPause, into: &buffer,
      deadline: admission.deadline)
    needsMarker = isSilence
    done += 1
    mediaTime += spacing
    if done == count { nextStep() }
    plan(at: now)
    guard let written else { return .nothing }
    return .rtp(
      bytes: written, sequence: session.configuration.firstSequence.advanced(by: session.packetCount - 1).rawValue,
      timestamp: session.configuration.firstTimestamp.advanced(by: offset).rawValue, duration: duration)
  }

  private mutating func finish(at now: Instant, into buffer: inout MutableSpan<UInt8>) -> Output {
    wake = nil
    guard script.saysGoodbye, !hasSaidGoodbye, let count = session.goodbye(into: &buffer, at: now) else {
      return .nothing
    }
    hasSaidGoodbye = true
    return .rtcp(bytes: count)
  }

  /// Sets the next instant at which there is something to do.
  private mutating func plan(at now: Instant) {
    let media = planned?.deadline ?? now
    wake = session.nextReport.map { min(max($0, now), media) } ?? media
  }
}
