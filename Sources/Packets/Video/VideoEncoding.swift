/// The kinds of video whose RTP payloads are understood.
public enum VideoEncoding: String, CaseIterable, Sendable {
  /// H.264, by RFC 6184.
  case h264
  /// VP8, by RFC 7741.
  case vp8
  /// MPEG transport stream, by RFC 2250.
  case mpegTS

  /// The most bytes that a frame may have: 8 MiB.
  public static let frameLimit = 8 << 20

  /// The kind that a payload format names; nil for anything else.
  public init?(_ format: PayloadFormat) {
    switch format.encodingName.lowercased() {
    case "h264": self = .h264
    case "vp8": self = .vp8
    case "mp2t": self = .mpegTS
    default: return nil
    }
  }

  /// The format as SDP names it; all three have a clock of 90 kHz.
  public var format: PayloadFormat {
    switch self {
    case .h264: PayloadFormat(encodingName: "H264", clockRate: 90_000)
    case .vp8: PayloadFormat(encodingName: "VP8", clockRate: 90_000)
    case .mpegTS: PayloadFormat(encodingName: "MP2T", clockRate: 90_000)
    }
  }
}
