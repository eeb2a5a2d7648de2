import Playing
import Testing

struct PlayoutSurplusTests {
  private static func take(_ samples: [Int16], of surplus: inout PlayoutSurplus, channels: Int = 1) -> Int {
    surplus.take(of: samples.span, channels: channels)
  }

  @Test func `what a longer delay puts in, a shorter one takes out of silence, and no more`() {
    var surplus = PlayoutSurplus()
    #expect(surplus.change(by: 1_440) == 1_440)
    #expect(surplus.take(ofSilence: 960) == 0)
    #expect(surplus.change(by: -1_440) == 0)
    #expect(surplus.take(ofSilence: 960) == 960)
    #expect(surplus.take(ofSilence: 960) == 480)
    #expect(surplus.take(ofSilence: 960) == 0)
  }

  @Test func `what hasn't been taken out yet needn't be put in again`() {
    var surplus = PlayoutSurplus()
    #expect(surplus.change(by: -1_000) == 0)
    #expect(surplus.change(by: 400) == 0)
    #expect(surplus.frames == 600)
    #expect(surplus.change(by: 1_000) == 400)
    #expect(surplus.frames == 0)
  }

  @Test func `only samples that nobody hears are left out`() {
    var surplus = PlayoutSurplus()
    _ = surplus.change(by: -300)
    var samples = [Int16](repeating: 0, count: 400)
    for place in [0, 399] {
      for loud in [33, -33, .max, .min] as [Int16] {
        samples[place] = loud
        #expect(Self.take(samples, of: &surplus, channels: 2) == 0)
      }
      samples[place] = place == 0 ? 32 : -32
    }
    #expect(Self.take(samples, of: &surplus, channels: 2) == 200)
    #expect(Self.take(samples, of: &surplus, channels: 2) == 100)
    #expect(Self.take(samples, of: &surplus, channels: 2) == 0)
    #expect(Self.take([], of: &surplus) == 0)
  }

  @Test func `speech with pauses is back in time in its first pause, and every loud sample is heard`() {
    // 20 ms each: talk and pauses; 70 ms are to be taken back.
    var surplus = PlayoutSurplus()
    _ = surplus.change(by: -3_360)
    var loud = 0
    var written = 0
    for packet in 0..<100 {
      let isPause = packet % 25 >= 20
      let samples = (0..<960).map { index in isPause ? Int16(index % 7) : Int16(1_000 - index) }
      let left = Self.take(samples, of: &surplus)
      written += 960 - left
      if isPause { continue }
      #expect(left == 0)
      loud += 960
      if packet >= 25 { #expect(surplus.frames == 0) }
    }
    #expect(loud == 80 * 960)
    #expect(written == 100 * 960 - 3_360)
  }
}
