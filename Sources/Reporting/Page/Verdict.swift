internal import Statistics
internal import Timeline

/// What a run means, in words.
struct Verdict {
  /// How well it went.
  enum Grade: Int, Comparable {
    case fine, mixed, bad
    static func < (left: Grade, right: Grade) -> Bool { left.rawValue < right.rawValue }
  }

  var grade: Grade
  /// One sentence that says it all.
  var headline: String
  /// What happened, what it means to a listener, what to do.
  var sentences: [String]
}

extension Report {
  /// The verdict on the whole run.
  var verdict: Verdict {
    if let probe { return probe.pageVerdict }
    if sending != nil, streams.isEmpty {
      // Of audio and video the one that fared worse.
      let verdicts = sendings.map { $0.verdict(over: duration) }
      if let worst = verdicts.max(by: { $0.grade < $1.grade }) { return worst }
    }
    guard let first = streams.first else { return nothingArrived }
    if streams.count == 1 { return first.verdict }
    let verdicts = streams.map(\.verdict)
    let worst = verdicts.indices.max { left, right in
      (verdicts[left].grade, streams[left].missingShare) < (verdicts[right].grade, streams[right].missingShare)
    }
    guard let worst else { return first.verdict }
    let unfit = verdicts.count { $0.grade != .fine }
    var verdict = verdicts[worst]
    verdict.sentences.insert(
      "The one that fared worst is \(Figures.identifier(streams[worst].ssrc)). \(verdict.headline)", at: 0)
    verdict.headline =
      unfit == 0
      ? "All \(Figures.grouped(streams.count)) streams arrived well."
      : unfit == streams.count
        ? "All \(Figures.grouped(streams.count)) streams had losses to notice."
        : "\(Figures.grouped(unfit)) of \(Figures.count(streams.count, "stream")) had losses to notice."
    return verdict
  }

  private var nothingArrived: Verdict {
    var sentences: [String] = []
    if let capture {
      sentences.append("\(Figures.count(capture.frames, "packet")) were read, and no RTP stream was found among them.")
      if capture.shortCount > 0 {
        sentences.append("\(Figures.count(capture.shortCount, "source")) had too few packets to be called a stream.")
      }
      if let broken = capture.broken { sentences.append(broken) }
      return Verdict(grade: .bad, headline: "No stream was found.", sentences: sentences)
    }
    if let datagrams, datagrams.received > 0 {
      sentences.append(
        "\(Figures.count(datagrams.received, "datagram")) came, but none belonged to a stream: "
          + (datagrams.invalid.total > 0 ? "\(datagrams.invalid.named)." : "they were RTCP."))
      sentences.append("Is this the port that the media is sent to, and is the media RTP?")
    } else {
      sentences.append("Not one datagram reached this host in \(Figures.duration(duration)).")
      sentences.append(
        "Is the sender running, does it send to this address and port, and does a firewall on the way let UDP through?")
    }
    return Verdict(grade: .bad, headline: "No stream arrived.", sentences: sentences)
  }
}

extension StreamReport {
  /// Packets that weren't there when they were due, and weren't rebuilt.
  var missing: Int {
    let loss = loss
    return max(loss.network + loss.droppedBySocket + loss.late + loss.discarded - playout.recovered, 0)
  }
  /// Their share of all; 0 when nothing was sent.
  var missingShare: Double { loss.total == 0 ? 0 : Double(missing) / Double(loss.total) }
  /// Whether it is heard, not watched: video has a clock of 90 kHz (RFC 3551 section 5).
  private var isAudio: Bool { encoding.map { !$0.contains("/90000") } ?? false }

  /// The verdict on this stream: of video by what could be seen, of anything else by the packets.
  var verdict: Verdict {
    if let pictures, pictures.expected > 0 { return verdict(on: pictures) }
    let total = loss.total
    let percent = Figures.percent(missing, of: total)
    let (grade, word, meaning) = judgement
    let headline =
      missing == 0
      ? "\(word): every one of \(Figures.count(total, "packet")) was there when it was due."
      : "\(word): \(percent) of \(Figures.count(total, "packet")) weren't there when they were due."
    var sentences = [causes, effect(meaning), advice].filter { !$0.isEmpty }
    if let silence = longestSilence {
      sentences.insert("At one point nothing arrived for \(Figures.duration(silence)).", at: 1)
    }
    return Verdict(grade: grade, headline: headline, sentences: sentences)
  }

