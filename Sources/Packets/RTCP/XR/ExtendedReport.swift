/// An extended report (RFC 3611 section 2): what a participant tells beyond its reception report, in blocks.
///
/// Blocks of unknown types, and blocks of known types whose length doesn't suit them, are handed out as `.other`: skip
/// them.
public struct ExtendedReport: Equatable, Sendable {
  /// The length in bytes of the body's fixed part: the SSRC.
  public static let fixedSize = 4

  /// The source that reports.
  public let ssrc: UInt32
  private let part: CompoundPart

  /// Reads the report that a cursor has found, and checks that its blocks fill it exactly.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    try part.require(type: RTCPHeader.PacketType.extendedReport, bodySize: Self.fixedSize)
    guard datagram.contains(part.range) else {
      throw .truncated(needed: part.range.upperBound, available: datagram.byteCount)
    }
    ssrc = datagram.bigEndian(at: part.body.lowerBound, as: UInt32.self)
    self.part = part
    var cursor = Blocks(part)
    while try cursor.advance(in: datagram) != nil {}
  }

  /// A cursor at the first block.
  public var blocks: Blocks { Blocks(part) }

  /// Writes the same packet again, byte for byte, each known block by its fields.
  ///
  /// Returns its length, or nil when it doesn't fit or `source` is another datagram.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard let length = part.write(from: source, into: &bytes) else { return nil }
    bytes.writeBigEndian(ssrc, at: RTCPHeader.size)
    var cursor = blocks
    while let header = try? cursor.advance(in: source) {
      let offset = header.range.lowerBound - part.range.lowerBound
      guard XRBlock(parsing: header, in: source).rewrite(from: source, into: &bytes, at: offset) else { return nil }
    }
    return length
  }

  /// Walks the blocks in order, without allocating.
  public struct Blocks: Equatable, Sendable {
    private var offset: Int
    private let end: Int

    init(_ part: CompoundPart) {
      offset = part.body.lowerBound + ExtendedReport.fixedSize
      end = part.body.upperBound
    }

    /// The next block, or nil after the last one.
    public mutating func next(in datagram: RawSpan) -> XRBlock? {
      guard datagram.byteCount >= end, let header = try? advance(in: datagram) else { return nil }
      return XRBlock(parsing: header, in: datagram)
    }

    mutating func advance(in datagram: RawSpan) throws(PacketParseError) -> XRBlockHeader? {
      guard offset < end else { return nil }
      let header = try XRBlockHeader(parsing: datagram, at: offset, limit: end)
      offset = header.range.upperBound
      return header
    }
  }
}
