import Buffering
import Packets
import Receiving
import Statistics
import Testing
import Timeline

/// Which datagrams make a stream, and which don't.
struct SourceTests {
  @Test func `one packet makes no stream`() {
    var ear = Ear()
    ear.take(Ear.rtp(1), at: 0)
    #expect(ear.session.streams.isEmpty)
    #expect(ear.session.datagrams.held == 1)
    ear.finish()
    #expect(ear.session.datagrams.discarded[.probation] == 1)
    #expect(ear.isClosed)
  }

  @Test func `the second packet in sequence proves the source, and both are played`() {
    var ear = Ear()
    ear.take(Ear.rtp(1), at: 0)
    ear.take(Ear.rtp(2), at: 20)
    #expect(ear.events == [.began])
    #expect(ear.session.streams[0].statistics.received == 2)
    ear.finish()
    #expect(ear.played == 2)
    #expect(ear.isClosed)
  }

  @Test func `duplicates of one packet prove nothing`() {
    var ear = Ear()
    for time in Int64(0)..<20 { ear.take(Ear.rtp(7), at: time) }
    #expect(ear.session.streams.isEmpty)
    #expect(ear.session.datagrams.held <= 8)
    ear.finish()
    #expect(ear.isClosed)
  }

  @Test func `two senders of one source don't prove each other`() {
    var ear = Ear()
    ear.take(Ear.rtp(1), at: 0, from: 1)
    ear.take(Ear.rtp(2), at: 5, from: 2)
    #expect(ear.session.streams.isEmpty)
  }

  @Test func `swapped first packets are all kept`() {
    var ear = Ear()
    for (sequence, time) in [(65_535, 0), (65_534, 5), (0, 20), (1, 40)] as [(UInt16, Int64)] {
      ear.take(Ear.rtp(sequence, timestamp: UInt32(sequence &+ 10) * 960), at: time)
    }
    ear.finish()
    #expect(ear.session.streams[0].statistics.unique == 4)
    #expect(ear.session.streams[0].statistics.lost == 0)
    #expect(ear.played == 4)
    #expect(ear.isClosed)
  }

  @Test func `a hundred thousand made-up sources cost bounded memory and disturb nothing`() {
    var ear = Ear { $0.isTracing = false }
    var made: UInt32 = 0
    var mostHeld = 0
    for packet in UInt16(0)..<1001 {
      ear.take(Ear.rtp(packet), at: Int64(packet) * 20)
      if packet == 0 { continue }
      for _ in 0..<100 {
        made += 1
        let datagram = Ear.rtp(UInt16(truncatingIfNeeded: made &* 40_503), ssrc: made)
        ear.take(datagram, at: Int64(packet) * 20 + 1, from: made)
      }
      mostHeld = max(mostHeld, ear.session.datagrams.held)
    }
    #expect(mostHeld <= 256 * 8)
    ear.session.stop()
    ear.drain(at: .zero + .seconds(100))
    #expect(ear.session.streams.count == 1)
    let stream = ear.session.streams[0]
    #expect(stream.statistics.received == 1001)
    #expect(stream.playout.played == 1001)
    #expect(stream.playout.late == 0)
    #expect(stream.playout.concealed == 0)
    #expect(ear.session.datagrams.discarded[.probation] == 100_000)
  }

  @Test func `a stream that begins amid a flood of made-up sources gets in`() {
    var ear = Ear()
    var made: UInt32 = 0
    for packet in UInt16(0)..<100 {
      ear.take(Ear.rtp(packet), at: Int64(packet) * 20)
      for _ in 0..<200 {
        made += 1
        ear.take(Ear.rtp(UInt16(truncatingIfNeeded: made), ssrc: made), at: Int64(packet) * 20 + 1, from: made)
      }
    }
    #expect(ear.session.streams.map(\.ssrc) == [Ear.ssrc])
    ear.finish()
    #expect(ear.played > 50)
    #expect(ear.isClosed)
  }

  @Test func `made-up sources that pass probation are bounded, too`() {
    var ear = Ear {
      $0.isTracing = false
      $0.sourceLimit = 4
      $0.idleTimeout = .seconds(1)
    }
    for packet in UInt16(0)..<600 {
      ear.take(Ear.rtp(packet), at: Int64(packet) * 20)
      let made = 100_000 + UInt32(packet)
      ear.take(Ear.rtp(1, ssrc: made), at: Int64(packet) * 20, from: made)
      ear.take(Ear.rtp(2, ssrc: made), at: Int64(packet) * 20, from: made)
      // Those that are displaced are still played to their end.
      #expect(ear.session.streams.count { $0.isOpen } <= 8)
      #expect(ear.session.streams.count <= 256)
    }
    #expect(ear.session.datagrams.discarded[.sourceLimit] > 0)
    let real = ear.session.streams.first { $0.ssrc == Ear.ssrc }
    #expect(real?.statistics.received == 600)
    #expect(real?.statistics.lost == 0)
  }

