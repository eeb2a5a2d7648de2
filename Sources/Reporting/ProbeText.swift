internal import Statistics
internal import Timeline

extension DirectionVerdict {
  /// "0.3 % lost in runs of 1.2. Voice: excellent with 40 ms of buffer."
  func sentence(_ direction: String) -> String {
    guard packets > 0 else { return "\(direction): nothing is known to have arrived." }
    var text = "\(direction): "
    switch lost {
    case nil: text += "what was lost can't be told"
    case 0?: text += "nothing lost"
    case let lost?:
      text += Figures.percent(lost, of: packets) + " lost"
      if let meanRun { text += " in runs of " + Figures.fixed(meanRun, decimals: 1) }
    }
    if knownBy == ArrivalKnowledge.receiverReports.rawValue {
      text += " (the far end's report counts by sums, RFC 3550 A.3, where duplicates hide losses)"
    }
    if !isComplete { text += "; its end, after \(Figures.count(packets, "packet")), is unknown" }
    text += ". " + use.prefix(1).uppercased() + use.dropFirst() + ": "
    if lost == nil { text += "the quality can't be told, " }
    let delay = buffer.map { Figures.fixed($0.milliseconds, decimals: 0) + " ms of buffer" }
    switch (grade, delay) {
    case (let grade?, let delay?): text += "\(grade) with \(delay)"
    case (let grade?, nil): text += grade
    case (nil, let delay?): text += "\(delay) will do"
    case (nil, nil): text += "nothing is known of the delays"
    }
    if bufferBasis == "jitter" { text += ", roughly" }
    switch remedy {
    case "fec":
      text += meanRun == nil ? "; in-band FEC helps if losses are single" : "; losses are single, so in-band FEC helps"
    case "redundancy":
      text +=
        meanRun == nil
        ? "; redundancy (RFC 2198) helps if losses are single, and retransmission anyway"
        : "; losses are single, so redundancy (RFC 2198) or retransmission helps"
    case "retransmission": text += "; losses come in runs, so retransmission helps and FEC hardly does"
    case "lower_rate": text += "; so much is lost that a lower rate has to come first"
    default: break
    }
    return text + "."
  }
}

extension RampReport {
  /// What was found, in a sentence.
  var sentence: String {
    let figure = rate.map { Figures.bitrate($0) } ?? "?"
    switch outcome {
    case .capacity:
      var text = "Capacity: \(figure)"
      if let margin { text += " ± \(Figures.bitrate(margin))" }
      if let delayAtCapacity { text += "; a full queue adds \(Figures.milliseconds(delayAtCapacity.milliseconds))" }
      if usualLoss > 0 { text += "; \(Figures.trimmed(usualLoss * 100, decimals: 2)) % is lost below it, too" }
      return text + "."
    case .atLeast: return "Capacity: at least \(figure), the highest rate tried; --max-rate raises it."
    case .below: return "Capacity: less than \(figure), the lowest rate tried."
    case .hostLimit: return "Capacity: at least about \(figure); this host couldn't send faster evenly."
    case .noFeedback: return "Capacity: unknown, because the far end stopped telling what arrives."
    }
  }
}

extension ProbeReport {
  /// The verdict in words: a sentence for each direction, and for the ramp.
  public var verdict: String { sentences.joined(separator: " ") }

  /// The same, one by one.
  var sentences: [String] {
    [upVerdict?.sentence("Up"), downVerdict?.sentence("Down"), farEndSentence, ramp?.sentence].compactMap { $0 }
  }

  /// Since when nothing is known of the far end.
  private var farEndSentence: String? {
    guard let lastHeard else { return nil }
    let time = Figures.fixed(lastHeard.seconds, decimals: 1)
    return hasFallenSilent
      ? "The far end fell silent at about \(time) s: of what was sent after that nothing is known."
      : "The far end was last heard at about \(time) s: whether it was there to the end isn't known."
  }

  /// The buffer that serves both directions.
  var recommendedBuffer: Interval? { [upVerdict?.buffer, downVerdict?.buffer].compactMap { $0 }.max() }

