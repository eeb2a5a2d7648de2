import Pictures
import Testing
import Timeline

struct DecodeClockTests {
  /// Frames of one packet each, 3000 units apart in sending order.
  private func times(of presentation: [Int64], interval: Int64 = 3000) -> [Int64] {
    var clock = DecodeClock(clockRate: 90_000)
    for (number, time) in presentation.enumerated() {
      let arrival = Instant.zero + Interval(units: Int64(number) * interval, rate: 90_000)
      _ = clock.note(Int64(number), timestamp: time * interval, at: arrival)
    }
    return presentation.indices.compactMap { clock.time(of: Int64($0)) }.map { $0 / interval }
  }

  @Test func `Without B-frames frames are decoded when they are shown`() {
    #expect(times(of: Array(0..<20)) == Array(0..<20))
  }

  @Test func `With B-frames decoding times grow steadily`() {
    #expect(times(of: [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]) == Array(-1..<12))
    #expect(times(of: [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11]) == Array(-2..<11))
  }

  @Test func `A stream that tells how long a frame lasts is decoded at its pace from the first frame on`() {
    var clock = DecodeClock(clockRate: 90_000)
    _ = clock.raise(depth: 2)
    clock.expect(interval: .seconds(1))
    for (number, shown) in [0, 3, 1, 2, 6, 4, 5].enumerated() {
      let (time, arrival) = (Int64(shown) * 90_000, Instant.zero + .seconds(Int64(number)))
      let isRevised = clock.note(Int64(number), timestamp: time, at: arrival)
      #expect(!isRevised)
      #expect(clock.time(of: Int64(number)) == Int64(number - 2) * 90_000)
    }
    // What can't be isn't believed, nor what isn't so.
    clock.expect(interval: .zero)
    clock.expect(interval: .milliseconds(1))
    clock.expect(interval: .seconds(3_600))
    #expect(clock.interval == 90_000)
  }

  @Test func `A sender that begins anew at another pace is decoded at what its stream tells`() {
    var clock = DecodeClock(clockRate: 90_000)
    _ = clock.raise(depth: 2)
    for number in 0..<Int64(40) {
      _ = clock.note(number, timestamp: number * 1_500, at: .zero + .milliseconds(number * 50 / 3))
    }
    #expect(clock.interval == 1_500)
    clock.restart()
    clock.expect(interval: .seconds(1))
    for (number, shown) in [0, 3, 1, 2, 6, 4, 5].enumerated() {
      let (sequence, arrival) = (Int64(1_000 + number), Instant.zero + .seconds(Int64(number + 1)))
      _ = clock.note(sequence, timestamp: Int64(shown) * 90_000, at: arrival)
      #expect(clock.time(of: sequence) == Int64(number - 2) * 90_000)
    }
  }

  @Test func `Packets that come backwards don't fill the memory`() {
    var clock = DecodeClock(clockRate: 90_000)
    for number in (0..<2000 as Range<Int64>).reversed() {
      _ = clock.note(number, timestamp: number * 3000, at: .zero)
      #expect(clock.count <= DecodeClock.frameLimit)
    }
    #expect(clock.time(of: 1999) == Int64(5_997_000))
    // Between two others as well.
    clock = DecodeClock(clockRate: 90_000)
    _ = clock.note(0, timestamp: 0, at: .zero)
    for number in (1...3000 as ClosedRange<Int64>).reversed() {
      _ = clock.note(number, timestamp: number * 100, at: .zero)
      #expect(clock.count <= DecodeClock.frameLimit)
    }
    #expect(clock.time(of: 3000) != nil)
  }
}
