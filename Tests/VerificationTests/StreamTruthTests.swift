import Testing
import Timeline

@testable import Verification

/// The verifier itself against figures worked out by hand, or given by an RFC.
@Suite struct StreamTruthTests {
  /// Packets of 5 ms on a clock of 48 kHz, arriving at these times in ms.
  private func stream(sent: [[Int]], arrivals: [(run: Int, index: Int, ms: Double)], buffer: Interval = .seconds(1))
    -> [String: Double?]
  {
    let truth = StreamTruth(
      ssrc: 7, sent: sent,
      arrivals: arrivals.map {
        StreamTruth.Arrival(
          run: $0.run, index: $0.index, timestamp: UInt32.max - 100 &+ UInt32($0.index * 240), time: Int64($0.ms * 1e6))
      }, clockRate: 48_000, buffer: buffer)
    return Dictionary(uniqueKeysWithValues: truth.expectations.map { ($0.key, $0.own ?? $0.truth) })
  }

  @Test func `losses, duplicates and runs by hand`() {
    // Sent 0...9; 0 lost at the head, 3 4 6 lost between, 9 lost at the tail; 5 arrives twice.
    let figures = stream(
      sent: [[0, 1, 1, 0, 0, 2, 0, 1, 1, 0]],
      arrivals: [1, 2, 5, 5, 7, 8].map { (0, $0, Double($0) * 5) })
    #expect(figures["packets.expected"] == 8)
    #expect(figures["packets.unique"] == 5)
    #expect(figures["packets.lost"] == 3)
    #expect(figures["packets.duplicates"] == 1)
    #expect(figures["packets.rfc3550_lost"] == 2)
    #expect(figures["loss_ratio"] == 3.0 / 8)
    #expect(figures["bursts.count"] == 2)
    #expect(figures["bursts.mean"] == 1.5)
    #expect(figures["bursts.max"] == 2)
    #expect(figures["bursts.histogram.0"] == 1)
    #expect(figures["bursts.histogram.1"] == 1)
    #expect(figures["bursts.histogram.9"] == 0)
    // Received -> received 1 to 2 and 7 to 8, received -> lost after 2 and after 5; lost -> received twice of three.
    #expect(figures["gilbert.p"] == 0.5)
    #expect(figures["gilbert.r"] == 2.0 / 3)
    #expect(figures["sender.packets"] == 10)
    #expect(figures["packets seen as often as the link delivered them"] == 10)
  }

  @Test func `reordering is that of the example in RFC 4737 section 4.2`() {
    let order = [1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11]
    let figures = stream(
      sent: [[Int](repeating: 1, count: 12)],
      arrivals: order.enumerated().map { (0, $0.element, Double($0.offset) * 10) })
    #expect(figures["packets.reordered"] == 3)
    #expect(figures["reordering.max_extent"] == 6)
    // The last of the three comes at 90 ms, the first that has overtaken it at 30 ms.
    #expect(figures["reordering.max_late_ms"] == 60)
  }

  @Test func `jitter and delay variation by hand, over the wrap of the timestamp`() throws {
    // Delays 0, 8, 0, 4 ms: D = 8, 8, 4.
    let figures = stream(sent: [[1, 1, 1, 1]], arrivals: [(0, 0, 0), (0, 2, 10), (0, 1, 13), (0, 3, 19)])
    // In order of arrival 0, 2, 1, 3.
    let first = 0.0
    let second = first + (8 - first) / 16
    let third = second + (4 - second) / 16
    #expect(abs(try #require(figures["jitter_ms.last"] ?? nil) - third) < 1e-12)
    #expect(abs(try #require(figures["jitter_ms.mean"] ?? nil) - (first + second + third) / 3) < 1e-12)
    #expect(abs(try #require(figures["jitter_ms.max"] ?? nil) - third) < 1e-12)
    #expect(figures["delay_variation_ms.p50"] == 0)
    #expect(figures["delay_variation_ms.p95"] == 8)
    #expect(figures["delay_variation_ms.max"] == 8)
  }

  @Test func `late is what comes after the buffer's delay and after a higher number`() {
    let sent = [[Int](repeating: 1, count: 40)]
    var arrivals = (0..<40).map { (run: 0, index: $0, ms: Double($0) * 5) }
    arrivals[5].ms += 150
    arrivals[39].ms += 150
    let figures = stream(sent: sent, arrivals: arrivals.sorted { $0.ms < $1.ms }, buffer: .milliseconds(60))
    #expect(figures["packets.late"] == 1)
    #expect(figures["packets.played"] == 39)
    #expect(figures["packets.concealed"] == 1)
  }

  @Test func `each run of a restarted sender counts by itself`() {
    let figures = stream(
      sent: [[1, 0, 1, 0], [1, 1, 0, 1]],
      arrivals: [(0, 0, 0), (0, 2, 10), (1, 0, 100), (1, 1, 105), (1, 3, 115)])
    #expect(figures["packets.expected"] == 7)
    #expect(figures["packets.lost"] == 2)
    #expect(figures["bursts.count"] == 2)
    #expect(figures["restarts"] == 1)
    #expect(figures["jitter_ms.max"] == 0)
  }
}
