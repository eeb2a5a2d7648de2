public import Timeline

/// A sender report (RFC 3550 section 6.4.1): what a sender has sent, and what it has received.
public struct SenderReport: Equatable, Sendable {
  /// The length in bytes of the body's fixed part: SSRC and sender information.
  public static let fixedSize = 24

  /// The source that reports.
  public var ssrc: UInt32
  /// The wallclock time of the report.
  public var ntp: NTPTimestamp
  /// The same instant on the clock of the media.
  public var rtpTimestamp: RTPTimestamp
  /// RTP packets sent since the beginning, modulo 2^32.
  public var packetCount: UInt32
  /// Payload bytes sent since the beginning, without headers and padding, modulo 2^32.
  public var octetCount: UInt32
  /// Where the report was parsed from; nil for one that was made.
  private let part: CompoundPart?

  /// Makes a report to be sent; the blocks are given to `CompoundWriter`.
  public init(
    ssrc: UInt32, ntp: NTPTimestamp, rtpTimestamp: RTPTimestamp, packetCount: UInt32, octetCount: UInt32
  ) {
    self.ssrc = ssrc
    self.ntp = ntp
    self.rtpTimestamp = rtpTimestamp
    self.packetCount = packetCount
    self.octetCount = octetCount
    part = nil
  }

  /// Reads the sender report that a cursor has found.
  ///
  /// Throws when it is of another type or shorter than its report count says.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    try part.require(
      type: RTCPHeader.PacketType.senderReport, bodySize: Self.fixedSize + part.count * ReportBlock.size)
    guard datagram.contains(part.range) else {
      throw .truncated(needed: part.range.upperBound, available: datagram.byteCount)
    }
    let offset = part.body.lowerBound
    ssrc = datagram.bigEndian(at: offset, as: UInt32.self)
    ntp = NTPTimestamp(rawValue: datagram.bigEndian(at: offset + 4, as: UInt64.self))
    rtpTimestamp = RTPTimestamp(datagram.bigEndian(at: offset + 12, as: UInt32.self))
    packetCount = datagram.bigEndian(at: offset + 16, as: UInt32.self)
    octetCount = datagram.bigEndian(at: offset + 20, as: UInt32.self)
    self.part = part
  }

  /// The number of report blocks in the datagram parsed: 0 to 31.
  public var reportCount: Int { part?.count ?? 0 }
  /// Where the report blocks lie in the datagram parsed.
  public var blocks: Range<Int> {
    let start = (part?.body.lowerBound ?? 0) + (part == nil ? 0 : Self.fixedSize)
    return start..<(start + reportCount * ReportBlock.size)
  }
  /// The profile-specific extension behind the blocks; empty when there is none.
  public var profileExtension: Range<Int> { blocks.upperBound..<(part?.body.upperBound ?? blocks.upperBound) }

  /// Report block number `index` of the datagram parsed, or nil when there are fewer.
  public func block(_ index: Int, in datagram: RawSpan) -> ReportBlock? {
    ReportBlock.block(index, of: blocks, in: datagram)
  }

  /// Writes the fields of the fixed part; the caller has checked that they fit.
  func writeFixedPart(into bytes: inout MutableSpan<UInt8>, at offset: Int) {
    bytes.writeBigEndian(ssrc, at: offset)
    bytes.writeBigEndian(ntp.rawValue, at: offset + 4)
    bytes.writeBigEndian(rtpTimestamp.rawValue, at: offset + 12)
    bytes.writeBigEndian(packetCount, at: offset + 16)
    bytes.writeBigEndian(octetCount, at: offset + 20)
  }

  /// Writes the same packet again, with its blocks, extension and padding from the datagram parsed.
  ///
  /// Returns its length, or nil when it doesn't fit, `source` is another datagram, or the report wasn't parsed.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard let part else { return nil }
    let blockOffset = RTCPHeader.size + Self.fixedSize
    guard let length = part.write(from: source, bodyOffset: blockOffset + blocks.count, into: &bytes) else {
      return nil
    }
    writeFixedPart(into: &bytes, at: RTCPHeader.size)
    return ReportBlock.rewrite(blocks, of: source, into: &bytes, at: blockOffset) ? length : nil
  }

  /// The source of the sender report that a compound packet begins with; nil when it begins with another type.
  public static func source(of datagram: RawSpan) -> UInt32? {
    guard datagram.byteCount >= 8, datagram.byte(at: 0) >> 6 == 2,
      datagram.byte(at: 1) == RTCPHeader.PacketType.senderReport
    else { return nil }
    return datagram.bigEndian(at: 4, as: UInt32.self)
  }
}
