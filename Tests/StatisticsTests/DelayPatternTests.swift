import Testing
import Timeline

@testable import Statistics

struct DelayPatternTests {
  /// The nearest rank by definition.
  private func nearestRank(_ sorted: [Double], _ share: Double) -> Double {
    sorted[max(Int((share * Double(sorted.count)).rounded(.up)), 1) - 1]
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `changes from packet to packet equal a walk over the numbers`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var variation = InterPacketVariation()
    var transits: [Int64: Int64] = [:]
    let depth = [0.0, 3, 100, 500][Int(seed % 4)]
    var arrivals: [(place: Double, number: Int64)] = []
    for number: Int64 in 0..<20_000 where random.nextUnit() > 0.05 {
      transits[number] = Int64(20e6 * random.nextUnit() * random.nextUnit()) - 7_000_000_000
      arrivals.append((Double(number) + (random.nextUnit() < 0.2 ? depth * random.nextUnit() : 0), number))
    }
    for (_, number) in arrivals.sorted(by: { $0.place < $1.place }) {
      variation.record(number: number, transit: Interval(nanoseconds: transits[number] ?? 0))
    }
    let changes = transits.compactMap { number, transit in transits[number - 1].map { Double(transit - $0) } }.sorted()
    #expect(variation.count == changes.count)
    #expect(Double(variation.min.nanoseconds) == changes.first && Double(variation.max.nanoseconds) == changes.last)
    let mean = changes.reduce(0) { $0 + $1.magnitude } / Double(changes.count)
    #expect((Double(variation.meanMagnitude.nanoseconds) - mean).magnitude < 2)
    for share in [0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999, 1] {
      let exact = nearestRank(changes, share)
      let value = Double(try #require(variation.percentile(share)).nanoseconds)
      #expect((value - exact).magnitude <= exact.magnitude / 60 + 501, "\(share): \(value) for \(exact)")
    }
  }

  @Test func `where the delay only grows, or only falls, the extremes are changes that there were`() {
    var growing = InterPacketVariation()
    var falling = InterPacketVariation()
    for number: Int64 in 0..<10 {
      growing.record(number: number, transit: .milliseconds(number * (number + 3)))
      falling.record(number: number, transit: .milliseconds(-number * (number + 3)))
    }
    #expect(growing.min == .milliseconds(4) && growing.max == .milliseconds(20))
    #expect(falling.min == .milliseconds(-20) && falling.max == .milliseconds(-4))
  }

  @Test func `a lost packet is no change of zero, and a duplicate none at all`() {
    var statistics = ReceptionStatistics(clockRate: 1000)
    for number: Int64 in [0, 1, 3, 3, 4] {
      let arrival = Instant.zero + .milliseconds(number * 20 + (number == 4 ? 7 : 0))
      let timestamp = RTPTimestamp(UInt32(number * 20))
      _ = statistics.record(sequence: number, timestamp: timestamp, arrival: arrival, bytes: 1)
    }
    let variation = statistics.summary().interPacketVariation
    #expect(variation.count == 2 && variation.max == .milliseconds(7) && variation.min == .zero)
    #expect(statistics.packetInterval == .milliseconds(20))
  }

  @Test func `nothing is compared across a restart of timestamps`() {
    var statistics = ReceptionStatistics(clockRate: 1000)
    _ = statistics.record(sequence: 1, timestamp: RTPTimestamp(0), arrival: .zero, bytes: 1)
    statistics.restartTimestamps()
    _ = statistics.record(sequence: 2, timestamp: RTPTimestamp(900_000), arrival: .zero + .seconds(1), bytes: 1)
    let summary = statistics.summary()
    #expect(summary.interPacketVariation.count == 0 && summary.leastTransit == nil && summary.packetInterval == .zero)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `delays spread over seconds widen the bins and keep the percentiles`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var variation = DelayVariation()
    var delays: [Double] = []
    for _ in 0..<20_000 {
      let delay = Int64(6e9 * random.nextUnit() * random.nextUnit())
      delays.append(Double(delay) / 1e6)
      variation.record(transit: Interval(nanoseconds: delay))
    }
    let least = try #require(delays.min())
    let sorted = delays.map { $0 - least }.sorted()
    let result = try #require(variation.percentiles())
    for (value, share) in [(result.p50, 0.5), (result.p95, 0.95), (result.p99, 0.99), (result.p999, 0.999)] {
      // 6 s over 24 pages of 256 bins need bins of 1.6 ms.
      #expect((value - nearestRank(sorted, share)).magnitude <= 0.81)
    }
    #expect((result.max - (sorted.last ?? 0)).magnitude < 1e-6)
    let histogram = variation.histogram()
    #expect(histogram.total == 20_000)
    var below = 0
    for (edge, count) in zip(DelayHistogram.edges, histogram.counts) where edge >= 100 {
      below += count
      let exact = sorted.count { $0 > 70 && $0 <= edge }
      #expect((below - exact).magnitude < 100)
    }
  }

  @Test(arguments: [-200, -50, -5, 0, 5, 50, 200] as [Double])
  func `drift comes back from the fastest packets, whatever queues and a change of route add`(ppm: Double) throws {
    for seed: UInt64 in 1...3 {
      var random = SeededGenerator(seed: seed)
      var tracker = DriftTracker()
      for step in 0..<30_000 {
        let time = Double(step) * 0.02
        var delay = 0.005 + 0.02 * random.nextUnit() * random.nextUnit() * random.nextUnit()
        if step > 25_000 { delay += 0.003 }
        let transit = delay - time * ppm / 1e6
        tracker.record(arrival: .zero + Interval(seconds: time + delay), transit: Interval(seconds: transit))
      }
      let drift = try #require(tracker.estimate())
      #expect((drift.ppm - ppm).magnitude < 2)
      #expect(drift.bounds.contains(drift.ppm) && (drift.span.seconds - 600).magnitude < 10)
      #expect(drift.isSignificant || ppm.magnitude <= 5)
    }
  }

  @Test func `a stream of some seconds has no drift to tell of`() {
    var tracker = DriftTracker()
    for step: Int64 in 0..<400 { tracker.record(arrival: .zero + .milliseconds(step * 20), transit: .zero) }
    #expect(tracker.estimate() == nil)
    // Nor has one whose fastest packets are all over the place.
    var random = SeededGenerator(seed: 1)
    var wild = DriftTracker()
    for step: Int64 in 0..<40 {
      wild.record(arrival: .zero + .seconds(step), transit: .milliseconds(Int64(500 * random.nextUnit())))
    }
    #expect(wild.estimate() == nil)
  }

  @Test func `drift survives restarts of the timestamps, and hours`() throws {
    var tracker = DriftTracker()
    for step: Int64 in 0..<20_000 {
      if step % 700 == 0 { tracker.restart() }
      let offset = Double(step / 700) * 1000
      let transit = Interval(seconds: offset - Double(step) * 30e-6)
      tracker.record(arrival: .zero + .seconds(step), transit: transit)
    }
    let drift = try #require(tracker.estimate())
    #expect((drift.ppm - 30).magnitude < 0.1)
  }

  @Test func `lateness is counted in steps, and exact at their edges`() {
    var counts = LatenessCounts()
    for microseconds: Int64 in [-300, 0, 400, 500, 9_999, 10_000, 2_000_000] {
      counts.record(.microseconds(microseconds))
    }
    #expect(counts.total == 7)
    #expect(counts.late(for: .zero) == 6.0 / 7 && counts.late(for: .microseconds(500)) == 4.0 / 7)
    #expect(counts.late(for: .milliseconds(10)) == 2.0 / 7 && counts.late(for: .seconds(5)) == 1.0 / 7)
    #expect(counts.curve().points.last == LatenessCurve.Point(delay: .seconds(1), late: 1.0 / 7))
    #expect(LatenessCounts().curve().points.isEmpty && LatenessCounts().late(for: .zero) == 0)
  }

  @Test func `waits keep mean, most and the 99th percentile`() {
    var waits = WaitStatistics()
    #expect(waits.mean == .zero && waits.p99 == .zero)
    for step: Int64 in 1...1000 { waits.record(.microseconds(step)) }
    waits.record(.milliseconds(-5))
    #expect(waits.count == 1001 && waits.max == .milliseconds(1))
    #expect((waits.p99.milliseconds - 0.99).magnitude < 0.016 && (waits.mean.milliseconds - 0.5).magnitude < 0.001)
  }
}

/// The bytes that a value's arrays hold, by reflection.
private func footprint(_ value: Any) -> Int {
  func stride<T>(_: T) -> Int { MemoryLayout<T>.stride }
  let mirror = Mirror(reflecting: value)
  if mirror.displayStyle == .collection {
    guard let first = mirror.children.first else { return 0 }
    return mirror.children.count * _openExistential(first.value, do: stride)
  }
  return mirror.children.reduce(0) { $0 + footprint($1.value) }
}

struct MemoryTests {
  @Test func `one stream's account stays below 150 KiB, whatever arrives`() {
    var random = SeededGenerator(seed: 4)
    var statistics = ReceptionStatistics(clockRate: 48_000)
    var number: Int64 = 0
    var most = 0
    for round in 0..<6 {
      for step in 0..<30_000 {
        number += random.nextUnit() < 0.3 ? Int64(random.nextUnit() * 40) : 1
        let late = random.nextUnit() < 0.3 ? Int64(random.nextUnit() * 1500) : 0
        let timestamp = RTPTimestamp(UInt32(truncatingIfNeeded: random.next() >> UInt64(20 + round * 4)))
        let arrival = Instant.zero + .seconds(Int64(round * 30_000 + step))
        _ = statistics.record(sequence: number - late, timestamp: timestamp, arrival: arrival, bytes: 100)
        if step % 7 == 0 { statistics.noteUseless(sequence: number) }
      }
      most = max(most, footprint(statistics))
      statistics.restart()
    }
    most = max(most, footprint(statistics))
    #expect(most > 60_000, "the reflection must have found the arrays")
    #expect(most < 150 * 1024)
  }
}
