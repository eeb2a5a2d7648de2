import Buffering
import Impairment
import Packets
import Receiving
import Statistics
import TestSupport
import Testing
import Timeline

/// What an adaptive buffer makes of a transport stream, none of whose packets ends a frame.
@Suite struct `The delay of a transport stream` {
  private static let packets = 4_000
  private static let step = Interval.milliseconds(5)

  /// A datagram of seven null packets.
  private static func datagram(_ number: Int, timestamp: Int) -> [UInt8] {
    let header = RTPHeader(
      marker: false, payloadType: 33, sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: number)),
      timestamp: RTPTimestamp(UInt32(timestamp)), ssrc: 7)
    var head = [UInt8](repeating: 0, count: 12)
    var span = head.mutableSpan
    _ = header.write(into: &span)
    let null: [UInt8] = [0x47, 0x1f, 0xff, 0x10] + [UInt8](repeating: 0xff, count: 184)
    return head + (0..<7).flatMap { _ in null }
  }

  /// The delay after twenty seconds over a link, and how many packets were late; three in a row share a timestamp.
  private func outcome(over link: String) throws -> (target: Interval, late: Int) {
    var path = Link<Int>(try LinkSpec(parsing: link))
    for number in 0..<Self.packets {
      path.send(number, bytes: 1356, at: .zero + .seconds(1) + .nanoseconds(Self.step.nanoseconds * Int64(number)))
    }
    var arrivals: [(datagram: [UInt8], at: Instant)] = []
    while let arrival = path.receive(at: .zero + .seconds(3600)) {
      let number = arrival.payload
      arrivals.append((Self.datagram(number, timestamp: number / 3 * 3 * 450), arrival.deliveredAt))
    }
    return try Self.outcome(of: arrivals)
  }

  private static func outcome(of arrivals: [(datagram: [UInt8], at: Instant)]) throws -> (target: Interval, late: Int) {
    var configuration = ReceiveSession.Configuration(ssrc: 99, cname: "viewer", seed: 5)
    configuration.target = .zero
    configuration.adaptation = JitterBuffer.Adaptation()
    configuration.formats.described[33] = VideoEncoding.mpegTS.format
    var session = ReceiveSession(configuration)
    var bytes: [UInt8] = []
    for (datagram, arrival) in arrivals {
      while let wake = session.nextWake, wake < arrival {
        while session.pollPlayout(at: wake) != nil {}
        while session.pollFrame(of: 0, into: &bytes) != nil {}
        var report = [UInt8](repeating: 0, count: 1500)
        var span = report.mutableSpan
        while session.pollReport(into: &span, at: wake) != nil {}
      }
      session.handleRTP(datagram.span.bytes, from: Peer(id: 1), at: arrival)
    }
    let stream = try #require(session.streams.first)
    #expect(stream.pictures != nil)
    return (stream.playout.target, stream.playout.late)
  }

  @Test func `falls to what a quiet network needs`() throws {
    let (target, late) = try outcome(over: "delay=30ms,seed=1")
    // Within three packets of one timestamp the last comes 10 ms after the first.
    #expect(target >= .milliseconds(10) && target < .milliseconds(30), "\(target)")
    #expect(late == 0)
  }

  @Test(arguments: LongRun.seeds(4)) func `grows to what a restless one needs`(seed: UInt64) throws {
    let (target, late) = try outcome(over: "delay=60ms,jitter=60ms,seed=\(seed)")
    #expect(target > .milliseconds(100) && target < .milliseconds(400), "\(target)")
    #expect(late < Self.packets / 50, "\(late)")
  }

  @Test(arguments: [200, 4_000]) func `forgets one stall within seconds, however many packets it held up`(
    rate: Int
  ) throws {
    let stall = Instant.zero + .seconds(6)
    let arrivals = (0..<12 * rate).map { number in
      let sent = Instant.zero + .seconds(1) + .nanoseconds(Int64(number) * 1_000_000_000 / Int64(rate))
      let isHeldUp = sent >= stall && sent < stall + .milliseconds(200)
      return (Self.datagram(number, timestamp: number * 90_000 / rate), isHeldUp ? stall + .milliseconds(200) : sent)
    }
    let target = try Self.outcome(of: arrivals).target
    #expect(target <= .milliseconds(20), "\(target)")
  }
}
