/// One encoded picture of a video file, in decoding order; of a transport stream, the packets of one datagram.
public struct VideoFrame: Equatable, Sendable {
  /// An access unit with start codes (Annex B), a VP8 frame, or whole transport packets.
  public var bytes: [UInt8]
  /// When it is to be sent, in 1/90000 s since the start: its place in decoding order.
  public var decode: Int64
  /// When it is to be shown, in 1/90000 s since the start: what its RTP timestamp says.
  public var presentation: Int64
  /// How long it lasts, in 1/90000 s.
  public var duration: Int64
  /// Whether decoding can begin here.
  public var isKey: Bool

  /// Makes a frame from its parts.
  public init(bytes: [UInt8], decode: Int64, presentation: Int64, duration: Int64, isKey: Bool) {
    self.bytes = bytes
    self.decode = decode
    self.presentation = presentation
    self.duration = duration
    self.isKey = isKey
  }
}
