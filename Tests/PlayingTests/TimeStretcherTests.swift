import Playing
import Testing
import Timeline

/// What a stretcher promises whatever the audio is.
struct TimeStretcherTests {
  @Test(arguments: 1...2)
  func `a frame that is kept comes back bit for bit, after stretches too`(channels: Int) {
    let signal = Signal.vowel(count: 96_000 * channels)
    var listening = Listening(channels: channels)
    listening.play(signal) { $0 % 2 == 0 ? .keep : $0 % 4 == 1 ? .shrink(atMost: 480) : .expand(atMost: 480) }
    var place = 0
    var heard = 0
    for (number, change) in listening.changes.enumerated() {
      let samples = (960 + change) * channels
      if number % 2 == 0 {
        #expect(change == 0)
        #expect(signal[place..<place + 960 * channels] == listening.heard[heard..<heard + 960 * channels])
      }
      place += 960 * channels
      heard += samples
    }
    let stretched = listening.changes.filter { $0 != 0 }.count
    // As two channels the same samples are noise, so less is found.
    #expect(stretched > (channels == 1 ? 40 : 0))
  }

  @Test(arguments: Array(UInt64(1)...40))
  func `what goes in, less what is taken out, plus what is put in, comes out`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func number(_ limit: Int) -> Int { Int(generator.next() % UInt64(limit)) }
    let channels = 1 + number(2)
    let source = seed % 3 == 0 ? Signal.noise(count: 60_000, seed: seed) : Signal.vowel(count: 60_000)
    var listening = Listening(channels: channels, content: seed % 5 == 0 ? .music : .speech)
    var given = 0
    while given < 40_000 {
      let units = [120, 240, 480, 960, 960, 960, 1920, number(5761)][number(8)]
      guard (given + units) * channels <= source.count else { break }
      let limit = number(1000)
      let wish: StretchWish = [.keep, .shrink(atMost: limit), .expand(atMost: limit)][number(3)]
      let urgency: StretchUrgency = number(2) == 0 ? .calm : .urgent
      let change = listening.play(
        source[given * channels..<(given + units) * channels], wish, urgency, preferred: number(2) * 480)
      switch wish {
      case .keep: #expect(change == 0)
      case .shrink: #expect((-limit...0).contains(change) && -change <= units)
      case .expand: #expect((0...limit).contains(change))
      }
      given += units
      if units > 0, change > -units { #expect(listening.heard.last == source[given * channels - 1]) }
    }
    #expect(listening.heard.count == (given + listening.changes.reduce(0, +)) * channels)
    let stretcher = listening.stretcher
    #expect(stretcher.inserted - stretcher.removed == listening.changes.reduce(0, +))
  }

  @Test(arguments: [Int16.min, .max, 0])
  func `no length from nothing to 120 ms and no sample is too much`(extreme: Int16) {
    // Full scale, flipping each 200 samples: the loudest signal there is.
    let signal = (0..<6000).map { $0 / 200 % 2 == 0 ? extreme : extreme == 0 ? 0 : ~extreme }
    let step = 13
    for units in stride(from: Int(extreme & 3), through: 5760, by: step) {
      var listening = Listening()
      listening.play(signal[0..<960], .keep)
      let wish: StretchWish = units % 2 == 0 ? .shrink(atMost: .max) : .expand(atMost: 700)
      let change = listening.play(signal[0..<units], wish, .urgent)
      #expect(change >= -units && change <= 700)
      listening.play(signal[0..<480], .expand(atMost: 480))
    }
  }

  @Test func `every short length is fine, in every direction`() {
    let signal = Signal.vowel(count: 3000)
    for units in 0...500 {
      var listening = Listening(channels: 1 + units % 2)
      let samples = units * (1 + units % 2)
      listening.play(signal[0..<960], .keep)
      listening.play(signal[960..<960 + samples], .shrink(atMost: 5000), .urgent)
      listening.play(signal[960..<960 + samples], .expand(atMost: 500), .urgent)
      #expect(listening.heard.count >= 960)
    }
  }

  @Test func `odd wishes, rates and channels are brought within`() {
    var stretcher = TimeStretcher(sampleRate: 0, channels: 0)
    #expect(stretcher.sampleRate == 8000)
    #expect(stretcher.channels == 1)
    var memory = Signal.sine(200, count: 20_000)
    var span = memory.mutableSpan
    #expect(stretcher.stretch(&span, units: 160, wish: .shrink(atMost: -5)) == 0)
    #expect(stretcher.stretch(&span, units: -1, wish: .expand(atMost: 5)) == 0)
    #expect(stretcher.stretch(&span, units: .max, wish: .expand(atMost: .max), urgency: .urgent) == 0)
    for rate in [8000, 11_025, 16_000, 44_100, 96_000, 192_000, 1_000_000] {
      for channels in [1, 2, 3, 8] {
        var stretcher = TimeStretcher(sampleRate: rate, channels: channels)
        for _ in 0..<4 {
          let units = 1920 / channels
          _ = stretcher.stretch(&span, units: units, wish: .shrink(atMost: units / 2), urgency: .urgent)
          _ = stretcher.stretch(&span, units: units, wish: .expand(atMost: units / 2), urgency: .urgent)
        }
        #expect(stretcher.sampleRate <= 192_000)
      }
    }
  }

  @Test func `an urgent wish takes several periods, and never more than asked`() {
    let signal = Signal.sine(310, count: 48_000)
    var calm = Listening()
    calm.play(signal) { _ in .expand(atMost: 960) }
    var urgent = Listening()
    urgent.play(signal, urgency: .urgent) { _ in .expand(atMost: 960) }
    #expect(urgent.stretcher.splices > calm.stretcher.splices)
    #expect(urgent.changes.dropFirst().allSatisfy { (480...960).contains($0) })
  }

  @Test func `after a reset nothing of the past is repeated`() {
    var listening = Listening()
    listening.play(Signal.sine(200, count: 1920)[...], .keep)
    listening.stretcher.reset()
    let quiet = [Int16](repeating: 0, count: 960)
    listening.heard = []
    #expect(listening.play(quiet[...], .expand(atMost: 960)) == 960)
    #expect(listening.heard.allSatisfy { $0 == 0 })
  }
}
