import Statistics
import Testing
import Timeline

/// The plainest possible account of one stream: a set for each run of numbers, walked number by number.
struct ReceptionModel {
  private(set) var closed: [Set<Int64>] = []
  private(set) var present: Set<Int64> = []
  private(set) var received = 0
  private(set) var reordered = 0

  /// The caller keeps the highest number: `max` of a set takes long.
  mutating func record(_ number: Int64, highest: Int64) {
    received += 1
    if present.insert(number).inserted, number < highest { reordered += 1 }
  }

  mutating func restart() {
    closed.append(present)
    present = []
  }

  var sets: [Set<Int64>] { (closed + [present]).filter { !$0.isEmpty } }
  var unique: Int { sets.reduce(0) { $0 + $1.count } }
  var expected: Int {
    sets.reduce(0) { sum, set in sum + Int((set.max() ?? 0) - (set.min() ?? 0) + 1) }
  }

  /// The lengths of all runs of losses, in order.
  var runs: [Int] {
    var runs: [Int] = []
    for set in sets {
      var length = 0
      for number in (set.min() ?? 0)...(set.max() ?? 0) {
        if set.contains(number) {
          if length > 0 { runs.append(length) }
          length = 0
        } else {
          length += 1
        }
      }
    }
    return runs
  }

  /// Counts of transitions between neighbouring numbers: [from][to], 1 being lost.
  var transitions: [[Int]] {
    var counts = [[0, 0], [0, 0]]
    for set in sets {
      var before: Int?
      for number in (set.min() ?? 0)...(set.max() ?? 0) {
        let state = set.contains(number) ? 0 : 1
        if let before { counts[before][state] += 1 }
        before = state
      }
    }
    return counts
  }
}

extension ReceptionStatistics {
  /// Records a number whose time and size don't matter.
  mutating func take(_ number: Int64) -> Reception {
    record(sequence: number, timestamp: RTPTimestamp(0), arrival: .zero, bytes: 1)
  }
}

struct SequenceSetTests {
  @Test func `an empty stream has nothing`() {
    let statistics = ReceptionStatistics(clockRate: 48_000)
    let summary = statistics.summary()
    #expect(statistics.expected == 0 && statistics.lost == 0 && statistics.duplicates == 0)
    #expect(summary.lossRatio == 0 && summary.delayVariation == nil && summary.gilbert == GilbertFit(p: nil, r: nil))
  }

