/// What a VP8 frame says of itself in its first bytes (RFC 6386 section 9.1).
public struct VP8FrameHeader: Equatable, Sendable {
  /// The length in bytes of what every frame begins with.
  public static let tagSize = 3
  /// The length in bytes of what a key frame begins with: the tag, the start code and the size.
  public static let keySize = 10

  /// Whether decoding can begin here.
  public let isKey: Bool
  /// The bitstream's profile: 0 to 3, and up to 7 in streams of the future.
  public let version: Int
  /// Whether the frame is meant to be seen; one that isn't is only referred to.
  public let isShown: Bool
  /// The length in bytes of the first partition.
  public let firstPartitionSize: Int
  /// The size in pixels of a key frame; 0 of any other.
  public let width: Int
  /// The size in pixels of a key frame; 0 of any other.
  public let height: Int

  /// Reads the beginning of a frame; nil when it is too short, or a key frame without its start code or size.
  public init?(parsing frame: RawSpan) {
    guard frame.byteCount >= Self.tagSize else { return nil }
    let tag = Int(frame.byte(at: 0)) | Int(frame.byte(at: 1)) << 8 | Int(frame.byte(at: 2)) << 16
    isKey = tag & 1 == 0
    version = tag >> 1 & 7
    isShown = tag >> 4 & 1 == 1
    firstPartitionSize = tag >> 5
    guard isKey else {
      (width, height) = (0, 0)
      return
    }
    guard frame.byteCount >= Self.keySize, frame.byte(at: 3) == 0x9d, frame.byte(at: 4) == 0x01,
      frame.byte(at: 5) == 0x2a
    else { return nil }
    // The upper two bits of each are a scale that players are free to ignore.
    width = Int(frame.byte(at: 6)) | Int(frame.byte(at: 7) & 0x3f) << 8
    height = Int(frame.byte(at: 8)) | Int(frame.byte(at: 9) & 0x3f) << 8
    guard width > 0, height > 0 else { return nil }
  }
}