  /// The thresholds are those of docs/report-format.md.
  private var judgement: (Verdict.Grade, word: String, meaning: String) {
    switch missingShare {
    case 0: (.fine, "Perfect", "had nothing to complain of")
    case ..<0.001: (.fine, "Excellent", "would hardly notice anything")
    case ..<0.01: (.fine, "Good", "would notice little")
    case ..<0.03: (.mixed, "Fair", "would notice gaps now and then")
    case ..<0.1: (.bad, "Poor", "would notice gaps all the time")
    default: (.bad, "Bad", "would find it hard to follow")
    }
  }

  /// What became of the packets that weren't there.
  var causes: String {
    var parts: [String] = []
    let counts = reception
    let loss = loss
    if loss.network > 0 {
      let share = Figures.percent(loss.network, of: loss.total)
      var pattern = ""
      if counts.lossRuns.count > 0 {
        pattern = lostEnds.count == 0 ? ", " : "; those in between "
        pattern +=
          counts.lossRuns.max == 1
          ? "each by itself"
          : "in runs of \(Figures.fixed(counts.lossRuns.mean, decimals: 1)) on average, "
            + "the longest \(Figures.grouped(counts.lossRuns.max))"
      }
      parts.append("\(Figures.grouped(loss.network)) were lost on the network (\(share)\(pattern))")
    }
    if loss.droppedBySocket > 0 {
      parts.append(
        "\(Figures.grouped(loss.droppedBySocket)) came as far as this host and were dropped there, because the socket's "
          + "buffer was full")
    }
    if playout.late > 0 {
      parts.append(
        "\(Figures.grouped(playout.late)) came too late for the buffer of \(targetWords)")
    }
    if playout.discarded.total > 0 {
      parts.append("\(Figures.grouped(playout.discarded.total)) were thrown away (\(playout.discarded.named))")
    }
    if playout.recovered > 0 { parts.append("\(Figures.grouped(playout.recovered)) were rebuilt from others") }
    var aside: [String] = []
    if counts.duplicates > 0 { aside.append("\(Figures.grouped(counts.duplicates)) came more than once") }
    if counts.reordered > 0 { aside.append("\(Figures.grouped(counts.reordered)) out of order") }
    var text = parts.isEmpty ? "Nothing was lost and nothing was late" : parts.joined(separator: "; ")
    if !aside.isEmpty { text += "; " + aside.joined(separator: ", ") + ", which did no harm by itself" }
    return text + "." + (lostEnds.sentence.map { " \($0)" } ?? "")
  }

  private func effect(_ meaning: String) -> String {
    var text = isAudio ? "A listener \(meaning)" : "Whoever watched or heard it \(meaning)"
    if playout.concealedDuration > .zero, !isVideo {
      text +=
        ": \(Figures.duration(playout.concealedDuration)) in \(Figures.duration(mediaDuration)) were made up "
        + "to fill gaps"
    }
    if let quality {
      text += "; estimated MOS for speech \(Figures.fixed(quality.meanOpinionScore, decimals: 1)) of 4.5"
    }
    return text + "."
  }

  /// Which buffer would have done.
  var advice: String {
    if let adaptation = playout.adaptation, playout.samples?.meanTarget != nil {
      var text = "The buffer followed the network within \(limits(of: adaptation)), with \(targetWords)"
      if let enough = sufficientBuffer {
        text +=
          "; a fixed one would have needed \(Figures.trimmed(enough.milliseconds, decimals: 1)) ms for at most "
          + "\(Figures.trimmed(ReplayCurve.enough * 100, decimals: 1)) % too late"
      }
      return text + "."
    }
    if let last = latenessPoints.last {
      let now = reception.unique == 0 ? 0 : Double(playout.late) / Double(reception.unique)
      guard let enough = sufficientBuffer else {
        return
          "Not even a buffer of \(Figures.trimmed(last.delay.milliseconds, decimals: 0)) ms would have been enough."
      }
      let words = Figures.trimmed(enough.milliseconds, decimals: 1) + " ms"
      let share = Figures.trimmed(ReplayCurve.enough * 100, decimals: 1)
      if now > ReplayCurve.enough, enough > playout.target {
        return "A buffer of \(words) would have been enough (at most \(share) % too late); it was \(targetWords)."
      }
      guard enough < playout.target else { return "The buffer of \(targetWords) was enough." }
      return "The buffer of \(targetWords) was enough; \(words) would have done too (at most \(share) % too late)."
    }
    guard let delay = reception.delayVariation, reception.unique > 1 else { return "" }
    let most = Self.roundedUp(delay.p99)
    let all = Self.roundedUp(delay.max)
    if playout.late > 0 {
      return "A buffer of \(most) ms would have waited for 99 % of what arrived, \(all) ms for all of it; "
        + "it was \(targetWords)."
    }
    guard playout.bufferLevel.count > 0 else {
      return "A buffer of \(most) ms would hold 99 % of what arrived, \(all) ms all of it."
    }
    let spare = delay.max < playout.target.milliseconds - 5 ? "; \(all) ms would have done too" : ""
    return "The buffer of \(targetWords) was enough for everything that arrived\(spare)."
  }

