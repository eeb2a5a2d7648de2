import Reporting
import Statistics
import Testing
import Timeline

/// What a race is said to have shown: each story told by figures made for it.
struct RaceVerdictTests {
  /// Lanes of 1,500 packets of 20 ms with a delay of 40 ms, changed by `change`.
  private func race(buffer: Int64 = 60, lanes: [LaneReport]) -> RaceReport {
    var race = RaceReport(
      version: "0.1.0", file: "speech.opus", commandLine: "jitterbug race", buffer: .milliseconds(buffer),
      packetInterval: .milliseconds(20), setting: .namespaces)
    race.lanes = lanes
    return race
  }

  private func lane(
    _ name: String, packets: Int = 1500, _ transport: LaneReport.Transport? = nil, lost: Set<Int> = []
  ) -> LaneReport {
    var lane = LaneReport(name: name, transport: transport ?? (name == "tcp" ? .byteStream : .datagrams))
    if lane.transport == .byteStream { lane.retransmits = 0 }
    lane.packets = (0..<packets).map { place in
      let isLost = lost.contains(place)
      return LanePacket(
        sentAt: .milliseconds(Int64(place) * 20), delay: isLost ? nil : .milliseconds(40),
        fate: isLost ? .lost : .onTime)
    }
    return lane
  }

  /// A byte stream that holds back what follows each of these packets until it came `hold` milliseconds late.
  private func tcp(holding places: [Int], for hold: Int64, buffer: Int64, packets: Int = 1500) -> LaneReport {
    var lane = lane("tcp", packets: packets)
    for place in places {
      for offset in 0..<Int(hold / 20) where place + offset < packets {
        let excess = hold - Int64(offset) * 20
        lane.packets[place + offset].delay = .milliseconds(40 + excess)
        lane.packets[place + offset].fate = excess > buffer ? .late : .onTime
      }
    }
    lane.retransmits = places.count
    return lane
  }

  private let losses = Array(stride(from: 10, to: 1490, by: 30))

