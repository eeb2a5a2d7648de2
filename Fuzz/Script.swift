/// The input of a target, byte by byte; zeros behind its end.
///
/// `scripts/fuzz` compiles it with every target.
struct Script<Number: FixedWidthInteger> {
  let bytes: [UInt8]
  var offset = 0
  var isOver: Bool { offset >= bytes.count }

  mutating func byte() -> Number {
    defer { offset += 1 }
    return offset < bytes.count ? Number(truncatingIfNeeded: bytes[offset]) : 0
  }

  mutating func take(_ count: Int) -> [UInt8] {
    let end = min(offset + count, bytes.count)
    defer { offset = end }
    return offset < end ? Array(bytes[offset..<end]) : []
  }
}
