import Codecs
import Testing

@Suite struct OpusRoundTripTests {
  @Test(arguments: OpusSettings.frameSizes, [1, 2])
  func `a tone survives every frame size, in mono and stereo`(frameSize: Int, channels: Int) throws {
    var settings = OpusSettings()
    settings.frameSize = frameSize
    settings.channels = channels
    settings.bitrate = 128_000
    let mono = Signals.tone(440, rate: 48_000, frames: 48_000)
    let original = channels == 1 ? mono : Signals.stereo(mono)
    let (packets, lookahead) = try OpusCoding.encode(original, settings)
    let decoded = try OpusCoding.decode(packets, channels: channels)
    #expect(packets.count == 48_000 / frameSize)
    #expect(decoded.count == packets.count * frameSize * channels)
    // The first tenth of a second is left to the codec to settle; then what comes out is what went in, later by the
    // lookahead.
    let skip = lookahead * channels
    let start = 4_800 * channels
    let ratio = Signals.ratio(original[start..<40_000 * channels], decoded[(start + skip)..<(40_000 * channels + skip)])
    #expect(ratio > 100, "better than 20 dB")
  }

  @Test func `constant bit rate makes packets of one size`() throws {
    var settings = OpusSettings()
    settings.rateControl = .constant
    settings.bitrate = 64_000
    let (packets, _) = try OpusCoding.encode(Signals.stereo(Signals.speech(frames: 48_000)), settings)
    #expect(Set(packets.map(\.count)) == [160])
  }

  @Test func `a higher bit rate makes bigger packets`() throws {
    var settings = OpusSettings()
    let signal = Signals.stereo(Signals.speech(frames: 48_000))
    settings.bitrate = 24_000
    let small = try OpusCoding.encode(signal, settings).packets.reduce(0) { $0 + $1.count }
    settings.bitrate = 96_000
    let big = try OpusCoding.encode(signal, settings).packets.reduce(0) { $0 + $1.count }
    #expect(big > 2 * small)
  }

  @Test func `silence is recognised in discontinuous transmission and heard as silence`() throws {
    var settings = OpusSettings()
    settings.channels = 1
    settings.application = .voip
    settings.bitrate = 24_000
    settings.discontinuous = true
    let signal = Signals.speech(frames: 48_000) + [Float](repeating: 0, count: 96_000)
    let (packets, _) = try OpusCoding.encode(signal, settings)
    let silent = packets.map { OpusEncoder.isDTX(byteCount: $0.count) }
    #expect(silent[..<50].allSatisfy { !$0 }, "speech is not silence")
    #expect(silent[75...].filter { $0 }.count > 50, "most of the silence is DTX")
    let decoded = try OpusCoding.decode(packets, channels: 1)
    #expect(decoded.count == packets.count * 960)
    #expect(Signals.energy(decoded[100_000...]) < 0.01)
  }

  @Test func `settings out of range are refused by name`() {
    func refusal(_ change: (inout OpusSettings) -> Void) -> String? {
      var settings = OpusSettings()
      change(&settings)
      do throws(OpusError) {
        try settings.validate()
        return nil
      } catch {
        return error.description
      }
    }
    #expect(refusal { $0.channels = 3 } == "the Opus channel count can't be 3; give 1 or 2")
    #expect(refusal { $0.bitrate = 5 } == "the Opus bit rate can't be 5; give 6000 to 510000 bits a second")
    #expect(refusal { $0.complexity = 11 } == "the Opus complexity can't be 11; give 0 to 10")
    #expect(refusal { $0.expectedLossPercent = -1 } == "the Opus expected loss can't be -1; give 0 to 100 percent")
    #expect(refusal { $0.frameSize = 961 }?.contains("2.5, 5, 10, 20, 40 or 60 ms") == true)
    #expect(refusal { $0.frameSize = 120 } == nil)
  }

  @Test func `a frame of the wrong length and an empty output are refused`() throws {
    var encoder = try OpusEncoder(OpusSettings())
    let samples = [Float](repeating: 0, count: 1920)
    #expect(throws: OpusError.outputTooSmall(given: 0)) { try OpusCoding.encodeOne(samples, room: 0, &encoder) }
    #expect(throws: OpusError.wrongSampleCount(given: 960, needed: 1920)) {
      try OpusCoding.encodeOne(Array(samples[..<960]), room: 100, &encoder)
    }
  }
}
