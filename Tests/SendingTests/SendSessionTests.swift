import Packets
import Sending
import Testing
import Timeline

struct SendSessionTests {
  static func configuration(
    sequence: UInt16 = 0x1234, timestamp: UInt32 = 0x89ab_cdef, seed: UInt64 = 1, bandwidth: Double = 64_000
  ) -> SendSession.Configuration {
    SendSession.Configuration(
      ssrc: 0xdead_beef, payloadType: 111, clockRate: 48_000, firstSequence: SequenceNumber(sequence),
      firstTimestamp: RTPTimestamp(timestamp), cname: "a@b", bandwidth: bandwidth,
      wallClockOffset: 1_700_000_000_000_000_000, seed: seed)
  }

  /// What `body` writes into 1500 bytes; nil when it writes nothing.
  static func written(_ body: (inout MutableSpan<UInt8>) -> Int?) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0xee, count: 1500)
    var span = bytes.mutableSpan
    guard let count = body(&span) else { return nil }
    return Array(bytes[..<count])
  }

  static func packetize(
    _ session: inout SendSession, offset: Int64, marker: Bool = false, payload: [UInt8] = [0xf8, 1, 2],
    deadline: Instant = .zero
  ) -> [UInt8]? {
    written { bytes in
      session.packetize(
        payload.span.bytes, timestampOffset: offset, marker: marker, into: &bytes, deadline: deadline)
    }
  }

  @Test func `the first packet, byte for byte`() {
    var session = SendSession(Self.configuration())
    #expect(
      Self.packetize(&session, offset: 0, marker: true) == [
        0x80, 0xef, 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xf8, 1, 2,
      ])
    #expect(session.packetCount == 1)
    #expect(session.octetCount == 3)
  }

  @Test func `sequence number and timestamp wrap`() {
    var session = SendSession(Self.configuration(sequence: 65_535, timestamp: .max - 959))
    let first = Self.packetize(&session, offset: 0)
    let second = Self.packetize(&session, offset: 960)
    #expect(first?[2..<8] == [0xff, 0xff, 0xff, 0xff, 0xfc, 0x40])
    #expect(second?[2..<8] == [0, 0, 0, 0, 0, 0])
  }

  @Test func `a packet that doesn't fit isn't counted`() {
    var session = SendSession(Self.configuration())
    for size in 0..<15 {
      var bytes = [UInt8](repeating: 0, count: size)
      var span = bytes.mutableSpan
      let payload: [UInt8] = [1, 2, 3]
      let count = session.packetize(
        payload.span.bytes, timestampOffset: 0, marker: false, into: &span, deadline: .zero)
      #expect(count == nil)
    }
    #expect(session.packetCount == 0)
    #expect(session.nextReport == nil)
  }

  @Test func `nothing is reported before the first packet`() {
    var session = SendSession(Self.configuration())
    #expect(Self.written { session.pollReport(into: &$0, at: .zero + .seconds(100)) } == nil)
    #expect(Self.written { session.goodbye(into: &$0, at: .zero + .seconds(100)) } == nil)
  }

  @Test func `a sender report's two times belong together`() throws {
    var session = SendSession(Self.configuration())
    // The media time of the last packet stands for 10 s; the report is made 123.456 ms later.
    _ = Self.packetize(&session, offset: 480_000, deadline: .zero + .seconds(10))
    let now = Instant.zero + .seconds(10) + .microseconds(123_456)
    let report = try #require(Self.written { session.goodbye(into: &$0, at: now) })
    let bytes = report.span.bytes
    var cursor = try CompoundCursor(validating: bytes)
    let firstPart = cursor.next(in: bytes)
    let part = try #require(firstPart)
    let sender = try SenderReport(parsing: part, in: bytes)
    #expect(sender.ntp == NTPTimestamp(unixNanoseconds: 1_700_000_010_123_456_000))
    #expect(sender.rtpTimestamp == RTPTimestamp(0x89ab_cdef).advanced(by: 480_000 + 5926))
    #expect(sender.packetCount == 1)
    #expect(sender.octetCount == 3)
    let secondPart = cursor.next(in: bytes)
    let name = try #require(secondPart)
    let description = try SourceDescription(parsing: name, in: bytes)
    let text = description.text(of: SourceDescription.ItemType.cname, ssrc: 0xdead_beef, in: bytes)
    #expect(text.map { Array(report[$0]) } == Array("a@b".utf8))
    let thirdPart = cursor.next(in: bytes)
    let last = try #require(thirdPart)
    let goodbye = try Goodbye(parsing: last, in: bytes)
    let leaving = goodbye.source(0, in: bytes)
    #expect(leaving == 0xdead_beef)
    let isAtEnd = cursor.next(in: bytes) == nil
    #expect(isAtEnd)
    #expect(session.nextReport == nil)
  }

  @Test func `reports come at 0.5 to 1.5 times 5 s over the compensation, and every 5 s in the mean`() {
    var intervals: [Double] = []
    for seed in UInt64(0)..<20 {
      var session = SendSession(Self.configuration(seed: seed))
      _ = Self.packetize(&session, offset: 0)
      var last: Instant?
      for _ in 0..<100 {
        guard let due = session.nextReport else { break }
        #expect(Self.written { session.pollReport(into: &$0, at: due - .nanoseconds(1)) } == nil)
        // At its deadline a report may be put off once more: that is the timer reconsideration of section 6.3.6.
        guard Self.written({ session.pollReport(into: &$0, at: due) }) != nil else { continue }
        if let last { intervals.append((due - last).seconds) }
        last = due
      }
    }
    #expect(intervals.count > 900)
    for interval in intervals {
      #expect(interval >= 2.5 / 1.2183)
      #expect(interval <= 7.5 / 1.2182)
    }
    // What the compensation by e - 3/2 is for: with reconsideration the mean is the 5 s of section 6.2.
    let mean = intervals.reduce(0, +) / Double(intervals.count)
    #expect(abs(mean - 5) < 0.3)
  }

  @Test func `a narrow session reports less often, by the size of its packets on the wire`() throws {
    // 1 kbit/s: RTCP gets 6.25 bytes a second, of which 2 members share it all. The compound has 28 + 28 bytes, and
    // IP and UDP 28 more.
    var session = SendSession(Self.configuration(bandwidth: 1_000))
    _ = Self.packetize(&session, offset: 0)
    var last = Instant.zero
    var sum = 0.0
    var size = 0
    var count = 0
    while count < 400 {
      let due = try #require(session.nextReport)
      guard let report = Self.written({ session.pollReport(into: &$0, at: due) }) else { continue }
      size = report.count
      count += 1
      sum += (due - last).seconds
      last = due
    }
    let mean = sum / 400
    let expected = Double(size + 28) * 2 / 6.25
    #expect(abs(mean / expected - 1) < 0.06, "\(mean) s, not \(expected) s")
  }

  @Test func `no length and no garbage traps the RTCP side`() {
    var generator = SeededGenerator(seed: 11)
    var session = SendSession(Self.configuration())
    _ = Self.packetize(&session, offset: 0)
    let valid = Self.written { session.goodbye(into: &$0, at: .zero + .seconds(1)) } ?? []
    for length in 0...valid.count {
      let cut = Array(valid[..<length])
      session.handleRTCP(cut.span.bytes, at: .zero)
    }
    for _ in 0..<20_000 {
      var bytes = generator.next() & 1 == 0 ? valid : [UInt8](repeating: 0, count: Int(generator.next() % 80))
      for _ in 0..<4 where !bytes.isEmpty {
        bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
      }
      session.handleRTCP(bytes.span.bytes, at: .zero)
    }
    #expect(session.farEnds.invalidCount > 0)
  }

  @Test func `only report blocks about our source count`() throws {
    var session = SendSession(Self.configuration())
    _ = Self.packetize(&session, offset: 0)
    func report(about ssrc: UInt32) -> [UInt8] {
      let block = ReportBlock(
        ssrc: ssrc, fractionLost: 7, cumulativeLost: 8, highestSequence: 9, jitter: 10, lastSenderReport: 0,
        delaySinceLastSenderReport: 0)
      let blocks = [block]
      return Self.written { bytes in
        var writer = CompoundWriter()
        return writer.receiverReport(ssrc: 5, blocks: blocks.span, into: &bytes) ? writer.count : nil
      } ?? []
    }
    session.handleRTCP(report(about: 1).span.bytes, at: .zero)
    #expect(session.farEnds.latest == nil)
    session.handleRTCP(report(about: 0xdead_beef).span.bytes, at: .zero)
    #expect(session.farEnds.latest?.block?.cumulativeLost == 8)
    #expect(session.farEnds.latest?.blockCount == 1)
    #expect(session.farEnds.invalidCount == 0)
  }
}
