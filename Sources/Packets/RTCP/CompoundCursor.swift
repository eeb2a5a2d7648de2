/// One RTCP packet of a compound: its header's fields and where it lies in the datagram.
public struct CompoundPart: Equatable, Sendable {
  /// The packet type, such as 200 for a sender report.
  public let type: UInt8
  /// The five bits behind the padding bit: how many reports, chunks or sources follow.
  public let count: Int
  /// The whole packet with its header and padding.
  public let range: Range<Int>
  /// What lies between the 4-byte header and the padding.
  public let body: Range<Int>
  /// The padding with its count in the last byte; empty when the padding bit isn't set.
  public let padding: Range<Int>

  /// Checks the packet that begins at `offset`.
  init(parsing datagram: RawSpan, at offset: Int) throws(PacketParseError) {
    let header = try RTCPHeader(parsing: datagram, at: offset)
    let end = offset + header.length
    var paddingCount = 0
    if header.hasPadding {
      paddingCount = Int(datagram.byte(at: end - 1))
      guard paddingCount > 0, paddingCount % 4 == 0, paddingCount <= header.length - RTCPHeader.size else {
        throw .badPadding(paddingCount)
      }
    }
    type = header.type
    count = header.count
    range = offset..<end
    body = (offset + RTCPHeader.size)..<(end - paddingCount)
    padding = (end - paddingCount)..<end
  }

  /// The header as it stood in the datagram.
  var header: RTCPHeader {
    RTCPHeader(type: type, count: count, hasPadding: !padding.isEmpty, length: range.count)
  }

  /// Throws unless the packet is of `type` and its body holds at least `size` bytes.
  func require(type expected: UInt8, bodySize size: Int) throws(PacketParseError) {
    guard type == expected else { throw .wrongType(type) }
    guard body.count >= size else {
      throw .truncated(needed: body.lowerBound + size, available: body.upperBound)
    }
  }

  /// Writes the header at the start of `bytes`, and the rest of the packet from `bodyOffset` on out of `source`.
  ///
  /// Returns the packet's length, or nil when it doesn't fit or `source` is too short; then nothing is written. The
  /// bytes between the header and `bodyOffset`, an offset within the packet, are left to the caller.
  func write(from source: RawSpan, bodyOffset: Int, into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard source.contains(range), bytes.count >= range.count else { return nil }
    header.write(into: &bytes, at: 0)
    return bytes.copy((range.lowerBound + bodyOffset)..<range.upperBound, of: source, at: bodyOffset)
  }

  /// Writes the same packet again, byte for byte, whatever its type.
  ///
  /// Returns its length, or nil when it doesn't fit in `bytes` or `source` isn't the datagram parsed.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    write(from: source, bodyOffset: RTCPHeader.size, into: &bytes)
  }
}

/// Walks the RTCP packets of a datagram that has passed the validity checks of RFC 3550 A.2.
///
/// It keeps offsets, never the bytes. Packets of unknown types are handed out like any other: skip them.
public struct CompoundCursor: Equatable, Sendable {
  private var offset = 0
  private let end: Int

  /// Checks that a datagram is a whole compound packet by RFC 3550 A.2.
  ///
  /// Every packet has version 2, the first is a sender or receiver report (or anything, when `reducedSize` is set, for
  /// RFC 5506), only the last one is padded, and the lengths add up exactly. What the packets hold is checked by the
  /// type of each.
  public init(validating datagram: RawSpan, reducedSize: Bool = false) throws(PacketParseError) {
    end = datagram.byteCount
    var offset = 0
    repeat {
      let part = try CompoundPart(parsing: datagram, at: offset)
      if offset == 0, !reducedSize, part.type != RTCPHeader.PacketType.senderReport,
        part.type != RTCPHeader.PacketType.receiverReport
      {
        throw .wrongType(part.type)
      }
      guard part.padding.isEmpty || part.range.upperBound == end else { throw .misplacedPadding(offset: offset) }
      offset = part.range.upperBound
    } while offset < end
  }

  /// The next packet, or nil after the last one, or when `datagram` isn't the one that was validated.
  public mutating func next(in datagram: RawSpan) -> CompoundPart? {
    guard offset < end, datagram.byteCount == end,
      let part = try? CompoundPart(parsing: datagram, at: offset)
    else { return nil }
    offset = part.range.upperBound
    return part
  }
}
