import Buffering
import TestSupport
import Testing
import Timeline

/// Clocks that run apart, for hours.
struct DriftTests {
  /// A LAN with a sender whose clock is off by so many parts per million: packet by packet, nothing kept but extremes.
  private struct Day {
    var buffer: JitterBuffer
    var underruns = 0
    var stretches = 0
    var shortest = 1e9
    var longest = -1e9
    var fills = 0.0

    init(skew: Double, hours: Double, phase: Interval, longestJitter: Double = 100) {
      var configuration = JitterBuffer.Configuration(clockRate: 48_000, target: .zero)
      configuration.adaptation = JitterBuffer.Adaptation()
      buffer = JitterBuffer(configuration)
      var generator = SeededGenerator(seed: 31)
      let count = Int64(hours * 3600 * 50)
      let payload: [UInt8] = [1]
      let block = Interval.milliseconds(10)
      var queued = Interval.zero
      var next = Int64(0)
      func sent(_ number: Int64) -> Interval {
        .milliseconds(number * 20) + .nanoseconds(Int64(Double(number) * 20 * skew))
      }
      var arrival = Interval.milliseconds(50)
      var now = Interval.milliseconds(50) + phase
      let settled = Interval.seconds(60)
      while next < count {
        while next < count, arrival <= now {
          _ = buffer.insert(
            BufferedPacket(sequence: next, timestamp: next * 960, duration: 960, arrival: .zero + arrival),
            payload: payload.span.bytes)
          next += 1
          let jitter = min(generator.exponential(mean: 0.3), longestJitter)
          arrival = sent(next) + .milliseconds(50) + Interval(seconds: jitter / 1000)
        }
        pull(block, at: now, queued: &queued, isSettled: now > settled) { (now - sent($0)).milliseconds - 50 }
        queued = max(.zero, queued - block)
        now += block
        if now - block <= settled, now > settled {
          underruns = buffer.counts.underruns
          stretches = buffer.counts.stretches
        }
        while buffer.pollEvent() != nil {}
      }
      underruns = buffer.counts.underruns - underruns
      stretches = buffer.counts.stretches - stretches
    }

    private mutating func pull(
      _ block: Interval, at now: Interval, queued: inout Interval, isSettled: Bool, delay: (Int64) -> Double
    ) {
      while true {
        var units: Int64 = 0
        switch buffer.pull(block, at: .zero + now) {
        case .play(let packet, _, let skip):
          units = packet.duration - skip + buffer.stretch.preferred
          if isSettled {
            let delay = delay(packet.sequence) + queued.milliseconds
            shortest = min(shortest, delay)
            longest = max(longest, delay)
          }
        case .conceal(let duration), .silence(let duration), .recover(_, let duration):
          units = duration
          if isSettled { fills += Double(duration) / 48 }
        default: return
        }
        let length = Interval(units: units, rate: 48_000)
        queued +=
          buffer.driftCorrection == 0 ? length : Interval(seconds: length.seconds * (1 + buffer.driftCorrection))
      }
    }
  }

  private func expectCalm(_ day: Day) {
    #expect(day.underruns == 0)
    #expect(day.fills == 0)
    #expect(day.stretches == 0)
    #expect(day.shortest >= 0, "\(day.shortest)")
    #expect(day.longest < 40, "\(day.longest)")
    #expect(day.buffer.counts.discarded == 0)
    #expect(day.buffer.packetCount < 4)
  }

  @Test(.optimisedOnly, arguments: [-200, -50, -8, 8, 50, 200] as [Double])
  func `24 hours with clocks that run apart: no underrun after a minute, no stretching, no growing delay`(
    skew: Double
  ) {
    expectCalm(Day(skew: skew, hours: 24, phase: .milliseconds(5)))
  }

  @Test(arguments: [-200, 200] as [Double], [2, 7] as [Int64])
  func `ten minutes of it`(skew: Double, phase: Int64) {
    let day = Day(skew: skew, hours: 1.0 / 6, phase: .milliseconds(phase))
    expectCalm(day)
    #expect(abs(day.buffer.driftCorrection * 1e6 - skew) < 30, "\(day.buffer.driftCorrection * 1e6)")
  }

  @Test(arguments: [-200, 200] as [Double], [0, 2, 4, 7] as [Int64])
  func `packets that are slower than any before are in time whatever the phase`(
    skew: Double, phase: Int64
  ) {
    let day = Day(skew: skew, hours: 1.0 / 12, phase: .milliseconds(phase))
    #expect(day.fills == 0)
    #expect(day.longest < 40)
    #expect(day.stretches <= 2)
  }

  @Test func `clocks that run alike are left alone, and so is what is played`() {
    let day = Day(skew: 0, hours: 1.0 / 6, phase: .milliseconds(5))
    expectCalm(day)
    #expect(day.buffer.driftCorrection == 0)
    #expect(day.longest - day.shortest < 0.001)
  }
}
