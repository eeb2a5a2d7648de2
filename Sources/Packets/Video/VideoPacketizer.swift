/// Cuts the frames of any encoding into RTP payloads: one after the other, until ``isAtEnd``.
public enum VideoPacketizer: Sendable {
  /// H.264, by RFC 6184.
  case h264(H264Packetizer)
  /// VP8, by RFC 7741.
  case vp8(VP8Packetizer)
  /// MPEG transport stream, by RFC 2250.
  case mpegTS(TransportPacketizer)

  /// Makes the packetizer of an encoding; `payloadLimit` is the most bytes that an RTP payload may have.
  public init(_ encoding: VideoEncoding, payloadLimit: Int) {
    self =
      switch encoding {
      case .h264: .h264(H264Packetizer(payloadLimit: payloadLimit))
      case .vp8: .vp8(VP8Packetizer(payloadLimit: payloadLimit))
      case .mpegTS: .mpegTS(TransportPacketizer(payloadLimit: payloadLimit))
      }
  }

  /// Whether the last payload was the last of its frame, and the next call begins another.
  public var isAtEnd: Bool {
    switch self {
    case .h264(let packetizer): packetizer.isAtEnd
    case .vp8(let packetizer): packetizer.isAtEnd
    case .mpegTS(let packetizer): packetizer.isAtEnd
    }
  }

  /// Writes the next payload of a frame and returns its length; nil when the frame holds nothing that can be sent.
  public mutating func next(of frame: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    switch self {
    case .h264(var packetizer):
      defer { self = .h264(packetizer) }
      return packetizer.next(of: frame, into: &bytes)
    case .vp8(var packetizer):
      defer { self = .vp8(packetizer) }
      return packetizer.next(of: frame, into: &bytes)
    case .mpegTS(var packetizer):
      defer { self = .mpegTS(packetizer) }
      return packetizer.next(of: frame, into: &bytes)
    }
  }
}
