/// Signals that the tests encode, and how like the original they come back.
enum Signals {
  /// A pure tone, mono, of amplitude 0.5.
  static func tone(_ frequency: Double, rate: Int, frames: Int) -> [Float] {
    (0..<frames).map { Float(0.5 * sine(Double($0) * frequency / Double(rate))) }
  }

  /// Something like speech, mono at 48 kHz, up to five seconds: a buzz of wandering pitch through slow syllables, so that the encoder
  /// takes it for a voice and concealment can't guess it.
  static func speech(frames: Int) -> [Float] { Array(fiveSeconds[..<frames]) }

  private static let fiveSeconds: [Float] = {
    var phase = 0.0
    return (0..<240_000).map { index in
      let time = Double(index) / 48_000
      let pitch = 130 + 40 * sine(time * 2.3) + 15 * sine(time * 7.1)
      phase += pitch / 48_000
      var sample = 0.0
      for harmonic in 1...18 {
        let frequency = pitch * Double(harmonic)
        let formant = 500 + 300 * sine(time * 3.7)
        let distance = (frequency - formant) / 400
        let second = (frequency - 1_700 - 500 * sine(time * 2.9)) / 500
        let weight = 1 / (1 + distance * distance) + 0.5 / (1 + second * second)
        sample += weight * sine(phase * Double(harmonic))
      }
      let syllable = 0.55 + 0.45 * sine(time * 4.1)
      return Float(0.09 * sample * syllable)
    }
  }()

  /// The sine of a phase in turns, by its series, as there is no Foundation here and no need of it.
  static func sine(_ turns: Double) -> Double {
    var x = (turns - turns.rounded()) * 2 * Double.pi
    if x > Double.pi / 2 { x = Double.pi - x }
    if x < -Double.pi / 2 { x = -Double.pi - x }
    let square = x * x
    return x * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72 * (1 - square / 110)))))
  }

  /// The signal-to-noise ratio as a plain ratio of energies (100 is 20 dB).
  static func ratio(_ original: ArraySlice<Float>, _ copy: ArraySlice<Float>) -> Double {
    var signal = 0.0
    var noise = 0.0
    for (left, right) in zip(original, copy) {
      signal += Double(left * left)
      noise += Double((left - right) * (left - right))
    }
    return signal / max(noise, 1e-12)
  }

  /// The energy of a signal.
  static func energy(_ samples: some Sequence<Float>) -> Double { samples.reduce(0) { $0 + Double($1 * $1) } }

  /// Interleaves a mono signal into two channels, the right at half the amplitude.
  static func stereo(_ mono: [Float]) -> [Float] { mono.flatMap { [$0, $0 / 2] } }
}
