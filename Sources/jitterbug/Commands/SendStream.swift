import Packets
import Sending
import Sockets
import Statistics
import Timeline

/// One RTP session of `send`: media of one kind, its schedule and packets, and where they go.
///
/// Audio and video are two of these; they share a start and their pauses, so that they stay together.
final class SendStream {
  /// What is sent.
  let media: SentMedia
  let destinations: [Destination]
  let queue: MediaQueue
  private(set) var session: SendSession
  private(set) var schedule: SendSchedule?
  /// What was sent when, if the report shows it.
  private(set) var timeline: SendTimeline?
  /// The frame that is to be sent next.
  private(set) var current: MediaFrame?
  private(set) var hasMediaEnded = false
  /// The media time at which the last frame ends.
  private(set) var mediaEnd: Int64 = 0
  /// Frames of video begun, and key frames among them.
  private(set) var frameCount = 0
  private(set) var keyFrameCount = 0
  /// Times that a receiver's request for a key frame was answered.
  private(set) var answerCount = 0
  /// Packets that wait to go out together.
  var batch = SendBatch()

  /// The payloads without which the video can't be decoded.
  private var parameters: [[UInt8]] = []
  /// Payloads of these that are still to be sent before the next frame.
  private var repeated: ArraySlice<[UInt8]> = []
  private var isAfterPause = false
  /// Whether a picture of a transport stream has begun.
  private var isWithinPicture = false
  /// Whether the rest of the picture under way is all that is still sent.
  private var isEnding = false
  /// What the schedule had paused in all when it last did.
  private var pausedTime = Interval.zero
  /// The timestamp of the picture under way, as an offset.
  private var stamped: (time: Int64, offset: Int64)?
  /// The latest time of a frame, and whether one came after it that is shown before.
  private var latestTime = Int64.min
  private var isReordered = false
  /// More frames than most encoders send out of order.
  private static let leastPausedFrames: Int64 = 6
  private var seenRequests = 0
  private var isRequestOpen = false
  private var lastAnswer: Instant?
  /// Requests that come sooner after an answer than this are answered once it has passed: a receiver that asks in every
  /// frame must not make a stream of key frames.
  private static let answerInterval = Interval.milliseconds(250)

  var clockRate: UInt32 { session.configuration.clockRate }

  /// The delay that is caught up by sending faster.
  private let lagLimit: Interval
  /// That of video from a pipe: an encoder that is late makes no frame late at the receiver, whose usual buffer is 60 ms.
  static let liveLagLimit = Interval.milliseconds(40)

  init(
    _ media: SentMedia, session: SendSession, destinations: [Destination], queue: MediaQueue, showsTimeline: Bool,
    isLive: Bool
  ) {
    lagLimit = isLive ? Self.liveLagLimit : SendSchedule.usualLagLimit
    self.media = media
    self.session = session
    self.destinations = destinations
    self.queue = queue
    if showsTimeline { timeline = SendTimeline() }
  }

  // MARK: Media

  /// Takes the next frame out of the queue, unless one is at hand; `problem` gets sentences about inputs.
  func takeFrame(_ problem: (String) -> Void) {
    while current == nil, !hasMediaEnded {
      switch queue.pop() {
      case .frame(let frame):
        current = frame
        endAtPicture()
      case .parameters(let payloads): parameters = payloads
      case .problem(let sentence): problem(sentence)
      case .ended: hasMediaEnded = true
      case nil: return
      }
    }
  }

  /// Sends no more than the rest of the picture that is under way, if it is a transport stream's.
  ///
  /// Half of one looks like a whole one at the receiver. Of all else nothing more is sent.
  func end() {
    guard !hasMediaEnded else { return }
    isEnding = true
    if isWithinPicture {
      endAtPicture()
    } else {
      hasMediaEnded = true
      current = nil
    }
  }

  /// Cuts off what begins with the next picture, once the stream is to end.
  private func endAtPicture() {
    guard isEnding, let size = current?.pictureStart, let payload = current?.payload else { return }
    hasMediaEnded = true
    if size == 0 { current = nil } else { current?.payload = Array(payload.prefix(size)) }
  }

  /// How long before its own instant the frame at hand is to be sent.
  var lead: Interval { current.map { Interval(units: -$0.sendOffset - $0.time, rate: clockRate) } ?? .zero }

  /// Begins the schedule: media time 0 is at `start`.
  func begin(at start: Instant, speed: Double?) {
    schedule = SendSchedule(start: start, clockRate: clockRate, speed: speed, lagLimit: lagLimit)
  }

  /// The media time at which the frame at hand is to be sent; nil when none is.
  var nextTime: Interval? { current.map { Interval(units: $0.time + $0.sendOffset, rate: clockRate) } }

  /// When the frame at hand is due; nil when none is.
  var nextDeadline: Instant? { current.flatMap { schedule?.deadline(of: $0.time + $0.sendOffset) } }

  /// When the last frame has been played in time; nil before anything was sent.
  var mediaOver: Instant? { schedule?.deadline(of: mediaEnd) }

  /// What came of trying to make a packet.
  struct Packet {
    /// Its bytes; 0 when there is none, and another one may be tried.
    var size: Int
    /// A pause that the schedule made right before it.
    var pause = Interval.zero
  }

