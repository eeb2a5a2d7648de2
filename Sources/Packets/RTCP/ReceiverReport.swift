/// A receiver report (RFC 3550 section 6.4.2): what somebody who sends nothing has received.
public struct ReceiverReport: Equatable, Sendable {
  /// The length in bytes of the body's fixed part: the SSRC.
  public static let fixedSize = 4

  /// The source that reports.
  public let ssrc: UInt32
  /// The number of report blocks: 0 to 31.
  public var reportCount: Int { part.count }
  /// Where the report was parsed from.
  private let part: CompoundPart

  /// Reads the receiver report that a cursor has found.
  ///
  /// Throws when it is of another type or shorter than its report count says.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    try part.require(
      type: RTCPHeader.PacketType.receiverReport, bodySize: Self.fixedSize + part.count * ReportBlock.size)
    guard datagram.contains(part.range) else {
      throw .truncated(needed: part.range.upperBound, available: datagram.byteCount)
    }
    ssrc = datagram.bigEndian(at: part.body.lowerBound, as: UInt32.self)
    self.part = part
  }

  /// Where the report blocks lie in the datagram.
  public var blocks: Range<Int> {
    let start = part.body.lowerBound + Self.fixedSize
    return start..<(start + reportCount * ReportBlock.size)
  }
  /// The profile-specific extension behind the blocks; empty when there is none.
  public var profileExtension: Range<Int> { blocks.upperBound..<part.body.upperBound }

  /// Report block number `index`, or nil when there are fewer.
  public func block(_ index: Int, in datagram: RawSpan) -> ReportBlock? {
    ReportBlock.block(index, of: blocks, in: datagram)
  }

  /// Writes the same packet again, with its blocks, extension and padding from the datagram parsed.
  ///
  /// Returns its length, or nil when it doesn't fit or `source` is another datagram.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    let blockOffset = RTCPHeader.size + Self.fixedSize
    guard let length = part.write(from: source, bodyOffset: blockOffset + blocks.count, into: &bytes) else {
      return nil
    }
    bytes.writeBigEndian(ssrc, at: RTCPHeader.size)
    return ReportBlock.rewrite(blocks, of: source, into: &bytes, at: blockOffset) ? length : nil
  }
}
