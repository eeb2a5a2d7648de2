/// A goodbye (RFC 3550 section 6.6): sources that leave, and perhaps why.
public struct Goodbye: Equatable, Sendable {
  private let part: CompoundPart
  /// The reason's text: at most 255 bytes that should be UTF-8; nil when none is given.
  public let reason: Range<Int>?

  /// Reads the goodbye that a cursor has found.
  ///
  /// Throws when it is of another type, shorter than its source count says, or when the reason runs over the end.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    try part.require(type: RTCPHeader.PacketType.goodbye, bodySize: 4 * part.count)
    guard datagram.contains(part.range) else {
      throw .truncated(needed: part.range.upperBound, available: datagram.byteCount)
    }
    self.part = part
    let offset = part.body.lowerBound + 4 * part.count
    guard offset < part.body.upperBound else {
      reason = nil
      return
    }
    let text = (offset + 1)..<(offset + 1 + Int(datagram.byte(at: offset)))
    guard text.upperBound <= part.body.upperBound else { throw .badLength(offset: offset) }
    reason = text
  }

  /// The number of sources that leave: 0 to 31.
  public var sourceCount: Int { part.count }

  /// The source number `index`, or nil when there are fewer.
  public func source(_ index: Int, in datagram: RawSpan) -> UInt32? {
    guard index >= 0, index < sourceCount, datagram.contains(part.body) else { return nil }
    return datagram.bigEndian(at: part.body.lowerBound + 4 * index, as: UInt32.self)
  }

  /// Writes the same packet again, byte for byte.
  ///
  /// Returns its length, or nil when it doesn't fit in `bytes` or `source` is another datagram.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    part.write(from: source, into: &bytes)
  }
}
