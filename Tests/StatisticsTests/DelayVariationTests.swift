import Statistics
import Testing
import Timeline

struct DelayVariationTests {
  /// The nearest rank by definition.
  private func nearestRank(_ sorted: [Double], _ share: Double) -> Double {
    sorted[Int((share * Double(sorted.count)).rounded(.up)) - 1]
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `percentiles equal a sorted array within half a bin`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var variation = DelayVariation()
    var transits: [Int64] = []
    for _ in 0..<5000 {
      // A heavy tail: most near 10 ms, a few up to seconds.
      let unit = random.nextUnit()
      let transit = 7_000_000_000 + Int64(10e6 * random.nextUnit() + 2e6 / (1.01 - unit))
      transits.append(transit)
      variation.record(transit: Interval(nanoseconds: transit))
    }
    let least = try #require(transits.min())
    let sorted = transits.map { Double($0 - least) / 1e6 }.sorted()
    let result = try #require(variation.percentiles())
    #expect((result.p50 - nearestRank(sorted, 0.5)).magnitude <= 0.051)
    #expect((result.p95 - nearestRank(sorted, 0.95)).magnitude <= 0.051)
    #expect((result.p99 - nearestRank(sorted, 0.99)).magnitude <= 0.051)
    #expect(result.max == sorted.last)
  }

  @Test func `one packet has no variation`() {
    var variation = DelayVariation()
    #expect(variation.percentiles() == nil)
    variation.record(transit: .seconds(3))
    #expect(variation.percentiles() == DelayPercentiles(p50: 0, p95: 0, p99: 0, p999: 0, max: 0))
  }

  @Test func `an extreme first packet leaves the others' percentiles`() throws {
    var variation = DelayVariation()
    variation.record(transit: .seconds(60))
    for step: Int64 in 0..<1000 { variation.record(transit: .milliseconds(step % 10)) }
    let result = try #require(variation.percentiles())
    // 60 s below the first is outside the bins: those packets count as the smallest delay.
    #expect(result.p50 == 0 && result.max == 60_000)
  }

  @Test func `extremes don't trap and keep memory bounded`() throws {
    var variation = DelayVariation()
    variation.record(transit: Interval(nanoseconds: .min))
    variation.record(transit: Interval(nanoseconds: .max))
    for step: Int64 in 0..<2000 { variation.record(transit: .milliseconds(step * 26)) }
    variation.restart()
    for step: Int64 in 0..<2000 { variation.record(transit: .milliseconds(step * 26)) }
    let result = try #require(variation.percentiles())
    #expect(result.p99.isFinite && result.p50 <= result.p95 && result.p95 <= result.p99 && result.p99 <= result.max)
  }

  @Test func `after a restart each run of timestamps has its own smallest delay`() throws {
    var variation = DelayVariation()
    for step: Int64 in 0..<100 { variation.record(transit: .seconds(900) + .milliseconds(step % 2 * 10)) }
    variation.restart()
    for step: Int64 in 0..<100 { variation.record(transit: .milliseconds(step % 2 * 30)) }
    let result = try #require(variation.percentiles())
    #expect(result.p50 < 0.11 && (result.p95 - 30).magnitude < 0.11 && result.max == 30)
  }

  @Test func `delays come from arrival less timestamp, duplicates left out`() throws {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    let start = Instant.zero + .seconds(100)
    for number: Int64 in 0..<100 {
      let timestamp = RTPTimestamp(.max - 48_000).advanced(by: number * 960)
      let arrival = start + .milliseconds(number * 20 + (number == 50 ? 15 : 0))
      _ = statistics.record(sequence: number, timestamp: timestamp, arrival: arrival, bytes: 1)
      let copy = arrival + .seconds(2)
      #expect(statistics.record(sequence: number, timestamp: timestamp, arrival: copy, bytes: 1).isDuplicate)
    }
    let result = try #require(statistics.summary().delayVariation)
    #expect(result.p99 < 0.051 && (result.max - 15).magnitude < 0.001)
  }
}
