import Impairment
import Packets
import Probing
import Reporting
import Sending
import Sockets
import Statistics
import Timeline

/// Fills the report of `jitterbug probe`.
enum ProbeReportMaker {
  /// What can be reported now; what takes a while to compute only at the end.
  static func make(_ prober: Prober, isFinal: Bool = true) -> Report {
    var report = Report(version: Version.number, verb: "probe", link: prober.options.link?.description)
    if let listener = prober.listener {
      let heard = listener.report(
        source: prober.path.peer, dropped: prober.path.droppedDatagrams, clock: prober.clock, fitsModels: isFinal)
      report.datagrams = heard.datagrams
      report.streams = heard.streams
    }
    report.duration = MonotonicClock.now() - prober.started
    report.ended = prober.ended
    report.linkRecord = prober.path.link.map { LinkReport($0.record) }
    report.sending = sending(prober)
    var probe = ProbeReport(traffic: prober.options.isRamp ? "ramp" : prober.traffic)
    probe.up = prober.sendSessions.map { up($0, prober: prober) }
    probe.downLinkRecord = prober.listener?.link.map { LinkReport($0.record) }
    probe.seconds = prober.meter.seconds
    probe.showsSeconds = prober.options.isBySecond
    if let controller = prober.ramp?.controller {
      probe.ramp = ramp(controller)
    } else {
      probe.upVerdict = upVerdict(probe.up, prober: prober)
      if prober.listener != nil { probe.downVerdict = downVerdict(report.streams, prober: prober) }
    }
    probe.hasFallenSilent = prober.hasFallenSilent
    let isOpen = !prober.isInterrupted && probe.ramp == nil && probe.upVerdict?.isComplete != true
    if isFinal, prober.hasFallenSilent || isOpen { probe.lastHeard = prober.lastHeard }
    report.probe = probe
    return report
  }

  private static func sending(_ prober: Prober) -> SendingReport? {
    guard let first = prober.sendSessions.first else { return nil }
    var sending = SendingReport(ssrc: first.configuration.ssrc, payloadType: first.configuration.payloadType)
    sending.destinations = [prober.path.endpoint.description]
    sending.encoding = encoding(prober)
    for session in prober.sendSessions {
      sending.packets += session.packetCount
      sending.bytes += session.octetCount + session.packetCount * RTPHeader.size
      sending.rtcpPackets += session.reportCount
    }
    if let sender = prober.sender {
      sending.mediaDuration = prober.mediaDuration
      sending.pacing = sender.pacing
      sending.stalls = sender.pauses.count
      sending.stalledDuration = sender.pauses.time
    }
    sending.socketErrors = prober.path.errors.sorted { $0.key < $1.key }.map {
      SendingReport.SocketErrors(kind: $0, count: $1)
    }
    return sending
  }

  private static func encoding(_ prober: Prober) -> String {
    prober.options.isRamp ? "synthetic/\(RampSender.clockRate)" : prober.profile.format.description
  }

  // MARK: Up

  private static func up(_ session: SendSession, prober: Prober) -> SentStreamReport {
    let configuration = session.configuration
    var report = SentStreamReport(
      ssrc: configuration.ssrc, destination: prober.path.endpoint.description, encoding: encoding(prober),
      payloadType: configuration.payloadType)
    report.sent = session.packetCount
    let farEnd = session.heardFarEnd
    report.jitter = farEnd?.jitter ?? RunningExtent()
    report.roundTrip = farEnd?.roundTrip ?? RoundTrip()
    report.reports = farEnd?.blockCount ?? 0
    let isFinal = prober.isFinal(session)
    if let farEnd, let extended = farEnd.extended { take(extended, farEnd, isFinal, into: &report) }
    if let feedback = prober.client?.feedback?.streams.first(where: { $0.ssrc == configuration.ssrc }) {
      let told = feedback.covered(sent: report.sent, first: configuration.firstSequence)
      take(feedback, covering: isFinal || prober.isFeedbackFinal ? report.sent : told, into: &report)
    } else if prober.isFeedbackFinal, report.knownBy == .nothing {
      // It goes on telling, and nothing of this stream.
      (report.knownBy, report.reported, report.lost) = (.feedback, report.sent, report.sent)
      (report.unique, report.received, report.duplicates) = (0, 0, 0)
    }
    if report.knownBy == .nothing, let farEnd, let block = farEnd.block {
      report.knownBy = .receiverReports
      let tail = Int(farEnd.missingTail(of: Int64(report.sent)) ?? Int64(report.sent))
      report.received = report.sent - tail - Int(block.cumulativeLost)
      // What it still misses once it has heard the goodbye never came.
      report.reported = isFinal ? report.sent : report.sent - tail
      report.lost = Int(block.cumulativeLost) + (isFinal ? tail : 0)
    }
    return report
  }

