/// An application-defined packet (RFC 3550 section 6.7): a name of four bytes, a subtype, and data.
public struct ApplicationPacket: Equatable, Sendable {
  /// The length in bytes of the body's fixed part: SSRC and name.
  public static let fixedSize = 8

  /// The source that sends it.
  public let ssrc: UInt32
  /// The four bytes of the name, the first in the highest byte; compare it with ``name(_:)``.
  public let name: UInt32
  /// The data: a multiple of four bytes, perhaps none.
  public let data: Range<Int>
  /// What the application makes of it: 0 to 31.
  public var subtype: Int { part.count }
  private let part: CompoundPart

  /// Reads the packet that a cursor has found; throws when it is of another type or shorter than its fixed part.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    try part.require(type: RTCPHeader.PacketType.application, bodySize: Self.fixedSize)
    guard datagram.contains(part.range) else {
      throw .truncated(needed: part.range.upperBound, available: datagram.byteCount)
    }
    ssrc = datagram.bigEndian(at: part.body.lowerBound, as: UInt32.self)
    name = datagram.bigEndian(at: part.body.lowerBound + 4, as: UInt32.self)
    data = (part.body.lowerBound + Self.fixedSize)..<part.body.upperBound
    self.part = part
  }

  /// The name that a text of four ASCII characters stands for; nil for any other text.
  public static func name(_ text: StaticString) -> UInt32? {
    guard text.hasPointerRepresentation, text.utf8CodeUnitCount == 4 else { return nil }
    return "\(text)".utf8.reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Writes the same packet again, byte for byte.
  ///
  /// Returns its length, or nil when it doesn't fit in `bytes` or `source` is another datagram.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    part.write(from: source, into: &bytes)
  }
}
