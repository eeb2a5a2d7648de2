import Reporting
import Statistics
import Timeline

/// A report whose every figure is fixed: 100 packets of 20 ms, four lost in two runs, a duplicate, one out of order.
enum SampleReport {
  static func stream() -> StreamReport {
    var reception = ReceptionStatistics(clockRate: 48_000)
    var order = (Int64(0)..<100).filter { ![10, 30, 31, 32].contains($0) }
    order.swapAt(50, 51)
    order.insert(70, at: 67)
    var arrival = Instant.zero
    for (place, number) in order.enumerated() {
      arrival = max(arrival + .milliseconds(1), Instant.zero + .milliseconds(number * 20 + Int64(place % 3)))
      let timestamp = RTPTimestamp(UInt32(number * 960))
      _ = reception.record(sequence: number, timestamp: timestamp, arrival: arrival, bytes: 172)
    }
    var playout = PlayoutStatistics()
    playout.played = 93
    playout.late = 2
    playout.recovered = 1
    playout.concealed = 6
    playout.discarded[.invalidPayload] = 1
    playout.playedDuration = .milliseconds(1860)
    playout.concealedDuration = .milliseconds(120)
    playout.recoveredDuration = .milliseconds(20)
    playout.target = .milliseconds(60)
    var samples = PlayoutSamples()
    samples.emitted = 89_280
    samples.delay = 4464
    samples.targetDelay = 5356.8
    samples.concealed = 5760
    samples.silentConcealed = 960
    samples.concealmentEvents = 3
    samples.total = 96_000
    playout.samples = samples
    for level in [60.0, 40, 20] { playout.bufferLevel.record(level) }
    var stream = StreamReport(
      ssrc: 0x1a2b3c, source: "127.0.0.1:40000", payloadType: 111, reception: reception.summary(), playout: playout)
    stream.cname = "speaker@\u{1b}[2Jhost"
    stream.encoding = "opus/48000/2"
    stream.encodingSource = .sdp
    stream.sender = StreamReport.SenderCounts(packets: 101, bytes: 16_160)
    stream.firstArrival = 1_700_000_000_123_456_789
    stream.lastArrival = 1_700_000_002_123_456_789
    stream.ended = "the sender said goodbye"
    stream.roundTrip.record(arrival: NTPTimestamp(rawValue: 0x2_0000_0000), lastSenderReport: 0x1_8000, delay: 0x7fbe)
    stream.ends = StreamEnds(.finalCount)
    (stream.ends.sent, stream.ends.sentAtLeast, stream.ends.lostAtEnds) = (101, 101, 1)
    stream.socketDrops = 2
    stream.gilbertElliott = stream.reception.fitGilbertElliott()
    stream.lateness = LatenessCurve(points: [
      LatenessCurve.Point(delay: .milliseconds(20), late: 0.02), LatenessCurve.Point(delay: .milliseconds(60), late: 0),
    ])
    stream.delay = PathDelay(
      leastTransit: .milliseconds(30), senderOrigin: .milliseconds(10), ourOrigin: .zero, isSameHost: false,
      roundTrip: .milliseconds(30))
    stream.estimateQuality(packetization: .milliseconds(20))
    return stream
  }

  /// A timeline of the packets that `stream()` expects.
  static func timeline() -> StreamTimeline {
    var timeline = StreamTimeline()
    timeline.recordEvent(.began, at: .zero)
    for number in Int64(0)..<100 where ![10, 30, 31, 32].contains(number) {
      let arrival = Instant.zero + .milliseconds(number * 20)
      timeline.record(
        StreamTimeline.Packet(
          sequence: number, transit: .milliseconds(number % 7), arrival: arrival, bytes: 172, reception: .inOrder,
          fate: number == 40 ? .late : .inTime, jitter: 1))
      timeline.recordPlayout(level: .milliseconds(40), target: .milliseconds(60), base: .zero, at: arrival)
    }
    return timeline
  }

  static func receiving() -> Report {
    var report = Report(version: "0.1.0", verb: "receive", link: "loss=4%,seed=1")
    report.duration = .milliseconds(2100)
    report.ended = "the sender said goodbye"
    var datagrams = DatagramReport()
    datagrams.received = 101
    datagrams.bytes = 17_500
    datagrams.rtp = 97
    datagrams.rtcp = 2
    datagrams.invalid[.malformed] = 2
    datagrams.droppedBySocket = 3
    datagrams.droppedOfNoStream = 1
    for step: Int64 in 1...4 { datagrams.wait.record(.milliseconds(step * 20)) }
    datagrams.unstamped = 1
    report.datagrams = datagrams
    var link = LinkReport()
    link.offered = 101
    link.delivered = 97
    link.lost = 5
    link.duplicated = 1
    link.reordered = 1
    link.lossRuns = 3
    link.longestLossRun = 3
    report.linkRecord = link
    report.streams = [stream()]
    return report
  }

  static func sending() -> Report {
    var report = Report(version: "0.1.0", verb: "send")
    report.duration = .seconds(30)
    var sending = SendingReport(ssrc: 0xdeadbeef, payloadType: 111)
    sending.destinations = ["rtp://127.0.0.1:5004"]
    sending.encoding = "opus/48000/2"
    sending.packets = 1500
    sending.bytes = 258_000
    sending.neverSent = 2
    sending.sentLate = 5
    sending.rtcpPackets = 1
    sending.mediaDuration = .seconds(30)
    for step: Int64 in 0..<100 { sending.pacing.record(.microseconds(step)) }
    sending.stalls = 1
    sending.stalledDuration = .milliseconds(350)
    sending.socketErrors = [SendingReport.SocketErrors(kind: "ECONNREFUSED", count: 2)]
    var farEnd = SendingReport.FarEnd(ssrc: 7)
    farEnd.reports = 1
    farEnd.cumulativeLost = -3
    farEnd.lastFractionLost = 0.125
    farEnd.jitter.record(1.25)
    var other = SendingReport.FarEnd(ssrc: 8)
    other.cname = "ear@host"
    other.reports = 2
    other.cumulativeLost = 1
    other.missingTail = 4
    other.isFinal = true
    var reception = ReportedReception()
    reception.record(0, count: 1400, isReceived: true)
    reception.record(1400, count: 3, isReceived: false)
    reception.record(1403, count: 93, isReceived: true)
    reception.recordDuplicates(10, count: 2)
    var extended = SendingReport.FarEnd.Extended(reception: reception.summary(), sent: 1500)
    extended.duplicates = 2
    extended.intervalJitter = SendingReport.FarEnd.Extended.IntervalJitter(
      least: 0, mean: 1.5, greatest: 4, deviation: 1)
    var metrics = SendingReport.FarEnd.Extended.VoIPMetrics()
    metrics.discardRate = 0.0625
    metrics.buffer = .milliseconds(60)
    extended.voipMetrics = metrics
    other.extended = extended
    sending.farEnds = [farEnd, other]
    report.sending = sending
    return report
  }
}
