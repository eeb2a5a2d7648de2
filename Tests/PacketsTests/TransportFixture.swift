import Packets

/// Transport streams made by hand: tables, and pictures of H.264 on the identifier 0x100.
enum TransportFixture {
  static let packetsPerPicture = 4

  /// One packet, filled up in front of its payload.
  static func packet(
    pid: Int, counter: Int, startsUnit: Bool = false, clock: Int64? = nil, flags: UInt8 = 0, payload: [UInt8]
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x47, UInt8(pid >> 8) | (startsUnit ? 0x40 : 0), UInt8(pid & 0xff), UInt8(counter & 15)]
    var field: [UInt8] = []
    if clock != nil || flags != 0 || payload.count < 184 {
      bytes[3] |= 0x20
      field = payload.count == 183 ? [] : [flags | (clock == nil ? 0 : 0x10)]
      if let clock {
        let (base, rest) = (clock / 300, clock % 300)
        field += [25, 17, 9, 1].map { UInt8(truncatingIfNeeded: base >> $0) }
        field += [UInt8(base & 1) << 7 | 0x7e | UInt8(rest >> 8), UInt8(rest & 0xff)]
      }
      let stuffing = 183 - field.count - payload.count
      precondition(stuffing >= 0, "the payload must fit")
      field += [UInt8](repeating: 0xff, count: stuffing)
      field.insert(UInt8(field.count), at: 0)
    }
    bytes[3] |= 0x10
    return bytes + field + payload
  }

  /// A section with its checksum, as the payload of a packet.
  static func section(_ bytes: [UInt8]) -> [UInt8] {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
      value ^= UInt32(byte) << 24
      for _ in 0..<8 { value = value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1 }
    }
    return [0] + bytes + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// Program 1 with its map on 0x1000, and its video of `type` on 0x100.
  static func tables(type: UInt8 = 0x1b) -> [UInt8] {
    let association: [UInt8] = [0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0x00]
    let map: [UInt8] = [
      0x02, 0xb0, 23, 0, 1, 0xc1, 0, 0, 0xe1, 0x00, 0xf0, 0, 0x0f, 0xe1, 0x01, 0xf0, 0, type, 0xe1, 0x00, 0xf0, 0,
    ]
    return packet(pid: 0, counter: 0, startsUnit: true, payload: section(association))
      + packet(pid: 0x1000, counter: 0, startsUnit: true, payload: section(map))
  }

  /// The header of a PES packet: decoded at `decode`, shown so much later.
  static func pes(_ decode: Int64, shownAfter wait: Int64 = 3_600) -> [UInt8] {
    func time(_ value: Int64, _ mark: UInt8) -> [UInt8] {
      [
        mark << 4 | UInt8(value >> 30 & 7) << 1 | 1, UInt8(truncatingIfNeeded: value >> 22),
        UInt8(value >> 15 & 0x7f) << 1 | 1, UInt8(truncatingIfNeeded: value >> 7), UInt8(value & 0x7f) << 1 | 1,
      ]
    }
    return [0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10] + time(decode + wait, 3) + time(decode, 1)
  }

  /// Tables, and pictures of `size` bytes, every fourth a key picture; each begins with a clock reference.
  static func stream(pictures: Int, size: Int = 600) -> [UInt8] {
    var bytes = tables()
    var counter = 0
    for number in 0..<pictures {
      let time = Int64(number + 1) * 3_600
      var content = pes(time) + [0, 0, 0, 1, 9, 0x10, 0, 0, 1, number % 4 == 0 ? 0x65 : 0x41]
      content += (0..<size).map { UInt8(16 + $0 % 200) }
      var isFirst = true
      while !content.isEmpty {
        let part = Array(content.prefix(isFirst ? 176 : 184))
        content.removeFirst(part.count)
        bytes += packet(
          pid: 0x100, counter: counter, startsUnit: isFirst, clock: isFirst ? (time - 3_000) * 300 : nil, payload: part)
        isFirst = false
        counter += 1
      }
    }
    return bytes
  }

  /// Tables, and MPEG-2's pictures in the order I P B B I B B P: the second group is open or closed.
  ///
  /// Each picture is cut in two packets, of which the first has `cut` bytes of it.
  static func groups(isClosed: Bool, cut: Int) -> [UInt8] {
    var bytes = tables(type: 2)
    // In pictures: the time from being decoded to being shown.
    for (number, wait) in [1, 3, 0, 0, 3, 0, 0, 1].enumerated() {
      let isKey = number % 4 == 0
      var content: [UInt8] = isKey ? [0, 0, 1, 0xb3, 1, 2, 3, 4, 5, 6, 7, 8] : []
      if isKey { content += [0, 0, 1, 0xb8, 0, 8, 1, isClosed ? 0x40 : 0x00] }
      content += [0, 0, 1, 0x00] + [UInt8](repeating: 0x55, count: 60)
      let head = pes(Int64(number + 1) * 3_600, shownAfter: Int64(wait) * 3_600) + content.prefix(cut)
      bytes += packet(pid: 0x100, counter: number * 2, startsUnit: true, payload: head)
      bytes += packet(pid: 0x100, counter: number * 2 + 1, payload: Array(content.dropFirst(cut)))
    }
    return bytes
  }

  /// What a packet says of itself.
  static func parsed(_ packet: [UInt8]) -> TransportPacket? { TransportPacket(parsing: packet.span.bytes) }

  /// The picture that a packet of ``stream(pictures:size:)`` belongs to, behind the two of the tables.
  static func picture(ofPacket number: Int) -> Int { (number - 2) / packetsPerPicture }

  /// The pictures that a monitor finds.
  static func frames(
    of stream: [UInt8], in monitor: inout TransportStreamMonitor, isFinished: Bool = true
  ) -> [TransportStreamMonitor.Frame] {
    var result: [TransportStreamMonitor.Frame] = []
    for offset in stride(from: 0, to: stream.count, by: 188) {
      if let frame = monitor.append(stream.span.bytes.extracting(offset..<(offset + 188))) { result.append(frame) }
    }
    if isFinished, let frame = monitor.finish() { result.append(frame) }
    return result
  }
}
