import Receiving
import Statistics
import Testing
import Timeline

@testable import Dissection

/// A transport stream of H.264 on the identifier 0x100, with a packet for each picture.
private enum Broadcast {
  /// A packet that begins a unit of at most 182 bytes, filled up in front of it.
  static func packet(pid: Int, counter: Int, payload: [UInt8]) -> [UInt8] {
    let header: [UInt8] = [0x47, 0x40 | UInt8(pid >> 8), UInt8(pid & 0xff), 0x30 | UInt8(counter & 15)]
    let stuffing = [UInt8](repeating: 0xff, count: 182 - payload.count)
    return header + [UInt8(183 - payload.count), 0] + stuffing + payload
  }

  /// A section with its checksum.
  static func section(_ bytes: [UInt8]) -> [UInt8] {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
      value ^= UInt32(byte) << 24
      for _ in 0..<8 { value = value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1 }
    }
    return [0] + bytes + Frames.big(value)
  }

  static var tables: [UInt8] {
    let association: [UInt8] = [0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0x00]
    let map: [UInt8] = [0x02, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe1, 0x00, 0xf0, 0, 0x1b, 0xe1, 0x00, 0xf0, 0]
    return packet(pid: 0, counter: 0, payload: section(association))
      + packet(pid: 0x1000, counter: 0, payload: section(map))
  }

  /// A picture, of which every tenth is a key picture.
  static func picture(_ number: Int) -> [UInt8] {
    let time = number * 3_600 + 90_000
    let stamp: [UInt8] = [
      0x21 | UInt8(time >> 30 & 7) << 1, UInt8(time >> 22 & 0xff), UInt8(time >> 15 & 0x7f) << 1 | 1,
      UInt8(time >> 7 & 0xff), UInt8(time & 0x7f) << 1 | 1,
    ]
    let header: [UInt8] = [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5]
    let content: [UInt8] = [0, 0, 0, 1, 9, 0x10, 0, 0, 1, number % 10 == 0 ? 0x65 : 0x41, 0x88, 0x77, 0x55]
    return packet(pid: 0x100, counter: number, payload: header + stamp + content)
  }
}

struct `Transport streams in captures` {
  private func listen(keepsPayloads: Bool, without lost: Int? = nil) -> Listening {
    var listening = Listening { $0.keepsPayloads = keepsPayloads }
    for number in 0..<40 {
      guard number != lost else {
        listening.now += .milliseconds(40)
        continue
      }
      let payload = (number == 0 ? Broadcast.tables : []) + Broadcast.picture(number)
      listening.hear(
        Frames.rtp(number, type: 33, timestamp: number * 3_600, payload: payload), then: .milliseconds(40))
    }
    listening.end()
    return listening
  }

  @Test(arguments: [false, true])
  func `their pictures are seen whether payloads are wanted or not`(keeps: Bool) throws {
    let pictures = try #require(listen(keepsPayloads: keeps).streams.first?.pictures)
    #expect(pictures.expected == 40)
    #expect(pictures.shown == 40)
    #expect(pictures.keyFrames == 4)
    #expect(pictures.freezes == 0)
  }

  @Test(arguments: [false, true])
  func `so is what a lost datagram takes from them`(keeps: Bool) throws {
    let pictures = try #require(listen(keepsPayloads: keeps, without: 15).streams.first?.pictures)
    #expect(pictures.expected > 30)
    #expect(pictures.shown < 40)
    #expect(pictures.shown > 20)
    #expect(pictures.keyFrames == 4)
  }
}
