import Testing
import Timeline

@Suite struct WraparoundTests {
  @Test func `the distance takes the shorter way round`() {
    #expect(SequenceNumber(65_535).distance(to: SequenceNumber(0)) == 1)
    #expect(SequenceNumber(0).distance(to: SequenceNumber(65_535)) == -1)
    #expect(SequenceNumber(0).distance(to: SequenceNumber(32_768)) == -32_768)
    #expect(RTPTimestamp(0xffff_fff0).distance(to: RTPTimestamp(0x10)) == 32)
    #expect(RTPTimestamp(0x10).distance(to: RTPTimestamp(0xffff_fff0)) == -32)
  }

  @Test func `extended sequence numbers follow the wrap and keep late packets in the cycle before it`() {
    var extender = SequenceExtender(first: SequenceNumber(65_534))
    #expect(extender.extend(SequenceNumber(65_535)) == 65_535)
    #expect(extender.extend(SequenceNumber(1)) == 65_537)
    #expect(extender.extend(SequenceNumber(65_533)) == 65_533)
    #expect(extender.extend(SequenceNumber(0)) == 65_536)
    #expect(extender.highest == 65_537)
  }

  @Test func `extended timestamps follow the wrap in both directions`() {
    var extender = TimestampExtender(first: RTPTimestamp(0xffff_ff00))
    #expect(extender.extend(RTPTimestamp(0x100)) == 0x1_0000_0100)
    #expect(extender.extend(RTPTimestamp(0xffff_ff80)) == 0xffff_ff80)
  }

  @Test func `a million steps forward lose no cycle`() {
    var extender = SequenceExtender(first: SequenceNumber(7))
    for step in 1...1_000_000 {
      #expect(extender.extend(SequenceNumber(7).advanced(by: step)) == Int64(7 + step))
    }
  }
}

@Suite struct TimeTests {
  @Test func `an interval converts to clock units and back`() {
    #expect(Interval(units: 960, rate: 48_000) == .milliseconds(20))
    #expect(Interval.milliseconds(20).units(rate: 48_000) == 960)
    #expect(Interval(units: .max, rate: 1) == Interval(nanoseconds: .max))
    #expect(Interval(units: -960, rate: 48_000) == .milliseconds(-20))
    #expect(Interval(nanoseconds: -10_417).units(rate: 48_000) == -1)
  }

  @Test func `arithmetic at the ends clamps instead of trapping`() {
    #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
    #expect(Interval(nanoseconds: .min) - .nanoseconds(1) == Interval(nanoseconds: .min))
    #expect(-Interval(nanoseconds: .min) == Interval(nanoseconds: .max))
    #expect(Interval(seconds: .infinity) == Interval(nanoseconds: .max))
    #expect(Interval(seconds: .nan) == .zero)
  }

  @Test(arguments: [0, 1, 999_999_999, 1_700_000_000_123_456_789, 1_792_000_000_000_000_001, -1])
  func `NTP timestamps keep nanoseconds`(unix: Int64) {
    #expect(NTPTimestamp(unixNanoseconds: unix).unixNanoseconds == unix)
  }

  @Test func `the middle of an NTP timestamp counts 65536ths of a second`() {
    let first = NTPTimestamp(unixNanoseconds: 1_700_000_000_000_000_000)
    let second = NTPTimestamp(unixNanoseconds: 1_700_000_001_500_000_000)
    #expect(second.middle &- first.middle == 98_304)
  }

  @Test func `the same seed gives the same numbers, for ever`() {
    var generator = SeededGenerator(seed: 1)
    let first = [generator.next(), generator.next(), generator.next()]
    #expect(first == [12_966_619_160_104_079_557, 9_600_361_134_598_540_522, 10_590_380_919_521_690_900])
    var mean = 0.0
    for _ in 0..<100_000 { mean += generator.nextUnit() / 100_000 }
    #expect(abs(mean - 0.5) < 0.005)
  }
}
