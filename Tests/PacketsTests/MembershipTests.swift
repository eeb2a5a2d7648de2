import Packets
import Testing
import Timeline

@Suite struct `RTCP membership` {
  private static func membership(
    bandwidth: Double = 64_000, isSender: Bool = false
  ) -> (membership: Membership, generator: SeededGenerator) {
    let timing = ReportTiming(sessionBandwidth: bandwidth, firstPacketSize: 72)
    var generator = SeededGenerator(seed: 5)
    var membership = Membership(ssrc: 1, timing: timing, isSender: isSender, seed: 9)
    membership.join(at: .zero, using: &generator)
    return (membership, generator)
  }

  @Test func `counts members and senders, and not its own echo`() {
    var (membership, _) = Self.membership()
    membership.heard(1, isSender: true, at: .zero)
    membership.heard(2, isSender: true, at: .zero)
    membership.heard(3, isSender: false, at: .zero)
    membership.heard(3, isSender: false, at: .zero)
    #expect(membership.memberCount == 3 && membership.senderCount == 1)
    membership.heardGoodbye(of: 2, at: .zero)
    membership.heardGoodbye(of: 99, at: .zero)
    #expect(membership.memberCount == 2 && membership.senderCount == 0)
  }

  @Test func `members that fall silent are forgotten after five intervals, senders after two`() throws {
    var (membership, generator) = Self.membership()
    membership.heard(2, isSender: true, at: .zero)
    membership.heard(3, isSender: false, at: .zero)
    var now = Instant.zero
    var seen: [Instant: [Int]] = [:]
    while now < .zero + .seconds(60) {
      now = try #require(membership.deadline)
      membership.heard(3, isSender: false, at: now)
      _ = membership.expire(at: now, using: &generator)
      seen[now] = [membership.memberCount, membership.senderCount]
    }
    for (at, counts) in seen {
      // The calculated interval is 5 s, 2.5 s for the first report.
      if at > .zero + .seconds(26) { #expect(counts == [2, 0]) }
      if at < .zero + .seconds(12) { #expect(counts[0] == 3) }
    }
  }

  @Test func `more members than there is room for are counted by a sample`() {
    var table = MemberTable(seed: 3)
    for ssrc in UInt32(0)..<60_000 { table.heard(ssrc &* 2_654_435_761, isSender: ssrc % 4 == 0, at: .zero) }
    #expect(abs(Double(table.count) / 60_000 - 1) < 0.1)
    #expect(abs(Double(table.senderCount) / 15_000 - 1) < 0.2)
    // Hearing them again changes nothing.
    let before = table.count
    for ssrc in UInt32(0)..<60_000 { table.heard(ssrc &* 2_654_435_761, isSender: false, at: .zero + .seconds(1)) }
    #expect(table.count == before)
    table.expire(membersBefore: .zero + .seconds(2), sendersBefore: .zero)
    #expect(table.count == 0 && table.senderCount == 0)
  }

  @Test func `with few members a goodbye goes at once, with many it backs off`() throws {
    for others in [1, 48, 49, 200] {
      var (membership, generator) = Self.membership(bandwidth: 8000)
      for ssrc in 2..<(2 + UInt32(others)) { membership.heard(ssrc, isSender: false, at: .zero) }
      membership.sent(bytes: 100)
      membership.leave(at: .zero, goodbyeSize: 60, using: &generator)
      let due = try #require(membership.deadline)
      #expect((due <= .zero) == (others < 49), "\(others) others")
      guard others >= 49 else {
        #expect(membership.expire(at: .zero, using: &generator) == .goodbye)
        #expect(membership.hasLeft && membership.deadline == nil)
        continue
      }
      #expect(membership.expire(at: .zero, using: &generator) == nil)
      // Other goodbyes put it off: 37.5 bytes a second for 88 bytes each.
      for ssrc in UInt32(5000)..<5100 { membership.heardGoodbye(of: ssrc, at: .zero) }
      let first = try #require(membership.deadline)
      #expect(membership.expire(at: first, using: &generator) == nil)
      let second = try #require(membership.deadline)
      #expect(second > .zero + .seconds(80))
    }
  }

  @Test func `whoever has said nothing leaves many without a word`() {
    var (membership, generator) = Self.membership()
    for ssrc in UInt32(2)..<100 { membership.heard(ssrc, isSender: false, at: .zero) }
    membership.leave(at: .zero, goodbyeSize: 60, using: &generator)
    #expect(membership.hasLeft && membership.deadline == nil)
    #expect(membership.expire(at: .zero + .seconds(100), using: &generator) == nil)
  }

  @Test func `members that leave bring the report closer only when there are fewer than at the last deadline`() {
    var (membership, generator) = Self.membership(bandwidth: 8000)
    for ssrc in UInt32(2)..<40 { membership.heard(ssrc, isSender: false, at: .zero) }
    let before = membership.deadline
    for ssrc in UInt32(10)..<40 { membership.heardGoodbye(of: ssrc, at: .zero) }
    // The deadline was set for two members; there are more still.
    #expect(membership.deadline == before)
    guard let due = membership.deadline else { return }
    #expect(membership.expire(at: due, using: &generator) == nil)
    guard let later = membership.deadline else { return }
    for ssrc in UInt32(2)..<10 { membership.heardGoodbye(of: ssrc, at: due) }
    #expect(membership.deadline.map { $0 < later } == true)
  }
}
