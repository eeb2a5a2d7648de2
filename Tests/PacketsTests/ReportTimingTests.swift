import Packets
import Testing
import Timeline

@Suite struct `RTCP timing` {
  @Test func `the minimum holds for a small session, halved for the first report`() {
    var timing = ReportTiming(sessionBandwidth: 64_000, firstPacketSize: 72)
    #expect(timing.calculatedInterval == Interval(seconds: 2.5))
    var generator = SeededGenerator(seed: 1)
    let first = timing.nextInterval(using: &generator)
    #expect(first >= Interval(seconds: 1.25 / ReportTiming.compensation))
    #expect(first <= Interval(seconds: 3.75 / ReportTiming.compensation))
    #expect(timing.calculatedInterval == .seconds(5))
  }

  @Test func `the mean interval is the calculated one divided by e - 1·5`() {
    var timing = ReportTiming(sessionBandwidth: 64_000, firstPacketSize: 72)
    var generator = SeededGenerator(seed: 2)
    _ = timing.nextInterval(using: &generator)
    let intervals = (0..<20_000).map { _ in timing.nextInterval(using: &generator).seconds }
    let mean = intervals.reduce(0, +) / 20_000
    #expect(abs(mean - 5 / 1.218_28) < 0.03)
    #expect(intervals.allSatisfy { $0 >= 2.5 / 1.218_29 && $0 <= 7.5 / 1.218_28 })
  }

  @Test func `senders share a quarter of the bandwidth while they are a quarter of the members`() {
    // 8000 bit/s: 50 bytes of RTCP a second; 100 bytes a packet with its headers.
    var timing = ReportTiming(sessionBandwidth: 8_000, minimum: .zero, firstPacketSize: 72)
    timing.members = 100
    timing.senders = 25
    timing.weSent = true
    #expect(timing.calculatedInterval == Interval(seconds: 100 * 25 / 12.5))
    timing.weSent = false
    #expect(timing.calculatedInterval == Interval(seconds: 100 * 75 / 37.5))
    timing.senders = 26
    #expect(timing.calculatedInterval == Interval(seconds: 100 * 100 / 50))
  }

  @Test func `the mean size moves by a sixteenth and counts the lower layers`() {
    var timing = ReportTiming(sessionBandwidth: 64_000, firstPacketSize: 72)
    #expect(timing.averageSize == 100)
    timing.sentOrReceived(bytes: 232)
    #expect(timing.averageSize == 110)
  }

  @Test func `hostile counts and sizes neither trap nor stop reports`() {
    var timing = ReportTiming(sessionBandwidth: .nan, firstPacketSize: .min)
    timing.sentOrReceived(bytes: .max)
    timing.members = .max
    #expect(timing.calculatedInterval == .seconds(86_400))
    timing.members = -5
    #expect(timing.members == 1)
  }

  @Test func `with reconsideration two members report about each calculated interval`() {
    var generator = SeededGenerator(seed: 3)
    var timing = ReportTiming(sessionBandwidth: 64_000, firstPacketSize: 72)
    timing.members = 2
    var timer = ReportTimer(timing: timing, at: .zero, using: &generator)
    var reports = 0
    while timer.deadline < .zero + .seconds(50_000) {
      if timer.expire(at: timer.deadline, using: &generator) { reports += 1 }
    }
    #expect(abs(50_000 / Double(reports) - 5) < 0.3)
  }

  @Test func `a session that has grown meanwhile puts the report off, one that shrank brings it closer`() {
    var generator = SeededGenerator(seed: 4)
    let timing = ReportTiming(sessionBandwidth: 64_000, firstPacketSize: 72)
    var timer = ReportTimer(timing: timing, at: .zero, using: &generator)
    #expect(timer.expire(at: .zero, using: &generator) == false)
    timer.setMembers(1_000, senders: 0, at: .zero)
    let now = timer.deadline
    #expect(timer.expire(at: now, using: &generator) == false)
    #expect(timer.deadline > now + .seconds(60))
    let before = timer.deadline
    timer.setMembers(10, senders: 0, at: now)
    let expected = now + Interval(seconds: (before - now).seconds / 100)
    #expect(abs((timer.deadline - expected).nanoseconds) < 10)
  }
}
