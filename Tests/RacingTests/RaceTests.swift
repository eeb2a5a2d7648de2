import Buffering
import Impairment
import Packets
import Racing
import Receiving
import Statistics
import Testing
import Timeline

/// Media and lanes for races on the virtual clock.
enum Track {
  /// Packets of 20 ms; with `fec` they are of SILK and carry a copy of the one before.
  static func stream(_ count: Int, fec: Bool = false, seed: UInt64 = 7) -> RaceStream {
    let frames = (0..<count).map { index in
      var payload = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 60)
      // CELT fullband mono of 20 ms; or SILK wideband mono of 20 ms whose first frame has the LBRR bit.
      payload[0] = fec ? 9 << 3 : 31 << 3
      payload[1] = fec ? 0xc0 : 0
      return RaceStream.Frame(
        payload: payload, time: Int64(index) * 960, duration: 960, marker: index == 0)
    }
    return RaceStream(frames, seed: seed)
  }

  static let start = Instant.zero + .seconds(1)

  static func receiver(
    _ stream: RaceStream, buffer: Interval = .milliseconds(60), adaptation: JitterBuffer.Adaptation? = nil
  ) -> LaneReceiver {
    LaneReceiver(stream, start: start, target: buffer, adaptation: adaptation, seed: 1)
  }

  /// A lane that has been raced to its end.
  static func raced(
    _ stream: RaceStream, link: String, buffer: Interval = .milliseconds(60),
    adaptation: JitterBuffer.Adaptation? = nil
  ) throws -> VirtualLane {
    let receiver = receiver(stream, buffer: buffer, adaptation: adaptation)
    var lane = VirtualLane(receiver, link: try LinkSpec(parsing: link))
    while lane.pollPlayout() != nil {}
    return lane
  }

  static func fates(_ lane: VirtualLane, buffer: Interval = .milliseconds(60)) -> [RaceFate] {
    let deadline = RaceDeadline(buffer: buffer, lanes: [lane.receiver])
    return lane.receiver.packets.indices.map { lane.receiver.fate(of: $0, by: deadline) }
  }
}

/// A lane of datagrams on the virtual clock: what the link decides is what the lane reports.
struct VirtualLaneTests {
  @Test func `a perfect link brings every packet at once and in time`() throws {
    let lane = try Track.raced(Track.stream(50), link: "none")
    #expect(Track.fates(lane) == Array(repeating: .onTime, count: 50))
    #expect(lane.receiver.packets.indices.allSatisfy { lane.receiver.delay($0) == .zero })
    #expect(lane.receiver.packets.allSatisfy { $0.heard == .played && $0.copies == 1 })
  }

  @Test func `what the link loses is lost, and nothing else is`() throws {
    let lane = try Track.raced(Track.stream(1000), link: "loss=10%,delay=40ms,seed=3")
    let fates = Track.fates(lane)
    #expect(lane.fates.count == 1000)
    for (fate, decided) in zip(fates, lane.fates) {
      #expect(fate == (decided.cause == .delivered ? .onTime : .lost))
    }
    #expect(fates.count { $0 == .lost } == Int(lane.linkRecord.lost))
    #expect(lane.linkRecord.lost > 50)
    #expect(lane.receiver.leastDelay == .milliseconds(40))
  }

  @Test func `two lanes with one seed meet the same weather packet for packet, with another seed they don't`() throws {
    let spec = "loss=5%,burst=3,delay=30ms,jitter=10ms,reorder=2%,duplicate=3%"
    let first = try Track.raced(Track.stream(500), link: spec + ",seed=11")
    // Longer packets of another stream: what is decided doesn't depend on what is carried.
    let second = try Track.raced(Track.stream(500, fec: true, seed: 99), link: spec + ",seed=11")
    let other = try Track.raced(Track.stream(500), link: spec + ",seed=12")
    #expect(first.fates == second.fates)
    #expect(first.fates != other.fates)
    #expect(first.receiver.packets.map(\.arrival) == second.receiver.packets.map(\.arrival))
  }

  @Test func `two runs are the same to the last bit`() throws {
    let spec = "wifi-busy,seed=5"
    let runs = try (0..<2).map { _ in try Track.raced(Track.stream(400), link: spec) }
    #expect(runs[0].receiver.packets == runs[1].receiver.packets)
    #expect(Track.fates(runs[0]) == Track.fates(runs[1]))
  }

  @Test func `a link is up until its outages begin, and then goes down when another with its seed does`() throws {
    let spec = try LinkSpec(parsing: "outage=1s:500ms,seed=6")
    let begin = Instant.zero + .seconds(10)
    var (early, late) = (Link<Int>(spec), Link<Int>(spec))
    early.beginOutages(at: .distantFuture)
    // One link carries packets before, as of a connection that is being made.
    for index in 0..<500 {
      #expect(early.send(index, bytes: 100, at: .zero + .milliseconds(Int64(index) * 20)).cause == .delivered)
    }
    early.beginOutages(at: begin)
    late.beginOutages(at: begin)
    let fates = (0..<1000).map { index in
      let now = begin + .milliseconds(Int64(index) * 20)
      return (early.send(index, bytes: 100, at: now).cause, late.send(index, bytes: 100, at: now).cause)
    }
    #expect(fates.allSatisfy { $0.0 == $0.1 })
    #expect(fates.contains { $0.0 == .outage } && fates.contains { $0.0 == .delivered })
  }

