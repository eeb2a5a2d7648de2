import Media
import Packets
import Sending
import Timeline

/// Reads video and cuts its frames into payloads: the reading thread's work for files and pipes with video.
///
/// Several files are one stream, one after the other. A file's first frame to be shown is at its media time 0; what is
/// decoded before it is shown is sent that much earlier.
struct VideoFeed: ~Copyable {
  private let options: SendOptions
  private let inputs: SendInputs
  private let encoding: VideoEncoding
  private let queue: MediaQueue
  private let pacing: FramePacing
  private let payloadLimit: Int
  private var packetizer: FramePacketizer
  /// Where the media time 0 of the file at hand is, in ticks.
  private var base: Int64
  /// Where that of the next file will be.
  private var next: Int64
  private let limit: Int64?
  /// Whether frames were left out, so that it takes a key frame to begin.
  private var awaitsKeyFrame = false
  private var parameterSets: [[UInt8]] = []
  /// Where a transport stream can end.
  private var ending = TransportEnding()

  /// Why reading stopped early.
  private enum Stop: Error {
    /// The sender wants no more, or `--duration` is reached.
    case done
  }

  static let rate: UInt32 = 90_000

  /// How long a picture of a transport stream that has begun is waited for after `--duration`, in ticks: a second.
  private static let grace = Int64(rate)

  init(_ options: SendOptions, inputs: SendInputs, encoding: VideoEncoding, payloadLimit: Int, queue: MediaQueue) {
    self.options = options
    self.inputs = inputs
    self.encoding = encoding
    self.queue = queue
    self.payloadLimit = payloadLimit
    packetizer = FramePacketizer(encoding, payloadLimit: payloadLimit)
    pacing = FramePacing(share: options.pacing, clockRate: Int64(Self.rate))
    base = -options.start.units(rate: Self.rate)
    next = base
    limit = options.duration?.units(rate: Self.rate)
  }

  /// Reads everything into the queue.
  consuming func run() {
    do throws(Stop) {
      repeat {
        let before = next
        for file in inputs.video {
          if let sentence = try read(file) { guard queue.push(.problem(sentence)) else { return } }
          base = next
        }
        // Files without any frame would be read again and again.
        if next == before { break }
      } while options.isLooping
    } catch {}
    _ = queue.push(.ended)
  }

  /// Sends a file; a sentence when it couldn't be read, or not to its end.
  private mutating func read(_ file: String) throws(Stop) -> String? {
    var source: VideoSource
    do throws(MediaError) { source = try inputs.openVideo(file, options) } catch { return error.description }
    guard source.encoding == encoding else {
      return "\(file) has \(source.encoding.format.encodingName), and what comes before it has "
        + "\(encoding.format.encodingName): one stream has one of them, so send it by a command of its own"
    }
    if encoding == .mpegTS {
      ending = TransportEnding()
      source.setPacketsPerFrame(TransportPacketizer(payloadLimit: payloadLimit).packetsPerPayload)
    }
    /// The parameter sets that the sender was told of last, by the file's own count.
    var revision: Int?
    /// The instant at which the first frame is shown, in the file's own time.
    var origin: Int64?
    while true {
      let frame: VideoFrame?
      do throws(MediaError) { frame = try source.next() } catch { return error.description }
      guard let frame else { return source.leftOut.map { "\(file): \($0)" } }
      let shift = base - (origin ?? frame.presentation)
      if origin == nil { origin = frame.presentation }
      if source.parameterSets?.revision != revision {
        revision = source.parameterSets?.revision
        try take(source.parameterSets?.units ?? [])
      }
      do throws(Stop) { try emit(frame, shift: shift) } catch {
        // What was left out of the part that was sent is told here too, where --duration ends before the file does.
        if let sentence = source.brokenSoFar { _ = queue.push(.problem(sentence.description)) }
        throw error
      }
    }
  }

  /// Tells the sender what decoding needs, whenever it changes.
  private mutating func take(_ sets: [[UInt8]]) throws(Stop) {
    guard sets != parameterSets else { return }
    parameterSets = sets
    var cutter = FramePacketizer(.h264, payloadLimit: payloadLimit)
    let payloads = cutter.payloads(of: H264NAL.annexB(sets))
    guard queue.push(.parameters(payloads)) else { throw .done }
  }

  private mutating func emit(_ frame: VideoFrame, shift: Int64) throws(Stop) {
    var bytes = frame.bytes
    let isWithinPicture = ending.hasPicture
    let pictureStart = encoding == .mpegTS ? ending.take(bytes.span.bytes) : nil
    let time = frame.presentation + shift
    next = max(next, time + frame.duration)
    // What lies before --start is left out, and so is what can't be decoded without it.
    if time < 0 {
      awaitsKeyFrame = encoding != .mpegTS
      return
    }
    if awaitsKeyFrame, !frame.isKey { return }
    awaitsKeyFrame = false
    let sending = frame.decode - frame.presentation
    var isLast = false
    if let limit, time + sending >= limit {
      // A picture that has begun is sent to its end: half of it is of no use, and looks like a whole one.
      guard isWithinPicture, time + sending < limit + Self.grace else { throw .done }
      isLast = pictureStart != nil
      if let pictureStart { bytes.removeLast(bytes.count - pictureStart) }
    }
    try send(payloads: packetizer.payloads(of: bytes), of: frame, at: time, pictureStart: pictureStart)
    if isLast { throw .done }
  }

  private mutating func send(
    payloads: [[UInt8]], of frame: VideoFrame, at time: Int64, pictureStart: Int?
  ) throws(Stop) {
    var begun = 0
    for (index, payload) in payloads.enumerated() {
      var item = MediaFrame(
        payload: payload, time: time, duration: frame.duration,
        sendOffset: frame.decode - frame.presentation
          + pacing.offset(
            ofPacket: index, of: payloads.count, frameBytes: frame.bytes.count, duration: frame.duration),
        marker: encoding != .mpegTS && index == payloads.count - 1)
      if index == 0 { item.begins = frame.isKey ? .keyFrame : .frame }
      if let pictureStart, begun..<begun + payload.count ~= pictureStart { item.pictureStart = pictureStart - begun }
      begun += payload.count
      guard queue.push(.frame(item)) else { throw .done }
    }
  }
}

/// Cuts frames of one encoding into payloads.
struct FramePacketizer {
  private var packetizer: VideoPacketizer
  private var buffer: [UInt8]

  init(_ encoding: VideoEncoding, payloadLimit: Int) {
    packetizer = VideoPacketizer(encoding, payloadLimit: payloadLimit)
    buffer = [UInt8](repeating: 0, count: max(payloadLimit, 1))
  }

  /// The payloads of a frame, in order.
  mutating func payloads(of frame: [UInt8]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    // Out of `self` for as long as a span of it is lent.
    var bytes = exchange(&buffer, with: [])
    repeat {
      var span = bytes.mutableSpan
      guard let size = packetizer.next(of: frame.span.bytes, into: &span) else { break }
      result.append(Array(bytes[..<size]))
    } while !packetizer.isAtEnd
    buffer = bytes
    return result
  }
}
