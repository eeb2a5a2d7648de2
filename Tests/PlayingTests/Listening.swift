import Playing
import Timeline

/// A listener's record of what a stretcher made of a signal, frame by frame.
struct Listening {
  var stretcher: TimeStretcher
  /// What was heard, interleaved.
  var heard: [Int16] = []
  /// The change of each frame, in units.
  var changes: [Int] = []
  private let channels: Int

  init(channels: Int = 1, content: StretchContent = .speech) {
    self.channels = channels
    stretcher = TimeStretcher(channels: channels, content: content)
  }

  /// Plays the samples of one frame with a wish.
  @discardableResult
  mutating func play(
    _ frame: ArraySlice<Int16>, _ wish: StretchWish, _ urgency: StretchUrgency = .calm, preferred: Int = 0
  ) -> Int {
    var memory = Array(frame)
    if case .expand(let most) = wish { memory += [Int16](repeating: 0x5555, count: most * channels) }
    var span = memory.mutableSpan
    let units = frame.count / channels
    let change = stretcher.stretch(&span, units: units, wish: wish, urgency: urgency, preferred: preferred)
    changes.append(change)
    heard += memory.prefix((units + change) * channels)
    return change
  }

  /// Plays a whole signal in frames of 20 ms; `wish` gets the number of the frame.
  mutating func play(
    _ signal: [Int16], urgency: StretchUrgency = .calm, frame: Int = 960, wish: (Int) -> StretchWish
  ) {
    var place = 0
    var number = 0
    while place < signal.count {
      let end = min(place + frame * channels, signal.count)
      play(signal[place..<end], wish(number), urgency)
      place = end
      number += 1
    }
  }
}

/// Signals to stretch, at 48 kHz.
enum Signal {
  static func sine(_ frequency: Double, count: Int, amplitude: Double = 12_000, phase: Double = 0) -> [Int16] {
    (0..<count).map { Int16(amplitude * sine(frequency * Double($0) / 48_000 + phase)) }
  }

  /// A buzz like a vowel: pulses at a gliding pitch through two resonances.
  static func vowel(count: Int, pitch: Double = 110) -> [Int16] {
    var result: [Int16] = []
    var turn = 0.0
    var states = [(0.0, 0.0), (0.0, 0.0)]
    for index in 0..<count {
      let time = Double(index) / 48_000
      turn += pitch * (1 + 0.1 * sine(0.7 * time)) / 48_000
      var value = 0.0
      if turn >= 1 {
        turn -= 1
        value = 8000
      }
      for (number, frequency) in [(0, 600.0), (1, 1400.0)] {
        let radius = 0.99
        let next =
          value + 2 * radius * sine(0.25 + frequency / 48_000) * states[number].0
          - radius * radius * states[number].1
        states[number] = (next, states[number].0)
        value = next * 0.1
      }
      result.append(Int16(max(-32_768, min(32_767, value * 10))))
    }
    return result
  }

  static func noise(count: Int, amplitude: Double = 8000, seed: UInt64 = 1) -> [Int16] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Int16((generator.nextUnit() * 2 - 1) * amplitude) }
  }

  /// The sine of so many turns, by its series: no library is needed for it.
  static func sine(_ turns: Double) -> Double {
    var angle = (turns - turns.rounded()) * 2 * Double.pi
    if angle > .pi / 2 { angle = .pi - angle }
    if angle < -.pi / 2 { angle = -.pi - angle }
    let square = angle * angle
    return angle
      * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72 * (1 - square / 110)))))
  }

  static func interleave(_ left: [Int16], _ right: [Int16]) -> [Int16] {
    zip(left, right).flatMap { [$0, $1] }
  }
}
