/// Reads numbers of any number of bits from the content of a NAL unit (H.264 7.2, 9.1).
///
/// Reading beyond the end gives zeros and is remembered, so that a parser asks once, when it is done.
struct BitReader {
  /// Whether more was read than there is, or a number was coded in more than 32 bits.
  private(set) var hasOverrun = false

  private let bytes: [UInt8]
  private var position = 0

  /// Takes a NAL unit's content, at most `limit` bytes of it, without its header and the emulation prevention bytes.
  init(contentOf unit: RawSpan, limit: Int) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(unit.byteCount, limit))
    var zeros = 0
    var index = 1
    while index < unit.byteCount, bytes.count < limit {
      let byte = unit.byte(at: index)
      index += 1
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      bytes.append(byte)
    }
    self.bytes = bytes
  }

  /// Takes content whose emulation prevention bytes are gone.
  init(plain bytes: [UInt8]) { self.bytes = bytes }

  /// u(n), for up to 32 bits.
  mutating func bits(_ count: Int) -> UInt32 {
    guard count <= bytes.count * 8 - position else {
      hasOverrun = true
      position = bytes.count * 8
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
