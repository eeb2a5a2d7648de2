import Playing
import Testing

/// How audio comes back that was waited for while concealment stood in for it.
struct ConcealmentJoinTests {
  private static let period = 436

  /// A buzz of 110 Hz from any place on.
  private static func buzz(from start: Int, frames: Int, channels: Int) -> [Int16] {
    (start..<start + frames).flatMap { frame in
      let phase = Double(frame % period) / Double(period)
      let value = Int16(12_000 * (phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase))
      return [Int16](repeating: value, count: channels)
    }
  }

  @Test(arguments: [1, 2], [0, 37, 136, 300, 435])
  func `concealment goes on until it is in phase with the audio`(channels: Int, phase: Int) {
    let audio = PlayoutAudio(channels: channels)
    let ahead = Self.buzz(from: 2 * Self.period, frames: audio.longestJoin, channels: channels)
    var memory = Self.buzz(from: phase, frames: 960, channels: channels)
    memory += [Int16](repeating: 0x5555, count: 1000 * channels)
    var span = memory.mutableSpan
    let added = audio.join(&span, units: 960, to: ahead.span)
    #expect(abs(added - phase) <= 1 || phase > 430 && added == 0)
    let heard = Array(memory[..<((960 + added) * channels)])
    let flow: [Int16] = Self.buzz(from: 2 * Self.period - 1, frames: 1, channels: channels) + heard
    var largest = 0
    for index in channels..<flow.count { largest = max(largest, abs(Int(flow[index]) - Int(flow[index - channels]))) }
    #expect(largest <= 224, "no step that is more than twice the buzz's own")
    let end: [Int16] = Self.buzz(from: phase + 460, frames: 500, channels: channels)
    #expect(Array(heard.suffix(500 * channels)) == end)
    #expect(memory[((960 + added) * channels)...].allSatisfy { $0 == 0x5555 }, "nothing behind the end is written")
  }

  @Test func `silence needs no more concealment, and short or missing concealment none that isn't there`() {
    let audio = PlayoutAudio(channels: 1)
    let ahead = Self.buzz(from: 0, frames: audio.longestJoin, channels: 1)
    for (length, units) in [(audio.longestJoin, 960), (0, 960), (5, 960), (100, 960), (audio.longestJoin, 1)] {
      var memory = [Int16](repeating: 0, count: 2000)
      var span = memory.mutableSpan
      let added = audio.join(&span, units: units, to: ahead.span.extracting(0..<length))
      #expect(added == 0)
      #expect(memory[units...].allSatisfy { $0 == 0 })
    }
    var full = Self.buzz(from: 100, frames: 960, channels: 1)
    var span = full.mutableSpan
    #expect(audio.join(&span, units: 960, to: ahead.span) == 0, "without room behind nothing is added")
  }

  @Test func `nothing is asked for when nothing can be heard`() {
    var audio = PlayoutAudio(channels: 1)
    #expect(audio.joinLength == 0)
    var memory = Self.buzz(from: 0, frames: 960, channels: 1)
    var span = memory.mutableSpan
    _ = audio.take(&span, units: 960)
    #expect(audio.joinLength == audio.longestJoin)
    _ = audio.silence(&span, units: 960)
    #expect(audio.joinLength == 0)
  }
}
