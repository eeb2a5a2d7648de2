/// The four bytes with which every block of an extended report begins (RFC 3611 section 3), and where the block lies.
public struct XRBlockHeader: Equatable, Sendable {
  /// Its length in bytes.
  public static let size = 4

  /// The block types that RFC 3611 defines.
  public enum BlockType {
    /// Loss RLE.
    public static let lossRLE: UInt8 = 1
    /// Duplicate RLE.
    public static let duplicateRLE: UInt8 = 2
    /// Packet receipt times.
    public static let receiptTimes: UInt8 = 3
    /// Receiver reference time.
    public static let referenceTime: UInt8 = 4
    /// Delay since the last receiver report.
    public static let delay: UInt8 = 5
    /// Statistics summary.
    public static let summary: UInt8 = 6
    /// VoIP metrics.
    public static let voipMetrics: UInt8 = 7
  }

  /// The block's type, such as 1 for Loss RLE.
  public let type: UInt8
  /// Eight bits whose meaning depends on the type.
  public let specific: UInt8
  /// The whole block with this header.
  public let range: Range<Int>
  /// What follows the header.
  public var body: Range<Int> { (range.lowerBound + Self.size)..<range.upperBound }

  /// Reads the header at `offset`; throws when the block doesn't lie within `limit`.
  init(parsing datagram: RawSpan, at offset: Int, limit: Int) throws(PacketParseError) {
    guard limit - offset >= Self.size else { throw .badLength(offset: offset) }
    type = datagram.byte(at: offset)
    specific = datagram.byte(at: offset + 1)
    let length = 4 * (Int(datagram.bigEndian(at: offset + 2, as: UInt16.self)) + 1)
    guard limit - offset >= length else { throw .badLength(offset: offset + 2) }
    range = offset..<(offset + length)
  }

  /// Writes a header; the caller has checked that the block of `length` bytes fits.
  static func write(
    type: UInt8, specific: UInt8, length: Int, into bytes: inout MutableSpan<UInt8>, at offset: Int
  ) {
    bytes[offset] = type
    bytes[offset + 1] = specific
    bytes.writeBigEndian(UInt16(truncatingIfNeeded: length / 4 - 1), at: offset + 2)
  }
}