  @Test func `UDP wins where a retransmission takes longer than the buffer, and the text says how long`() {
    let sentences = race(lanes: [
      lane("udp", lost: Set(losses)), tcp(holding: losses, for: 140, buffer: 60),
    ]).verdictSentences
    // 50 single losses against 50 times four packets more than 60 ms late: 140, 120, 100 and 80.
    #expect(sentences[0] == "UDP did better: UDP missed 3.33 % and TCP missed 13.33 % of 1,500 packets.")
    #expect(
      sentences[1] == "UDP missed 50 packets (3.33 %), exactly what never came and nothing else, never two in a row. "
        + "A datagram that is lost stays lost, and delays no other.")
    #expect(
      sentences[2]
        == "TCP lost nothing; it sent 50 segments again. Bytes are handed over in order, so what was missing or "
        + "slow held back what had come after it (head-of-line blocking): 50 times, 6 packets on average and 6 at "
        + "worst.")
    #expect(
      sentences[3]
        == "Such a delay was 140 ms as a rule (the round trip is 80.0 ms): always more than "
        + "the buffer of 60 ms, and what was due meanwhile was concealed. What is sent again comes a round trip late at "
        + "the least, and that alone is more.")
    #expect(sentences.contains("No buffer brings UDP (3.33 % never came) down to 1 % missing."))
    #expect(sentences.contains("To miss at most 1 %, TCP needs a buffer of 140 ms."))
    #expect(
      sentences.contains("No buffer brings back what UDP lost: from 140 ms of buffer on TCP would miss less."))
    #expect(
      sentences.contains(
        "A player that waits instead of concealing, as web players do, would have played all that came, but stood still "
          + "once over TCP (80 ms the longest) and ended 80 ms behind."))
  }

  @Test func `TCP wins where the buffer has room for what it sends again, and the text says so`() {
    let race = race(
      buffer: 200,
      lanes: [
        lane("udp", lost: Set(losses)), tcp(holding: losses, for: 140, buffer: 200),
      ])
    let sentences = race.verdictSentences
    #expect(sentences[0] == "TCP did better: TCP missed nothing and UDP missed 3.33 % of 1,500 packets.")
    #expect(sentences.contains { $0.hasSuffix(": the buffer of 200 ms had room for that, so nobody heard it.") })
    #expect(sentences.contains("No buffer brings back what UDP lost: from 140 ms of buffer on TCP misses less."))
    #expect(!sentences.contains { $0.contains("waits instead") })
  }

  @Test func `a player that waits misses nothing and falls behind, which is a choice and no win`() {
    var waiting = tcp(holding: losses, for: 140, buffer: 60)
    waiting.pauses = [
      PlayerPause(at: .milliseconds(300), length: .milliseconds(80)),
      PlayerPause(at: .seconds(9), length: .milliseconds(40)),
    ]
    var race = race(lanes: [lane("udp", lost: Set(losses)), waiting])
    race.tcpPlayer = .wait
    let sentences = race.verdictSentences
    #expect(
      sentences[0]
        == "A choice between gaps and delay: UDP kept its time and missed 3.33 %; TCP missed nothing, but its player "
        + "stood still twice and ended 120 ms behind.")
    #expect(
      sentences.contains(
        "Its player stood still twice, 80 ms the longest, and ended 120 ms behind; each pause leaves it that much more "
          + "buffer."))
    #expect(sentences.contains("A call, which can’t wait, would have missed 13.33 % over TCP."))
    #expect(race.lanes[1].summary(interval: .milliseconds(20)).stalls.longest == .milliseconds(80))
  }

  @Test func `an adaptive buffer is judged by what it aimed at on average`() {
    var adaptive = tcp(holding: losses, for: 140, buffer: 150)
    var stream = SampleReport.stream()
    stream.playout.adaptation = PlayoutAdaptation(lateBudget: 0.005, least: 0, most: 2000)
    // 0.15 s for each sample that came out.
    var samples = PlayoutSamples()
    (samples.emitted, samples.targetDelay) = (1000, 150)
    stream.playout.samples = samples
    adaptive.stream = stream
    adaptive.pauses = []
    var race = race(buffer: 0, lanes: [lane("udp", lost: Set(losses)), adaptive])
    (race.isBufferAdaptive, race.tcpPlayer) = (true, .wait)
    let sentences = race.verdictSentences
    #expect(sentences[0] == "TCP did better: TCP missed nothing and UDP missed 3.33 % of 1,500 packets.")
    #expect(sentences.contains { $0.contains("the adaptive buffer (150 ms on average) had room for that") })
    #expect(sentences.contains("Its player, which waits, never had to."))
    #expect(sentences.contains("A call, which can’t wait, would have missed nothing over TCP."))
  }

  @Test func `several byte streams are told of together, each by its congestion control`() {
    var (cubic, bbr) = (tcp(holding: losses, for: 140, buffer: 60), tcp(holding: losses, for: 100, buffer: 60))
    (cubic.name, cubic.congestionControl, bbr.name, bbr.congestionControl) = ("tcp:cubic", "cubic", "tcp:bbr", "bbr")
    let sentences = race(lanes: [lane("udp", lost: Set(losses)), cubic, bbr]).verdictSentences
    #expect(
      sentences[0]
        == "UDP did better: UDP missed 3.33 %, TCP (cubic) missed 13.33 % and TCP (bbr) missed 6.67 % of 1,500 packets."
    )
    #expect(
      sentences.contains(
        "No buffer brings back what UDP lost: with more of it others miss less, TCP (cubic) from 140 ms on and TCP (bbr) "
          + "from 100 ms on."))
    #expect(
      sentences.contains {
        $0.hasSuffix(
          "but stood still once over TCP (cubic) (80 ms the longest) and ended 80 ms behind and once over TCP (bbr) "
            + "(40 ms the longest) and ended 40 ms behind.")
      })
  }

  @Test func `what is sent again without a loss is said to have looked lost`() {
    var spurious = tcp(holding: losses, for: 60, buffer: 60)
    spurious.linkRecord = LinkReport()
    let sentences = race(lanes: [lane("udp"), spurious]).verdictSentences
    #expect(
      sentences.contains {
        $0.hasPrefix(
          "TCP lost nothing; it sent 50 segments again, though the link lost none: what is out of order for ")
      })
  }

  @Test func `a link that loses nothing makes a tie`() {
    let sentences = race(lanes: [lane("udp"), lane("tcp")]).verdictSentences
    #expect(sentences[0] == "A tie: every one of 1,500 packets was there when it was due, in both lanes.")
    #expect(
      sentences.contains("TCP lost nothing and had nothing to send again; its packets came as steadily as datagrams."))
    #expect(!sentences.contains { $0.contains("buffer") })
  }

  @Test func `a difference that chance can make is no win`() {
    let sentences = race(lanes: [
      lane("udp", lost: Set(losses.prefix(40))), lane("udp+fec", lost: Set(losses.prefix(35))),
    ]).verdictSentences
    #expect(
      sentences[0]
        == "No clear winner: UDP missed 2.67 % and UDP with FEC missed 2.33 %, and so small a difference can "
        + "be chance.")
  }

  @Test func `where every lane fares badly, the headline says that first`() {
    let many = Set((0..<1500).filter { $0 % 5 == 0 })
    let sentences = race(lanes: [
      lane("udp", lost: many), tcp(holding: Array(stride(from: 0, to: 1480, by: 15)), for: 280, buffer: 60),
    ]).verdictSentences
    #expect(sentences[0].hasPrefix("Both fared badly, UDP less so: UDP missed 20 % and TCP missed "))
  }

  @Test func `a byte stream that can't keep up is said to starve, with its window`() {
    var starved = lane("tcp")
    for place in starved.packets.indices {
      starved.packets[place].delay = .milliseconds(40 + Int64(place) * 2)
      starved.packets[place].fate = place > 30 ? .late : .onTime
    }
    starved.retransmits = 90
    starved.tcpSamples = [
      TCPSample(time: .zero, roundTrip: .milliseconds(81), congestionWindow: 10, retransmits: 0),
      TCPSample(time: .seconds(9), roundTrip: .milliseconds(81), congestionWindow: 2, retransmits: 60),
    ]
    let sentences = race(lanes: [lane("udp", lost: Set(losses)), starved]).verdictSentences
    #expect(sentences[0].hasPrefix("UDP did better: "))
    #expect(
      sentences.contains(
        "TCP starved: it took each loss for congestion and slowed down below the pace of the media, so that half of the "
          + "packets came 1498 ms late or more, 2998 ms at worst; its congestion window was down to 2 segments."))
    // Where a full queue dropped them, it was congestion.
    var record = LinkReport()
    (record.offered, record.queueDropped) = (1500, 90)
    starved.linkRecord = record
    #expect(
      race(lanes: [lane("udp", lost: Set(losses)), starved]).verdictSentences.contains(
        "TCP couldn’t carry the media at its pace: half of the packets came 1498 ms late or more, 2998 ms at worst; its "
          + "congestion window was down to 2 segments."))
  }

  @Test func `delay that datagrams have as well is the link's, and no byte stream starves of it`() {
    func slow(_ lane: LaneReport) -> LaneReport {
      var lane = lane
      for place in lane.packets.indices {
        lane.packets[place].delay = .milliseconds(40 + Int64(place % 10) * 60)
        lane.packets[place].fate = place % 10 > 0 ? .late : .onTime
      }
      return lane
    }
    var stream = slow(lane("tcp"))
    stream.retransmits = 90
    let sentences = race(lanes: [slow(lane("udp")), stream]).verdictSentences
    #expect(!sentences.contains { $0.contains("starved") })
    #expect(race(lanes: [lane("udp"), stream]).verdictSentences.contains { $0.contains("starved") })
  }

  @Test func `with an adaptive buffer none is said to have been better`() {
    var race = race(lanes: [lane("udp", lost: Set(losses)), tcp(holding: losses, for: 140, buffer: 60)])
    #expect(race.verdictSentences.contains { $0.contains("of buffer on TCP") })
    race.isBufferAdaptive = true
    #expect(!race.verdictSentences.contains { $0.contains("of buffer on TCP") })
  }

  @Test func `a race of a few packets is too short to tell`() {
    let sentences = race(lanes: [
      lane("udp", packets: 100, lost: [5]), tcp(holding: [5], for: 140, buffer: 60, packets: 100),
    ]).verdictSentences
    #expect(sentences[0] == "Too short to tell: in 2.0 s UDP missed 1 % and TCP missed 4 %.")
    #expect(sentences.contains { $0.hasPrefix("Race for at least half a minute") })
  }

  @Test func `with few losses another seed may tell another story, with many it isn't said`() {
    let words = "another seed may tell another story"
    let few = race(lanes: [lane("udp", lost: [7, 90, 300]), tcp(holding: [7, 90, 300], for: 140, buffer: 60)])
    #expect(few.verdictSentences.contains { $0.contains(words) })
    let many = race(lanes: [lane("udp", lost: Set(losses)), tcp(holding: losses, for: 140, buffer: 60)])
    #expect(!many.verdictSentences.contains { $0.contains(words) })
  }

  @Test func `one lane has nothing to be compared with, no lane nothing to tell`() {
    #expect(
      race(lanes: [lane("udp", lost: Set(losses))]).verdictSentences[0]
        == "UDP alone: it missed 3.33 % of 1,500 packets, and no other lane went over the link to compare it with.")
    #expect(race(lanes: []).verdictSentences == ["Nothing was raced."])
    var failed = LaneReport(name: "tcp", transport: .byteStream)
    failed.failure = "the connection was refused."
    #expect(
      race(lanes: [failed]).verdictSentences == [
        "No lane that went over the link carried the media.", "TCP failed: the connection was refused.",
      ])
  }

  @Test func `the control tells whether this host was fast enough`() {
    let good = race(lanes: [lane("udp"), lane("unix", .control)]).verdictSentences
    #expect(
      good.last == "The control, which bypasses the link, missed nothing: what the others miss is the link’s doing.")
    let bad = race(lanes: [lane("udp"), lane("unix", .control, lost: [1, 2, 3])]).verdictSentences
    #expect(
      bad.last?.hasPrefix("Even the control, which bypasses the link, missed 0.2 %: this host was too busy") == true)
  }

  @Test func `what the notes say stands at the end, and no text from outside can move a cursor`() {
    var race = race(lanes: [lane("udp")])
    race.notes = ["TCP was left out: no \u{1b}[2Jnamespaces."]
    #expect(race.verdictSentences.last == "TCP was left out: no ?[2Jnamespaces.")
  }

  @Test func `extremes don't trap`() {
    var odd = lane("tcp", packets: 3)
    odd.packets[0].delay = Interval(nanoseconds: .max)
    odd.packets[1].delay = Interval(nanoseconds: .min)
    odd.packets[2].sentAt = Interval(nanoseconds: .max)
    odd.retransmits = .max
    odd.wireBytes = 0
    var race = race(buffer: 0, lanes: [odd, lane("udp", packets: 0), lane("udp", packets: 1, lost: [0])])
    race.packetInterval = .zero
    for text in [race.text(), race.json(), race.csv(), race.html()] { #expect(!text.isEmpty) }
  }
}
