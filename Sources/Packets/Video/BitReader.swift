/// Reads numbers of any number of bits from the content of a NAL unit (H.264 7.2, 9.1).
///
/// It holds the first `capacity` bytes of the content, without those that prevent start codes: what a parser may need.
/// Reading beyond them gives zeros and is remembered, so that a parser asks once, when it is done.
struct BitReader<let capacity: Int> {
  /// Whether more was read than there is, or a number was coded in more than 32 bits.
  private(set) var hasOverrun = false

  private var bytes = InlineArray<capacity, UInt8>(repeating: 0)
  private var bitCount = 0
  private var position = 0

  /// Takes a NAL unit's content, which begins behind its header, from a place in it on, and at most `limit` bytes.
  init(_ content: RawSpan, from place: H264ContentCursor = H264ContentCursor(), limit: Int = capacity) {
    var cursor = place
    var count = 0
    while count < min(limit, capacity), let byte = cursor.next(in: content) {
      bytes[count] = byte
      count += 1
    }
    bitCount = count * 8
  }

  /// u(n), for up to 32 bits.
  mutating func bits(_ count: Int) -> UInt32 {
    guard count <= bitCount - position else {
      hasOverrun = true
      position = bitCount
      return 0
    }
    var value: UInt32 = 0
    for _ in 0..<count {
      value = value << 1 | UInt32(bytes[position >> 3] >> UInt8(7 - position & 7) & 1)
      position += 1
    }
    return value
  }

  /// u(1).
  mutating func flag() -> Bool { bits(1) == 1 }

  /// ue(v).
  mutating func unsigned() -> UInt32 {
    var zeros = 0
    while !hasOverrun, !flag() { zeros += 1 }
    guard zeros < 32 else {
      hasOverrun = true
      return 0
    }
    return (1 << UInt32(zeros)) - 1 + bits(zeros)
  }

  /// ue(v) that the standard limits; more is an overrun too.
  mutating func unsigned(upTo limit: UInt32) -> Int {
    let value = unsigned()
    if value > limit { hasOverrun = true }
    return Int(min(value, limit))
  }

  /// se(v).
  mutating func signed() -> Int {
    let value = Int(unsigned())
    return value & 1 == 1 ? value / 2 + 1 : -(value / 2)
  }
}

/// Walks over the content of a NAL unit, which begins behind its header; it keeps an offset, never the bytes.
struct H264ContentCursor {
  /// Where the next byte lies.
  private(set) var offset = 0
  private var zeros = 0

  init() {}

  /// The next byte of the content; a 3 behind two zeros is none (H.264 7.4.1).
  mutating func next(in content: RawSpan) -> UInt8? {
    if zeros >= 2, offset < content.byteCount, content.byte(at: offset) == 3 {
      offset += 1
      zeros = 0
    }
    guard offset < content.byteCount else { return nil }
    let byte = content.byte(at: offset)
    offset += 1
    zeros = byte == 0 ? zeros + 1 : 0
    return byte
  }
}