  @Test func `sources that fell silent make place for a new one, even without an idle timeout`() {
    var ear = Ear {
      $0.isTracing = false
      $0.sourceLimit = 4
    }
    for made in UInt32(1)...4 {
      ear.take(Ear.rtp(1, ssrc: made), at: 0, from: made)
      ear.take(Ear.rtp(2, ssrc: made), at: 0, from: made)
    }
    // All places are taken by sources that never send again.
    for packet in UInt16(0)..<300 { ear.take(Ear.rtp(packet), at: Int64(packet) * 20, from: 9) }
    let real = ear.session.streams.first { $0.ssrc == Ear.ssrc }
    #expect(real?.statistics.lost == 0)
    // It waits for the two seconds after which a silent source may be displaced, no longer.
    #expect((real?.statistics.received ?? 0) >= 195)
  }

  @Test func `one that sends from elsewhere with our source is a collision until the first falls silent`() {
    var ear = Ear()
    for packet in UInt16(0)..<10 {
      ear.take(Ear.rtp(packet), at: Int64(packet) * 20, from: 1)
      ear.take(Ear.rtp(packet &+ 100), at: Int64(packet) * 20, from: 2)
    }
    #expect(ear.session.datagrams.discarded[.collision] == 9)
    ear.take(Ear.rtp(80), at: 1600, from: 2)
    ear.take(Ear.rtp(81), at: 1620, from: 2)
    #expect(ear.events.contains(.moved))
    ear.finish()
    #expect(ear.session.streams[0].statistics.received == 12)
    #expect(ear.isClosed)
  }

  @Test func `a lone packet from far away is dropped, two in sequence restart the stream`() {
    var ear = Ear()
    for packet in UInt16(0)..<10 { ear.take(Ear.rtp(packet), at: Int64(packet) * 20) }
    ear.take(Ear.rtp(30_000), at: 200)
    ear.take(Ear.rtp(10), at: 201)
    #expect(ear.session.datagrams.discarded[.outOfRange] == 1)
    #expect(ear.session.streams[0].statistics.restarts == 0)
    ear.take(Ear.rtp(30_000, timestamp: 5), at: 220)
    // A late packet from before doesn't hide the restart.
    ear.take(Ear.rtp(9), at: 221)
    ear.take(Ear.rtp(30_001, timestamp: 965), at: 240)
    #expect(ear.session.streams[0].statistics.restarts == 1)
    ear.finish()
    #expect(ear.session.streams[0].statistics.unique == 13)
    #expect(ear.session.streams[0].statistics.duplicates == 1)
    #expect(ear.isClosed)
  }

  @Test func `packets of a fast stream that come two in sequence from far back move nothing`() {
    var ear = Ear()
    // 1000 packets a second of 2.5 ms would be too many for Opus: 400 a second, and 1.5 s late.
    for packet in UInt16(0)..<2000 {
      ear.take(
        Ear.rtp(packet, timestamp: UInt32(packet) * 120, payload: [28 << 3, 1, 2]), at: Int64(packet) * 5 / 2)
    }
    for packet in [1200, 1201, 1202, 1203] as [UInt16] {
      ear.take(Ear.rtp(packet, timestamp: UInt32(packet) * 120, payload: [28 << 3, 1, 2]), at: 5000)
    }
    let statistics = ear.session.streams[0].statistics
    #expect(statistics.restarts == 0)
    #expect(statistics.expected == 2000)
    ear.finish()
    #expect(ear.isClosed)
  }

  @Test func `a payload that isn't Opus is counted and concealed`() {
    var ear = Ear()
    for packet in UInt16(0)..<10 {
      ear.take(Ear.rtp(packet, payload: packet == 5 ? [0xff, 0xff] : [0xf8, 1, 2]), at: Int64(packet) * 20)
    }
    ear.take(Ear.rtp(10, type: 13), at: 200)
    ear.finish()
    let playout = ear.session.streams[0].playout
    #expect(playout.discarded[.invalidPayload] == 1)
    #expect(playout.discarded[.wrongPayloadType] == 1)
    #expect(playout.concealed == 2)
    #expect(playout.played == 9)
    #expect(ear.isClosed)
  }

  @Test func `a burst that doesn't fit the buffer is counted as discarded`() {
    var ear = Ear()
    // All of one video frame, so that none is due before the others.
    for packet in UInt16(0)..<2000 { ear.take(Ear.rtp(packet, timestamp: 7, type: 112), at: 0) }
    ear.finish()
    let stream = ear.session.streams[0]
    #expect(stream.playout.discarded[.bufferFull] == 2000 - 1024)
    #expect(stream.playout.played == 1024)
    #expect(stream.statistics.expected == stream.playout.played + stream.playout.concealed)
    #expect(ear.isClosed)
  }

  @Test func `a stream of which no payload is good closes its account`() {
    var ear = Ear { $0.formats.option = .opus }
    for packet in UInt16(0)..<10 { ear.take(Ear.rtp(packet, payload: []), at: Int64(packet) * 20) }
    ear.finish()
    let stream = ear.session.streams[0]
    #expect(stream.playout.discarded.total == 10)
    #expect(stream.playout.concealed == 10)
    #expect(ear.isClosed)
  }
}
