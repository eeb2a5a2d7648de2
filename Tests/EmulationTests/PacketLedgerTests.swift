import Impairment
import Testing
import Timeline

@testable import Emulation

/// What is written down of each packet, from the events of a real link on a virtual clock.
@Suite struct PacketLedgerTests {
  /// Runs packets, 1 ms apart, through a link, and writes its events into a ledger.
  private func run(_ spec: String, packets: Int, until end: Instant = .distantFuture) throws -> (
    accounts: [PacketAccount], unfinished: [PacketAccount], remarks: [String], record: LinkRecord
  ) {
    var link = Link<Int>(try LinkSpec(parsing: spec))
    var ledger = PacketLedger()
    var accounts: [PacketAccount] = []
    var remarks: [String] = []
    let frame = Frames.v4(17, Frames.udp(1, 2))
    func write(_ kind: PacketEvent.Kind, _ index: UInt64, _ time: Instant) {
      let event = PacketEvent(
        lane: 0, direction: .up, isControl: false, kind: kind, time: time, index: index, bytes: 28)
      if let remark = ledger.record(event, frame.span.bytes, emit: { accounts.append($0) }) { remarks.append(remark) }
    }
    func receive(_ now: Instant) {
      while let delivery = link.receive(at: now) {
        write(
          .delivered(copy: delivery.copy, due: delivery.deliveredAt), delivery.sentIndex,
          delivery.deliveredAt + .microseconds(7))
      }
    }
    for number in 0..<packets {
      let now = Instant(nanoseconds: Int64(number) * 1_000_000)
      receive(now)
      let fate = link.send(number, bytes: 28, at: now)
      write(.offered(fate), fate.index, now)
    }
    receive(end)
    var unfinished: [PacketAccount] = []
    ledger.finish { unfinished.append($0) }
    return (accounts, unfinished, remarks, link.record)
  }

  @Test func `the accounts are the link's record, packet for packet and in order`() throws {
    let (accounts, unfinished, remarks, record) = try run(
      "loss=5%,delay=20ms,jitter=3ms,reorder=3%,duplicate=4%,corrupt=1%,outage=300ms:20ms,rate=100kbit,queue=6ms",
      packets: 3000)
    #expect(unfinished.isEmpty)
    #expect(accounts.map { $0.fate?.index } == (0..<3000).map { UInt64($0) })
    func count(_ outcome: String) -> UInt64 { UInt64(accounts.count { $0.outcome == outcome }) }
    #expect(count("lost") == record.lost && record.lost > 0)
    #expect(count("queue-full") == record.queueDropped && record.queueDropped > 0)
    #expect(count("outage") == record.outageLost && record.outageLost > 0)
    #expect(count("delivered") == record.delivered - record.duplicated)
    #expect(UInt64(accounts.count { $0.duplicate != nil }) == record.duplicated && record.duplicated > 0)
    #expect(UInt64(accounts.count(where: \.isOvertaken)) == record.reordered && record.reordered > 0)
    #expect(UInt64(remarks.count { $0.contains("dropped: ") }) == record.dropped)
    #expect(UInt64(remarks.count { $0.contains("late: ") }) == record.reordered)
    #expect(UInt64(remarks.count { $0.contains("duplicate of ") }) == record.duplicated)
    #expect(UInt64(remarks.count { $0.contains("was flipped") }) == record.corrupted && record.corrupted > 0)
  }

  @Test func `an account has when the packet came, was due and went`() throws {
    let (accounts, _, remarks, _) = try run("delay=20ms", packets: 2)
    #expect(accounts.map(\.offered.nanoseconds) == [0, 1_000_000])
    #expect(accounts.map(\.due?.nanoseconds) == [20_000_000, 21_000_000])
    #expect(accounts.map(\.delivered?.nanoseconds) == [20_007_000, 21_007_000])
    #expect(accounts.map(\.bytes) == [28, 28])
    #expect(remarks.isEmpty)
  }

  @Test func `what is still under way at the end is said to be`() throws {
    let (accounts, unfinished, _, _) = try run("delay=20ms", packets: 30, until: .zero)
    #expect(accounts.count == 10)
    #expect(unfinished.map { $0.fate?.index } == (10..<30).map { UInt64($0) })
    #expect(Set(unfinished.map(\.outcome)) == ["under-way"])
  }

  @Test func `a packet that nobody judged is passed`() {
    var ledger = PacketLedger()
    var accounts: [PacketAccount] = []
    let event = PacketEvent(
      lane: 0, direction: .down, isControl: false, kind: .passed, time: .zero, index: 0, bytes: 28)
    let remark = ledger.record(event, Frames.ethernet(0x0806, to: 0xff).span.bytes) { accounts.append($0) }
    #expect(remark == nil && accounts.map(\.outcome) == ["passed"])
  }
}

/// The journal between the forwarder and whoever writes it down.
@Suite struct PacketJournalTests {
  private let event = PacketEvent(
    lane: 0, direction: .up, isControl: false, kind: .passed, time: .zero, index: 0, bytes: 3)

  @Test func `events come out in order with their bytes`() throws {
    let journal = try PacketJournal(frameBytes: 2)
    var pen = JournalPen(journal)
    let frames: [[UInt8]] = (0..<5000).map { [UInt8($0 & 255), UInt8($0 >> 8), 9] }
    for (number, frame) in frames.enumerated() {
      var event = event
      event.index = UInt64(number)
      frame.withUnsafeBufferPointer { pen.write(event, $0) }
    }
    pen.finish()
    var seen: [[UInt8]] = []
    journal.drain { event, bytes in
      #expect(event.index == UInt64(seen.count))
      seen.append(bytes.withUnsafeBytes { Array($0) })
    }
    #expect(seen == frames.map { Array($0[..<2]) })
    #expect(journal.omitted == 0)
  }

  @Test func `whoever never drains loses what is beyond the limit, and it is counted`() throws {
    let journal = try PacketJournal(frameBytes: 0)
    var pen = JournalPen(journal)
    let kept = PacketJournal.waitingLimit * PacketJournal.blockEvents
    for _ in 0..<kept + PacketJournal.blockEvents { [UInt8]().withUnsafeBufferPointer { pen.write(event, $0) } }
    pen.finish()
    #expect(journal.omitted == PacketJournal.blockEvents)
    var seen = 0
    journal.drain { _, _ in seen += 1 }
    #expect(seen == kept)
  }
}

/// The memory of frames under way.
@Suite struct FramePoolTests {
  @Test func `slots are apart, come back after the last copy, and are used again`() {
    let pool = FramePool()
    let slots = (0..<2000).map { _ in pool.take() }
    #expect(Set(slots).count == 2000)
    for slot in slots {
      pool.hold(slot, size: Int(slot) % 1500, copies: 2)
      pool.bytes(of: slot).update(repeating: UInt8(truncatingIfNeeded: slot), count: FramePool.slotSize)
    }
    for slot in slots {
      #expect(pool.size(of: slot) == Int(slot) % 1500)
      #expect(pool.bytes(of: slot)[0] == UInt8(truncatingIfNeeded: slot))
      #expect(pool.bytes(of: slot)[FramePool.slotSize - 1] == UInt8(truncatingIfNeeded: slot))
      pool.release(slot)
    }
    let others = Set((0..<48).map { _ in pool.take() })
    #expect(others.isDisjoint(with: slots))
    for slot in slots { pool.release(slot) }
    #expect(Set((0..<2000).map { _ in pool.take() }) == Set(slots))
  }
}