  /// Extended reports without a gap tell everything; of others, no more than the runs is taken.
  private static func take(
    _ extended: ExtendedFarEnd, _ farEnd: FarEnd, _ isFinal: Bool, into report: inout SentStreamReport
  ) {
    let reception = extended.reception.summary()
    report.delayVariation = extended.delay.count >= 50 ? extended.delay.percentiles() : nil
    guard extended.thinning == 0, reception.covered == Int(reception.last - reception.first) + 1 else { return }
    report.knownBy = .extendedReports
    report.lossRuns = reception.runs
    let unique = reception.covered - reception.lost - reception.lostAtEnd
    // Once it has heard the goodbye, what it hasn't told of never came.
    report.reported = isFinal ? report.sent : Int(reception.last) + 1
    report.unique = unique
    report.lost = report.reported - unique
    report.lostAtEnds = report.reported - unique - reception.lost
    report.lostBefore = Int(reception.first)
    if let block = farEnd.block, farEnd.highest == reception.last - Int64(reception.lostAtEnd) {
      report.duplicates = reception.duplicates(cumulativeLost: Int(block.cumulativeLost))
      report.received = report.duplicates.map { unique + $0 }
    }
  }

  /// Feedback reaches further than reports that came before it, and adds what they lack; it doesn't tell of runs.
  private static func take(
    _ feedback: ProbeFeedback.Stream, covering covered: Int, into report: inout SentStreamReport
  ) {
    if report.knownBy == .extendedReports {
      guard covered > report.reported || covered == report.reported && report.received == nil else { return }
    }
    if report.knownBy != .extendedReports || covered > report.reported {
      report.knownBy = .feedback
      (report.lossRuns, report.lostAtEnds, report.lostBefore) = (nil, nil, nil)
    }
    report.reported = covered
    report.unique = Int(feedback.unique)
    report.received = Int(feedback.received)
    report.lost = covered - Int(feedback.unique)
    report.duplicates = Int(feedback.received) - Int(feedback.unique)
  }

  private static func upVerdict(_ streams: [SentStreamReport], prober: Prober) -> DirectionVerdict? {
    guard streams.contains(where: { $0.knownBy != .nothing }) else { return nil }
    var figures = PathFigures()
    var runs = (count: 0, packets: 0)
    for stream in streams {
      figures.sent += stream.reported
      figures.lost += stream.lost ?? 0
      // A sum below nothing proves that duplicates hide losses in it, nobody knows how many.
      if let lost = stream.lost, lost < 0 { figures.isLossHidden = true }
      if let lossRuns = stream.lossRuns {
        runs = (runs.count + lossRuns.count, runs.packets + lossRuns.packets)
        figures.longestRun = max(figures.longestRun ?? 0, lossRuns.max)
      }
      note(stream.delayVariation, in: &figures)
      note(stream.jitter.count > 0 ? stream.jitter.max : nil, stream.roundTrip, in: &figures)
    }
    if runs.count > 0 { figures.meanRun = Double(runs.packets) / Double(runs.count) }
    // The range that was told covers every packet; what the receipt times tell is thinned.
    figures.spreadMost = prober.meter.spread ?? figures.spreadMost
    // As good as what is known worst.
    let order: [ArrivalKnowledge] = [.receiverReports, .feedback, .extendedReports]
    let knownBy = order.first { kind in streams.contains { $0.knownBy == kind } } ?? .nothing
    if streams.contains(where: { $0.knownBy != .nothing && $0.lossRuns == nil }) {
      (figures.meanRun, figures.longestRun) = (nil, nil)
    }
    var verdict = verdict(figures, knownBy: knownBy.rawValue, prober: prober)
    verdict.isComplete = streams.allSatisfy { $0.knownBy != .nothing && $0.reported == $0.sent }
    return verdict
  }

  // MARK: Down

