import Codecs
import Testing

@Suite struct EncodingPipelineTests {
  private struct Encoded {
    var packets: [[UInt8]] = []
    var frames = 0

    mutating func collect(_ pipeline: inout EncodingPipeline) throws {
      var buffer = [UInt8](repeating: 0, count: OpusEncoder.maximumPacketBytes)
      while true {
        var output = buffer.mutableSpan
        guard let packet = try pipeline.pop(into: &output) else { return }
        packets.append(Array(buffer[..<packet.byteCount]))
        frames += packet.frames
      }
    }
  }

  private func push(_ samples: [Float], to pipeline: inout EncodingPipeline) throws {
    try pipeline.push(samples.span)
  }

  @Test(arguments: [8_000, 44_100, 48_000, 96_000], [1, 2])
  func `the media comes back whole after the lookahead`(rate: Int, sourceChannels: Int) throws {
    var settings = OpusSettings()
    settings.bitrate = 128_000
    let mono = Signals.tone(500, rate: rate, frames: rate + rate / 3)
    let samples = sourceChannels == 1 ? mono : mono.flatMap { [$0, $0] }
    var pipeline = try EncodingPipeline(settings, rate: rate, channels: sourceChannels)
    var encoded = Encoded()
    for start in stride(from: 0, to: samples.count, by: 1_000) {
      try pipeline.push(samples.span.extracting(start..<min(start + 1_000, samples.count)))
      try encoded.collect(&pipeline)
    }
    try pipeline.finish()
    try encoded.collect(&pipeline)
    let frames = Int(pipeline.frames)
    let lookahead = pipeline.lookahead
    #expect(frames == Int((Double(mono.count) * 48_000 / Double(rate)).rounded()))
    #expect(encoded.frames >= frames + lookahead)
    #expect(encoded.frames < frames + lookahead + settings.frameSize)
    let decoded = try OpusCoding.decode(encoded.packets, channels: 2)
    let wanted = Signals.tone(500, rate: 48_000, frames: frames).flatMap { [$0, $0] }
    let skip = 2 * lookahead
    #expect(Signals.ratio(wanted[8_000..<100_000], decoded[(8_000 + skip)..<(100_000 + skip)]) > 50)
    let end = 2 * frames - 2_000
    #expect(Signals.ratio(wanted[(end - 4_000)..<end], decoded[(end - 4_000 + skip)..<(end + skip)]) > 20, "to its end")
  }

  @Test func `two channels are mixed to one, and what isn't finite is silence`() throws {
    var settings = OpusSettings()
    settings.channels = 1
    var pipeline = try EncodingPipeline(settings, rate: 48_000, channels: 2)
    let tone = Signals.tone(500, rate: 48_000, frames: 9_600)
    try push(tone.flatMap { [$0, $0] }, to: &pipeline)
    try push([Float](repeating: .nan, count: 4_800), to: &pipeline)
    try push([Float](repeating: -.infinity, count: 4_800), to: &pipeline)
    try pipeline.finish()
    var encoded = Encoded()
    try encoded.collect(&pipeline)
    let decoded = try OpusCoding.decode(encoded.packets, channels: 1)
    let skip = pipeline.lookahead
    #expect(Signals.ratio(tone[4_000..<9_000], decoded[(4_000 + skip)..<(9_000 + skip)]) > 30)
    #expect(Signals.energy(decoded[12_000...]) < 0.1)
  }

  @Test func `a second source of another rate and width follows without a gap`() throws {
    var pipeline = try EncodingPipeline(OpusSettings(), rate: 44_100, channels: 2)
    try push([Float](repeating: 0.1, count: 2 * 44_100), to: &pipeline)
    try pipeline.switchSource(rate: 8_000, channels: 1)
    try push([Float](repeating: 0.1, count: 4_000), to: &pipeline)
    try pipeline.finish()
    let frames = pipeline.frames
    #expect(frames == 48_000 + 24_000)
    var encoded = Encoded()
    try encoded.collect(&pipeline)
    #expect(encoded.packets.count == 76, "72 312 samples with the lookahead, in frames of 960")
  }

  @Test func `nothing pushed gives the lookahead only, in one frame`() throws {
    var pipeline = try EncodingPipeline(OpusSettings(), rate: 44_100, channels: 2)
    try pipeline.finish()
    var encoded = Encoded()
    try encoded.collect(&pipeline)
    #expect(encoded.packets.count == 1)
  }

  @Test func `bad rates, channels and settings are refused`() {
    #expect(throws: EncodingError.unsupportedChannels(3)) {
      _ = try EncodingPipeline(OpusSettings(), rate: 48_000, channels: 3)
    }
    #expect(throws: EncodingError.resampler(.unsupportedRate(5))) {
      _ = try EncodingPipeline(OpusSettings(), rate: 5, channels: 2)
    }
    var settings = OpusSettings()
    settings.complexity = 12
    #expect(throws: EncodingError.self) { _ = try EncodingPipeline(settings, rate: 48_000, channels: 2) }
  }
}
