import Impairment
import Packets
import Reporting
import Sending
import Sockets
import Statistics
import Timeline

/// Fills the report of `jitterbug send`.
enum SendReport {
  static func make(_ sender: Sender) -> Report {
    var report = Report(version: Version.number, verb: "send", link: sender.options.link?.description)
    report.linkRecord = sender.link.map { LinkReport($0.record) }
    report.duration = MonotonicClock.now() - sender.started
    report.ended = sender.ended
    let streams = sender.streams.map { stream($0, sender.options) }
    report.sending = streams.first
    report.alsoSending = Array(streams.dropFirst())
    return report
  }

  private static func stream(_ stream: SendStream, _ options: SendOptions) -> SendingReport {
    let (session, configuration) = (stream.session, stream.session.configuration)
    var sending = SendingReport(ssrc: configuration.ssrc, payloadType: configuration.payloadType)
    sending.destinations = stream.destinations.map(\.endpoint.description)
    sending.encoding = options.format(of: stream.media).description
    sending.packets = session.packetCount
    sending.bytes = session.octetCount + session.packetCount * RTPHeader.size
    sending.neverSent = session.refusedCount
    sending.rtcpPackets = session.reportCount
    sending.timeline = stream.timeline
    sending.mediaDuration = Interval(units: stream.mediaEnd, rate: configuration.clockRate)
    if let schedule = stream.schedule {
      sending.pacing = schedule.error
      sending.sentLate = schedule.lateCount
      sending.stalls = schedule.pauseCount
      sending.stalledDuration = schedule.pausedTime
    }
    var errors: [String: Int] = [:]
    for destination in stream.destinations { errors.merge(destination.errors, uniquingKeysWith: +) }
    sending.socketErrors = errors.sorted { $0.key < $1.key }.map { SendingReport.SocketErrors(kind: $0, count: $1) }
    sending.farEnds = session.farEnds.all.compactMap { farEnd($0, of: session) }
    if stream.media.isVideo { sending.pictures = pictures(of: stream) }
    return sending
  }

  private static func pictures(of stream: SendStream) -> SendingReport.Pictures {
    let requests = stream.session.keyFrameRequests
    var pictures = SendingReport.Pictures()
    // A transport stream's frames aren't ours to cut.
    if stream.media != .video(.mpegTS) { pictures.frames = (stream.frameCount, stream.keyFrameCount) }
    pictures.pictureLosses = requests.pictureLosses
    pictures.fullIntraRequests = requests.fullIntra
    pictures.answers = stream.answerCount
    return pictures
  }

  /// What one receiver says; nil as long as it hasn't said anything of our stream.
  private static func farEnd(_ farEnd: FarEnd, of session: SendSession) -> SendingReport.FarEnd? {
    guard farEnd.block != nil || farEnd.extended != nil else { return nil }
    var report = SendingReport.FarEnd(ssrc: farEnd.id)
    report.reports = farEnd.blockCount
    report.cumulativeLost = Int(farEnd.block?.cumulativeLost ?? 0)
    report.lastFractionLost = Double(farEnd.block?.fractionLost ?? 0) / 256
    report.jitter = farEnd.jitter
    report.roundTrip = farEnd.roundTrip
    report.cname = farEnd.cname
    report.missingTail = farEnd.missingTail(of: Int64(session.packetCount)).map { Int($0) }
    report.isFinal = session.isFinal(farEnd)
    report.hasLeftEarly = session.hasLeftEarly(farEnd)
    report.extended = extended(farEnd, of: session)
    return report
  }

  private static func extended(_ farEnd: FarEnd, of session: SendSession) -> SendingReport.FarEnd.Extended? {
    guard let source = farEnd.extended else { return nil }
    let rate = session.configuration.clockRate
    let reception = source.reception.summary()
    var report = SendingReport.FarEnd.Extended(reception: reception, sent: session.packetCount)
    report.thinning = source.thinning
    if source.thinning == 0, let block = farEnd.block, farEnd.highest == reception.last - Int64(reception.lostAtEnd) {
      report.duplicates = reception.duplicates(cumulativeLost: Int(block.cumulativeLost))
    }
    report.receiptTimes = source.delay.count
    report.delayVariation = source.delay.percentiles()
    if let jitter = source.summary?.jitter {
      func milliseconds(_ units: UInt32) -> Double { Interval(units: Int64(units), rate: rate).milliseconds }
      report.intervalJitter = SendingReport.FarEnd.Extended.IntervalJitter(
        least: milliseconds(jitter.least), mean: milliseconds(jitter.mean), greatest: milliseconds(jitter.greatest),
        deviation: milliseconds(jitter.deviation))
    }
    report.voipMetrics = source.voipMetrics.map { SendingReport.FarEnd.Extended.VoIPMetrics($0) }
    return report
  }
}

extension SendingReport.FarEnd.Extended.VoIPMetrics {
  fileprivate init(_ block: XRVoIPMetricsBlock) {
    self.init()
    lossRate = Double(block.lossRate) / 256
    discardRate = Double(block.discardRate) / 256
    burstDensity = Double(block.burstDensity) / 256
    burstDuration = .milliseconds(Int64(block.burstDuration))
    gapDensity = Double(block.gapDensity) / 256
    gapDuration = .milliseconds(Int64(block.gapDuration))
    buffer = .milliseconds(Int64(block.bufferNominal))
    rFactor = block.rFactor <= 100 ? Int(block.rFactor) : nil
    listeningQuality = (10...50).contains(block.listeningQuality) ? Double(block.listeningQuality) / 10 : nil
  }
}
