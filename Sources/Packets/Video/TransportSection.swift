/// Puts a table's section of a transport stream together from the packets of one PID (ISO/IEC 13818-1 section 2.4.4).
struct TransportSection: Sendable {
  /// The most bytes that a section of these tables has.
  static let limit = 1024

  private var bytes: [UInt8] = []

  /// Takes a packet's payload; returns a section that is whole and right by its checksum.
  ///
  /// Of several that end in one packet the first is returned.
  mutating func append(_ payload: RawSpan, startsUnit: Bool) -> [UInt8]? {
    var start = 0
    if startsUnit {
      guard payload.byteCount >= 1 else { return nil }
      // What lies before the pointer ends the section that was begun.
      let pointer = 1 + Int(payload.byte(at: 0))
      guard pointer <= payload.byteCount else {
        bytes.removeAll(keepingCapacity: true)
        return nil
      }
      if !bytes.isEmpty, let section = take(payload.extracting(1..<pointer)) {
        begin(payload.extracting(pointer..<payload.byteCount))
        return section
      }
      bytes.removeAll(keepingCapacity: true)
      start = pointer
    } else if bytes.isEmpty {
      return nil
    }
    return take(payload.extracting(start..<payload.byteCount))
  }

  /// Something is missing: what was begun can't be ended.
  mutating func reset() { bytes.removeAll(keepingCapacity: true) }

  private mutating func begin(_ rest: RawSpan) {
    bytes.removeAll(keepingCapacity: true)
    _ = take(rest)
  }

  /// Appends bytes; the section once it is whole.
  private mutating func take(_ more: RawSpan) -> [UInt8]? {
    let room = min(more.byteCount, Self.limit - bytes.count)
    for index in 0..<room { bytes.append(more.byte(at: index)) }
    guard bytes.count >= 3 else { return nil }
    let length = 3 + (Int(bytes[1] & 0x0f) << 8 | Int(bytes[2]))
    guard length <= Self.limit, bytes[0] != 0xff else {
      bytes.removeAll(keepingCapacity: true)
      return nil
    }
    guard bytes.count >= length else { return nil }
    let section = Array(bytes[..<length])
    bytes.removeAll(keepingCapacity: true)
    return Self.checksum(of: section) == 0 ? section : nil
  }

  /// The checksum of ISO/IEC 13818-1 annex A; 0 over a section with its own at the end.
  static func checksum(of bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
      value ^= UInt32(byte) << 24
      for _ in 0..<8 { value = value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1 }
    }
    return value
  }
}
