import Buffering
import Packets
import Receiving
import Statistics
import Testing
import Timeline

struct SessionTests {
  @Test func `what the packets are is found out by the best evidence`() {
    func format(
      _ type: UInt8, payload: [UInt8] = [0xf8, 1, 2], change: (inout FormatTable) -> Void = { _ in }
    ) -> String {
      var ear = Ear { change(&$0.formats) }
      ear.take(Ear.rtp(1, type: type, payload: payload), at: 0)
      ear.take(Ear.rtp(2, type: type, payload: payload), at: 20)
      return ear.session.streams.map { "\($0.format) by \($0.formatOrigin.rawValue)" }.joined()
    }
    #expect(format(97) == "opus/48000/2 by packets")
    #expect(format(0) == "PCMU/8000 by static")
    #expect(format(111, payload: []) == "opus/48000/2 by convention")
    #expect(format(96, payload: []) == "H264/90000 by convention")
    #expect(format(97) { $0.option = FormatTable.synthetic } == "synthetic/90000 by option")
    #expect(format(97) { $0.described[97] = FormatTable.synthetic } == "synthetic/90000 by sdp")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `playing out comes to what asking for each decision does`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var asked = Ear { $0.idleTimeout = .seconds(2) }
    var played = asked.session
    var now: Int64 = 0
    var number: UInt16 = 65_300
    for step in 0..<600 {
      now += Int64.random(in: 0..<45, using: &random)
      // Long enough for the streams to end.
      if step % 250 == 200 { now += 3_000 }
      number &+= random.nextUnit() < 0.1 ? 2 : 1
      let late = random.nextUnit() < 0.1 ? UInt16(random.next() % 6) : 0
      let ssrc = Ear.ssrc + UInt32(random.next() % 2)
      let datagram = Ear.rtp(number &- late, ssrc: ssrc, type: ssrc == Ear.ssrc ? 111 : 0)
      asked.take(datagram, at: now)
      let arrival = Instant.zero + .milliseconds(now)
      played.playOut(until: arrival)
      played.handleRTP(datagram.span.bytes, from: Peer(id: 1), at: arrival)
      played.playOut(until: arrival)
      #expect(played.nextWake == asked.session.nextWake)
    }
    asked.session.stop()
    played.stop()
    asked.drain(at: .distantFuture)
    played.playOut(until: .distantFuture)
    #expect(played.streams.count > 2 && played.datagrams == asked.session.datagrams)
    #expect(played.streams.map(\.playout) == asked.session.streams.map(\.playout))
    #expect(played.streams.map(\.end) == asked.session.streams.map(\.end))
    var events: [StreamEvent] = []
    while let (_, event) = played.pollEvent() { events.append(event) }
    #expect(events == asked.events)
    var fates: [DatagramFate] = []
    while let fate = played.pollFate() { fates.append(fate) }
    #expect(Set(fates.map(\.index)).count == fates.count)
    #expect(fates.sorted { $0.index < $1.index } == asked.fates.sorted { $0.index < $1.index })
  }

  @Test func `the sender's name is known even when it comes before the packets`() {
    var ear = Ear()
    ear.takeRTCP(Ear.rtcp(packets: 0, isGoodbye: false), at: 0)
    ear.take(Ear.rtp(1), at: 1)
    ear.take(Ear.rtp(2), at: 20)
    #expect(ear.session.streams[0].cname == "mouth")
  }

  @Test func `a goodbye waits for packets that the sender counted`() {
    var ear = Ear()
    for packet in UInt16(0)..<10 { ear.take(Ear.rtp(packet), at: Int64(packet) * 20) }
    ear.takeRTCP(Ear.rtcp(packets: 12, isGoodbye: true), at: 181)
    ear.take(Ear.rtp(10), at: 200)
    ear.take(Ear.rtp(11), at: 220)
    ear.drain(at: .zero + .milliseconds(280))
    #expect(ear.events == [.began, .ended(.goodbye)])
    #expect(ear.played == 12)
    #expect(ear.session.streams[0].playout.concealed == 0)
  }

