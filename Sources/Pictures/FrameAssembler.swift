import Packets
import Timeline

/// Puts a stream's frames together from its packets, which come in the order of their numbers when they are due.
struct FrameAssembler: Sendable {
  /// A frame of which at least one packet has come.
  struct Frame: Sendable {
    /// The account's number for it.
    var id: Int
    /// Its extended RTP timestamp.
    var timestamp: Int64
    /// When it is to be decoded, in units of the clock.
    var time: Int64
    /// When its first packet was due.
    var due: Instant
    /// Whether packets of it came that aren't in its bytes, because what they are a part of isn't whole.
    var isCut = false
  }

  /// The frame that isn't over.
  private(set) var open: Frame?
  /// Its bytes.
  var bytes: [UInt8] = []
  /// Nil where the payloads of a frame are put one after the other.
  private var depacketizer: VideoDepacketizer?
  private var next: Int64?

  init(encoding: VideoEncoding?) { depacketizer = encoding.map { VideoDepacketizer($0) } }

  /// Appends a payload to the frame that isn't over, or begins `frame`; false when it is invalid where it stands.
  mutating func append(_ payload: RawSpan, sequence: Int64, to frame: Frame) -> Bool {
    if let next, sequence != next { depacketizer?.noteGap(in: &bytes) }
    if open == nil { open = frame }
    next = sequence + 1
    if depacketizer != nil { return depacketizer?.append(payload, to: &bytes) != nil }
    guard bytes.count + payload.byteCount <= VideoEncoding.frameLimit else { return false }
    bytes.append(0..<payload.byteCount, of: payload)
    return true
  }

  /// The frame is over; its bytes are final.
  mutating func close() -> Frame? {
    guard var frame = open else { return nil }
    open = nil
    frame.isCut = depacketizer?.endFrame(in: &bytes) ?? false
    return frame
  }
}
