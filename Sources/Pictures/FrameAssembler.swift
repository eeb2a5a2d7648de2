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

  private enum Depacketizer: Sendable {
    case h264(H264Depacketizer)
    case vp8(VP8Depacketizer)
    case transport(TransportDepacketizer)
    /// The payloads one after the other.
    case plain
  }

  /// The frame that isn't over.
  private(set) var open: Frame?
  /// Its bytes.
  var bytes: [UInt8] = []
  private var depacketizer: Depacketizer
  private var next: Int64?

  init(encoding: VideoEncoding?) {
    depacketizer =
      switch encoding {
      case .h264: .h264(H264Depacketizer())
      case .vp8: .vp8(VP8Depacketizer())
      case .mpegTS: .transport(TransportDepacketizer())
      case nil: .plain
      }
  }

  /// Appends a payload to the frame that isn't over, or begins `frame`; false when it is invalid where it stands.
  mutating func append(_ payload: RawSpan, sequence: Int64, to frame: Frame) -> Bool {
    if let next, sequence != next { noteGap() }
    if open == nil { open = frame }
    next = sequence + 1
    return take(payload)
  }

  /// The frame is over; its bytes are final.
  mutating func close() -> Frame? {
    guard var frame = open else { return nil }
    open = nil
    switch depacketizer {
    case .h264(var inner):
      frame.isCut = inner.endFrame(in: &bytes)
      depacketizer = .h264(inner)
    case .vp8(var inner):
      frame.isCut = inner.endFrame(in: &bytes)
      depacketizer = .vp8(inner)
    case .transport, .plain: break
    }
    return frame
  }

  private mutating func take(_ payload: RawSpan) -> Bool {
    switch depacketizer {
    case .h264(var inner):
      let piece = inner.append(payload, to: &bytes)
      depacketizer = .h264(inner)
      return piece != nil
    case .vp8(var inner):
      let piece = inner.append(payload, to: &bytes)
      depacketizer = .vp8(inner)
      return piece != nil
    case .transport(var inner): return inner.append(payload, to: &bytes) != nil
    case .plain:
      guard bytes.count + payload.byteCount <= VideoEncoding.frameLimit else { return false }
      unsafe payload.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
      return true
    }
  }

  private mutating func noteGap() {
    switch depacketizer {
    case .h264(var inner):
      inner.noteGap(in: &bytes)
      depacketizer = .h264(inner)
    case .vp8(var inner):
      inner.noteGap(in: &bytes)
      depacketizer = .vp8(inner)
    case .transport, .plain: break
    }
  }
}
