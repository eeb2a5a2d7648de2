/// What a payload type stands for: an encoding, its clock and its channels (RFC 3551, RFC 8866 section 6.6).
public struct PayloadFormat: Equatable, Sendable, CustomStringConvertible {
  /// The name by which SDP calls the encoding, such as `opus` or `PCMU`; compared without regard to case.
  public var encodingName: String
  /// The rate of the RTP timestamp in Hz; not always the sampling rate (G722 samples at 16 kHz and says 8000).
  public var clockRate: UInt32
  /// The number of audio channels; 1 for video.
  public var channels: Int

  /// Makes a format from its parts.
  public init(encodingName: String, clockRate: UInt32, channels: Int = 1) {
    self.encodingName = encodingName
    self.clockRate = clockRate
    self.channels = channels
  }

  /// Opus is always called so, whatever the input's rate and channels (RFC 7587 section 7).
  public static let opus = PayloadFormat(encodingName: "opus", clockRate: 48_000, channels: 2)

  /// The format as `a=rtpmap` writes it, such as `opus/48000/2`, `PCMU/8000` or `H264/90000`.
  public var description: String {
    channels == 1 ? "\(encodingName)/\(clockRate)" : "\(encodingName)/\(clockRate)/\(channels)"
  }

  /// Whether both mean the same: encoding names are compared without regard to case (RFC 4855 section 3).
  public static func == (left: PayloadFormat, right: PayloadFormat) -> Bool {
    left.clockRate == right.clockRate && left.channels == right.channels
      && left.encodingName.lowercased() == right.encodingName.lowercased()
  }

  /// The format that RFC 3551 section 6 assigns to a payload type, or nil when it is dynamic, reserved or unassigned.
  public static func staticType(_ payloadType: UInt8) -> PayloadFormat? {
    guard let row = staticTypes.first(where: { $0.type == payloadType }) else { return nil }
    return PayloadFormat(encodingName: row.name, clockRate: row.rate, channels: row.channels)
  }

  /// Tables 4 and 5 of RFC 3551.
  private static let staticTypes: [(type: UInt8, name: String, rate: UInt32, channels: Int)] = [
    (0, "PCMU", 8_000, 1), (3, "GSM", 8_000, 1), (4, "G723", 8_000, 1), (5, "DVI4", 8_000, 1),
    (6, "DVI4", 16_000, 1), (7, "LPC", 8_000, 1), (8, "PCMA", 8_000, 1), (9, "G722", 8_000, 1),
    (10, "L16", 44_100, 2), (11, "L16", 44_100, 1), (12, "QCELP", 8_000, 1), (13, "CN", 8_000, 1),
    (14, "MPA", 90_000, 1), (15, "G728", 8_000, 1), (16, "DVI4", 11_025, 1), (17, "DVI4", 22_050, 1),
    (18, "G729", 8_000, 1), (25, "CelB", 90_000, 1), (26, "JPEG", 90_000, 1), (28, "nv", 90_000, 1),
    (31, "H261", 90_000, 1), (32, "MPV", 90_000, 1), (33, "MP2T", 90_000, 1), (34, "H263", 90_000, 1),
  ]
}