  private static func downVerdict(_ streams: [StreamReport], prober: Prober) -> DirectionVerdict {
    var figures = PathFigures()
    var isComplete = streams.count >= prober.profile.streams
    var runs = (count: 0, packets: 0)
    for stream in streams {
      let (reception, loss) = (stream.reception, stream.loss)
      // Numbers that the sender has told of are lost even where it never said goodbye, unless they are under way.
      let told = prober.isInterrupted ? 0 : (stream.ends.sentAtLeast ?? 0) - stream.ends.beforeListening
      let more = loss.isComplete ? 0 : max(told - loss.total, 0)
      figures.sent += loss.total + more
      figures.lost += loss.network + more
      isComplete = isComplete && loss.isComplete
      runs = (runs.count + reception.lossRuns.count, runs.packets + reception.lossRuns.packets)
      figures.longestRun = max(figures.longestRun ?? 0, reception.lossRuns.max)
      note(reception.delayVariation, in: &figures)
      if let curve = stream.lateness { figures.lateness.append(curve) }
      note(reception.jitter.max, stream.roundTrip, in: &figures)
    }
    // The round trip is the path's, whoever measured it.
    for session in prober.sendSessions { note(nil, session.heardFarEnd?.roundTrip ?? RoundTrip(), in: &figures) }
    if runs.count > 0 { figures.meanRun = Double(runs.packets) / Double(runs.count) }
    var verdict = verdict(figures, knownBy: "reception", prober: prober)
    verdict.isComplete = isComplete
    return verdict
  }

  private static func note(_ delay: DelayPercentiles?, in figures: inout PathFigures) {
    guard let delay else { return }
    figures.spread99 = max(figures.spread99 ?? .zero, Interval(seconds: delay.p99 / 1000))
    figures.spreadMost = max(figures.spreadMost ?? .zero, Interval(seconds: delay.max / 1000))
  }

  private static func note(_ jitter: Double?, _ roundTrip: RoundTrip, in figures: inout PathFigures) {
    if let jitter { figures.jitterMost = max(figures.jitterMost ?? .zero, Interval(seconds: jitter / 1000)) }
    let times = roundTrip.milliseconds
    if times.count > 0 { figures.roundTrip = max(figures.roundTrip ?? .zero, Interval(seconds: times.mean / 1000)) }
  }

  private static func verdict(_ figures: PathFigures, knownBy: String, prober: Prober) -> DirectionVerdict {
    let judged = PathVerdict(figures, profile: prober.profile)
    var verdict = DirectionVerdict(
      packets: figures.sent, lost: figures.isLossHidden || figures.sent == 0 ? nil : figures.lost, knownBy: knownBy,
      use: prober.profile.use,
      remedy: judged.remedy.rawValue)
    verdict.meanRun = figures.meanRun
    verdict.grade = judged.grade?.rawValue
    verdict.quality = judged.quality
    verdict.withheld = judged.withheld
    verdict.buffer = judged.buffer?.delay
    verdict.bufferBasis = judged.buffer?.basis.rawValue
    return verdict
  }

  // MARK: Ramp

  private static func ramp(_ controller: RampController) -> RampReport {
    var report: RampReport
    switch controller.outcome {
    case .capacity(let rate, let margin, let delay, let loss)?:
      report = RampReport(.capacity)
      report.rate = rate
      report.margin = margin
      report.delayAtCapacity = delay
      report.lossAtCapacity = loss
    case .atLeast(let rate)?:
      report = RampReport(.atLeast)
      report.rate = rate
    case .below(let rate)?:
      report = RampReport(.below)
      report.rate = rate
    case .hostLimit(let rate)?:
      report = RampReport(.hostLimit)
      report.rate = rate
    case .noFeedback?, nil: report = RampReport(.noFeedback)
    }
    report.usualLoss = controller.usualLoss
    report.steps = controller.steps.map { step in
      RampReport.Step(
        rate: step.rate, sentRate: step.sentRate, deliveredRate: step.deliveredRate, sent: step.sent, lost: step.lost,
        delayGrowth: step.delayGrowth, isOverload: step.isOverload)
    }
    return report
  }
}

extension ProbeProfile {
  /// What such traffic stands for.
  var use: String {
    switch kind {
    case .opusVoice, .g711: "voice"
    case .opusMusic: "music"
    case .video: "video"
    case .custom: "such traffic"
    }
  }
}
