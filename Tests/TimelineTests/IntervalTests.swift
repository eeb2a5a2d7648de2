import Testing
import Timeline

/// Conversions between clock units and nanoseconds take a short way where 64 bits suffice: both ways must agree.
@Suite struct IntervalTests {
  static let rates: [UInt32] = [1, 8_000, 44_100, 48_000, 90_000, 1_000_000_000, .max]
  static let counts: [Int64] = [
    0, 1, 47, 959, 960, 961, 4_294_967_295, 9_223_372_036, 9_223_372_037, 1 << 40, 1 << 60, .max,
  ]

  @Test(arguments: rates) func `units become nanoseconds, rounded towards zero`(rate: UInt32) {
    for count in Self.counts {
      for units in [count, -count] {
        let exact = Int128(units) * 1_000_000_000 / Int128(rate)
        #expect(Interval(units: units, rate: rate).nanoseconds == Int64(clamping: exact))
      }
    }
  }

  @Test(arguments: rates) func `nanoseconds become units, rounded to the nearest`(rate: UInt32) {
    for count in Self.counts {
      for nanoseconds in [count, -count] {
        let product = Int128(nanoseconds) * Int128(rate)
        let exact = (product + (product < 0 ? -500_000_000 : 500_000_000)) / 1_000_000_000
        #expect(Interval(nanoseconds: nanoseconds).units(rate: rate) == Int64(clamping: exact))
      }
    }
  }

  @Test func `the earlier of two instants is the one that comes`() {
    let early = Instant(nanoseconds: 1)
    let late = Instant(nanoseconds: 2)
    #expect(Instant.earliest(early, late) == early)
    #expect(Instant.earliest(late, early) == early)
    #expect(Instant.earliest(nil, late) == late)
    #expect(Instant.earliest(early, nil) == early)
    #expect(Instant.earliest(nil, nil) == nil)
  }
}
