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
}
