import Statistics
import Testing
import Timeline

@Suite struct `What a far end reports` {
  @Test func `adds up as one set would, in any order and however often`() {
    var generator = SeededGenerator(seed: 8)
    for span in [10, 1000, 200_000] as [Int64] {
      let lost = (0..<span).map { _ in generator.next() % 10 == 0 }
      var table = ReportedReception()
      var runs = LossReference()
      var start: Int64 = 0
      while start < span {
        let end = min(start + 700, span)
        // Each stretch again with the one before it, first as if nothing had come yet.
        for number in max(start - 700, 0)..<end {
          if number >= start { table.record(number, count: 1, isReceived: false) }
          if !lost[Int(number)] { table.record(number, count: 1, isReceived: true) }
          if number % 7 == 0, !lost[Int(number)] { table.recordDuplicates(number, count: 1) }
        }
        start = end
      }
      for isLost in lost { runs.append(isLost) }
      let summary = table.summary()
      #expect(summary.covered == Int(span))
      #expect(summary.lost + summary.lostAtEnd == lost.count { $0 })
      #expect(summary.lostAtEnd == runs.open)
      #expect(summary.runs.count == runs.count && summary.runs.max == runs.max)
      #expect(summary.duplicated == (0..<span).count { $0 % 7 == 0 && !lost[Int($0)] })
      #expect(summary.first == 0 && summary.last == span - 1)
      #expect(table.lossRatio == Double(lost.count { $0 }) / Double(span))
    }
  }

  @Test func `numbers that nobody reported on are in no count, and end a run`() {
    var table = ReportedReception()
    table.record(0, count: 5, isReceived: true)
    table.record(5, count: 2, isReceived: false)
    table.record(10, count: 2, isReceived: false)
    table.record(12, count: 3, isReceived: true)
    let summary = table.summary()
    #expect(summary.covered == 12 && summary.lost == 4)
    #expect(table.lossRatio == 4.0 / 12 && ReportedReception().lossRatio == nil)
    #expect(summary.runs.count == 2 && summary.runs.max == 2)
  }

  @Test func `what came again is told only where reports reach back to the first packet`() {
    func duplicates(from first: Int64, count: Int, received: Int, cumulativeLost: Int) -> Int? {
      var table = ReportedReception()
      table.record(first, count: received, isReceived: true)
      table.record(first + Int64(received), count: count - received - 1, isReceived: false)
      table.record(first + Int64(count) - 1, count: 1, isReceived: true)
      return table.summary().duplicates(cumulativeLost: cumulativeLost)
    }
    #expect(duplicates(from: 0, count: 1_000, received: 900, cumulativeLost: 90) == 9)
    #expect(duplicates(from: 20, count: 1_000, received: 900, cumulativeLost: 99) == 0)
    #expect(duplicates(from: 0, count: 65_533, received: 65_000, cumulativeLost: 500) == 32)
    // The first report had no room for what came before these, and the receiver lost 12,092 more of it.
    #expect(duplicates(from: 36_705, count: 65_533, received: 65_532, cumulativeLost: 12_092) == nil)
    #expect(duplicates(from: 36_705, count: 65_532, received: 65_531, cumulativeLost: 0) == 0)
  }

  @Test func `what came again isn't told where the first reports were lost`() {
    var table = ReportedReception()
    table.record(50, count: 100, isReceived: true)
    // The receiver lost 40 of the 50 before them.
    #expect(table.summary().duplicates(cumulativeLost: 40) == nil)
    #expect(table.summary().duplicates(cumulativeLost: -5) == 5)
    table.recordDuplicates(60, count: 6)
    #expect(table.summary().duplicates(cumulativeLost: -5) == nil)
    #expect(table.summary().duplicates(cumulativeLost: -6) == 6)
  }

  @Test func `numbers between reports leave open what came again`() {
    var table = ReportedReception()
    table.record(0, count: 10, isReceived: true)
    table.record(20, count: 10, isReceived: true)
    #expect(table.summary().duplicates(cumulativeLost: 10) == nil)
  }

  @Test func `thinned reports count what they cover`() {
    var table = ReportedReception()
    table.record(0, count: 100, stride: 8, isReceived: true)
    table.record(800, count: 10, stride: 8, isReceived: false)
    table.record(880, count: 1, stride: 8, isReceived: true)
    #expect(table.summary().covered == 111 && table.summary().lost == 10)
  }

  @Test func `wild numbers neither trap nor grow`() {
    var table = ReportedReception()
    table.record(-1, count: 5, isReceived: true)
    table.record(0, count: .max, isReceived: true)
    table.record(0, count: 5, stride: 1 << 40, isReceived: true)
    table.record(1 << 40, count: 10, isReceived: false)
    table.record(0, count: 10, isReceived: true)
    table.recordDuplicates(1 << 41, count: 65_536)
    let summary = table.summary()
    #expect(summary.covered == 10)
  }

  private struct LossReference {
    var count = 0
    var max = 0
    var open = 0

    mutating func append(_ isLost: Bool) {
      guard !isLost else { return open += 1 }
      if open > 0 { count += 1 }
      max = Swift.max(max, open)
      open = 0
    }
  }
}
