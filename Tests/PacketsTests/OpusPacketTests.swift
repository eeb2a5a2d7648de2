import Packets
import Testing

@Suite struct `Opus packets` {
  private static func duration(_ bytes: [UInt8]) -> Int? { OpusPacket.duration(of: bytes.span.bytes) }

  @Test func `each configuration has the frame size, mode and bandwidth of RFC 6716 table 2`() throws {
    let silk = [480, 960, 1_920, 2_880]
    let hybrid = [480, 960]
    let celt = [120, 240, 480, 960]
    let durations = silk + silk + silk + hybrid + hybrid + celt + celt + celt + celt
    let bandwidths: [OpusPacket.Bandwidth] =
      [.narrowband, .mediumband, .wideband].flatMap { [$0, $0, $0, $0] }
      + [.superwideband, .superwideband, .fullband, .fullband]
      + [.narrowband, .wideband, .superwideband, .fullband].flatMap { [$0, $0, $0, $0] }
    for configuration in 0..<32 {
      for stereo in [0, 4] as [UInt8] {
        let bytes = [UInt8(configuration << 3) | stereo, 1, 2]
        let parsed = OpusPacket(parsing: bytes.span.bytes)
        let packet = try #require(parsed)
        #expect(packet.configuration == configuration)
        #expect(packet.duration == durations[configuration])
        #expect(packet.bandwidth == bandwidths[configuration])
        #expect(packet.mode == (configuration < 12 ? .silk : configuration < 16 ? .hybrid : .celt))
        #expect(packet.isStereo == (stereo != 0))
        #expect(!packet.isDTX)
      }
    }
  }

  @Test func `code 0 is one frame, of nothing up to 1275 bytes`() {
    #expect(Self.duration([]) == nil)
    #expect(Self.duration([0x78]) == 960)
    #expect(Self.duration([0x78] + [UInt8](repeating: 0, count: 1_275)) == 960)
    #expect(Self.duration([0x78] + [UInt8](repeating: 0, count: 1_276)) == nil)
  }

  @Test func `code 1 is two frames of one size`() {
    for size in 0...1_300 {
      let duration = Self.duration([0x79] + [UInt8](repeating: 0, count: 2 * size))
      #expect(duration == (size <= 1_275 ? 1_920 : nil))
    }
    #expect(Self.duration([0x79, 0]) == nil)
    #expect(Self.duration([0x79, 0, 0, 0]) == nil)
  }

  @Test func `code 2 is two frames, the first with its length`() {
    #expect(Self.duration([0x7a]) == nil)
    #expect(Self.duration([0x7a, 0]) == 1_920)
    #expect(Self.duration([0x7a, 1]) == nil)
    #expect(Self.duration([0x7a, 1, 9]) == 1_920)
    #expect(Self.duration([0x7a, 252]) == nil)
    #expect(Self.duration([0x7a, 252, 1] + [UInt8](repeating: 0, count: 255)) == nil)
    #expect(Self.duration([0x7a, 252, 1] + [UInt8](repeating: 0, count: 256)) == 1_920)
    #expect(Self.duration([0x7a, 0] + [UInt8](repeating: 0, count: 1_276)) == nil)
  }

  @Test func `code 3 counts its frames, up to 120 ms`() {
    #expect(Self.duration([0x7b]) == nil)
    #expect(Self.duration([0x7b, 0]) == nil)
    #expect(Self.duration([0x7b, 6]) == 5_760)
    #expect(Self.duration([0x7b, 7]) == nil)
    #expect(Self.duration([0x83, 48]) == 5_760)
    #expect(Self.duration([0x83, 49]) == nil)
    #expect(Self.duration([0x7b, 3, 1, 2, 3, 4, 5, 6]) == 2_880)
    #expect(Self.duration([0x7b, 3, 1, 2, 3, 4, 5]) == nil)
  }

  @Test func `code 3 with lengths of its own adds them up`() {
    #expect(Self.duration([0x7b, 0x83, 1, 2, 9, 9, 9]) == 2_880)
    #expect(Self.duration([0x7b, 0x83, 1, 2, 9, 9, 9, 9]) == 2_880)
    #expect(Self.duration([0x7b, 0x83, 1, 2, 9, 9]) == nil)
    #expect(Self.duration([0x7b, 0x83, 1]) == nil)
    #expect(Self.duration([0x7b, 0x83, 1, 252]) == nil)
  }

  @Test func `code 3 with padding takes it off the end`() {
    #expect(Self.duration([0x7b, 0x42, 0]) == 1_920)
    #expect(Self.duration([0x7b, 0x42, 1, 9, 9, 0]) == 1_920)
    #expect(Self.duration([0x7b, 0x42, 1, 9, 9]) == nil)
    #expect(Self.duration([0x7b, 0x41]) == nil)
    #expect(Self.duration([0x7b, 0x41, 1]) == nil)
    #expect(Self.duration([0x7b, 0x41, 255]) == nil)
    #expect(Self.duration([0x7b, 0x41, 255, 1] + [UInt8](repeating: 0, count: 255)) == 960)
    #expect(Self.duration([0x7b, 0x41, 255, 1] + [UInt8](repeating: 0, count: 254)) == nil)
  }

  @Test func `one or two bytes are DTX`() {
    func isDTX(_ bytes: [UInt8]) -> Bool? { OpusPacket(parsing: bytes.span.bytes)?.isDTX }
    #expect(isDTX([0x78]) == true)
    #expect(isDTX([0x78, 0]) == true)
    #expect(isDTX([0x78, 0, 0]) == false)
  }

  @Test func `no two leading bytes with any short rest trap, and each duration is a legal one`() {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        for length in 0...6 {
          let packet = Array([first, second, 252, 3, 255, 1].prefix(length))
          guard let duration = Self.duration(packet) else { continue }
          #expect(duration % 120 == 0 && (120...5_760).contains(duration))
        }
      }
    }
  }
}
