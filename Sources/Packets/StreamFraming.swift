/// RTP and RTCP over a byte stream: each datagram behind its 16-bit length (RFC 4571 section 2).
public enum StreamFraming {
  /// The length of the prefix in bytes.
  public static let prefixSize = 2
  /// The longest datagram that a frame can hold.
  public static let maximumLength = 65_535

  /// Writes the prefix for a datagram of `length` bytes at the start of `bytes`.
  ///
  /// Returns 2, or nil when the length isn't 0 to 65535 or the prefix doesn't fit; then nothing is written.
  public static func writeLength(_ length: Int, into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard let length = UInt16(exactly: length), bytes.count >= prefixSize else { return nil }
    bytes.writeBigEndian(length, at: 0)
    return prefixSize
  }
}

/// Cuts a byte stream into the datagrams it frames, whatever the pieces in which it arrives (RFC 4571 section 2).
///
/// A frame that lies in one piece is handed out in place, without a copy; only one that is spread over several pieces
/// is gathered, in a buffer of at most 65535 bytes. Every byte is copied at most once. Frames of length zero are legal
/// and skipped. Any stream of bytes is a legal framing, so there is no error: only an end inside a frame.
public struct StreamDeframer: Sendable {
  private var gathered: [UInt8] = []
  private var prefix: UInt8?
  private var expected: Int?

  /// Starts at the beginning of a stream.
  public init() {}

  /// Whether the stream, if it ended now, would end inside a frame or its prefix.
  public var isInsideFrame: Bool { prefix != nil || expected != nil }

  /// Takes the next piece and calls `body` with each datagram that is complete with it, in order.
  ///
  /// The span that `body` gets is gone after the call. When `body` throws, the rest of the piece is lost and the
  /// stream can't go on: use `next(in:from:)` to stop and go on.
  public mutating func feed<E: Error>(_ piece: RawSpan, _ body: (RawSpan) throws(E) -> Void) throws(E) {
    var offset = 0
    while let frame = next(in: piece, from: &offset) {
      switch frame {
      case .inPlace(let range): try body(piece.extracting(range))
      case .gathered: try body(unsafe gathered.span.bytes)
      }
    }
  }

  /// A complete datagram, and where it lies.
  public enum Frame: Equatable, Sendable {
    /// Within the piece, at this range.
    case inPlace(Range<Int>)
    /// Spread over several pieces; `withGathered` gives the bytes until the next call of `next(in:from:)`.
    case gathered
  }

  /// Takes bytes of `piece` from `offset` on up to the end of the next datagram, and moves `offset` behind it.
  ///
  /// Returns nil when the piece is used up; then call again with the next piece and offset 0.
  public mutating func next(in piece: RawSpan, from offset: inout Int) -> Frame? {
    while offset >= 0, offset < piece.byteCount {
      guard let expected else {
        takePrefixByte(piece.byte(at: offset))
        offset += 1
        continue
      }
      let taken = min(piece.byteCount - offset, expected - gathered.count)
      let range = offset..<(offset + taken)
      offset = range.upperBound
      if taken == expected {
        self.expected = nil
        return .inPlace(range)
      }
      gathered.reserveCapacity(expected)
      for index in range { gathered.append(piece.byte(at: index)) }
      if gathered.count == expected {
        self.expected = nil
        return .gathered
      }
    }
    return nil
  }

  /// Calls `body` with the datagram that the last `.gathered` stands for.
  public func withGathered<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try body(unsafe gathered.span.bytes)
  }

  private mutating func takePrefixByte(_ byte: UInt8) {
    guard let high = prefix else {
      prefix = byte
      return
    }
    prefix = nil
    let length = Int(high) << 8 | Int(byte)
    gathered.removeAll(keepingCapacity: true)
    expected = length > 0 ? length : nil
  }
}