  @Test func `a packet that comes at the deadline is on time, one nanosecond later it is late`() throws {
    let stream = Track.stream(3)
    var receiver = Track.receiver(stream)
    let path = Interval.milliseconds(40)
    let arrivals = [path, path + .milliseconds(60), path + .milliseconds(60) + .nanoseconds(1)]
    var bytes: [UInt8] = []
    for (index, delay) in arrivals.enumerated() {
      stream.write(index, into: &bytes)
      let arrival = receiver.due(index) + delay
      while receiver.pollPlayout(until: arrival) != nil {}
      #expect(receiver.receive(bytes.span.bytes, at: arrival) == index)
    }
    let deadline = RaceDeadline(buffer: .milliseconds(60), lanes: [receiver])
    #expect((0..<3).map { receiver.fate(of: $0, by: deadline) } == [.onTime, .onTime, .late])
  }

  @Test func `the deadline is that of the fastest lane, for every lane`() throws {
    let slow = try Track.raced(Track.stream(20), link: "delay=50ms")
    let fast = try Track.raced(Track.stream(20), link: "delay=10ms")
    let deadline = RaceDeadline(buffer: .milliseconds(30), lanes: [slow.receiver, fast.receiver])
    #expect(deadline == .after(.milliseconds(40)))
    #expect((0..<20).allSatisfy { slow.receiver.fate(of: $0, by: deadline) == .late })
    #expect((0..<20).allSatisfy { fast.receiver.fate(of: $0, by: deadline) == .onTime })
  }

  @Test func `a packet lost before one that carries its copy is recovered, and only the last of a run`() throws {
    let lane = try Track.raced(Track.stream(2000, fec: true), link: "loss=10%,burst=2,delay=20ms,seed=4")
    let fates = Track.fates(lane)
    let lost = lane.fates.map { $0.copies == 0 }
    for index in fates.indices.dropLast() {
      let expected: RaceFate = !lost[index] ? .onTime : lost[index + 1] ? .lost : .recovered
      // Before the first packet that arrives there is nothing to rebuild.
      guard index > 3 else { continue }
      #expect(fates[index] == expected, "packet \(index)")
    }
    #expect(fates.contains(.recovered) && fates.contains(.lost))
  }

  @Test func `with an adaptive buffer on time is what was played`() throws {
    let lane = try Track.raced(
      Track.stream(1000), link: "delay=20ms,jitter=15ms,jitter-order=break,seed=2", buffer: .zero,
      adaptation: JitterBuffer.Adaptation())
    let deadline = RaceDeadline(buffer: nil, lanes: [lane.receiver])
    #expect(deadline == .playout)
    let onTime = lane.receiver.packets.indices.filter { lane.receiver.fate(of: $0, by: deadline) == .onTime }
    #expect(onTime.count == lane.receiver.session.streams[0].playout.played)
    #expect(onTime.count > 900)
  }

  @Test func `a damaged or foreign datagram is no packet of the race`() throws {
    let stream = Track.stream(5)
    var receiver = Track.receiver(stream)
    var bytes: [UInt8] = []
    stream.write(2, into: &bytes)
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      #expect(receiver.receive(damaged.span.bytes, at: Track.start) == nil)
    }
    for count in 0..<bytes.count {
      #expect(receiver.receive(Array(bytes.prefix(count)).span.bytes, at: Track.start) == nil)
    }
    #expect(receiver.damagedCount == bytes.count * 9)
    #expect(receiver.packets.allSatisfy { $0.arrival == nil })
  }

  @Test func `numbers that wrap more than once stay apart`() {
    let stream = Track.stream(140_000)
    var receiver = Track.receiver(stream)
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 140_000, by: 7) {
      stream.write(index, into: &bytes)
      let arrival = receiver.due(index)
      #expect(receiver.receive(bytes.span.bytes, at: arrival) == index)
    }
    #expect(receiver.arrivedCount == 20_000)
  }
}

/// The player that waits.
struct WaitingPlayerTests {
  private let packet = Interval.milliseconds(20)

  @Test func `while everything is there in time it never stands still`() {
    var player = WaitingPlayer(buffer: .milliseconds(60))
    for index in 0..<100 {
      let due = Track.start + packet * Int64(index)
      // Up to the buffer's length later than the first.
      let pause = player.take(
        time: packet * Int64(index), duration: packet, arrival: due + .milliseconds(Int64(index % 4) * 20))
      #expect(pause == .zero)
    }
    #expect(player.pauses.isEmpty)
  }

  @Test func `it stands still for exactly what the buffer doesn't cover, once, and stays behind by it`() {
    var player = WaitingPlayer(buffer: .milliseconds(60))
    for index in 0..<50 {
      let due = Track.start + packet * Int64(index)
      // From packet 10 on everything is 200 ms late, as after a retransmission that never catches up.
      let arrival = due + (index < 10 ? .zero : .milliseconds(200))
      let pause = player.take(time: packet * Int64(index), duration: packet, arrival: arrival)
      #expect(pause == (index == 10 ? .milliseconds(140) : .zero))
    }
    #expect(
      player.pauses == [
        WaitingPlayer.Pause(at: Track.start + .milliseconds(60) + packet * 10, length: .milliseconds(140))
      ])
    #expect(player.end == Track.start + .milliseconds(60 + 140) + packet * 50)
  }

  @Test func `a pause that the sender makes is none of the player's`() {
    var player = WaitingPlayer(buffer: .zero)
    #expect(player.take(time: .zero, duration: packet, arrival: Track.start) == .zero)
    let later = Interval.seconds(3)
    #expect(player.take(time: later, duration: packet, arrival: Track.start + later) == .zero)
    #expect(player.pauses.isEmpty)
  }
}
