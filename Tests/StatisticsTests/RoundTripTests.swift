import Statistics
import Testing
import Timeline

struct RoundTripTests {
  /// The example of RFC 3550 section 6.4.1: A = b710:8000, LSR = b705:2000, DLSR = 0005:4000, round trip 6.125 s.
  @Test func `the example of RFC 3550`() {
    var roundTrip = RoundTrip()
    let arrival = NTPTimestamp(rawValue: 0x0000_b710_8000_0000)
    let result = roundTrip.record(arrival: arrival, lastSenderReport: 0xb705_2000, delay: 0x0005_4000)
    #expect(result == .milliseconds(6125))
    #expect(roundTrip.milliseconds.mean == 6125 && roundTrip.milliseconds.count == 1)
  }

  @Test func `no sender report yet, or an impossible time, gives nothing`() {
    var roundTrip = RoundTrip()
    let arrival = NTPTimestamp(rawValue: 0x0000_b710_8000_0000)
    #expect(roundTrip.record(arrival: arrival, lastSenderReport: 0, delay: 0) == nil)
    #expect(roundTrip.record(arrival: arrival, lastSenderReport: 0xb710_9000, delay: 0) == nil)
    #expect(roundTrip.record(arrival: arrival, lastSenderReport: 0x1710_9000, delay: 0) == nil)
    #expect(roundTrip.milliseconds.count == 0)
    #expect(roundTrip.record(arrival: arrival, lastSenderReport: 0xb710_8001, delay: 0) == .zero)
  }

  @Test func `an extent keeps least, most, mean and last`() {
    var extent = RunningExtent()
    #expect(extent.min == 0 && extent.mean == 0)
    for value in [5.0, -1, 8, .nan, .infinity] { extent.record(value) }
    #expect(extent.min == -1 && extent.max == 8 && extent.mean == 4 && extent.last == 8 && extent.count == 3)
  }

  @Test func `discards are counted by reason, each with its own name`() {
    var counts = DiscardCounts()
    for (index, reason) in DiscardReason.allCases.enumerated() { counts[reason] += index + 1 }
    let cases = DiscardReason.allCases.count
    #expect(counts.total == cases * (cases + 1) / 2 && counts[.bufferFull] == 1)
    #expect(Set(DiscardReason.allCases.map(\.name)).count == cases)
  }
}