  /// The packets of one picture share its timestamp (RFC 6184 section 5.1): a pause among them moves only what follows it.
  private func timestampOffset(of frame: MediaFrame, _ admission: SendSchedule.Admission) -> Int64 {
    if let stamped, stamped.time == frame.time { return stamped.offset }
    let offset = admission.timestampOffset - frame.sendOffset
    stamped = (frame.time, offset)
    return offset
  }

  /// Moves the schedule by a pause that another stream made.
  func follow(pause: Interval) { schedule?.follow(pause: pause) }

  /// Makes the next packet when it is due; nil when it isn't yet.
  func makePacket(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Packet? {
    guard let frame = current,
      let admission = schedule?.admit(
        mediaTime: frame.time + frame.sendOffset, at: now, leastPause: leastPause(before: frame))
    else { return nil }
    isAfterPause = isAfterPause || admission.followsPause
    var packet = Packet(size: 0)
    if let paused = schedule?.pausedTime, admission.followsPause {
      packet.pause = paused - pausedTime
      pausedTime = paused
    }
    guard admission.deadline <= now else { return admission.followsPause ? packet : nil }
    let isRepeating = prepareAnswer(before: frame, at: now)
    var (payload, marker) = (frame.payload, frame.marker || (isAfterPause && media == .audio))
    isAfterPause = false
    if isRepeating, let parameter = repeated.popFirst() {
      (payload, marker) = (parameter, false)
    } else {
      current = nil
      note(frame)
    }
    // What the timestamp stands for is the frame's own instant, not that of its sending.
    let instant = schedule.flatMap { $0.speed == nil ? nil : $0.deadline(of: frame.time) } ?? now
    guard
      let size = session.packetize(
        payload.span.bytes, timestampOffset: timestampOffset(of: frame, admission), marker: marker, into: &bytes,
        deadline: instant)
    else { return packet }
    if schedule?.speed != nil {
      let duration = Interval(units: frame.duration, rate: clockRate)
      schedule?.sent(deadline: admission.deadline, at: now, duration: duration)
    }
    timeline?.record(bytes: size, deadline: admission.deadline, at: now)
    mediaEnd = max(mediaEnd, frame.time + frame.duration)
    packet.size = size
    return packet
  }

  /// How long a pause before a frame has to be.
  ///
  /// Where frames are sent in another order than they are shown a receiver can't tell a short one from that order. The
  /// rest of a frame that has begun doesn't wait.
  private func leastPause(before frame: MediaFrame) -> Interval {
    guard isReordered, frame.begins != nil else { return .zero }
    return Interval(units: frame.duration * Self.leastPausedFrames, rate: clockRate)
  }

  private func note(_ frame: MediaFrame) {
    if frame.pictureStart != nil { isWithinPicture = true }
    guard let beginning = frame.begins else { return }
    isReordered = isReordered || frame.time < latestTime
    latestTime = max(latestTime, frame.time)
    frameCount += 1
    if beginning == .keyFrame { keyFrameCount += 1 }
  }

  // MARK: Requests for key frames

  /// Whether one of the parameters goes out before this frame; decides so once a frame.
  private func prepareAnswer(before frame: MediaFrame, at now: Instant) -> Bool {
    guard frame.begins != nil else { return false }
    if isRequestOpen, media.repeatsParameters, mayAnswer(at: now) {
      isRequestOpen = false
      answerCount += 1
      lastAnswer = now
      // A key frame brings them along.
      if frame.begins == .frame { repeated = parameters[...] }
    }
    return !repeated.isEmpty
  }

  private func mayAnswer(at now: Instant) -> Bool { lastAnswer.map { now - $0 >= Self.answerInterval } ?? true }

  /// Takes in what a receiver sent.
  func handleRTCP(_ bytes: RawSpan, at now: Instant) {
    session.handleRTCP(bytes, at: now)
    let count = session.keyFrameRequests.total
    guard count > seenRequests else { return }
    seenRequests = count
    isRequestOpen = media.answersRequests
    askForKeyFrame(at: now)
  }

  /// Passes an open request on to a source that can make a key frame.
  func askForKeyFrame(at now: Instant) {
    guard isRequestOpen, media == .syntheticVideo, mayAnswer(at: now) else { return }
    isRequestOpen = false
    answerCount += 1
    lastAnswer = now
    queue.requestKeyFrame()
  }

  // MARK: Reports

  /// When there is something to report.
  var nextReport: Instant? { session.nextReport }

  func pollReport(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    session.pollReport(into: &bytes, at: now)
  }

  func leave(at now: Instant) { session.leave(at: now) }

  func noteRefused(payloadBytes: Int) { session.noteRefused(payloadBytes: payloadBytes) }
}

/// What a stream carries.
enum SentMedia: Hashable, Sendable {
  case audio
  case video(VideoEncoding)
  case syntheticAudio
  case syntheticVideo

  var isVideo: Bool {
    switch self {
    case .audio, .syntheticAudio: false
    case .video, .syntheticVideo: true
    }
  }

  /// Whether a request for a key frame can be answered by what decoding needs besides the frames.
  var repeatsParameters: Bool { self == .video(.h264) }

  /// Whether a request for a key frame can be answered at all: a file's key frames come when they come.
  var answersRequests: Bool { repeatsParameters || self == .syntheticVideo }
}
