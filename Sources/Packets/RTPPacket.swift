/// An RTP datagram's fixed header, and where its other parts lie (RFC 3550 section 5.1).
///
/// The ranges are offsets into the datagram; they follow each other without a gap and end at its end.
public struct RTPPacket: Equatable, Sendable {
  /// The fixed part of the header.
  public let header: RTPHeader
  /// The contributing sources, 4 bytes each, at most 15.
  public let csrcs: Range<Int>
  /// The header extension with its own 4-byte head (RFC 3550 section 5.3.1), or nil when there is none.
  public let headerExtension: Range<Int>?
  /// The payload, which may be empty.
  public let payload: Range<Int>
  /// The padding with its count in the last byte; empty when the padding bit isn't set.
  public let padding: Range<Int>

  /// Checks a datagram by RFC 3550 A.1 and notes where its parts lie.
  ///
  /// Throws when the version isn't 2 or when a part doesn't fit in the datagram. The payload type isn't judged:
  /// ask `DatagramKind` first when RTCP may arrive on the same port.
  @inlinable @inline(__always) public init(parsing datagram: RawSpan) throws(PacketParseError) {
    let end = datagram.byteCount
    guard end >= RTPHeader.size else { throw .truncated(needed: RTPHeader.size, available: end) }
    let first = datagram.byte(at: 0)
    guard first >> 6 == 2 else { throw .wrongVersion(first >> 6) }

    var offset = RTPHeader.size + 4 * Int(first & 0x0f)
    guard end >= offset else { throw .truncated(needed: offset, available: end) }
    csrcs = RTPHeader.size..<offset

    if first & 0x10 != 0 {
      let start = offset
      guard end >= start + 4 else { throw .truncated(needed: start + 4, available: end) }
      offset += 4 + 4 * Int(datagram.bigEndian(at: start + 2, as: UInt16.self))
      guard end >= offset else { throw .truncated(needed: offset, available: end) }
      headerExtension = start..<offset
    } else {
      headerExtension = nil
    }

    var paddingCount = 0
    if first & 0x20 != 0 {
      paddingCount = Int(datagram.byte(at: end - 1))
      guard paddingCount > 0, paddingCount <= end - offset else { throw .badPadding(paddingCount) }
    }
    payload = offset..<(end - paddingCount)
    padding = (end - paddingCount)..<end
    header = RTPHeader(unchecked: datagram)
  }

  /// The contributing source number `index`, or nil when there are fewer or `datagram` isn't the one parsed.
  public func csrc(_ index: Int, in datagram: RawSpan) -> UInt32? {
    guard index >= 0, index < csrcs.count / 4, datagram.contains(csrcs) else { return nil }
    return datagram.bigEndian(at: csrcs.lowerBound + 4 * index, as: UInt32.self)
  }

  /// Writes the same packet again, byte for byte, taking the parts behind the header from the datagram parsed.
  ///
  /// Returns the packet's length, or nil when it doesn't fit in `bytes` or `source` is shorter than the packet; then
  /// nothing is written.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard source.byteCount >= padding.upperBound, bytes.count >= padding.upperBound else { return nil }
    var first = 0x80 | UInt8(csrcs.count / 4)
    if headerExtension != nil { first |= 0x10 }
    if !padding.isEmpty { first |= 0x20 }
    guard var offset = header.write(firstByte: first, into: &bytes) else { return nil }
    offset = bytes.copy(csrcs, of: source, at: offset)
    if let headerExtension { offset = bytes.copy(headerExtension, of: source, at: offset) }
    offset = bytes.copy(payload, of: source, at: offset)
    return bytes.copy(padding, of: source, at: offset)
  }
}
