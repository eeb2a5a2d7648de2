/// Puts the frames of any encoding together again from RTP payloads, which come in the order of their numbers.
public enum VideoDepacketizer: Sendable {
  /// H.264, by RFC 6184.
  case h264(H264Depacketizer)
  /// VP8, by RFC 7741.
  case vp8(VP8Depacketizer)
  /// MPEG transport stream, by RFC 2250, of which each payload stands for itself.
  case mpegTS

  /// Makes the depacketizer of an encoding.
  public init(_ encoding: VideoEncoding) {
    self =
      switch encoding {
      case .h264: .h264(H264Depacketizer())
      case .vp8: .vp8(VP8Depacketizer())
      case .mpegTS: .mpegTS
      }
  }

  /// Appends what a payload holds to its frame, which is empty at first.
  ///
  /// Nil when the payload is invalid where it stands, and nothing was appended.
  public mutating func append(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    switch self {
    case .h264(var depacketizer):
      defer { self = .h264(depacketizer) }
      return depacketizer.append(payload, to: &frame)
    case .vp8(var depacketizer):
      defer { self = .vp8(depacketizer) }
      return depacketizer.append(payload, to: &frame)
    case .mpegTS: return TransportDepacketizer.append(payload, to: &frame)
    }
  }

  /// Packets are missing right before the next payload.
  public mutating func noteGap(in frame: inout [UInt8]) {
    switch self {
    case .h264(var depacketizer):
      depacketizer.noteGap(in: &frame)
      self = .h264(depacketizer)
    case .vp8(var depacketizer):
      depacketizer.noteGap()
      self = .vp8(depacketizer)
    case .mpegTS: break
    }
  }

  /// The frame is over; returns whether anything that was accepted isn't in it, because what it is a part of isn't
  /// whole.
  public mutating func endFrame(in frame: inout [UInt8]) -> Bool {
    switch self {
    case .h264(var depacketizer):
      defer { self = .h264(depacketizer) }
      return depacketizer.endFrame(in: &frame)
    case .vp8(var depacketizer):
      defer { self = .vp8(depacketizer) }
      return depacketizer.endFrame()
    case .mpegTS: return false
    }
  }
}