  @Test func `a duplicate never hides a loss`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    for number: Int64 in [1, 2, 4, 4, 4, 4, 5] { _ = statistics.take(number) }
    #expect(statistics.expected == 5 && statistics.received == 7 && statistics.unique == 4)
    #expect(statistics.lost == 1 && statistics.duplicates == 3 && statistics.rfc3550Lost == -2)
  }

  @Test func `a late packet takes its loss back, once`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    _ = statistics.take(10)
    _ = statistics.take(12)
    #expect(statistics.lost == 1)
    #expect(statistics.take(11) == .reordered)
    #expect(statistics.lost == 0)
    #expect(statistics.take(11) == .duplicate)
    #expect(statistics.lost == 0 && statistics.reordered == 1)
  }

  @Test func `a packet from before the first moves the start`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    _ = statistics.take(2)
    #expect(statistics.take(-1) == .reordered)
    #expect(statistics.expected == 4 && statistics.lost == 2)
    _ = statistics.take(0)
    #expect(statistics.lost == 1)
    #expect(statistics.summary().lossRuns.histogram[0] == 1)
  }

  @Test func `the window holds 65536 numbers, no more`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    _ = statistics.take(0)
    _ = statistics.take(65_536)
    #expect(statistics.take(1) == .reordered)
    #expect(statistics.take(0) == .tooOld)
    #expect(statistics.tooOld == 1 && statistics.received == 3 && statistics.unique == 3)
    #expect(statistics.take(65_537) == .inOrder)
    #expect(statistics.take(1) == .tooOld)
    #expect(statistics.summary().lossRuns.packets == 65_534)
  }

  @Test func `bursts and gaps hold every number of a stream longer than the window`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    for number: Int64 in 0..<70_000 where number != 10 && number != 12 { _ = statistics.take(number) }
    #expect(statistics.burstGap.gapPackets + statistics.burstGap.burstPackets == 70_000)
    #expect(statistics.burstGap.burstMissing == 2 && statistics.burstGap.burstPackets == 3)
  }

  @Test func `a jump past the whole window counts every number between as lost`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    _ = statistics.take(0)
    _ = statistics.take(3)
    _ = statistics.take(1_000_000_000_000)
    let summary = statistics.summary()
    #expect(summary.lost == 999_999_999_998 && summary.lossRuns.packets == summary.lost)
    #expect(summary.lossRuns.count == 2 && summary.lossRuns.max == 999_999_999_996)
    #expect(statistics.take(3) == .tooOld)
  }

  @Test func `a restart closes the run of numbers and keeps the totals`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    for number: Int64 in [5, 7] { _ = statistics.take(number) }
    statistics.restart()
    #expect(statistics.highestSequence == nil && statistics.expected == 3)
    for number: Int64 in [100_000, 100_003, 100_001] { _ = statistics.take(number) }
    #expect(statistics.expected == 7 && statistics.unique == 5 && statistics.lost == 2)
    #expect(statistics.restarts == 1 && statistics.reordered == 1)
    #expect(statistics.take(7) == .tooOld)
  }

  @Test func `summary leaves the running counts alone`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    for number: Int64 in [1, 5] { _ = statistics.take(number) }
    #expect(statistics.summary().lossRuns.max == 3)
    _ = statistics.take(3)
    let summary = statistics.summary()
    #expect(summary.lossRuns.max == 1 && summary.lossRuns.count == 2 && summary.lost == 2)
  }

  @Test func `loss runs of 10 and more share the last bin`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    var number: Int64 = 0
    for length in 0...12 {
      _ = statistics.take(number)
      number += Int64(length) + 1
    }
    _ = statistics.take(number)
    let runs = statistics.summary().lossRuns
    #expect(runs.histogram == [1, 1, 1, 1, 1, 1, 1, 1, 1, 3])
    #expect(runs.count == 12 && runs.max == 12 && runs.packets == 78 && runs.mean == 6.5)
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `random loss, duplication, reordering, wraps and restarts equal the plain account`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var statistics = ReceptionStatistics(clockRate: 48_000)
    var model = ReceptionModel()
    let depth = [0, 3, 50, 4000, 30_000][Int(seed % 5)]
    // What the sender sends, as 16-bit numbers extended on arrival, so that the wraps are real.
    var start = Int64.random(in: 0...65_535, using: &random)
    for segment in 0..<3 {
      let arrivals = Self.arrivals(from: start, count: 40_000, depth: depth, random: &random)
      var extender = SequenceExtender(first: SequenceNumber(UInt16(truncatingIfNeeded: arrivals.first ?? 0)))
      let offset = Int64(segment) << 32
      var highest = Int64.min
      var unique = model.unique
      for sent in arrivals {
        let number = extender.extend(SequenceNumber(UInt16(truncatingIfNeeded: sent))) + offset
        let isNew = !model.present.contains(number)
        model.record(number, highest: highest)
        unique += isNew ? 1 : 0
        let reception = statistics.take(number)
        #expect(reception == (isNew ? (number < highest ? .reordered : .inOrder) : .duplicate))
        highest = max(highest, number)
        guard statistics.unique == unique, statistics.received == model.received,
          statistics.reordered == model.reordered, statistics.lost >= 0
        else {
          Issue.record("counts differ after number \(number) of segment \(segment)")
          return
        }
      }
      Self.compare(statistics, model)
      if segment < 2 {
        statistics.restart()
        model.restart()
        start = Int64.random(in: 0...65_535, using: &random)
      }
    }
  }

  /// Numbers in order of arrival: 5 % lost, 5 % twice, a tenth late by up to `depth` places.
  static func arrivals(from start: Int64, count: Int64, depth: Int, random: inout SeededGenerator) -> [Int64] {
    var places: [(place: Double, number: Int64)] = []
    var losing = false
    for number in start..<(start + count) {
      losing = random.nextUnit() < (losing ? 0.5 : 0.025)
      if losing { continue }
      for _ in 0..<(random.nextUnit() < 0.05 ? 2 : 1) {
        let delay = random.nextUnit() < 0.1 ? random.nextUnit() * Double(depth) : 0
        places.append((Double(number) + delay, number))
      }
    }
    return places.sorted { $0.place < $1.place }.map(\.number)
  }

  static func compare(_ statistics: ReceptionStatistics, _ model: ReceptionModel) {
    let summary = statistics.summary()
    let runs = model.runs
    #expect(summary.expected == model.expected && summary.unique == model.unique)
    #expect(summary.expected == summary.unique + summary.lost)
    #expect(summary.received == summary.unique + summary.duplicates)
    #expect(summary.lossRuns.count == runs.count && summary.lossRuns.packets == runs.reduce(0, +))
    #expect(summary.lossRuns.packets == summary.lost && summary.lossRuns.max == runs.max() ?? 0)
    for length in 1...10 {
      let count = runs.count { min($0, 10) == length }
      #expect(summary.lossRuns.histogram[length - 1] == count)
    }
    let pairs = model.transitions
    #expect(summary.gilbert.p == Double(pairs[0][1]) / Double(pairs[0][0] + pairs[0][1]))
    #expect(summary.gilbert.r == Double(pairs[1][0]) / Double(pairs[1][0] + pairs[1][1]))
  }
}
