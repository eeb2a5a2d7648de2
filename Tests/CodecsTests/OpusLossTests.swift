import Codecs
import Testing

/// What the decoder makes of lost and of bad packets.
@Suite struct OpusLossTests {
  private static func speechSettings(fec: Bool, frameSize: Int = 960, channels: Int = 1) -> OpusSettings {
    var settings = OpusSettings()
    settings.channels = channels
    settings.application = .voip
    settings.bitrate = 32_000 * channels
    settings.forwardErrorCorrection = fec
    settings.expectedLossPercent = fec ? 20 : 0
    settings.frameSize = frameSize
    return settings
  }

  @Test(arguments: [480, 960, 1920, 2880], [1, 2])
  func `the flag of the redundant copy is found in packets that have one and in no other`(
    frameSize: Int, channels: Int
  ) throws {
    let mono = Signals.speech(frames: 96_000)
    let signal = channels == 1 ? mono : Signals.stereo(mono)
    let with = try OpusCoding.encode(signal, Self.speechSettings(fec: true, frameSize: frameSize, channels: channels))
    let without = try OpusCoding.encode(
      signal, Self.speechSettings(fec: false, frameSize: frameSize, channels: channels))
    let flagged = with.packets.filter { OpusCoding.hasFEC($0) }.count
    #expect(flagged > with.packets.count / 2)
    #expect(!without.packets.contains { OpusCoding.hasFEC($0) })
  }

  @Test func `music modes carry no copy`() throws {
    var settings = OpusSettings()
    settings.application = .lowDelay
    settings.forwardErrorCorrection = true
    settings.expectedLossPercent = 20
    let (packets, _) = try OpusCoding.encode(Signals.stereo(Signals.speech(frames: 48_000)), settings)
    #expect(!packets.contains { OpusCoding.hasFEC($0) })
  }

  @Test(
    arguments: [
      [], [0x08], [0x0B], [0x0B, 0xFF], [0x0A, 0xFF], [0x0B, 0x00], [0xFF], [0x09, 0xFF, 0xFF], [0x0A, 0x00, 0x00],
    ] as [[UInt8]])
  func `bytes that are no packet, or hold an empty frame, carry no copy`(bytes: [UInt8]) {
    let found = OpusCoding.hasFEC(bytes)
    #expect(found == (bytes == [0x09, 0xFF, 0xFF]), "only the one with a first frame of set bits")
  }

  @Test func `a lost packet is recovered from the next one better than concealed`() throws {
    let signal = Signals.speech(frames: 240_000)
    let (packets, lookahead) = try OpusCoding.encode(signal, Self.speechSettings(fec: true))
    var wins = 0
    var trials = 0
    var recoveredNoise = 0.0
    var concealedNoise = 0.0
    for lost in stride(from: 20, to: 240, by: 10) where OpusCoding.hasFEC(packets[lost + 1]) {
      var decoder = try decoder(after: packets[..<lost])
      let recovered = OpusCoding.floats(
        try OpusCoding.recover(960, from: packets[lost + 1], room: 960, &decoder)[...])
      decoder = try self.decoder(after: packets[..<lost])
      let concealed = OpusCoding.floats(try OpusCoding.conceal(960, room: 960, &decoder)[...])
      let start = lost * 960 - lookahead
      let original = signal[start..<start + 960]
      let energy = Signals.energy(original)
      let first = energy / Signals.ratio(original, recovered[...])
      let second = energy / Signals.ratio(original, concealed[...])
      recoveredNoise += first
      concealedNoise += second
      trials += 1
      if first < second { wins += 1 }
    }
    #expect(trials >= 15)
    #expect(wins * 10 >= trials * 8, "recovered is better in \(wins) of \(trials)")
    #expect(recoveredNoise * 2 < concealedNoise, "at most half of the noise")
  }

  private func decoder(after packets: ArraySlice<[UInt8]>) throws -> OpusDecoder {
    var decoder = try OpusDecoder(channels: 1)
    for packet in packets { _ = try OpusCoding.decode(packet, &decoder) }
    return decoder
  }

  @Test(arguments: [1, 2])
  func `any length is concealed and recovered, exactly`(channels: Int) throws {
    let mono = Signals.speech(frames: 48_000)
    let signal = channels == 1 ? mono : Signals.stereo(mono)
    let (packets, _) = try OpusCoding.encode(signal, Self.speechSettings(fec: true, channels: channels))
    for frames in [1, 7, 119, 120, 121, 240, 479, 480, 959, 960, 961, 1000, 2880, 4321, 5759, 5760] {
      var decoder = try OpusDecoder(channels: channels)
      for packet in packets[..<30] { _ = try OpusCoding.decode(packet, &decoder) }
      let room = 6_000 * channels
      let concealed = try OpusCoding.conceal(frames, room: room, background: 12_345, &decoder)
      #expect(concealed.count == room)
      #expect(concealed[(frames * channels)...].allSatisfy { $0 == 12_345 }, "nothing behind the end is written")
      let recovered = try OpusCoding.recover(
        frames, from: packets[31], room: room, background: 12_345, &decoder)
      #expect(recovered.count == room)
      #expect(recovered[(frames * channels)...].allSatisfy { $0 == 12_345 })
      #expect(try OpusCoding.decode(packets[31], &decoder).count == 960 * channels)
    }
  }

