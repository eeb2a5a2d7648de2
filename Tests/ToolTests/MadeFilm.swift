/// A transport stream made by hand, with tables and pictures that are bigger than a datagram.
struct MadeFilm {
  static let packetSize = 188
  /// No multiple of seven, so that pictures begin within datagrams.
  static let packetsPerPicture = 24
  /// The tables, of one packet each, before the first picture.
  static let tables = 2

  let pictures: Int

  /// The whole stream: a picture every 40 ms, each of which begins with a clock reference.
  var bytes: [UInt8] {
    let association: [UInt8] = [0x00, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xF0, 0x00]
    let map: [UInt8] = [0x02, 0xB0, 18, 0, 1, 0xC1, 0, 0, 0xE1, 0x00, 0xF0, 0, 0x1B, 0xE1, 0x00, 0xF0, 0]
    var result = Self.packet(pid: 0, 0, begins: true, Self.section(association))
    result += Self.packet(pid: 0x1000, 0, begins: true, Self.section(map))
    for number in 0..<pictures * Self.packetsPerPicture {
      let isFirst = number % Self.packetsPerPicture == 0
      let time = number / Self.packetsPerPicture * 3_600
      result += Self.packet(
        pid: 0x100, number, begins: isFirst, clock: isFirst ? time : nil,
        isFirst ? Self.head(shown: time + 3_600) : [])
    }
    return result
  }

  /// How many whole pictures these first bytes of a stream have; nil when the last one isn't whole.
  static func wholePictures(in bytes: Int) -> Int? {
    let packets = bytes / packetSize - tables
    return bytes % packetSize == 0 && packets >= 0 && packets % packetsPerPicture == 0
      ? packets / packetsPerPicture : nil
  }

  /// The header of a PES packet with its time, and the beginning of a key picture of H.264.
  private static func head(shown time: Int) -> [UInt8] {
    let stamp = [
      0x21 | UInt8(truncatingIfNeeded: time >> 29 & 0x0E), UInt8(truncatingIfNeeded: time >> 22),
      UInt8(truncatingIfNeeded: time >> 14) | 1, UInt8(truncatingIfNeeded: time >> 7),
      UInt8(truncatingIfNeeded: time << 1) | 1,
    ]
    return [0, 0, 1, 0xE0, 0, 0, 0x80, 0x80, 5] + stamp + [0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x65]
  }

  private static func packet(
    pid: Int, _ number: Int, begins: Bool, clock: Int? = nil, _ head: [UInt8]
  ) -> [UInt8] {
    var bytes = [0x47, UInt8(pid >> 8) | (begins ? 0x40 : 0), UInt8(pid & 0xFF), 0x10 | UInt8(number & 15)]
    if let clock {
      bytes[3] |= 0x20
      bytes += [7, 0x10] + [25, 17, 9, 1].map { UInt8(truncatingIfNeeded: clock >> $0) }
      bytes += [UInt8(clock & 1) << 7 | 0x7E, 0]
    }
    bytes += head
    return bytes + [UInt8](repeating: pid < 0x1001 && pid != 0x100 ? 0xFF : 0x55, count: packetSize - bytes.count)
  }

  /// A section with its checksum, behind the byte that says where it begins.
  private static func section(_ bytes: [UInt8]) -> [UInt8] {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      value ^= UInt32(byte) << 24
      for _ in 0..<8 { value = value & 0x8000_0000 != 0 ? value << 1 ^ 0x04C1_1DB7 : value << 1 }
    }
    return [0] + bytes + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
