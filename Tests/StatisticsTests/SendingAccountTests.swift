import Testing
import Timeline

@testable import Statistics

struct SendingAccountTests {
  @Test func `a goodbye that is said again leaves the count final, one with a higher count doesn't`() {
    var account = SendingAccount()
    account.report(packets: 100, time: 10, numbers: 5...104)
    account.close()
    account.report(packets: 100, time: 20, numbers: 5...104)
    #expect(account.ends(numbers: 5...104, lost: 0).sent == 100)
    account.report(packets: 101, time: 30, numbers: 5...104)
    #expect(account.ends(numbers: 5...104, lost: 0).sent == nil)
  }

  @Test func `without a report the tail is unknown`() {
    let ends = SendingAccount().ends(numbers: 10...20, lost: 0)
    #expect(ends == StreamEnds(.noReport) && ends.sent == nil && ends.lostAtEnds == nil)
  }

  @Test func `the count that comes with the goodbye closes both ends`() {
    var account = SendingAccount()
    account.report(packets: 100, time: 1, numbers: 5...90)
    account.close()
    // 86 numbers between the first and the last that arrived.
    let ends = account.ends(numbers: 5...90, lost: 3)
    #expect(ends.knowledge == .finalCount && ends.sent == 100 && ends.lostAtEnds == 14)
    #expect(ends.lostBefore == nil && ends.lostAfter == nil, "one report can't tell the one end from the other")
    #expect(account.ends(numbers: 1...100, lost: 0).lostBefore == 0)
  }

  @Test func `reports that agree on the first number tell the two ends apart`() {
    var account = SendingAccount()
    account.report(packets: 20, time: 1, numbers: 5...20)
    account.report(packets: 40, time: 2, numbers: 5...40)
    // A packet right before this report was lost, and it looks as if nothing had been sent in between.
    account.report(packets: 60, time: 3, numbers: 5...59)
    // Here it is clear that something was.
    account.report(packets: 70, time: 4, numbers: 5...65, isAdjacent: false)
    account.report(packets: 100, time: 5, numbers: 5...80)
    account.close()
    // Two of four agree, which is not more than half.
    #expect(account.ends(numbers: 5...80, lost: 0).lostBefore == nil)
    account.report(packets: 100, time: 6, numbers: 5...100)
    account.close()
    let ends = account.ends(numbers: 5...80, lost: 0)
    #expect(ends.lostAtEnds == 24 && ends.lostBefore == 4 && ends.lostAfter == 20)
  }

  @Test func `a report without a goodbye knows the tail up to itself`() {
    var account = SendingAccount()
    account.report(packets: 50, time: 1, numbers: 1...40)
    let ends = account.ends(numbers: 1...40, lost: 0)
    #expect(ends.knowledge == .lastReport && ends.sent == nil && ends.sentAtLeast == 50)
    #expect(account.ends(numbers: 1...60, lost: 0).sentAtLeast == nil)
  }

  @Test func `a count after the goodbye opens the account again`() {
    var account = SendingAccount()
    account.report(packets: 50, time: 1, numbers: 1...50)
    account.close()
    account.report(packets: 60, time: 2, numbers: 1...60)
    #expect(account.ends(numbers: 1...60, lost: 0).knowledge == .lastReport)
    // One that was overtaken says nothing new.
    account.close()
    account.report(packets: 55, time: 1, numbers: 1...60)
    #expect(account.ends(numbers: 1...60, lost: 0).sent == 60)
  }

  @Test func `the 32 bits of the count may wrap, more than once`() {
    var account = SendingAccount()
    var sent: Int64 = 4_000_000_000
    for step: UInt64 in 1...5 {
      account.report(packets: UInt32(truncatingIfNeeded: sent), time: step, numbers: 1...sent)
      sent += 2_000_000_000
    }
    sent -= 2_000_000_000
    account.close()
    let ends = account.ends(numbers: 1...(sent - 7), lost: 0)
    #expect(ends.sent == Int(sent) && ends.lostAtEnds == 7 && ends.lostBefore == 0 && ends.lostAfter == 7)
  }

  @Test func `numbers that the sender jumped over were never sent`() {
    var account = SendingAccount()
    account.report(packets: 90, time: 1, numbers: 1...100)
    account.close()
    let ends = account.ends(numbers: 1...100, lost: 15)
    #expect(ends.sent == 90 && ends.neverSent == 10 && ends.lostAtEnds == 0)
    #expect(account.ends(numbers: 1...100, lost: 9) == StreamEnds(.contradiction), "91 arrived of 90")
  }

  @Test func `a restart closes a run, and one unknown end leaves the whole unknown`() {
    var known = SendingAccount()
    known.report(packets: 50, time: 1, numbers: 1...48)
    known.close()
    known.restart(numbers: 1...48, lost: 0)
    known.report(packets: 30, time: 2, numbers: 1000...1029)
    known.close()
    let ends = known.ends(numbers: 1000...1028, lost: 0)
    #expect(ends.sent == 80 && ends.lostAtEnds == 3 && ends.lostBefore == nil)

    var unknown = SendingAccount()
    unknown.report(packets: 50, time: 1, numbers: 1...48)
    unknown.restart(numbers: 1...48, lost: 0)
    unknown.report(packets: 30, time: 2, numbers: 1000...1029)
    unknown.close()
    #expect(unknown.ends(numbers: 1000...1029, lost: 0) == StreamEnds(.earlierRunUnknown))
  }

