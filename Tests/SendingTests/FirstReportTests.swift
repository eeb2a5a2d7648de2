import Packets
import Sending
import Testing
import Timeline

/// The first sender report of a session in which nobody but one receiver listens (RFC 3550 section 6.2).
struct FirstReportTests {
  private static func session(seed: UInt64, atOnce: Bool, bandwidth: Double = 64_000) -> SendSession {
    var configuration = SendSessionTests.configuration(seed: seed, bandwidth: bandwidth)
    configuration.reportsAtOnce = atOnce
    return SendSession(configuration)
  }

  /// When the first `count` reports go out, of a session whose first packet stands for `lead` later than it is sent.
  private static func times(_ session: SendSession, count: Int, lead: Interval = .zero) throws -> [Interval] {
    var session = session
    let start = Instant.zero + .seconds(10)
    _ = SendSessionTests.packetize(&session, offset: 0, deadline: start + lead)
    var result: [Interval] = []
    var now = start
    while result.count < count {
      now = max(now, try #require(session.nextReport))
      if SendSessionTests.written({ session.pollReport(into: &$0, at: now) }) != nil { result.append(now - start) }
    }
    return result
  }

  @Test func `it follows the first packet at once, and those after it keep their randomised distance`() throws {
    var gaps: [Double] = []
    for seed in UInt64(1)...50 {
      let times = try Self.times(Self.session(seed: seed, atOnce: true), count: 20, lead: .milliseconds(66))
      #expect(times[0] == .zero)
      for (earlier, later) in zip(times, times.dropFirst()) { gaps.append((later - earlier).seconds) }
    }
    for gap in gaps { #expect(gap >= 2.5 / 1.2183 && gap <= 7.5 / 1.2182) }
    #expect(abs(gaps.reduce(0, +) / Double(gaps.count) - 5) < 0.3)
  }

  @Test func `among many it waits for 1 to 3 s, as each of them does`() throws {
    for seed in UInt64(1)...50 {
      let first = try Self.times(Self.session(seed: seed, atOnce: false), count: 1)[0]
      #expect(first.seconds >= 1.25 / 1.2183 && first.seconds <= 3.75 / 1.2182)
    }
  }

  @Test func `a narrow session keeps its share for RTCP after it`() throws {
    // 1 kbit/s: 6.25 bytes a second, for reports of 84 bytes on the wire and two members.
    let times = try Self.times(Self.session(seed: 3, atOnce: true, bandwidth: 1_000), count: 400)
    let mean = times[399].seconds / 399
    #expect(abs(mean / (84 * 2 / 6.25) - 1) < 0.06, "\(mean) s")
  }

  @Test func `a session that ends with its first packet says goodbye, and nothing else`() {
    var session = Self.session(seed: 1, atOnce: true)
    _ = SendSessionTests.packetize(&session, offset: 0)
    #expect(SendSessionTests.written { session.goodbye(into: &$0, at: .zero) } != nil)
    #expect(session.nextReport == nil)
    #expect(SendSessionTests.written { session.pollReport(into: &$0, at: .zero + .seconds(10)) } == nil)
  }
}
