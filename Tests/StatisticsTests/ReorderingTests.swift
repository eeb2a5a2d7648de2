import Statistics
import Testing
import Timeline

struct ReorderingTests {
  @Test func `the example of three late packets has extents 4, 5 and 6`() {
    var statistics = ReceptionStatistics(clockRate: 1000)
    var most: [Int] = []
    for (place, number) in [1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11].enumerated() {
      let arrival = Instant(nanoseconds: Int64(place) * 1_000_000)
      _ = statistics.record(sequence: Int64(number), timestamp: RTPTimestamp(0), arrival: arrival, bytes: 1)
      most.append(statistics.summary().reorderingExtent)
    }
    #expect(most == [0, 0, 0, 0, 0, 0, 0, 4, 5, 6, 6])
    #expect(statistics.reordered == 3 && statistics.lost == 0)
    // Packet 6 came at 9 ms, packet 7, the earliest greater one, at 3 ms.
    #expect(statistics.summary().lateTime == .milliseconds(6))
  }

  @Test func `only the first copy of a late packet is reordered, and a duplicate has no place`() {
    var statistics = ReceptionStatistics(clockRate: 1000)
    for number: Int64 in [1, 3, 3, 3, 2, 2] { _ = statistics.take(number) }
    #expect(statistics.reordered == 1 && statistics.duplicates == 3)
    #expect(statistics.summary().reorderingExtent == 1)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `the largest extent equals the definition`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let arrivals = SequenceSetTests.arrivals(from: 0, count: 1500, depth: 300, random: &random)
    var statistics = ReceptionStatistics(clockRate: 1000)
    var order: [Int64] = []
    var most = 0
    for number in arrivals {
      guard statistics.take(number).isUnique else { continue }
      if let earliest = order.firstIndex(where: { $0 > number }) { most = max(most, order.count - earliest) }
      order.append(number)
    }
    #expect(most > 100)
    #expect(statistics.summary().reorderingExtent == most)
  }

  @Test func `an extent past the memory of 1024 is given as far as it reaches`() {
    var statistics = ReceptionStatistics(clockRate: 1000)
    for number: Int64 in 1...3000 where number != 2 { _ = statistics.take(number) }
    #expect(statistics.take(2) == .reordered)
    #expect(statistics.summary().reorderingExtent == 1024)
  }

  @Test func `RFC 4737's numbers: extents 4, 5, 6 and 4-reordered once`() {
    var statistics = ReceptionStatistics(clockRate: 1000)
    for number: Int64 in [1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11] { _ = statistics.take(number) }
    let metrics = statistics.summary().reordering
    #expect(metrics.count == 3 && metrics.unique == 11 && metrics.ratio == 3.0 / 11)
    #expect(metrics.maxExtent == 6 && metrics.meanExtent == 5)
    #expect(metrics.histogram == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0] && metrics.maxN == 4)
    #expect(metrics.reordered(byAtLeast: 3) == 1 && metrics.reordered(byAtLeast: 5) == 0)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `every figure equals the definitions, walked packet by packet`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let depth = [2, 10, 60, 900][Int(seed % 4)]
    let arrivals = SequenceSetTests.arrivals(from: 65_000, count: 4000, depth: depth, random: &random)
    var statistics = ReceptionStatistics(clockRate: 1000)
    var order: [(number: Int64, at: Double)] = []
    var seen: Set<Int64> = []
    var extents: [Int] = []
    var lateTimes: [Double] = []
    var degrees: [Int] = []
    for (place, number) in arrivals.enumerated() {
      let at = Double(place) * 2
      _ = statistics.record(
        sequence: number, timestamp: RTPTimestamp(0), arrival: .zero + .milliseconds(Int64(at)), bytes: 1)
      guard seen.insert(number).inserted else { continue }
      if let earliest = order.firstIndex(where: { $0.number > number }) {
        extents.append(order.count - earliest)
        lateTimes.append(at - order[earliest].at)
        var n = 0
        while n < order.count, order[order.count - 1 - n].number > number { n += 1 }
        degrees.append(min(n, 1023))
      }
      order.append((number, at))
    }
    let metrics = statistics.summary().reordering
    #expect(metrics.count == extents.count && metrics.unique == order.count)
    #expect(metrics.maxExtent == extents.max() ?? 0 && metrics.maxN == degrees.max() ?? 0)
    #expect((metrics.meanExtent * Double(extents.count) - Double(extents.reduce(0, +))).magnitude < 1e-6)
    #expect((metrics.meanLateTime * Double(extents.count) - lateTimes.reduce(0, +)).magnitude < 1e-6)
    #expect(metrics.maxLateTime.milliseconds == lateTimes.max() ?? 0)
    for n in 1...10 {
      let count = degrees.count { n == 10 ? $0 >= 10 : $0 == n }
      #expect(metrics.histogram[n - 1] == count)
      let more = degrees.count { $0 >= n }
      #expect(metrics.reordered(byAtLeast: n) == more)
    }
  }
}
