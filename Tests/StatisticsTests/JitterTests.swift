import Statistics
import Testing
import Timeline

struct JitterTests {
  @Test func `the first packets follow RFC 3550 A.8 by hand`() {
    var jitter = InterarrivalJitter(clockRate: 8000)
    jitter.record(timestamp: RTPTimestamp(0), arrival: .zero)
    #expect(jitter.last == 0 && jitter.count == 0 && jitter.mean == 0)
    // Due after 20 ms, came after 36: D = 16 ms, J = 16 / 16 = 1.
    jitter.record(timestamp: RTPTimestamp(160), arrival: .zero + .milliseconds(36))
    #expect(jitter.last == 1 && jitter.units == 8)
    // Due after 20 ms, came after 4: |D| = 16 ms, J = 1 + 15 / 16.
    jitter.record(timestamp: RTPTimestamp(320), arrival: .zero + .milliseconds(40))
    #expect(jitter.last == 1.9375 && jitter.max == 1.9375 && jitter.mean == 1.46875)
    #expect(jitter.units == 15)
    // In time: J = 1.9375 * 15 / 16; the largest stays.
    jitter.record(timestamp: RTPTimestamp(480), arrival: .zero + .milliseconds(60))
    #expect(jitter.last == 1.81640625 && jitter.max == 1.9375)
  }

  @Test func `the timestamp's wrap and a step back are no jumps`() {
    var jitter = InterarrivalJitter(clockRate: 48_000)
    jitter.record(timestamp: RTPTimestamp(.max - 959), arrival: .zero)
    jitter.record(timestamp: RTPTimestamp(960), arrival: .zero + .milliseconds(40))
    jitter.record(timestamp: RTPTimestamp(0), arrival: .zero + .milliseconds(20))
    #expect(jitter.last == 0 && jitter.count == 2)
  }

  @Test func `packets of one video frame count with their spacing`() {
    var jitter = InterarrivalJitter(clockRate: 90_000)
    jitter.record(timestamp: RTPTimestamp(3000), arrival: .zero)
    jitter.record(timestamp: RTPTimestamp(3000), arrival: .zero + .milliseconds(8))
    #expect(jitter.last == 0.5)
  }

  @Test func `after a restart the first packet only sets the reference`() {
    var statistics = ReceptionStatistics(clockRate: 8000)
    _ = statistics.record(sequence: 1, timestamp: RTPTimestamp(0), arrival: .zero, bytes: 1)
    statistics.restart()
    let later = Instant.zero + .seconds(5)
    _ = statistics.record(sequence: 900, timestamp: RTPTimestamp(77_777_777), arrival: later, bytes: 1)
    #expect(statistics.jitter.count == 0 && statistics.jitter.last == 0)
    #expect(statistics.summary().delayVariation?.max == 0)
  }

  @Test func `jitter takes duplicates and reordered packets in order of arrival, as tshark 4.0 does`() {
    var statistics = ReceptionStatistics(clockRate: 8000)
    var plain = InterarrivalJitter(clockRate: 8000)
    for (number, milliseconds): (Int64, Int64) in [(0, 0), (2, 41), (1, 42), (1, 50), (3, 61)] {
      let timestamp = RTPTimestamp(UInt32(number * 160))
      let arrival = Instant.zero + .milliseconds(milliseconds)
      _ = statistics.record(sequence: number, timestamp: timestamp, arrival: arrival, bytes: 1)
      plain.record(timestamp: timestamp, arrival: arrival)
    }
    #expect(statistics.jitter.count == 4 && statistics.jitter.last == plain.last)
    // |D| by hand: 1, 21, 8 and 29 ms.
    var expected = 0.0
    for difference in [1.0, 21, 8, 29] { expected += (difference - expected) / 16 }
    #expect((statistics.jitter.last - expected).magnitude < 1e-12)
  }

  @Test func `absurd clocks and instants don't trap`() {
    var jitter = InterarrivalJitter(clockRate: 0)
    jitter.record(timestamp: RTPTimestamp(0), arrival: Instant(nanoseconds: .min))
    jitter.record(timestamp: RTPTimestamp(.max), arrival: .distantFuture)
    jitter.record(timestamp: RTPTimestamp(0x7fff_ffff), arrival: Instant(nanoseconds: .min))
    #expect(jitter.last.isFinite && jitter.count == 2)
  }
}
