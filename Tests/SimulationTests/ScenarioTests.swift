import Buffering
import Impairment
import Packets
import Receiving
import Sending
import Simulation
import Statistics
import Testing
import Timeline

/// What senders and networks do in the long run of a stream, one thing at a time.
struct ScenarioTests {
  @Test func `a sender that pauses leaves silence, and nothing is lost`() throws {
    let world = try world([.packets(count: 100), .stall(.seconds(2)), .packets(count: 100)])
    audit(world, "pause")
    let stream = world.receiver.streams[0]
    #expect(world.schedule(0).pauseCount == 1)
    #expect(stream.playout.played == 200)
    #expect(stream.playout.concealed == 0)
    #expect(stream.playout.concealedDuration == .zero)
    #expect(abs(stream.playout.silenceDuration.milliseconds - 1980) < 0.1)
    #expect(stream.statistics.restarts == 0)
  }

  @Test func `a short stall is caught up without silence`() throws {
    let world = try world([.packets(count: 100), .stall(.milliseconds(50)), .packets(count: 100)])
    audit(world, "stall")
    let playout = world.receiver.streams[0].playout
    #expect(playout.played == 200)
    #expect(playout.silenceDuration == .zero)
    #expect(playout.concealedDuration == .zero)
  }

  @Test(arguments: [(7, 77), (40_000, 3_000_000_000), (1100, 4_000_000_000), (65_535, .max)] as [(UInt16, UInt32)])
  func `a sender that restarts with the same source goes on in the same stream`(
    sequence: UInt16, timestamp: UInt32
  ) throws {
    let world = try world([
      .packets(count: 100), .restart(ssrc: 0x1a2b_3c4d, sequence: sequence, timestamp: timestamp),
      .packets(count: 100),
    ])
    audit(world, "restart at \(sequence)")
    #expect(world.receiver.streams.count == 1)
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.lost == 0)
    #expect(stream.playout.played == 200)
    #expect(stream.playout.concealed == 0)
    #expect(stream.resynchronisations == 1)
    if sequence != 1100 {
      #expect(stream.statistics.restarts == 1)
      #expect(world.record.events.map(\.event) == [.began, .restarted, .ended(.goodbye)])
    }
  }

  @Test(arguments: [0, 2000, 20_000, 65_000] as [UInt16])
  func `a restart with timestamps that happen to fit isn't a dropout of thousands`(sequence: UInt16) throws {
    let world = try world([
      .packets(count: 100), .restart(ssrc: 0x1a2b_3c4d, sequence: sequence, timestamp: 100_000 + 96_000),
      .packets(count: 100),
    ])
    audit(world, "restart at \(sequence)")
    let stream = world.receiver.streams[0]
    #expect(stream.playout.played == 200)
    if sequence != 2000 { #expect(stream.statistics.lost == 0) }
  }

  @Test func `a copy or a loss among the first packets of a restarted sender is counted like any other`() throws {
    var recording = LinkRecording()
    for packet in 0..<200 {
      recording.append(packet == 100 ? [.zero, .milliseconds(1)] : packet == 101 ? [] : [.zero])
    }
    let link = try LinkSpec(replaying: recording, named: "restart.link")
    let steps: [MediaScript.Step] = [
      .packets(count: 100), .restart(ssrc: 0x1a2b_3c4d, sequence: 40_000, timestamp: 3_000_000_000),
      .packets(count: 100),
    ]
    let world = try world(steps) { $0.link = link }
    audit(world, "restart")
    let statistics = world.receiver.streams[0].statistics
    #expect(statistics.restarts == 1)
    #expect(statistics.received == 200)
    #expect(statistics.unique == 199)
    #expect(statistics.lost == 1)
    #expect(statistics.duplicates == 1)
    #expect(world.receiver.datagrams.discarded.total == 0)
  }

  @Test func `another source is another stream`() throws {
    let world = try world([
      .packets(count: 100), .restart(ssrc: 5, sequence: 9, timestamp: 9), .packets(count: 50),
    ])
    audit(world, "two sources")
    #expect(world.receiver.streams.map(\.ssrc) == [0x1a2b_3c4d, 5])
    #expect(world.receiver.streams.map(\.playout.played) == [100, 50])
    #expect(world.receiver.streams.map(\.end) == [.idle, .goodbye])
  }

  @Test(arguments: [1, 4, 10, 30, 70] as [Int64])
  func `an outage is counted to the packet and filled with silence`(seconds: Int64) throws {
    let frames = 200 + Int(seconds) * 50
    let world = try world([.packets(count: 100), .blackout(.seconds(seconds)), .packets(count: frames)]) {
      $0.receiver.idleTimeout = nil
    }
    audit(world, "outage")
    let stream = world.receiver.streams[0]
    let dark = world.record.sent.count { $0.fate == nil }
    // It begins right behind a packet.
    #expect(dark == Int(seconds) * 50 - 1)
    #expect(stream.statistics.lost == dark)
    #expect(stream.playout.played == 100 + frames - dark)
    #expect(stream.playout.concealed == dark)
    #expect(stream.playout.concealedDuration == .milliseconds(20) * Int64(dark))
    #expect(stream.playout.silenceDuration == .zero)
    #expect(stream.resynchronisations == 0)
    let hasDropout = world.record.events.map(\.event).contains(.dropout(packets: dark))
    #expect(hasDropout == (dark >= 3000))
    let conceals = world.record.playout.count { if case .conceal = $0.decision { true } else { false } }
    // 200 ms fade out the outage, 200 ms the end: the sender says that it sent more than arrived.
    #expect(conceals <= 20)
  }

  @Test(arguments: [10 * 48_000, -10 * 48_000, 1 << 31, -(1 << 30), 48_000 * 3, -48_000 * 3] as [Int64])
  func `a jump of the timestamps ends no stream and pours out no hours`(units: Int64) throws {
    let world = try world([.packets(count: 200), .jump(units: units), .packets(count: 500)])
    audit(world, "jump by \(units)")
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.lost == 0)
    #expect(stream.statistics.restarts == 0)
    let total = stream.playout.playedDuration + stream.playout.concealedDuration + stream.playout.silenceDuration
    #expect(total <= .seconds(14) + .seconds(4))
    #expect(stream.playout.played == 700)
  }

  @Test func `discontinuous transmission is silence, not loss`() throws {
    let world = try world(
      [.packets(count: 100), .silence(.seconds(8)), .packets(count: 100), .silence(.seconds(4)), .packets(count: 50)])
    audit(world, "dtx")
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.lost == 0)
    #expect(stream.playout.concealed == 0)
    #expect(stream.playout.concealedDuration == .zero)
    #expect(stream.playout.silenceDuration == .milliseconds(380) * 30)
    #expect(stream.playout.played == 280)
    let conceals = world.record.playout.contains { if case .conceal = $0.decision { true } else { false } }
    #expect(!conceals)
  }

  @Test func `discontinuous transmission over a lossy link conceals only what was lost`() throws {
    let world = try world(
      [.packets(count: 100), .silence(.seconds(80)), .packets(count: 100)], link: "loss=20%,delay=20ms,seed=4")
    audit(world, "lossy dtx")
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.lost > 20)
    #expect(stream.playout.concealedDuration <= .milliseconds(20) * Int64(stream.playout.concealed))
    #expect(stream.playout.silenceDuration > .seconds(60))
  }

  @Test func `the length of frames may change in mid-stream`() throws {
    let world = try world([
      .packets(count: 100), .packets(count: 50, duration: 2880), .packets(count: 800, duration: 120),
      .packets(count: 100, duration: 1920), .packets(count: 100, duration: 480), .packets(count: 100),
    ])
    audit(world, "frames")
    try compareWithTruth(world, "frames")
    let playout = world.receiver.streams[0].playout
    #expect(playout.played == 1250)
    #expect(playout.concealedDuration == .zero)
    #expect(playout.silenceDuration == .zero)
    #expect(playout.playedDuration == .seconds(2 + 3 + 2 + 4 + 1 + 2))
  }

  @Test func `single lost packets are rebuilt from the next one's copy`() throws {
    let world = try world([.packets(count: 2000, fec: true)], link: "loss=3%,delay=20ms,seed=8")
    audit(world, "fec")
    let stream = world.receiver.streams[0]
    let runs = stream.statistics.summary().lossRuns
    #expect(stream.statistics.lost > 40)
    // Of each run of losses the last packet is rebuilt.
    #expect(stream.playout.recovered == runs.count)
    #expect(stream.playout.concealed == stream.statistics.lost - runs.count)
    #expect(stream.playout.recoveredDuration == .milliseconds(20) * Int64(runs.count))
  }

  @Test func `a goodbye that overtakes the last packets cuts nothing off`() throws {
    let world = try world([.packets(count: 200)], link: "delay=400ms") {
      $0.reportLink = .perfect
    }
    audit(world, "early goodbye")
    #expect(world.receiver.streams[0].playout.played == 200)
    #expect(world.receiver.streams[0].end == .goodbye)
  }

  @Test func `a goodbye ends the stream at once when every packet is there`() throws {
    let world = try world([.packets(count: 200)])
    let ended = try #require(world.record.events.last)
    #expect(ended.event == .ended(.goodbye))
    // The last packet is sent at 1 s + 199 * 20 ms and plays 60 ms later.
    #expect(ended.at == Instant.zero + Interval.milliseconds(1000 + 199 * 20 + 60))
  }

  @Test func `without a goodbye the stream ends after the idle timeout`() throws {
    let world = try world([.packets(count: 200)]) { $0.scripts[0].saysGoodbye = false }
    audit(world, "no goodbye")
    let ended = try #require(world.record.events.last)
    #expect(ended.event == .ended(.idle))
    #expect(ended.at == Instant.zero + Interval.milliseconds(1000 + 199 * 20 + 5000))
    // What was concealed while waiting isn't media.
    #expect(world.receiver.streams[0].playout.concealedDuration == .zero)
  }

  @Test func `stopping in mid-stream plays what is in the buffer and closes the account`() throws {
    let world = try world([.packets(count: 500)], link: "loss=5%,delay=20ms,jitter=10ms,seed=5") {
      $0.stopAt = .zero + .milliseconds(4321)
    }
    let stream = world.receiver.streams[0]
    #expect(stream.end == .stopped)
    #expect(stream.statistics.unique == stream.playout.played + stream.playout.late)
    #expect(stream.statistics.expected == stream.playout.played + stream.playout.recovered + stream.playout.concealed)
    #expect(world.record.fates.count == world.record.handedIn)
    #expect(world.receiver.datagrams.held == 0)
  }

  @Test func `round trips are measured right`() throws {
    let world = try world([.packets(count: 6000)], link: "delay=37ms")
    let roundTrip = try #require(world.sender(0).farEnds.latest).roundTrip.milliseconds
    #expect(roundTrip.count > 10)
    #expect(abs(roundTrip.min - 74) < 0.1)
    #expect(abs(roundTrip.max - 74) < 0.1)
    #expect(world.sender(0).farEnds.invalidCount == 0)
    let block = try #require(world.sender(0).farEnds.latest?.block)
    #expect(block.cumulativeLost == 0)
  }

  @Test func `the receiver's reports tell the sender of its losses`() throws {
    let world = try world([.packets(count: 6000)], link: "loss=10%,delay=37ms,seed=3") { $0.reportLink = .perfect }
    let block = try #require(world.sender(0).farEnds.latest?.block)
    #expect(block.cumulativeLost > 300)
    #expect(Int(block.cumulativeLost) <= world.receiver.streams[0].statistics.lost)
  }

  @Test func `two senders with one source: the first keeps the stream`() throws {
    let world = try world([.packets(count: 500)]) { configuration in
      var other = MediaScript([.packets(count: 300)], firstSequence: 50_000, firstTimestamp: 5, saysGoodbye: false)
      other.start = .zero + .milliseconds(2007)
      configuration.scripts.append(other)
    }
    audit(world, "collision")
    #expect(world.receiver.streams.count == 1)
    let stream = world.receiver.streams[0]
    #expect(stream.playout.played == 500)
    #expect(stream.statistics.received == 500)
    #expect(world.receiver.datagrams.discarded[.collision] == 300)
  }
}