  func writeVerdict(to page: inout TextPage) {
    for sentence in sentences { page.line(sentence) }
  }

  func write(to page: inout TextPage) {
    for stream in up { stream.write(to: &page) }
    if let ramp { ramp.write(to: &page) }
    guard showsSeconds, !seconds.isEmpty else { return }
    page.heading("By second")
    page.line("  second    sent  up lost   down in  down lost   jitter  round trip")
    for (index, second) in seconds.enumerated() {
      let cells = [
        (String(index + 1), 8), (String(second.sent), 8), (second.upLost.map { String($0) } ?? "-", 9),
        (String(second.downUnique), 10), (String(second.downExpected - second.downUnique), 11),
        (Figures.fixed(second.downJitter, decimals: 2), 9),
        (second.roundTrip.map { Figures.fixed($0, decimals: 2) } ?? "-", 12),
      ]
      page.line(cells.map { text, width in String(repeating: " ", count: max(width - text.count, 1)) + text }.joined())
    }
  }
}

extension SentStreamReport {
  func write(to page: inout TextPage) {
    page.heading("Up: stream \(Figures.identifier(ssrc)) to \(Printable.cleaned(destination))")
    page.row("media", ["\(Printable.cleaned(encoding)), payload type \(payloadType)"])
    var figures = ["\(Figures.grouped(sent)) sent"]
    if let unique { figures.append("\(Figures.grouped(unique)) arrived") }
    if let lost, lost >= 0 {
      figures.append("\(Figures.grouped(lost)) lost (\(Figures.percent(lost, of: reported)))")
    } else if let lost {
      figures.append("a sum of \(Figures.grouped(lost)) lost")
    }
    if let duplicates { figures.append(Figures.count(duplicates, "duplicate")) }
    page.row("packets", figures)
    var runs: [String] = []
    if let lossRuns, lossRuns.count > 0 {
      runs = [
        Figures.count(lossRuns.count, "run"), "mean \(Figures.fixed(lossRuns.mean, decimals: 1))",
        "longest \(Figures.count(lossRuns.max, "packet"))",
      ]
    }
    runs += [lostEnds.figures].compactMap { $0 }
    if !runs.isEmpty { page.row("lost in", runs) }
    switch knownBy {
    case .extendedReports: page.row("known by", ["the far end's RTCP extended reports, packet by packet"])
    case .feedback: page.row("known by", ["the far end's count of sequence numbers"])
    case .receiverReports:
      var words = ["the far end's receiver reports: duplicates hide losses in them"]
      if reported < sent { words.append("they tell nothing of the last \(Figures.count(sent - reported, "packet"))") }
      page.row("known by", words)
    case .nothing: page.row("known by", ["nothing: no report came back"])
    }
    if jitter.count > 0 {
      page.row("jitter", ["mean \(Figures.milliseconds(jitter.mean))", "max \(Figures.milliseconds(jitter.max))"])
    }
    let times = roundTrip.milliseconds
    if times.count > 0 {
      page.row(
        "round trip",
        [
          "mean \(Figures.milliseconds(times.mean))",
          "\(Figures.milliseconds(times.min)) to \(Figures.milliseconds(times.max))",
        ])
    }
  }
}

extension RampReport {
  fileprivate func write(to page: inout TextPage) {
    page.heading("Ramp")
    page.line("          rate          sent       arrived      lost  delay grew")
    for step in steps {
      let cells = [
        (Figures.bitrate(step.rate), 14), (Figures.bitrate(step.sentRate), 14),
        (step.deliveredRate > 0 ? Figures.bitrate(step.deliveredRate) : "-", 14),
        (Figures.percent(step.lost, of: step.sent), 10), (Figures.milliseconds(step.delayGrowth.milliseconds), 12),
      ]
      let line = cells.map { text, width in String(repeating: " ", count: max(width - text.count, 1)) + text }.joined()
      page.line(line + (step.isOverload ? "  too much" : ""))
    }
  }
}
