import Reporting
import Statistics
import Timeline

/// Races that look like real ones: a small model of datagrams and of a byte stream over one seeded lossy link.
struct RaceFixture {
  var packets = 1500
  var loss = 0.02
  var delay = 40.0
  var jitter = 3.0
  var buffer = 60.0
  var seed: UInt64 = 7
  var lanes = ["udp", "tcp"]
  var isWaiting = false

  static let interval = 20.0

  func report() -> RaceReport {
    var report = RaceReport(
      version: "0.1.0", file: "samples/speech.opus",
      commandLine: "jitterbug race samples/speech.opus --link loss=2%,delay=40ms,seed=7 --lanes udp,tcp",
      buffer: Interval(seconds: buffer / 1000), packetInterval: .milliseconds(20), setting: .namespaces)
    report.encoding = "opus/48000/2"
    report.link = "loss=2%,delay=40ms"
    report.seed = seed
    report.duration = .milliseconds(Int64(packets) * 20)
    report.began = 1_700_000_000_123_456_789
    report.ended = "the file ended"
    report.tcpPlayer = isWaiting ? .wait : .conceal
    report.lanes = lanes.map { lane($0) }
    return report
  }

  /// What the link does to each packet of every lane: nil for lost, else its delay in milliseconds.
  private func weather(_ generator: inout SeededGenerator) -> Double? {
    let isLost = Double.random(in: 0..<1, using: &generator) < loss
    let delay = self.delay + Double.random(in: 0...max(jitter, 0.001), using: &generator)
    return isLost ? nil : delay
  }

  private func lane(_ name: String) -> LaneReport {
    var generator = SeededGenerator(seed: seed)
    switch name {
    case "tcp": return tcp(&generator)
    case "unix":
      var lane = LaneReport(name: name, transport: .control)
      lane.packets = (0..<packets).map { place in
        LanePacket(sentAt: sent(place), delay: .microseconds(80), fate: .onTime)
      }
      lane.payloadBytes = packets * 80
      return lane
    default: return datagrams(name, &generator)
    }
  }

  private func sent(_ place: Int) -> Interval { .milliseconds(Int64(place) * 20) }

  private func datagrams(_ name: String, _ generator: inout SeededGenerator) -> LaneReport {
    var lane = LaneReport(name: name, transport: .datagrams)
    let delays = (0..<packets).map { _ in weather(&generator) }
    lane.packets = delays.enumerated().map { place, delay in
      var fate: LaneFate = delay.map { $0 - self.delay <= buffer ? .onTime : .late } ?? .lost
      let isFollowed = place + 1 < packets && delays[place + 1] != nil
      if name == "udp+fec", fate == .lost, isFollowed { fate = .recovered }
      return LanePacket(sentAt: sent(place), delay: delay.map { Interval(seconds: $0 / 1000) }, fate: fate)
    }
    lane.wireBytes = packets * 120
    lane.wireBytesBack = 700
    lane.wirePackets = packets + 10
    lane.payloadBytes = packets * 80
    lane.stream = Self.stream(lane)
    return lane
  }

  /// What the lane's receiver would report.
  static func stream(_ lane: LaneReport) -> StreamReport {
    var reception = ReceptionStatistics(clockRate: 48_000)
    var playout = PlayoutStatistics()
    for (place, packet) in lane.packets.enumerated() {
      guard let delay = packet.delay else { continue }
      _ = reception.record(
        sequence: Int64(place), timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: place * 960)),
        arrival: .zero + packet.sentAt + delay, bytes: 92)
    }
    playout.played = lane.count(.onTime)
    playout.late = lane.count(.late)
    playout.recovered = lane.count(.recovered)
    playout.concealed = lane.count(.lost) + lane.count(.late)
    playout.playedDuration = .milliseconds(Int64(playout.played) * 20)
    playout.concealedDuration = .milliseconds(Int64(playout.concealed) * 20)
    playout.recoveredDuration = .milliseconds(Int64(playout.recovered) * 20)
    playout.target = .milliseconds(60)
    return StreamReport(
      ssrc: 0x1a2b3c, source: "10.0.0.1:40000", payloadType: 111, reception: reception.summary(), playout: playout)
  }

  /// A byte stream: what is lost is sent again a round trip and three packets later, and holds back the rest.
  private func tcp(_ generator: inout SeededGenerator) -> LaneReport {
    var lane = LaneReport(name: "tcp", transport: .byteStream)
    lane.congestionControl = "cubic"
    var (handedOver, retransmits, behind) = (0.0, 0, 0.0)
    var pauses: [PlayerPause] = []
    for place in 0..<packets {
      let due = Double(place) * Self.interval
      var (sent, wait) = (due, 2 * delay + 3 * Self.interval)
      var arrival = weather(&generator).map { sent + $0 }
      while arrival == nil {
        retransmits += 1
        sent += wait
        wait = max(2 * wait, 200 + 2 * delay)
        arrival = weather(&generator).map { sent + $0 }
      }
      handedOver = max(handedOver, arrival ?? due)
      let late = handedOver - due - delay - buffer - behind
      var fate: LaneFate = late > 0 ? .late : .onTime
      if isWaiting, late > 0 {
        let at = Interval(seconds: (due + delay + buffer + behind) / 1000)
        pauses.append(PlayerPause(at: at, length: Interval(seconds: late / 1000)))
        behind += late
        fate = .late
      }
      lane.packets.append(
        LanePacket(sentAt: self.sent(place), delay: Interval(seconds: (handedOver - due) / 1000), fate: fate))
      if place % 25 == 0 {
        var sample = TCPSample(
          time: self.sent(place), roundTrip: Interval(seconds: (2 * delay + 1) / 1000),
          congestionWindow: max(10 - retransmits % 7, 2), retransmits: retransmits)
        sample.timeout = .milliseconds(280)
        sample.queuedBytes = place % 300
        lane.tcpSamples.append(sample)
      }
    }
    lane.retransmits = retransmits
    lane.connectionSetup = Interval(seconds: 2 * delay / 1000)
    (lane.wireBytes, lane.wireBytesBack, lane.payloadBytes) = (packets * 134 + packets * 52, packets * 52, packets * 80)
    if isWaiting { lane.pauses = pauses }
    return lane
  }
}
