/// Puts VP8 frames together again from RTP payloads (RFC 7741).
///
/// What follows a gap within a frame is left out: a frame stays a beginning of what it was, never a patchwork.
public struct VP8Depacketizer: Sendable {
  /// The most bytes that a frame may have: 8 MiB.
  public static let frameLimit = 8 << 20

  /// Whether packets are missing before the next payload.
  private var hasGap = false
  /// Whether something of this frame is missing, so that what comes is left out until it ends.
  private var isBroken = false

  /// Starts before a frame.
  public init() {}

  /// Appends what a payload holds to its frame.
  ///
  /// Nil when the payload is invalid and nothing was appended: its descriptor is cut, nothing follows it, or the frame
  /// would be longer than ``frameLimit``. Of a frame whose beginning is missing nothing is appended either.
  public mutating func append(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    guard let (descriptor, size) = VP8Descriptor.parse(payload), size < payload.byteCount,
      payload.byteCount - size <= Self.frameLimit - frame.count
    else { return nil }
    let content = payload.extracting(size..<payload.byteCount)
    var piece = VideoPiece()
    piece.isReference = !descriptor.isNonReference
    if let number = descriptor.pictureID { piece.pictureID = (number, descriptor.pictureIDBits) }
    if !frame.isEmpty {
      if hasGap { isBroken = true }
    } else if !isBroken {
      piece.beginsFrame = descriptor.beginsFrame
      isBroken = !descriptor.beginsFrame
    }
    hasGap = false
    if piece.beginsFrame { piece.isKey = Self.isKey(content) }
    guard !isBroken else { return piece }
    frame.append(0..<content.byteCount, of: content)
    return piece
  }

  /// Packets are missing right before the next payload.
  public mutating func noteGap(in frame: inout [UInt8]) { hasGap = true }

  /// The frame is over; the next payload belongs to another one, and is given an empty array.
  public mutating func endFrame(in frame: inout [UInt8]) { isBroken = false }

  /// Whether the beginning of a frame is that of a key frame; the start code is looked at as far as it is there.
  private static func isKey(_ content: RawSpan) -> Bool {
    guard content.byte(at: 0) & 1 == 0 else { return false }
    for (index, byte) in [0x9d, 0x01, 0x2a].enumerated() where index + 3 < content.byteCount {
      guard content.byte(at: index + 3) == byte else { return false }
    }
    return true
  }
}
