import Statistics
import Testing
import Timeline

struct StreamTimelineTests {
  /// A stream of 20 ms packets, counted and kept in a timeline as a receiver does it.
  struct Stream {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    var timeline = StreamTimeline()
    var late = 0
    var discarded = 0

    mutating func take(
      _ number: Int64, at milliseconds: Double, delay: Double = 5, fate: StreamTimeline.Packet.Fate = .inTime
    ) {
      let arrival = Instant.zero + Interval(seconds: milliseconds / 1000)
      let reception = statistics.record(
        sequence: number, timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: number &* 960)), arrival: arrival,
        bytes: 100)
      if reception.isUnique {
        if fate == .late { late += 1 }
        if fate == .discarded { discarded += 1 }
      }
      timeline.record(
        StreamTimeline.Packet(
          sequence: number, transit: Interval(seconds: delay / 1000), arrival: arrival, bytes: 100,
          reception: reception, fate: fate, jitter: statistics.jitter.last))
    }

    mutating func restart() {
      statistics.restart()
      timeline.restart()
    }
  }

  /// What must hold whatever arrived: rows and cells add up to the counts.
  private func expectSums(_ stream: Stream, _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    let counts = stream.statistics
    for limit in [StreamTimeline.rowLimit, 100, 7, 1] {
      let rows = stream.timeline.rows(atMost: limit)
      #expect(rows.count <= limit, comment, sourceLocation: sourceLocation)
      #expect(rows.reduce(0) { $0 + $1.fates.expected } == counts.expected, comment, sourceLocation: sourceLocation)
      #expect(rows.reduce(0) { $0 + $1.fates.unique } == counts.unique, comment, sourceLocation: sourceLocation)
      #expect(rows.reduce(0) { $0 + $1.fates.duplicates } == counts.duplicates, comment, sourceLocation: sourceLocation)
      #expect(rows.reduce(0) { $0 + $1.fates.reordered } == counts.reordered, comment, sourceLocation: sourceLocation)
      #expect(rows.reduce(0) { $0 + $1.fates.late } == stream.late, comment, sourceLocation: sourceLocation)
      #expect(rows.reduce(0) { $0 + $1.fates.discarded } == stream.discarded, comment, sourceLocation: sourceLocation)
      #expect(rows.reduce(0) { $0 + $1.bytes } == counts.bytes, comment, sourceLocation: sourceLocation)
      #expect(rows.allSatisfy { $0.fates.lost >= 0 }, comment, sourceLocation: sourceLocation)
      let cells = stream.timeline.strip(atMost: limit).cells
      #expect(cells.count <= limit, comment, sourceLocation: sourceLocation)
      #expect(cells.reduce(0) { $0 + $1.expected } == counts.expected, comment, sourceLocation: sourceLocation)
      #expect(cells.reduce(0) { $0 + $1.unique } == counts.unique, comment, sourceLocation: sourceLocation)
      #expect(cells.reduce(0) { $0 + $1.duplicates } == counts.duplicates, comment, sourceLocation: sourceLocation)
      #expect(cells.allSatisfy { $0.lost >= 0 && $0.expected > 0 }, comment, sourceLocation: sourceLocation)
    }
  }

  @Test func `a loss stands in the second of its place, and a late arrival takes it back there`() {
    var stream = Stream()
    for number in Int64(0)..<150 where number != 20 && number != 60 { stream.take(number, at: Double(number) * 20) }
    stream.take(20, at: 2999, delay: 2500, fate: .late)
    let rows = stream.timeline.rows()
    #expect(rows.map(\.fates.expected) == [50, 50, 50])
    #expect(rows.map(\.fates.lost) == [0, 1, 0])
    #expect(rows.map(\.fates.late) == [1, 0, 0])
    #expect(rows.map(\.fates.reordered) == [1, 0, 0])
    #expect(rows.map(\.bytes) == [4900, 4900, 5100])
    expectSums(stream, "late")
  }

  @Test func `up to 4,096 packets each has a cell of its own with its fate`() {
    var stream = Stream()
    for number in Int64(0)..<4096 where number % 100 != 50 {
      stream.take(number, at: Double(number) * 20, fate: number % 100 == 7 ? .late : .inTime)
      if number == 9 { stream.take(9, at: 180) }
    }
    let strip = stream.timeline.strip()
    #expect(strip.numbersPerCell == 1 && strip.cells.count == 4096)
    for (number, cell) in strip.cells.enumerated() {
      #expect(cell.lost == (number % 100 == 50 ? 1 : 0) && cell.late == (number % 100 == 7 ? 1 : 0))
    }
    #expect(strip.cells[9].duplicates == 1)
    stream.take(4096, at: 4096 * 20)
    #expect(stream.timeline.strip().numbersPerCell == 2)
    expectSums(stream, "strip")
  }

  @Test func `a packet that overtook the first ones, and a restart, keep the sums`() {
    var stream = Stream()
    stream.take(100, at: 0)
    stream.take(97, at: 1)
    stream.take(98, at: 2)
    for number in Int64(101)..<120 { stream.take(number, at: Double(number - 100) * 20) }
    stream.restart()
    for number in Int64(5000)..<5100 { stream.take(number, at: Double(number - 4900) * 20, delay: -90_000) }
    stream.take(4990, at: 5000, delay: -90_000)
    stream.take(50, at: 5001)
    #expect(stream.statistics.expected == 23 + 110)
    expectSums(stream, "restart")
    // The first packet after a restart is taken for one that hardly queued: its delay isn't minus 90 s.
    #expect(stream.timeline.rows().compactMap(\.delay).allSatisfy { (0...5).contains($0.max) })
  }

  @Test func `no spike of delay ever vanishes, however long the run`() {
    var stream = Stream()
    for number in Int64(0)..<400_000 {
      let isSpike = number == 123_456
      let isLate = number == 333_333
      stream.take(
        number, at: Double(number) * 20, delay: isSpike ? 777 : isLate ? 888 : 5 + Double(number % 3),
        fate: isLate ? .late : .inTime)
    }
    for limit in [StreamTimeline.sampleLimit, 64] {
      let samples = stream.timeline.delaySamples(atMost: limit)
      #expect(samples.count <= limit)
      #expect(samples.compactMap(\.inTime?.upperBound).max() == 772)
      #expect(samples.compactMap(\.late?.upperBound) == [883])
      #expect(samples.compactMap(\.inTime?.lowerBound).min() == 0)
      let spike = samples.first { $0.inTime?.upperBound == 772 }
      #expect(abs((spike?.time.seconds ?? 0) - 123_456 * 0.02) <= 8000 / Double(limit) * 2)
    }
    #expect(stream.timeline.rows().compactMap(\.delay?.max).max() == 883)
    expectSums(stream, "long")
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `rows and cells add up to the counts of any stream`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var stream = Stream()
    var clock = 0.0
    var number = Int64.random(in: 0..<70_000, using: &generator)
    for _ in 0..<5000 {
      clock += Double.random(in: 0..<200, using: &generator)
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<3: number += Int64.random(in: 2..<30_000, using: &generator)
      case 3..<20: number += 2
      case 20 where Bool.random(using: &generator):
        stream.restart()
        number += 64
      default: number += 1
      }
      let step = Int64.random(in: 0..<40, using: &generator)
      let taken = step == 0 ? number - Int64.random(in: 0..<300, using: &generator) : number
      let fate: StreamTimeline.Packet.Fate = step == 1 ? .late : step == 2 ? .discarded : .inTime
      stream.take(taken, at: clock, delay: Double(step) * 300, fate: fate)
    }
    expectSums(stream, "seed \(seed)")
  }

  @Test func `neither a clock at the end of time nor a jump of numbers costs more than a few merges`() {
    var stream = Stream()
    stream.take(0, at: 0)
    stream.take(1, at: 1e15)
    stream.take(1 << 60, at: 1e15)
    stream.timeline.recordPlayout(
      level: .seconds(1), target: .seconds(1), base: Interval(nanoseconds: .max), at: .distantFuture)
    stream.timeline.recordEvent(.moved, at: .distantFuture)
    expectSums(stream, "far")
    #expect(stream.timeline.rows().count <= StreamTimeline.rowLimit)
  }

  @Test func `events are limited, but never the end`() {
    var stream = Stream()
    for number in Int64(0)..<400 { stream.take(number, at: Double(number) * 2000) }
    stream.timeline.recordEvent(.ended, at: .zero + .seconds(900))
    let timeline = stream.timeline
    #expect(timeline.events.count == StreamTimeline.eventLimit + 1)
    #expect(timeline.forgottenEvents == (399 - StreamTimeline.eventLimit, 0))
    #expect(timeline.events.first?.kind == .gap(.seconds(2)) && timeline.events.first?.time == .zero)
    #expect(timeline.events.last?.kind == .ended && timeline.events.last?.time == .seconds(900))
  }

  @Test func `a buffer with much to tell takes no room from what happened to the stream, and tells what matters`() {
    var timeline = Stream().timeline
    let second = Interval.seconds(1)
    timeline.recordEvent(.began, at: .zero)
    timeline.recordEvent(.gaveUp(second), at: .zero)
    for _ in 0..<400 {
      timeline.recordEvent(.ranDry(.milliseconds(20)), at: .zero)
      timeline.recordEvent(.recovered(after: second), at: .zero)
    }
    let restarts = 100
    for _ in 0..<restarts { timeline.recordEvent(.restarted, at: .zero) }
    timeline.recordEvent(.ended, at: .zero)
    let kinds = timeline.events.map(\.kind)
    #expect(kinds.count == StreamTimeline.eventLimit + 1)
    #expect(kinds.first == .began && kinds.last == .ended)
    #expect(kinds.count { $0 == .restarted } == restarts)
    // What matters more than the rest stays, however long ago it was.
    #expect(kinds.dropFirst().first == .gaveUp(second))
    let kept = kinds.count { $0.bufferRank != nil }
    #expect(timeline.forgottenEvents == (0, 801 - kept))
  }

  @Test func `a stream with much to tell takes no room from its buffer`() {
    var timeline = Stream().timeline
    for _ in 0..<400 { timeline.recordEvent(.restarted, at: .zero) }
    for _ in 0..<100 { timeline.recordEvent(.ranDry(.seconds(1)), at: .zero) }
    #expect(timeline.events.count == StreamTimeline.eventLimit)
    #expect(timeline.events.count { $0.kind == .ranDry(.seconds(1)) } == 100)
    #expect(timeline.forgottenEvents == (400 - (StreamTimeline.eventLimit - 100), 0))
  }

  @Test func `a timestamp that jumps is an event, not minutes of delay; one bad packet is neither`() {
    var stream = Stream()
    for number in Int64(0)..<100 { stream.take(number, at: Double(number) * 20) }
    stream.take(100, at: 2000, delay: 90_000, fate: .discarded)
    for number in Int64(101)..<200 { stream.take(number, at: Double(number) * 20, delay: -60_000) }
    #expect(stream.timeline.events.map(\.kind) == [.jump])
    #expect(stream.timeline.rows().compactMap(\.delay?.max).max() ?? 1000 <= 5)
    expectSums(stream, "jump")
  }

  @Test func `the buffer's band lies on the scale of the delays`() throws {
    var stream = Stream()
    for number in Int64(0)..<50 {
      stream.take(number, at: Double(number) * 20, delay: 30 + Double(number % 10))
      stream.timeline.recordPlayout(
        level: .milliseconds(40), target: .milliseconds(60), base: .milliseconds(31 + number % 3),
        at: .zero + .milliseconds(number * 20))
    }
    let row = try #require(stream.timeline.rows().first)
    #expect(row.bufferTarget == 60)
    #expect(row.bufferBase.map { abs($0.lowerBound - 1) < 1e-9 && abs($0.upperBound - 3) < 1e-9 } == true)
    #expect(row.bufferLevel.map { [$0.min, $0.mean, $0.max] } == [40, 40, 40])
    #expect(row.delay.map { abs($0.max - 9) < 1e-9 } == true)
  }
}
