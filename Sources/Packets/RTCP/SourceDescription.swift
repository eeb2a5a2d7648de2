/// A source description (RFC 3550 section 6.5): for each source a chunk of text items, of which CNAME is required.
public struct SourceDescription: Equatable, Sendable {
  /// What an item says (RFC 3550 section 12.2).
  public enum ItemType {
    /// The end of a chunk's list.
    public static let end: UInt8 = 0
    /// The canonical name, which binds a participant's sources together.
    public static let cname: UInt8 = 1
    /// The name of the application.
    public static let tool: UInt8 = 6
  }

  /// One item: the source it belongs to, its type, and where its text lies in the datagram.
  public struct Item: Equatable, Sendable {
    /// The source that the chunk describes.
    public let ssrc: UInt32
    /// The item's type, such as 1 for CNAME.
    public let type: UInt8
    /// The text: at most 255 bytes that should be UTF-8, without a terminator.
    public let text: Range<Int>
  }

  private let part: CompoundPart

  /// Reads the source description that a cursor has found, and checks every chunk and item in it.
  ///
  /// Throws when it is of another type, when an item or chunk runs over the end, or when a chunk isn't terminated.
  public init(parsing part: CompoundPart, in datagram: RawSpan) throws(PacketParseError) {
    try part.require(type: RTCPHeader.PacketType.sourceDescription, bodySize: 0)
    guard datagram.contains(part.range) else {
      throw .truncated(needed: part.range.upperBound, available: datagram.byteCount)
    }
    self.part = part
    var items = Items(part)
    while try items.advance(in: datagram) != nil {}
  }

  /// The number of chunks: 0 to 31.
  public var chunkCount: Int { part.count }

  /// A cursor at the first item.
  public var items: Items { Items(part) }

  /// The text of the first item of `type` that belongs to `ssrc`, or nil when there is none.
  public func text(of type: UInt8, ssrc: UInt32, in datagram: RawSpan) -> Range<Int>? {
    var cursor = items
    while let item = cursor.next(in: datagram) {
      if item.ssrc == ssrc, item.type == type { return item.text }
    }
    return nil
  }

  /// Writes the same packet again, byte for byte.
  ///
  /// Returns its length, or nil when it doesn't fit in `bytes` or `source` is another datagram.
  public func write(from source: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    part.write(from: source, into: &bytes)
  }

  /// Walks the items of all chunks in order, without allocating.
  public struct Items: Equatable, Sendable {
    private let body: Range<Int>
    private var offset: Int
    private var chunksLeft: Int
    private var ssrc: UInt32?

    init(_ part: CompoundPart) {
      body = part.body
      offset = part.body.lowerBound
      chunksLeft = part.count
    }

    /// The next item, or nil after the last one.
    public mutating func next(in datagram: RawSpan) -> Item? {
      guard datagram.contains(body), let item = try? advance(in: datagram) else { return nil }
      return item
    }

    /// The next item, nil after the last one; every step forward is checked against the end.
    mutating func advance(in datagram: RawSpan) throws(PacketParseError) -> Item? {
      while true {
        guard let ssrc else {
          guard chunksLeft > 0 else { return nil }
          guard body.upperBound - offset >= 4 else { throw .badLength(offset: offset) }
          ssrc = datagram.bigEndian(at: offset, as: UInt32.self)
          offset += 4
          chunksLeft -= 1
          continue
        }
        guard offset < body.upperBound else { throw .badLength(offset: offset) }
        let type = datagram.byte(at: offset)
        if type == ItemType.end {
          // Null octets fill up to the next word; packets begin on a word, so the body does too.
          offset = body.lowerBound + ((offset - body.lowerBound) / 4 + 1) * 4
          self.ssrc = nil
          continue
        }
        guard body.upperBound - offset >= 2 else { throw .badLength(offset: offset) }
        let text = (offset + 2)..<(offset + 2 + Int(datagram.byte(at: offset + 1)))
        guard text.upperBound <= body.upperBound else { throw .badLength(offset: offset + 1) }
        offset = text.upperBound
        return Item(ssrc: ssrc, type: type, text: text)
      }
    }
  }
}
