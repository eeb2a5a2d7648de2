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

  @Test(arguments: [[3, 1, 2], [4, 2, 1, 3], [1]] as [[Int64]], 1...9)
  func `After a pause of the sender no frame was due before it`(group: [Int64], place: Int) {
    var order: [Int64] = [0]
    for round in 0..<(60 / group.count) { order += group.map { Int64(round * group.count) + $0 } }
    for pause in [200, 250, 1_000, 3_000] as [Int64] {
      var clock = DecodeClock(clockRate: 90_000)
      for (number, shown) in order.enumerated() {
        // Timestamps and arrivals both go on later, from one frame in sending order on.
        let units = number < 30 + place ? 0 : pause * 90
        let arrival = Instant.zero + Interval(units: Int64(number) * 3_000 + units, rate: 90_000)
        _ = clock.note(Int64(number), timestamp: shown * 3_000 + units, at: arrival)
      }
      let waits = order.indices.compactMap { clock.time(of: Int64($0)) }.enumerated().map { number, time in
        Int64(number) * 3_000 + (number < 30 + place ? 0 : pause * 90) - time
      }
      let usual = waits[..<30].max() ?? 0
      // A frame or so, where the first one after the pause is shown before one sent ahead of it.
      #expect(waits.count == order.count && waits.dropFirst(30).allSatisfy { $0 <= usual + 3_000 })
    }
  }

  @Test func `What the network keeps back is no pause of the sender`() {
    var order: [Int64] = [0]
    for round in 0..<20 as Range<Int64> { order += [3, 1, 2].map { round * 3 + $0 } }
    var clock = DecodeClock(clockRate: 90_000)
    for (number, shown) in order.enumerated() {
      let held = number >= 30 && number < 36 ? Interval.milliseconds(200) : .zero
      _ = clock.note(
        Int64(number), timestamp: shown * 3_000,
        at: .zero + Interval(units: Int64(number) * 3_000, rate: 90_000) + held)
    }
    let times = order.indices.compactMap { clock.time(of: Int64($0)) }
    #expect(zip(times.dropFirst(), times).allSatisfy { $0 - $1 == 3_000 })
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
