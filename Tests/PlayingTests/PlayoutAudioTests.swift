import Playing
import Testing

/// What a listener hears where audio breaks off, comes back, or jumps.
struct PlayoutAudioTests {
  /// A buzz of 110 Hz, loud, from any place on: its steps from sample to sample are small.
  private static func buzz(from start: Int, frames: Int, channels: Int) -> [Int16] {
    (start..<start + frames).flatMap { frame in
      let phase = Double(frame % 436) / 436
      let value = Int16(12_000 * (phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase))
      return [Int16](repeating: value, count: channels)
    }
  }

  /// The largest step from a frame to the next.
  private static func largestStep(_ samples: [Int16], channels: Int) -> Int {
    zip(samples, samples.dropFirst(channels)).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  private static func take(_ frame: [Int16], _ audio: inout PlayoutAudio, into heard: inout [Int16]) {
    var memory = frame
    var span = memory.mutableSpan
    let change = audio.take(&span, units: frame.count / audio.channels)
    #expect(change == 0)
    heard += memory
  }

  private static func silence(_ units: Int, _ audio: inout PlayoutAudio, into heard: inout [Int16]) {
    var memory = [Int16](repeating: 0x5555, count: 2000 * audio.channels)
    var span = memory.mutableSpan
    let faded = audio.silence(&span, units: Int64(units))
    #expect(faded <= units)
    heard += memory[..<(faded * audio.channels)]
    heard += [Int16](repeating: 0, count: (units - faded) * audio.channels)
  }

  @Test(arguments: [1, 2])
  func `whole audio passes bit for bit`(channels: Int) {
    var audio = PlayoutAudio(channels: channels)
    var heard: [Int16] = []
    let signal = Self.buzz(from: 0, frames: 9600, channels: channels)
    for start in stride(from: 0, to: signal.count, by: 960 * channels) {
      Self.take(Array(signal[start..<start + 960 * channels]), &audio, into: &heard)
    }
    #expect(heard == signal)
  }

  @Test(arguments: [1, 2], [480, 960, 4800])
  func `audio fades into silence of any length and comes back without a step`(channels: Int, piece: Int) {
    var audio = PlayoutAudio(channels: channels)
    var heard: [Int16] = []
    Self.take(Self.buzz(from: 0, frames: 1000, channels: channels), &audio, into: &heard)
    let wanted = audio.tailLength(for: .silence)
    #expect(wanted == 1440)
    let tail = Self.buzz(from: 1000, frames: wanted, channels: channels)
    audio.end(with: tail.span, at: .silence)
    #expect(audio.tailLength(for: .silence) == 0, "nothing more is asked for while it fades")
    for _ in 0..<3 { Self.silence(piece, &audio, into: &heard) }
    Self.take(Self.buzz(from: 300, frames: 1920, channels: channels), &audio, into: &heard)
    #expect(heard.count == (1000 + 3 * piece + 1920) * channels)
    // The signal's own steps are 110, and a fade in of 5 ms adds as much at most.
    #expect(Self.largestStep(heard, channels: channels) < 400)
    if piece == 4800 {
      let middle = heard[((1000 + 1440) * channels)..<((1000 + 3 * 4800) * channels)]
      #expect(middle.allSatisfy { $0 == 0 })
    }
    #expect(Array(heard.suffix(1440 * channels)) == Self.buzz(from: 780, frames: 1440, channels: channels))
  }

  @Test func `a stream that begins isn't faded in`() {
    var audio = PlayoutAudio(channels: 1)
    var heard: [Int16] = []
    #expect(audio.tailLength(for: .silence) == 0)
    Self.take([10_000, 10_000, 10_000], &audio, into: &heard)
    #expect(heard == [10_000, 10_000, 10_000])
  }

  @Test(arguments: [1, 2])
  func `a jump over media that was given up has no step`(channels: Int) {
    var audio = PlayoutAudio(channels: channels)
    var heard: [Int16] = []
    Self.take(Self.buzz(from: 0, frames: 1000, channels: channels), &audio, into: &heard)
    let wanted = audio.tailLength(for: .jump)
    #expect(wanted == 480)
    let tail = Self.buzz(from: 1000, frames: wanted, channels: channels)
    audio.end(with: tail.span, at: .jump)
    // Several packets may be given up one after the other.
    #expect(audio.tailLength(for: .jump) == 0)
    let after = Self.buzz(from: 1700, frames: 960, channels: channels)
    Self.take(after, &audio, into: &heard)
    #expect(Self.largestStep(heard, channels: channels) < 300)
    #expect(Array(heard.suffix(480 * channels)) == Array(after.suffix(480 * channels)))
  }

  @Test func `silence of centuries is a number, not samples`() {
    var audio = PlayoutAudio(channels: 2)
    var heard: [Int16] = []
    Self.take(Self.buzz(from: 0, frames: 960, channels: 2), &audio, into: &heard)
    let tail = Self.buzz(from: 960, frames: 1440, channels: 2)
    audio.end(with: tail.span, at: .silence)
    var memory = [Int16](repeating: 0, count: 4000)
    var span = memory.mutableSpan
    #expect(audio.silence(&span, units: 1 << 50) == 1440)
  }

  @Test func `a wish is carried out and counted as the stretcher does it`() {
    var audio = PlayoutAudio(channels: 1)
    var heard = 0
    var sum = 0
    for number in 0..<50 {
      var memory = Self.buzz(from: number * 960, frames: 960, channels: 1) + [Int16](repeating: 0, count: 960)
      var span = memory.mutableSpan
      let change = audio.take(
        &span, units: 960, wish: number % 2 == 0 ? .shrink(atMost: 720) : .expand(atMost: 720), urgency: .urgent)
      sum += change
      heard += 960 + change
    }
    #expect(audio.removed > 0 && audio.inserted > 0)
    #expect(audio.inserted - audio.removed == sum)
    #expect(heard == 50 * 960 + sum)
  }
}
