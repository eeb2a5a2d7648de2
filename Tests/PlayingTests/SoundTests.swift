import Playing
import Testing
import Timeline

/// What stretched audio sounds like.
struct SoundTests {
  @Test(arguments: [80.0, 110, 220, 440, 997], [StretchUrgency.calm, .urgent])
  func `a sine stays a sine through a hundred splices`(frequency: Double, urgency: StretchUrgency) {
    let amplitude = 12_000.0
    let signal = Signal.sine(frequency, count: 96_000, amplitude: amplitude)
    var listening = Listening()
    listening.play(signal, urgency: urgency) { $0 % 2 == 0 ? .shrink(atMost: 720) : .expand(atMost: 720) }
    #expect(listening.stretcher.splices >= 90)
    // A sine obeys x[n+1] + x[n-1] = 2 cos(w) x[n]; what doesn't, is no sine.
    let turn = 2 * Signal.sine(0.25 + frequency / 48_000)
    var power = 0.0
    var worst = 0.0
    let heard = listening.heard.map(Double.init)
    for index in 1..<heard.count - 1 {
      power += heard[index] * heard[index]
      worst = max(worst, abs(heard[index + 1] - heard[index]))
    }
    // The steepest place of a sine is its zero crossing.
    #expect(worst <= amplitude * 2 * .pi * frequency / 48_000 * 1.05 + 2)
    #expect((power / Double(heard.count) / (amplitude * amplitude / 2) - 1).magnitude < 0.05)
    var residue = 0.0
    for index in stride(from: 8, to: heard.count - 8, by: 1) {
      let error = heard[index + 1] + heard[index - 1] - turn * heard[index]
      residue += error * error
    }
    // Rounding to 16 bits alone leaves up to 0.5; a click of one thousandth of full scale leaves more than this.
    #expect(residue / Double(heard.count) < 4)
  }

  @Test func `stretching a vowel makes no step that the vowel has not`() {
    let signal = Signal.vowel(count: 192_000)
    func steps(_ samples: [Int]) -> [Int] { zip(samples, samples.dropFirst()).map { $1 - $0 } }
    func largest(_ samples: [Int]) -> Int { samples.reduce(0) { max($0, abs($1)) } }
    var listening = Listening()
    listening.play(signal, urgency: .urgent) { $0 % 2 == 0 ? .shrink(atMost: 480) : .expand(atMost: 480) }
    #expect(listening.stretcher.splices > 100)
    let before = steps(signal.map(Int.init))
    let after = steps(listening.heard.map(Int.init))
    #expect(Double(largest(after)) <= Double(largest(before)) * 1.1)
    #expect(Double(largest(steps(after))) <= Double(largest(steps(before))) * 1.1)
  }

  @Test func `what is put in or taken out of a vowel is whole periods`() {
    let signal = Signal.vowel(count: 96_000, pitch: 160)
    var listening = Listening()
    listening.play(signal) { $0 % 2 == 0 ? .shrink(atMost: 720) : .expand(atMost: 720) }
    let changes = listening.changes.filter { $0 != 0 }
    #expect(changes.count > 60)
    for change in changes {
      let periods = Double(abs(change)) / 300
      // The pitch glides by 10 % each way.
      #expect((periods - periods.rounded()).magnitude <= 0.12 * periods.rounded())
    }
  }

  @Test(arguments: [-24, 0, 7, 31])
  func `two channels keep the time between them`(delay: Int) {
    let source = Signal.vowel(count: 96_100)
    let left = Array(source[50..<96_050])
    let right = Array(source[50 - delay..<96_050 - delay])
    var listening = Listening(channels: 2)
    listening.play(Signal.interleave(left, right)) { $0 % 2 == 0 ? .shrink(atMost: 720) : .expand(atMost: 720) }
    #expect(listening.stretcher.splices > 30)
    let units = listening.heard.count / 2
    for start in stride(from: 2000, to: units - 6000, by: 4000) {
      func product(_ lag: Int) -> Double {
        (start..<start + 4000).reduce(0) {
          $0 + Double(listening.heard[2 * $1]) * Double(listening.heard[2 * ($1 + lag) + 1])
        }
      }
      let best = (-40...40).max { product($0) < product($1) }
      #expect(best == delay)
    }
  }

  @Test func `two channels that cancel each other are not taken for silence`() {
    let tone = Signal.vowel(count: 48_000, pitch: 160)
    var listening = Listening(channels: 2)
    listening.play(Signal.interleave(tone, tone.map { -max($0, -32_767) })) { _ in .shrink(atMost: 480) }
    // Silence would be cut by exactly what is asked; this has a period of 273 to 333.
    #expect(listening.stretcher.splices > 30)
    #expect(listening.changes.allSatisfy { $0 > -340 })
    for index in stride(from: 0, to: listening.heard.count, by: 2) {
      #expect(abs(Int(listening.heard[index]) + Int(listening.heard[index + 1])) <= 1)
    }
  }

  @Test func `silence is cut and lengthened by exactly what is asked, a whole frame too`() {
    for silence in [[Int16](repeating: 0, count: 960), Signal.noise(count: 960, amplitude: 8)] {
      for most in [1, 17, 120, 480, 700, 960] {
        var listening = Listening()
        listening.play(Signal.vowel(count: 9600)[...], .keep)
        listening.play(silence[...], .keep)
        #expect(listening.play(silence[...], .shrink(atMost: most)) == -most)
        #expect(listening.play(silence[...], .expand(atMost: most)) == most)
      }
    }
  }

  @Test func `background noise far below the voice is cut to order, but never with a step`() {
    let noise = Signal.noise(count: 9600, amplitude: 60)
    for most in [120, 480, 700] {
      var listening = Listening()
      listening.play(Signal.vowel(count: 9600)[...], .keep)
      listening.play(noise[0..<960], .keep)
      #expect(listening.play(noise[960..<1920], .shrink(atMost: most)) == -most)
      #expect(listening.play(noise[1920..<2880], .expand(atMost: most)) == most)
    }
  }

  @Test func `loud noise is left alone while nothing is urgent`() {
    var listening = Listening()
    listening.play(Signal.noise(count: 96_000)) { $0 % 2 == 0 ? .shrink(atMost: 720) : .expand(atMost: 720) }
    #expect(listening.stretcher.splices == 0)
    #expect(listening.heard == Signal.noise(count: 96_000))
  }

  @Test func `among lags that sound alike the preferred one is taken`() {
    let signal = Signal.sine(400, count: 9600)
    for preferred in [240, 360, 480, 600] {
      var listening = Listening()
      listening.play(signal[0..<960], .keep)
      #expect(listening.play(signal[960..<1920], .shrink(atMost: 720), preferred: preferred) == -preferred)
      #expect(listening.play(signal[1920..<2880], .expand(atMost: 720), preferred: preferred) == preferred)
    }
  }

  @Test func `music rests between splices, unless it is urgent`() {
    let signal = Signal.sine(400, count: 48_000)
    var calm = Listening(content: .music)
    calm.play(signal) { _ in .shrink(atMost: 480) }
    // Of three frames of 20 ms each, one.
    #expect((12...17).contains(calm.stretcher.splices))
    var urgent = Listening(content: .music)
    urgent.play(signal, urgency: .urgent) { _ in .shrink(atMost: 480) }
    #expect(urgent.stretcher.splices > 30)
  }
}