  @Test func `a stream ends with the connection that it came by, and others go on`() {
    var ear = Ear()
    for packet in UInt16(0)..<10 {
      ear.take(Ear.rtp(packet), at: Int64(packet) * 20, from: 1)
      ear.take(Ear.rtp(packet, ssrc: 7), at: Int64(packet) * 20, from: 3)
    }
    ear.session.handleClose(of: Peer(id: 1))
    ear.drain(at: .zero + .milliseconds(300))
    #expect(ear.events == [.began, .began, .ended(.closed)])
    #expect(ear.session.streams[0].playout.played == 10)
    #expect(ear.session.streams[0].playout.concealed == 0)
    #expect(ear.session.streams[1].end == nil)
  }

  @Test func `reports are made while a stream is received, and are valid`() throws {
    var ear = Ear()
    for packet in UInt16(0)..<1000 where packet != 500 { ear.take(Ear.rtp(packet), at: Int64(packet) * 20) }
    let due = try #require(ear.session.nextReport)
    var bytes = [UInt8](repeating: 0, count: 1500)
    var span = bytes.mutableSpan
    let written = ear.session.pollReport(into: &span, at: due)
    let count = try #require(written)
    let again = ear.session.pollReport(into: &span, at: due)
    #expect(again == nil)
    let report = Array(bytes[..<count])
    let whole = report.span.bytes
    var cursor = try CompoundCursor(validating: whole)
    let first = cursor.next(in: whole)
    let receiver = try ReceiverReport(parsing: try #require(first), in: whole)
    let block = receiver.block(0, in: whole)
    #expect(block?.ssrc == Ear.ssrc)
    #expect(block?.cumulativeLost == 1)
    #expect(block?.highestSequence == 999)
  }

  @Test func `no length and no garbage traps a session, and each datagram keeps its class`() {
    for seed in UInt64(1)...20 {
      var generator = SeededGenerator(seed: seed)
      var ear = Ear { $0.idleTimeout = .milliseconds(Int64(seed) * 100) }
      var time: Int64 = 0
      let goodbye = Ear.rtcp(packets: 5, isGoodbye: true)
      for step in 0..<1500 {
        time += Int64(generator.next() % 30)
        let number = UInt16(truncatingIfNeeded: step)
        var bytes =
          switch generator.next() % 8 {
          case 0: [UInt8]((0..<generator.next() % 40).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
          case 1: Ear.rtp(UInt16(truncatingIfNeeded: generator.next()))
          case 2: Ear.rtp(number, timestamp: UInt32(truncatingIfNeeded: generator.next()))
          case 3: goodbye
          default: Ear.rtp(number)
          }
        if generator.next() % 6 == 0, !bytes.isEmpty {
          bytes[Int(generator.next() % UInt64(bytes.count))] ^= 1 << UInt8(generator.next() % 8)
        }
        if generator.next() % 6 == 0 { bytes.removeLast(Int(generator.next() % UInt64(bytes.count + 1))) }
        if generator.next() % 10 == 0 {
          ear.takeRTCP(bytes, at: time)
        } else {
          ear.take(bytes, at: time, from: UInt32(generator.next() % 2))
        }
      }
      ear.finish(at: time + 100_000)
      #expect(ear.isClosed, "seed \(seed)")
      #expect(ear.session.datagrams.held == 0, "seed \(seed)")
      #expect(!ear.session.hasOpenStreams, "seed \(seed)")
      for stream in ear.session.streams {
        let playout = stream.playout
        #expect(
          stream.statistics.unique == playout.played + playout.late + playout.discarded.total, "seed \(seed)")
        #expect(
          stream.statistics.expected == playout.played + playout.recovered + playout.concealed, "seed \(seed)")
      }
    }
  }
}