  @Test func `a new count that comes before the new numbers belongs to them`() {
    var account = SendingAccount()
    account.report(packets: 5000, time: 1, numbers: 1...5000)
    account.close()
    account.report(packets: 3, time: 2, numbers: 1...5000)
    account.restart(numbers: 1...5000, lost: 0)
    account.report(packets: 10, time: 3, numbers: 9000...9009)
    account.close()
    #expect(account.ends(numbers: 9000...9009, lost: 0).sent == 5010)

    var silent = SendingAccount()
    silent.report(packets: 5000, time: 1, numbers: 1...5000)
    silent.report(packets: 3, time: 2, numbers: 1...5003)
    silent.close()
    #expect(silent.ends(numbers: 1...5003, lost: 0) == StreamEnds(.countedAnew))
  }

  @Test func `a receiver that came late hasn't lost what it missed`() {
    var account = SendingAccount()
    for step: Int64 in 1...4 {
      account.report(packets: UInt32(1000 * step), time: UInt64(step), numbers: 2500...max(2500, 1000 * step))
    }
    account.report(packets: 5000, time: 5, numbers: 2500...5000)
    account.close()
    var ends = account.ends(numbers: 2500...4990, lost: 0)
    #expect(ends.lostBefore == 2499 && ends.lostAfter == 10)
    ends.limit(listenedBefore: .seconds(1), after: .seconds(1), packetInterval: .milliseconds(20))
    #expect(ends.beforeListening == 2499 && ends.lostAtEnds == 10 && ends.sentHere == 2501)

    var once = SendingAccount()
    once.report(packets: 5000, time: 1, numbers: 2500...5000)
    once.close()
    var unknown = once.ends(numbers: 2500...5000, lost: 0)
    unknown.limit(listenedBefore: .seconds(1), after: .zero, packetInterval: .milliseconds(20))
    #expect(unknown.knowledge == .joinedLate && unknown.sent == nil && unknown.lostAtEnds == nil)
    var outage = once.ends(numbers: 2500...5000, lost: 0)
    outage.limit(listenedBefore: .seconds(30), after: .zero, packetInterval: .milliseconds(20))
    #expect(outage.lostAtEnds == 2499, "it listened for long enough to have lost them")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `any reports in any order give no nonsense`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var account = SendingAccount()
    for _ in 0..<2000 {
      let first = Int64(random.next() >> 24)
      let numbers = first...(first + Int64(random.next() >> 40))
      switch random.next() % 8 {
      case 0: account.close()
      case 1: account.restart(numbers: numbers, lost: Int(random.next() % 100))
      default: account.report(packets: UInt32(truncatingIfNeeded: random.next()), time: random.next(), numbers: numbers)
      }
      let ends = account.ends(numbers: numbers, lost: Int(random.next() % 100))
      #expect((ends.lostAtEnds ?? 0) >= 0 && (ends.lostBefore ?? 0) >= 0 && (ends.lostAfter ?? 0) >= 0)
      #expect(ends.neverSent >= 0 && (ends.sent ?? 0) >= 0)
    }
  }
}

struct LossAccountTests {
  @Test func `every packet sent is in one place`() {
    var statistics = ReceptionStatistics(clockRate: 1000)
    for number: Int64 in 0..<100 where number % 10 != 3 { _ = statistics.take(number) }
    var playout = PlayoutStatistics()
    (playout.played, playout.late, playout.stillBuffered) = (80, 7, 2)
    playout.discarded[.bufferFull] = 1
    var ends = StreamEnds(.finalCount)
    (ends.sent, ends.lostAtEnds) = (105, 5)
    for drops in [0, 4, 15, 16] {
      let loss = LossAccount(statistics.summary(), playout, ends, socketDrops: drops)
      #expect(loss.total == 105 && loss.isComplete && loss.droppedBySocket == min(drops, 15))
      let sum = loss.played + loss.late + loss.discarded + loss.stillBuffered + loss.droppedBySocket + loss.network
      #expect(sum == loss.total)
    }
    let open = LossAccount(statistics.summary(), playout, StreamEnds(.noReport), socketDrops: 3)
    #expect(open.total == 100 && !open.isComplete && open.network == 7 && open.atEnds == nil)
  }
}

struct PathDelayTests {
  private func delay(
    transit: Interval? = .seconds(-500), origin: Interval? = .seconds(1500), isSameHost: Bool = false,
    roundTrip: Interval? = nil, isReordered: Bool = false
  ) -> PathDelay {
    PathDelay(
      leastTransit: transit, senderOrigin: origin, ourOrigin: .seconds(2000) + .milliseconds(3),
      isSameHost: isSameHost, roundTrip: roundTrip, isReordered: isReordered)
  }

  @Test func `timestamps of reordered frames say nothing of when they were sent`() {
    let result = delay(origin: .seconds(1501), isSameHost: true, isReordered: true)
    #expect(result.obstacle == .presentationOrder && result.least == nil && result.basis == nil)
    let far = delay(roundTrip: .milliseconds(40), isReordered: true)
    #expect(far.obstacle == .presentationOrder && far.least == nil && far.clockOffset == nil)
    #expect(delay(origin: nil, isReordered: true).obstacle == .noReport)
  }

  @Test func `on one host the clocks are one`() {
    let result = delay(isSameHost: true)
    #expect(result.least == .milliseconds(3) && result.basis == .sameHost && result.error == .zero)
    #expect(delay(origin: .seconds(1501), isSameHost: true).obstacle == .implausible)
  }

  @Test func `a round trip bounds what the clocks may hide`() {
    let result = delay(roundTrip: .milliseconds(40))
    #expect(result.least == .milliseconds(20) && result.error == .milliseconds(20))
    #expect(result.clockOffset == .milliseconds(-17) && result.basis == .roundTrip)
  }

  @Test func `else only differences are known, and why is said`() {
    #expect(delay().obstacle == .unknownOffset && delay().least == nil)
    #expect(delay(origin: nil).obstacle == .noReport)
    #expect(delay(transit: nil, isSameHost: true).obstacle == .noTransit)
  }
}
