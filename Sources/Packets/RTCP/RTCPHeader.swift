/// The four bytes with which every RTCP packet begins (RFC 3550 section 6.4.1).
public struct RTCPHeader: Equatable, Sendable {
  /// Its length in bytes.
  public static let size = 4

  /// The RTCP packet types that the standards this module follows define.
  public enum PacketType {
    /// Sender report.
    public static let senderReport: UInt8 = 200
    /// Receiver report.
    public static let receiverReport: UInt8 = 201
    /// Source description.
    public static let sourceDescription: UInt8 = 202
    /// Goodbye.
    public static let goodbye: UInt8 = 203
    /// Application-defined.
    public static let application: UInt8 = 204
    /// Feedback on a payload (RFC 4585): picture loss and the like.
    public static let payloadFeedback: UInt8 = 206
    /// Extended report (RFC 3611).
    public static let extendedReport: UInt8 = 207
  }

  /// The packet type, such as 200 for a sender report.
  public var type: UInt8
  /// The five bits that count reports, chunks or sources, or mean something else in other types: 0 to 31.
  public var count: Int
  /// Whether the packet ends with padding.
  public var hasPadding: Bool
  /// The length of the whole packet with this header in bytes: a multiple of 4 from 4 to 262144.
  public var length: Int

  /// Makes a header from its fields.
  init(type: UInt8, count: Int, hasPadding: Bool, length: Int) {
    self.type = type
    self.count = count
    self.hasPadding = hasPadding
    self.length = length
  }

  /// Reads the header at `offset` and checks the version, and that the whole packet lies within the datagram.
  init(parsing datagram: RawSpan, at offset: Int) throws(PacketParseError) {
    let available = datagram.byteCount
    guard available - offset >= Self.size else {
      throw .truncated(needed: offset + Self.size, available: available)
    }
    let first = datagram.byte(at: offset)
    guard first >> 6 == 2 else { throw .wrongVersion(first >> 6) }
    count = Int(first & 0x1f)
    hasPadding = first & 0x20 != 0
    type = datagram.byte(at: offset + 1)
    length = 4 * (Int(datagram.bigEndian(at: offset + 2, as: UInt16.self)) + 1)
    guard available - offset >= length else { throw .truncated(needed: offset + length, available: available) }
  }

  /// Writes the header at `offset`; the caller has checked that it fits.
  func write(into bytes: inout MutableSpan<UInt8>, at offset: Int) {
    bytes[offset] = 0x80 | (hasPadding ? 0x20 : 0) | UInt8(truncatingIfNeeded: count & 0x1f)
    bytes[offset + 1] = type
    bytes.writeBigEndian(UInt16(truncatingIfNeeded: length / 4 - 1), at: offset + 2)
  }
}
