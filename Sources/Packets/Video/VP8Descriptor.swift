/// The descriptor that each RTP payload of VP8 begins with (RFC 7741 section 4.2).
///
///      0 1 2 3 4 5 6 7
///     +-+-+-+-+-+-+-+-+
///     |X|R|N|S|R| PID |   required
///     +-+-+-+-+-+-+-+-+
///     |I|L|T|K|  RSV  |   when X is set
///     |M| PictureID   |   when I is set, 16 bits with M
///     |   TL0PICIDX   |   when L is set
///     |TID|Y| KEYIDX  |   when T or K is set
///     +-+-+-+-+-+-+-+-+
public struct VP8Descriptor: Equatable, Sendable {
  /// Whether no other frame refers to this one (N), so that it can be missed.
  public var isNonReference = false
  /// Whether the payload begins with the first byte of a partition (S).
  public var startsPartition = false
  /// The partition that the first byte belongs to (PID): 0 to 7; 0 throughout where a sender doesn't tell.
  public var partition = 0
  /// The frame's number (PictureID), of 7 or 15 bits; nil when it isn't there.
  public var pictureID: Int?
  /// How many bits the frame's number has: 7, or 15 with the M bit.
  public var pictureIDBits = 15
  /// The running number of frames of the base layer (TL0PICIDX); nil when it isn't there.
  public var baseLayerIndex: UInt8?
  /// The temporal layer (TID), 0 to 3; nil when it isn't there.
  public var temporalLayer: Int?
  /// Whether the frame refers to the base layer alone (Y).
  public var isLayerSync = false
  /// The number of the last key frame (KEYIDX), 0 to 31; nil when it isn't there.
  public var keyIndex: Int?

  /// Whether nothing of the frame lies before this payload: it starts partition 0.
  public var beginsFrame: Bool { startsPartition && partition == 0 }

  /// Makes a descriptor whose bits are all 0.
  public init() {}

  /// Reads a payload's descriptor and says how many bytes it takes; nil when the payload ends before it does.
  ///
  /// Reserved bits are ignored (section 4.2).
  public static func parse(_ payload: RawSpan) -> (descriptor: VP8Descriptor, size: Int)? {
    guard payload.byteCount >= 1 else { return nil }
    var result = VP8Descriptor()
    let first = payload.byte(at: 0)
    result.isNonReference = first & 0x20 != 0
    result.startsPartition = first & 0x10 != 0
    result.partition = Int(first & 0x07)
    guard first & 0x80 != 0 else { return (result, 1) }
    guard payload.byteCount >= 2 else { return nil }
    let fields = payload.byte(at: 1)
    var offset = 2
    if fields & 0x80 != 0 {
      guard payload.byteCount > offset else { return nil }
      let isLong = payload.byte(at: offset) & 0x80 != 0
      result.pictureIDBits = isLong ? 15 : 7
      guard payload.byteCount >= offset + (isLong ? 2 : 1) else { return nil }
      result.pictureID =
        isLong ? Int(payload.bigEndian(at: offset, as: UInt16.self) & 0x7fff) : Int(payload.byte(at: offset))
      offset += isLong ? 2 : 1
    }
    if fields & 0x40 != 0 {
      guard payload.byteCount > offset else { return nil }
      result.baseLayerIndex = payload.byte(at: offset)
      offset += 1
    }
    if fields & 0x30 != 0 {
      guard payload.byteCount > offset else { return nil }
      let byte = payload.byte(at: offset)
      if fields & 0x20 != 0 {
        result.temporalLayer = Int(byte >> 6)
        result.isLayerSync = byte & 0x20 != 0
      }
      if fields & 0x10 != 0 { result.keyIndex = Int(byte & 0x1f) }
      offset += 1
    }
    return (result, offset)
  }

  /// The number of bytes that ``write(into:)`` writes: 1 to 6.
  public var size: Int {
    guard hasExtension else { return 1 }
    return 2 + (pictureID == nil ? 0 : pictureIDBits > 7 ? 2 : 1) + (baseLayerIndex == nil ? 0 : 1)
      + (temporalLayer == nil && keyIndex == nil ? 0 : 1)
  }

  /// Writes the descriptor at the start of `bytes`; returns its length, or nil when it doesn't fit.
  public func write(into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard bytes.count >= size else { return nil }
    bytes[0] =
      (hasExtension ? 0x80 : 0) | (isNonReference ? 0x20 : 0) | (startsPartition ? 0x10 : 0)
      | UInt8(truncatingIfNeeded: partition & 7)
    guard hasExtension else { return 1 }
    bytes[1] =
      (pictureID == nil ? 0 : 0x80) | (baseLayerIndex == nil ? 0 : 0x40) | (temporalLayer == nil ? 0 : 0x20)
      | (keyIndex == nil ? 0 : 0x10)
    var offset = 2
    if let pictureID {
      if pictureIDBits > 7 {
        bytes.writeBigEndian(0x8000 | UInt16(truncatingIfNeeded: pictureID & 0x7fff), at: offset)
        offset += 2
      } else {
        bytes[offset] = UInt8(truncatingIfNeeded: pictureID & 0x7f)
        offset += 1
      }
    }
    if let baseLayerIndex {
      bytes[offset] = baseLayerIndex
      offset += 1
    }
    if temporalLayer != nil || keyIndex != nil {
      let layer = UInt8(truncatingIfNeeded: (temporalLayer ?? 0) & 3) << 6 | (isLayerSync ? 0x20 : 0)
      bytes[offset] = layer | UInt8(truncatingIfNeeded: (keyIndex ?? 0) & 31)
      offset += 1
    }
    return offset
  }

  private var hasExtension: Bool {
    pictureID != nil || baseLayerIndex != nil || temporalLayer != nil || keyIndex != nil
  }
}