  /// To the next 5 ms, as one sets a buffer.
  private static func roundedUp(_ milliseconds: Double) -> String {
    Figures.fixed(max((milliseconds / 5).rounded(.up) * 5, 5), decimals: 0)
  }

  /// The longest time in which nothing arrived, where there was one.
  var longestSilence: Interval? {
    timeline?.events.compactMap { event in
      if case .gap(let length) = event.kind { length } else { nil }
    }.max()
  }
}

extension SendingReport {
  fileprivate func verdict(over duration: Interval) -> Verdict {
    var sentences: [String] = []
    if pacing.count > 0 {
      sentences.append(
        "Packets left \(Figures.milliseconds(pacing.mean.milliseconds)) after they were due on average, 99 % within "
          + "\(Figures.milliseconds(pacing.p99.milliseconds)), the worst "
          + "\(Figures.milliseconds(pacing.max.milliseconds)): "
          + (pacing.p99 < .milliseconds(5)
            ? "jitter that a receiver sees comes from the path, not from here."
            : "this host's own timer adds jitter that a receiver will see."))
    }
    if stalls > 0 {
      sentences.append(
        "The sender stood still \(Figures.count(stalls, "time")), \(Figures.duration(stalledDuration)) in all.")
    }
    let worst = farEnds.max { lossShare($0) < lossShare($1) }
    if let worst {
      sentences.append(lossSentence(worst))
    } else {
      sentences.append("No receiver reported back, so what arrived isn't known here.")
    }
    let failures = socketErrors.reduce(0) { $0 + $1.count }
    if failures > 0 {
      sentences.append("The sockets gave \(Figures.count(failures, "error")): is the receiver listening?")
    }
    let share = worst.map(lossShare) ?? 0
    // Fewer than none missing means that nobody knows how many are.
    let isHidden = farEnds.contains { lossShare($0) < 0 }
    let grade: Verdict.Grade =
      packets == 0 || share >= 0.03 ? .bad : share >= 0.01 || isHidden || stalls > 0 || failures > 0 ? .mixed : .fine
    return Verdict(
      grade: grade,
      headline: packets == 0
        ? "Nothing was sent."
        : "\(Figures.count(packets, "packet")) of \(encoding.map { Printable.cleaned($0) } ?? "media") were sent in "
          + "\(Figures.duration(duration)).",
      sentences: sentences)
  }

  /// The share that never arrived there: by extended reports, or else by RFC 3550 A.3, where duplicates hide losses.
  private func lossShare(_ farEnd: FarEnd) -> Double {
    if let share = farEnd.extended?.lossRatio { return share }
    return packets == 0 ? 0 : Double(farEnd.cumulativeLost) / Double(packets)
  }

  private func lossSentence(_ farEnd: FarEnd) -> String {
    let name = "the far end \(Figures.identifier(farEnd.ssrc))"
    if let extended = farEnd.extended, let share = extended.lossRatio {
      let percent = Figures.trimmed(share * 100, decimals: 2) + " %"
      guard let lost = extended.lost else {
        return "By its extended reports, which are about some of the packets, \(name) lacks \(percent)."
      }
      return "By its extended reports \(name) lacks \(Figures.grouped(lost)) of the "
        + "\(Figures.count(extended.reception.covered, "packet")) that they are about (\(percent))."
    }
    let (lost, meaning) = (farEnd.cumulativeLost, "by RFC 3550, where each duplicate hides a loss")
    guard lost < 0 else { return "By its reports \(name) lacks \(Figures.count(lost, "packet")), \(meaning)." }
    return "The far end \(Figures.identifier(farEnd.ssrc)) received \(Figures.grouped(-lost)) more than were due: "
      + "duplicates hide how many were lost."
  }
}
