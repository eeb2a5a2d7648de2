import Playing

/// Stands in for a decoder: a voice of which every part has a pitch, and none is silence that could be cut for nothing,
/// goes through the real stretcher.
struct NullDecoder {
  private static let rate = 48_000
  /// Three seconds: the pitch glides from 90 to 220 Hz and back.
  private static let length = 3 * rate

  private let voice: [Int16]
  private var audio: [Int16]
  private var stretcher = TimeStretcher(sampleRate: rate)

  init() {
    var voice: [Int16] = []
    var phase = 0.0
    for index in 0..<Self.length {
      let place = Double(index) / Double(Self.length)
      let pitch = 90 + 260 * (place < 0.5 ? place : 1 - place)
      phase += pitch / Double(Self.rate)
      if phase >= 1 { phase -= 1 }
      // A pulse that dies away, with two resonances: much like a vowel.
      let decay = 1 - phase
      let first = Self.sine(phase * 4.7)
      let second = Self.sine(phase * 11.3)
      voice.append(Int16(9000 * decay * decay * (first + 0.5 * second)))
    }
    self.voice = voice
    audio = Array(repeating: 0, count: 2 * 5760)
  }

  /// Decodes `units` at a media time and stretches them; by how much they have become longer.
  mutating func decode(_ units: Int64, at time: Int64, wish: StretchWish, isUrgent: Bool, preferred: Int64) -> Int64 {
    var audio: [Int16] = []
    swap(&audio, &self.audio)
    defer { swap(&audio, &self.audio) }
    let count = min(Int(units), audio.count / 2)
    for index in 0..<count {
      audio[index] = voice[Int((time + Int64(index)) % Int64(voice.count))]
    }
    var span = audio.mutableSpan
    return Int64(
      stretcher.stretch(
        &span, units: count, wish: wish, urgency: isUrgent ? .urgent : .calm, preferred: Int(abs(preferred))))
  }

  /// A sine of whole turns, near enough for a voice.
  private static func sine(_ turns: Double) -> Double {
    let place = turns - turns.rounded(.down)
    let half = place < 0.5 ? place : place - 0.5
    let curve = 16 * half * (0.5 - half)
    return place < 0.5 ? curve : -curve
  }
}
