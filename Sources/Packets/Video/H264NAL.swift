/// The first byte of an H.264 NAL unit, which is also the first byte of each RTP payload (H.264 7.3.1, RFC 6184 1.3).
public struct H264NAL: Equatable, Sendable {
  /// The byte as it is.
  public let header: UInt8

  /// Reads a NAL unit's first byte.
  public init(header: UInt8) { self.header = header }

  /// The forbidden bit: set by a network element that knows of a bit error.
  public var isForbidden: Bool { header & 0x80 != 0 }
  /// nal_ref_idc: 0 when nothing refers to what is inside.
  public var referenceIDC: UInt8 { header >> 5 & 3 }
  /// nal_unit_type: 1 to 23 are H.264's own, 24 to 29 the packets of RFC 6184.
  public var type: UInt8 { header & 0x1f }

  /// A slice of a picture that refers to others.
  public static let slice: UInt8 = 1
  /// The first of the three parts of a slice in data partitioning.
  public static let partitionA: UInt8 = 2
  /// A slice of an instantaneous decoding refresh: a key frame.
  public static let idrSlice: UInt8 = 5
  /// Supplemental enhancement information.
  public static let supplement: UInt8 = 6
  /// A sequence parameter set.
  public static let sequenceParameters: UInt8 = 7
  /// A picture parameter set.
  public static let pictureParameters: UInt8 = 8
  /// An access unit delimiter.
  public static let delimiter: UInt8 = 9
  /// A single-time aggregation packet without decoding order numbers (RFC 6184 section 5.7.1).
  public static let aggregate: UInt8 = 24
  /// A fragmentation unit without decoding order number (RFC 6184 section 5.8).
  public static let fragment: UInt8 = 28

  /// Whether it can be sent by itself: a type that H.264 defines, and no bit error.
  public var isWhole: Bool { !isForbidden && (1...23).contains(type) }
  /// Whether it holds a part of a picture: a slice, whole or in partitions.
  public var isPicture: Bool { (1...5).contains(type) }
  /// Whether it is a sequence or picture parameter set.
  public var isParameterSet: Bool { type == Self.sequenceParameters || type == Self.pictureParameters }
  /// Whether it begins with the header of a slice.
  public var hasSliceHeader: Bool { type == Self.slice || type == Self.partitionA || type == Self.idrSlice }

  /// What stands before a NAL unit in a stream of bytes (H.264 annex B).
  public static let startCode: [UInt8] = [0, 0, 0, 1]

  /// NAL units with start codes.
  public static func annexB(_ units: [[UInt8]]) -> [UInt8] { units.flatMap { startCode + $0 } }

  /// Whether a supplement says that decoding can begin with its picture (H.264 D.1.8, recovery_frame_cnt 0).
  ///
  /// Open groups of pictures begin so. `unit` is the NAL unit with its header, and the bytes that prevent start codes.
  public static func isRecoveryPoint(_ unit: RawSpan) -> Bool { recoveryCount(of: unit) == 0 }

  /// After how many frames that others refer to the picture is right again, if decoding begins with a supplement's
  /// picture (H.264 D.2.8, recovery_frame_cnt); nil when the supplement doesn't say.
  ///
  /// Where pictures are refreshed bit by bit, without key frames, it is more than 0.
  public static func recoveryCount(of unit: RawSpan) -> Int? {
    let content = unit.extracting(droppingFirst: 1)
    var cursor = H264ContentCursor()
    while let type = number(at: &cursor, in: content), let size = number(at: &cursor, in: content),
      size <= content.byteCount - cursor.offset
    {
      let start = cursor
      for _ in 0..<size { guard cursor.next(in: content) != nil else { return nil } }
      if type == 6 {
        var reader = BitReader<8>(content, from: start, limit: size)
        let count = reader.unsigned(upTo: 65_535)
        return reader.hasOverrun ? nil : count
      }
      if cursor.offset < content.byteCount, content.byte(at: cursor.offset) == 0x80 { return nil }
    }
    return nil
  }

  /// A supplement's next number, which is the sum of bytes up to one that isn't 255 (H.264 7.3.2.3.1).
  private static func number(at cursor: inout H264ContentCursor, in content: RawSpan) -> Int? {
    var sum = 0
    while let byte = cursor.next(in: content) {
      sum += Int(byte)
      if byte != 255 { return sum }
    }
    return nil
  }
}

/// Walks over the NAL units of bytes with start codes (H.264 annex B).
///
/// It keeps an offset, never the bytes: hand in the same ones each time.
public struct AnnexBCursor: Sendable {
  /// Where the next start code is looked for.
  public private(set) var offset: Int

  /// Begins at an offset.
  public init(at offset: Int = 0) { self.offset = offset }

  /// The next NAL unit without its start code and the zeros behind it; nil at the end.
  ///
  /// It is empty when nothing lies between two start codes.
  public mutating func next(in bytes: RawSpan) -> Range<Int>? {
    guard let code = Self.startCode(in: bytes, from: offset) else { return nil }
    let start = code + 3
    let following = Self.startCode(in: bytes, from: start) ?? bytes.byteCount
    offset = following
    var end = following
    while end > start, bytes.byte(at: end - 1) == 0 { end -= 1 }
    return start..<end
  }

  /// Where the next three bytes 0, 0, 1 lie.
  public static func startCode(in bytes: RawSpan, from offset: Int) -> Int? {
    var index = offset + 2
    while index < bytes.byteCount {
      let byte = bytes.byte(at: index)
      if byte == 0 {
        index += 1
        continue
      }
      if byte == 1, bytes.byte(at: index - 1) == 0, bytes.byte(at: index - 2) == 0 { return index - 2 }
      index += 3
    }
    return nil
  }
}
