import Codecs
import Testing

@Suite struct ResamplerTests {
  static let rates = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 47_999, 48_000, 88_200, 96_000, 192_000]

  private static func convert(_ input: [Float], from rate: Int, channels: Int, piece: Int) throws -> [Float] {
    var resampler = try Resampler(from: rate, channels: channels)
    var output: [Float] = []
    for start in stride(from: 0, to: input.count, by: piece * channels) {
      let end = min(start + piece * channels, input.count)
      try resampler.process(input.span.extracting(start..<end), appendingTo: &output)
    }
    try resampler.flush(appendingTo: &output)
    return output
  }

  @Test(arguments: rates)
  func `the length is the exact ratio, whatever the length and the pieces`(rate: Int) throws {
    for frames in [0, 1, 2, 99, 1_000, 7_777, rate] {
      for piece in [1_000, 4_321] {
        let output = try Self.convert(
          Signals.stereo(Signals.tone(200, rate: rate, frames: frames)), from: rate, channels: 2, piece: piece)
        #expect(output.count == 2 * Int((Double(frames) * 48_000 / Double(rate)).rounded()), "\(frames) frames")
      }
    }
  }

  @Test(arguments: rates)
  func `a tone keeps its frequency, its amplitude and its place in time`(rate: Int) throws {
    let output = try Self.convert(
      Signals.tone(1_000, rate: rate, frames: rate), from: rate, channels: 1, piece: 777)
    let wanted = Signals.tone(1_000, rate: 48_000, frames: 48_000)
    #expect(output.count == 48_000)
    #expect(Signals.ratio(wanted[2_000..<46_000], output[2_000..<46_000]) > 1e6, "better than 60 dB")
  }

  @Test func `channels stay apart`() throws {
    let left = Signals.tone(440, rate: 44_100, frames: 44_100)
    let output = try Self.convert(left.flatMap { [$0, 0] }, from: 44_100, channels: 2, piece: 512)
    #expect(stride(from: 1, to: output.count, by: 2).allSatisfy { abs(output[$0]) < 1e-6 })
  }

  @Test(arguments: [0, 999, 768_001, -1, .max])
  func `a rate out of range is refused`(rate: Int) {
    #expect(throws: ResamplerError.unsupportedRate(rate)) { _ = try Resampler(from: rate, channels: 1) }
  }

  @Test(arguments: [0, 9, -1])
  func `a number of channels out of range is refused`(channels: Int) {
    #expect(throws: ResamplerError.unsupportedChannels(channels)) {
      _ = try Resampler(from: 44_100, channels: channels)
    }
  }
}
