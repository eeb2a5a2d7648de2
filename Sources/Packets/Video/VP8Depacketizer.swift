/// Puts VP8 frames together again from RTP payloads (RFC 7741).
///
/// What follows a gap within a frame is left out: a frame stays a beginning of what it was, never a patchwork.
public struct VP8Depacketizer: Sendable {
  /// Whether packets are missing before the next payload.
  private var hasGap = false
  /// Whether something of this frame is missing, so that what comes is left out until it ends.
  private var isBroken = false

  /// Starts before a frame.
  public init() {}

  /// Appends what a payload holds to its frame.
  ///
  /// Nil when the payload is invalid and nothing was appended: its descriptor is cut, nothing follows it, or the frame
  /// would be longer than ``VideoEncoding/frameLimit``. Of a frame whose beginning is missing nothing is appended either.
  public mutating func append(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    guard let (said, size) = Self.parse(payload), payload.byteCount - size <= VideoEncoding.frameLimit - frame.count
    else { return nil }
    var piece = said
    if !frame.isEmpty {
      if hasGap { isBroken = true }
    } else if !isBroken {
      isBroken = !piece.beginsFrame
    }
    // Only what is appended first begins anything.
    if isBroken || !frame.isEmpty { (piece.beginsFrame, piece.isKey) = (false, false) }
    hasGap = false
    guard !isBroken else { return piece }
    frame.append(size..<payload.byteCount, of: payload)
    return piece
  }

  /// What a payload says by itself, wherever it stands; nil when its descriptor is cut or nothing follows it.
  public static func piece(of payload: RawSpan) -> VideoPiece? { parse(payload)?.piece }

  /// Packets are missing right before the next payload.
  public mutating func noteGap() { hasGap = true }

  /// The frame is over; the next payload belongs to another one, and is given an empty array.
  ///
  /// Returns whether payloads of it that were accepted were left out.
  @discardableResult
  public mutating func endFrame() -> Bool {
    defer { isBroken = false }
    return isBroken
  }

  /// What a payload says by itself, and the length of its descriptor.
  private static func parse(_ payload: RawSpan) -> (piece: VideoPiece, size: Int)? {
    guard let (descriptor, size) = VP8Descriptor.parse(payload), size < payload.byteCount else { return nil }
    var piece = VideoPiece()
    piece.isReference = !descriptor.isNonReference
    piece.beginsFrame = descriptor.beginsFrame
    if let number = descriptor.pictureID {
      piece.pictureID = VideoPiece.PictureID(value: number, bits: descriptor.pictureIDBits)
    }
    // show_frame (RFC 6386 section 9.1).
    piece.isHidden = piece.beginsFrame && payload.byte(at: size) & 0x10 == 0
    piece.isKey = piece.beginsFrame && isKey(payload.extracting(size..<payload.byteCount))
    return (piece, size)
  }

  /// Whether the beginning of a frame is that of a key frame; the start code is looked at as far as it is there.
  private static func isKey(_ content: RawSpan) -> Bool {
    guard content.byte(at: 0) & 1 == 0 else { return false }
    for (index, byte) in [0x9d, 0x01, 0x2a].enumerated() where index + 3 < content.byteCount {
      guard content.byte(at: index + 3) == byte else { return false }
    }
    return true
  }
}