  @Test func `concealment takes up the signal and fades out, over more than a packet's length too`() throws {
    let (packets, _) = try OpusCoding.encode(Signals.speech(frames: 48_000), Self.speechSettings(fec: false))
    var decoder = try decoder(after: packets[..<40])
    let heard = OpusCoding.floats(try OpusCoding.conceal(48_000, room: 48_000, &decoder)[...])
    let beginning = Signals.energy(heard[..<960])
    #expect(beginning > 0.1)
    #expect(Signals.energy(heard[47_040...]) < beginning / 100, "at least 20 dB lower after a second")
  }

  @Test(arguments: [1, 2])
  func `the lengths in which a gap is concealed make no difference`(channels: Int) throws {
    let mono = Signals.speech(frames: 48_000)
    let (packets, _) = try OpusCoding.encode(
      channels == 1 ? mono : Signals.stereo(mono), Self.speechSettings(fec: false, channels: channels))
    func concealed(_ pieces: [Int]) throws -> [Int16] {
      var decoder = try OpusDecoder(channels: channels)
      for packet in packets[..<30] { _ = try OpusCoding.decode(packet, &decoder) }
      return try pieces.flatMap { try OpusCoding.conceal($0, room: $0 * channels, &decoder) }
    }
    // A packet's length at once, as libopus does it; then blocks of which none begins or ends at a step of its.
    let whole = try concealed([960])
    #expect(Signals.energy(OpusCoding.floats(whole[...])[...]) > 0.01)
    #expect(try concealed([1, 118, 2, 7, 52, 61, 359, 120, 240]) == whole)
    #expect(try concealed([480, 480]) == whole)
  }

  @Test func `a packet that was only waited for decodes as if nothing had been concealed`() throws {
    let (packets, _) = try OpusCoding.encode(Signals.speech(frames: 48_000), Self.speechSettings(fec: false))
    var straight = try decoder(after: packets[..<30])
    var waiting = try decoder(after: packets[..<30])
    waiting.mark()
    for frames in [331, 480, 17] { _ = try OpusCoding.conceal(frames, room: frames, &waiting) }
    waiting.rewind()
    for packet in packets[30..<34] {
      #expect(try OpusCoding.decode(packet, &waiting) == OpusCoding.decode(packet, &straight))
    }
    // Without going back it doesn't: that is what the packet was taken for.
    var damaged = try decoder(after: packets[..<30])
    _ = try OpusCoding.conceal(331, room: 331, &damaged)
    var whole = try decoder(after: packets[..<30])
    #expect(try OpusCoding.decode(packets[30], &damaged) != OpusCoding.decode(packets[30], &whole))
  }

  @Test func `before the first packet concealment is silence`() throws {
    var decoder = try OpusDecoder(channels: 2)
    #expect(try OpusCoding.conceal(500, room: 1_000, background: 7, &decoder).allSatisfy { $0 == 0 })
  }

  @Test func `lengths that are nothing or too long are refused`() throws {
    var decoder = try OpusDecoder(channels: 2)
    for frames in [0, -1, 51, .max] {
      #expect(throws: OpusError.invalidLength(frames: frames)) {
        try OpusCoding.conceal(frames, room: 100, &decoder)
      }
    }
    #expect(throws: OpusError.invalidLength(frames: 5761)) {
      try OpusCoding.recover(5761, from: [0x08, 1, 2, 3], room: 20_000, &decoder)
    }
    #expect(throws: OpusError.outputTooSmall(given: 100)) {
      try OpusCoding.decode([0x08, 1, 2, 3], room: 100, &decoder)
    }
    #expect(throws: OpusError.invalidPacket(byteCount: 0)) { try OpusCoding.decode([], &decoder) }
    #expect(throws: OpusError.invalidPacket(byteCount: 0)) {
      try OpusCoding.recover(960, from: [], room: 5_000, &decoder)
    }
  }

  @Test func `mangled packets throw or decode, and the next good one is played`() throws {
    let (packets, _) = try OpusCoding.encode(Signals.speech(frames: 48_000), Self.speechSettings(fec: true))
    var decoder = try OpusDecoder(channels: 2)
    var generator = SystemlessGenerator(state: 7)
    var refused = 0
    for round in 0..<3_000 {
      var packet = packets[round % packets.count]
      packet.removeLast(Int(generator.next() % UInt64(packet.count + 1)))
      for _ in 0..<3 where !packet.isEmpty {
        packet[Int(generator.next() % UInt64(packet.count))] ^= UInt8(1 << (generator.next() % 8))
      }
      _ = OpusCoding.hasFEC(packet)
      do throws(OpusError) {
        let decoded = try OpusCoding.decode(packet, &decoder)
        #expect((240...11_520).contains(decoded.count))
      } catch {
        refused += 1
      }
    }
    #expect(refused > 0)
    #expect(try OpusCoding.decode(packets[3], &decoder).count == 1920)
    decoder.reset()
    #expect(try OpusCoding.decode(packets[3], &decoder).count == 1920)
  }
}

/// A generator of the test's own (SplitMix64): this module knows no other.
struct SystemlessGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
