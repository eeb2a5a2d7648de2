import Impairment
import Packets
import Receiving
import Sending
import Simulation
import Statistics
import Testing
import Timeline

/// The sender learns by extended reports what the receiver knows, packet by packet (RFC 3611).
struct FarEndTests {
  /// Losses, copies, disorder; a wrap of the numbers; and a path that is gone at the end.
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func `the sender's table equals the receiver's own`(seed: UInt64) throws {
    let link = "loss=5%,burst=2,duplicate=5%,delay=30ms,jitter=20ms,reorder=3%,seed=\(seed)"
    let world = try world([.packets(count: 2000)], link: link, seed: seed) {
      $0.scripts[0].firstSequence = 64_000
      $0.reportLink = .perfect
    }
    let truth = world.receiver.streams[0].statistics.summary()
    let farEnd = try #require(world.sender(0).farEnds.latest)
    let table = try #require(farEnd.extended).reception.summary()
    #expect(truth.lost > 50 && truth.duplicates > 50 && truth.reordered > 20)
    #expect(table.covered == truth.expected)
    #expect(table.lost == truth.lost)
    #expect(table.runs == truth.lossRuns)
    #expect(table.lost - Int(farEnd.block?.cumulativeLost ?? 0) == truth.duplicates)
    #expect(farEnd.extended?.thinning == 0)

    // And it is the same packets as the link lost and doubled.
    let fates = world.record.sent
    let lowest = try #require(world.record.arrivals.map(\.sentIndex).min())
    let highest = try #require(world.record.arrivals.map(\.sentIndex).max())
    #expect(table.first == Int64(lowest) && table.last >= Int64(highest))
    #expect(table.lost == fates[lowest...highest].count { $0.fate?.cause != .delivered })
    #expect(table.duplicated == Set(world.record.arrivals.filter { $0.copy > 0 }.map(\.sentIndex)).count)
    #expect(world.sender(0).isFinal(farEnd) && !world.sender(0).hasLeftEarly(farEnd))
    #expect(farEnd.missingTail(of: 2000) == Int64(1999 - highest))
  }

  /// Half of the packets are held back until later ones have overtaken them, the very first among them.
  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `numbers before the first that arrived are covered when they come later`(seed: UInt64) throws {
    let world = try world([.packets(count: 600)], link: "delay=40ms,jitter=30ms,jitter-order=break,seed=\(seed)") {
      $0.reportLink = .perfect
    }
    let truth = world.receiver.streams[0].statistics
    let table = try #require(world.sender(0).farEnds.latest?.extended).reception.summary()
    #expect(truth.expected == 600)
    #expect(table.covered == truth.expected)
    #expect(table.lost + table.lostAtEnd == 0)
  }

  /// Three streams share the bytes of one report; what really arrives allows enough for all of them from the first on.
  @Test(arguments: [20, 23, 31] as [UInt64])
  func `several streams in one report are told of number for number`(
    seed: UInt64
  ) throws {
    let link = "loss=3%,duplicate=2%,delay=20ms,jitter=4ms,jitter-order=break,seed=\(seed)"
    let scripts = [10, 65_500, 10].enumerated().map { place, first in
      MediaScript(
        [.packets(count: 1200, duration: 240)], ssrc: UInt32(place + 1), firstSequence: UInt16(first),
        start: .zero + .seconds(1) + .microseconds(700) * Int64(place))
    }
    var configuration = World.Configuration(scripts, link: try LinkSpec(parsing: link), seed: seed)
    configuration.reportLink = .perfect
    var world = World(configuration)
    world.run()
    for place in scripts.indices {
      let truth = try #require(world.receiver.streams.first { $0.ssrc == UInt32(place + 1) }).statistics.summary()
      let extended = try #require(world.sender(place).farEnds.latest?.extended)
      let table = extended.reception.summary()
      #expect(extended.thinning == 0)
      #expect(table.covered == truth.expected && table.lost == truth.lost && table.runs == truth.lossRuns)
    }
  }

