import Codecs
import Testing

@Suite struct DriftResamplerTests {
  private static func tone(_ frequency: Double, frames: Int, channels: Int = 1, from start: Int = 0) -> [Int16] {
    (start..<start + frames).flatMap { frame in
      let value = 20_000 * Signals.sine(Double(frame) * frequency / 48_000)
      return (0..<channels).map { Int16((value / Double($0 + 1)).rounded()) }
    }
  }

  /// Resamples in pieces of 20 ms; `change` may set the correction before each.
  private static func run(
    _ input: [Int16], channels: Int = 1, piece: Int = 960, change: (inout DriftResampler, Int) -> Void
  ) -> [Int16] {
    var resampler = DriftResampler(channels: channels)
    var output: [Int16] = []
    var room = [Int16](repeating: 0, count: DriftResampler.mostFrames(for: piece) * channels)
    for (number, start) in stride(from: 0, to: input.count, by: piece * channels).enumerated() {
      change(&resampler, number)
      let part = Array(input[start..<min(start + piece * channels, input.count)])
      var span = room.mutableSpan
      let frames = resampler.process(part.span, into: &span)
      output += room[..<(frames * channels)]
    }
    return output
  }

  /// How much stronger a pure tone in `samples` is than all that isn't that tone, as a ratio of energies.
  private static func purity(_ samples: ArraySlice<Int16>, frequency: Double) -> Double {
    // Least squares: what is left over of a window that isn't a whole number of turns would look like noise.
    var (sine, cosine, ss, cc, sc, energy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for (index, sample) in samples.enumerated() {
      let turns = Double(index) * frequency / 48_000
      let (s, c) = (Signals.sine(turns), Signals.sine(turns + 0.25))
      sine += Double(sample) * s
      cosine += Double(sample) * c
      ss += s * s
      cc += c * c
      sc += s * c
    }
    let determinant = ss * cc - sc * sc
    let (a, b) = ((sine * cc - cosine * sc) / determinant, (cosine * ss - sine * sc) / determinant)
    for (index, sample) in samples.enumerated() {
      let turns = Double(index) * frequency / 48_000
      let rest = Double(sample) - a * Signals.sine(turns) - b * Signals.sine(turns + 0.25)
      energy += rest * rest
    }
    return (a * a + b * b) / 2 * Double(samples.count) / max(energy, 1e-9)
  }

  @Test(arguments: [1, 2], [480, 960, 777])
  func `as long as nothing is corrected, every sample passes at once`(channels: Int, piece: Int) {
    let input = Self.tone(997, frames: 9600, channels: channels)
    #expect(Self.run(input, channels: channels, piece: piece) { resampler, _ in resampler.correction = 0 } == input)
  }

  @Test(arguments: [0.001, 0.000_2, 0.000_037, -0.000_2, -0.001], [200.0, 997, 6_000, 15_000])
  func `a sine stays a sine`(correction: Double, frequency: Double) {
    let output = Self.run(Self.tone(frequency, frames: 48_000)) { resampler, _ in resampler.correction = correction }
    // Longer audio has a lower pitch. 16 bits alone leave 94 dB; 80 dB are a hundred million.
    let purity = Self.purity(output[1000..<40_000], frequency: frequency / (1 + correction))
    #expect(purity > 1e8, "THD+N \(purity)")
  }

  @Test(arguments: [0.001, 0.000_2, 0.000_037, -0.000_2, -0.001], [960, 777])
  func `the length is the ratio's to within a sample`(correction: Double, piece: Int) {
    let frames = 480_000
    let output = Self.run([Int16](repeating: 1000, count: frames), piece: piece) { resampler, _ in
      resampler.correction = correction
    }
    let wanted = Double(frames - DriftResampler.delay) * (1 + correction)
    #expect(abs(Double(output.count) - wanted) <= 1)
    // A constant stays what it is, to the last bit.
    #expect(output.allSatisfy { $0 == 1000 || $0 == 0 } && output.dropFirst(48).allSatisfy { $0 == 1000 })
  }

  @Test func `beginning, changing and ending a correction can't be heard`() {
    let steps = [0.0, 0.001, 0, -0.001, 0.000_5, 0, 0.000_01, -0.000_7]
    let frequency = 440.0
    let output = Self.run(Self.tone(frequency, frames: 96_000)) { resampler, number in
      resampler.correction = steps[number / 5 % steps.count]
    }
    // The second differences of a sine are its own, times the square of the step: a click would stand out.
    let turn = 2 * Double.pi * frequency / 48_000
    let most = 20_000 * turn * turn * 1.01 + 4
    for index in 1..<output.count - 1 {
      let bend = Double(output[index - 1]) - 2 * Double(output[index]) + Double(output[index + 1])
      guard abs(bend) > most else { continue }
      Issue.record("a click of \(bend) at \(index)")
      break
    }
  }

  @Test func `a correction beyond what nobody hears is brought within, and what isn't a number is none`() {
    var resampler = DriftResampler(channels: 2)
    resampler.correction = .nan
    #expect(resampler.correction == 0 && !resampler.isEngaged)
    resampler.correction = 5
    #expect(resampler.correction == DriftResampler.strongest)
    resampler.correction = -.infinity
    #expect(resampler.correction == 0)
  }

  @Test func `channels stay apart`() {
    let left: [Int16] = Self.tone(440, frames: 9600).flatMap { [$0, Int16(0)] }
    let output = Self.run(left, channels: 2) { resampler, _ in resampler.correction = 0.000_3 }
    #expect(stride(from: 1, to: output.count, by: 2).allSatisfy { output[$0] == 0 })
    #expect(output.contains { $0 > 19_000 })
  }
}