  @Test func `what is lost at the end is known to the sender`() throws {
    // The path is gone for the last 100 packets; reports and the goodbye still come through.
    let world = try world(
      [.packets(count: 1000), .blackout(.milliseconds(2100)), .packets(count: 100), .stall(.milliseconds(500))],
      link: "delay=10ms")
    let farEnd = try #require(world.sender(0).farEnds.latest)
    let table = try #require(farEnd.extended).reception.summary()
    #expect(world.receiver.streams[0].statistics.expected == 1000)
    #expect(world.sender(0).isFinal(farEnd) && !world.sender(0).hasLeftEarly(farEnd))
    #expect(farEnd.missingTail(of: 1100) == 100)
    // A report before had shown that nothing was missing at the head: the receiver can tell, too.
    #expect(table.covered == 1100)
    #expect(table.lost == 0)
    #expect(table.lostAtEnd == 100)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func `when reports are lost themselves the table says what it covers, and is right about that`(seed: UInt64) throws {
    let link = "loss=8%,duplicate=3%,delay=30ms,jitter=10ms,seed=\(seed)"
    let world = try world([.packets(count: 6000)], link: link, seed: seed) {
      $0.reportLink = try? LinkSpec(parsing: "loss=40%,delay=20ms,seed=\(seed)")
    }
    let farEnd = try #require(world.sender(0).farEnds.latest)
    let table = try #require(farEnd.extended).reception.summary()
    let truth = world.receiver.streams[0].statistics.summary()
    #expect(table.covered <= truth.expected + table.lostAtEnd)
    #expect(table.lost <= truth.lost)
    // Each number is in two reports: two in a row must be lost for a hole.
    #expect(Double(table.covered) > 0.5 * Double(truth.expected), "\(table.covered) of \(truth.expected)")
    let lost = Double(table.lost) / Double(max(table.covered, 1))
    #expect(abs(lost - 0.08) < 0.03)
  }

  @Test func `late packets take their losses back in a later report`() throws {
    // A tenth of the packets take 6 s more: longer than a report's interval.
    let world = try world([.packets(count: 3000)], link: "delay=20ms,jitter=2s,reorder=5%,seed=3") {
      $0.receiver.target = .seconds(10)
      $0.reportLink = .perfect
    }
    let farEnd = try #require(world.sender(0).farEnds.latest)
    let table = try #require(farEnd.extended).reception.summary()
    let truth = world.receiver.streams[0].statistics.summary()
    #expect(truth.reordered > 100)
    #expect(table.lost == truth.lost)
    #expect(table.covered == truth.expected)
  }

  @Test func `receivers learn the round trip, too`() throws {
    let world = try world([.packets(count: 3000)], link: "delay=37ms")
    let roundTrip = world.receiver.streams[0].roundTrip.milliseconds
    #expect(roundTrip.count >= 5)
    #expect(abs(roundTrip.min - 74) < 0.1 && abs(roundTrip.max - 74) < 0.1)
  }

  @Test func `receipt times tell the spread of the delay`() throws {
    let world = try world([.packets(count: 3000)], link: "delay=40ms,jitter=10ms,seed=9") {
      $0.reportLink = .perfect
    }
    let extended = try #require(world.sender(0).farEnds.latest?.extended)
    let spread = try #require(extended.delay.percentiles())
    let truth = try #require(world.receiver.streams[0].statistics.summary().delayVariation)
    #expect(extended.delay.count > 100)
    #expect(abs(spread.p50 - truth.p50) < 5)
    #expect(spread.max <= truth.max + 0.1)
  }

  @Test func `extended reports can be switched off, and plain ones still work`() throws {
    let world = try world([.packets(count: 2000)], link: "loss=5%,seed=1") {
      $0.receiver.sendsExtendedReports = false
      $0.reportLink = .perfect
    }
    let farEnd = try #require(world.sender(0).farEnds.latest)
    #expect(farEnd.extended == nil)
    #expect(farEnd.block?.cumulativeLost == Int32(world.receiver.streams[0].statistics.lost))
    #expect(world.receiver.streams[0].roundTrip.milliseconds.count == 0)
  }

  @Test func `a sender that counts anew is reported on by its new numbers`() throws {
    let world = try world(
      [
        .packets(count: 300), .restart(ssrc: 0x1a2b_3c4d, sequence: 40_000, timestamp: 3_000_000_000),
        .packets(count: 500),
      ], link: "loss=5%,seed=4"
    ) { $0.reportLink = .perfect }
    try #require(world.receiver.streams.count == 1 && world.receiver.streams[0].statistics.restarts == 1)
    let farEnd = try #require(world.sender(0).farEnds.latest)
    let table = try #require(farEnd.extended).reception.summary()
    #expect(table.covered > 480 && table.covered <= 500)
    #expect(
      table.lost + table.lostAtEnd == 500 - world.record.arrivals.count { $0.sentIndex >= 300 } - Int(table.first))
  }

  @Test func `a fast stream's reports stay within the MTU and the bandwidth`() throws {
    // 4000 packets a second: 20,000 numbers between two reports.
    let world = try world([.packets(count: 60_000, duration: 120)], link: "loss=10%,seed=2") {
      $0.reportLink = .perfect
      $0.keepsRecord = false
      $0.receiver.bandwidth = 64_000
    }
    #expect(world.record.longestReceiverReport <= 1200)
    let farEnd = try #require(world.sender(0).farEnds.latest)
    let table = try #require(farEnd.extended).reception.summary()
    #expect(table.covered > 1000)
    #expect(abs(table.lossRatio - 0.1) < 0.03)
  }
}
