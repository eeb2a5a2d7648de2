internal import Statistics
internal import Timeline

/// Loss by place and by pattern, order and delay, as lines for people; only what has something to say.
extension StreamReport {
  func writePlaces(to page: inout TextPage) {
    let loss = loss
    if let sent = ends.sent {
      var figures = ["\(Figures.grouped(sent)) by the sender's final count"]
      if ends.beforeListening > 0 {
        figures.append("\(Figures.grouped(ends.beforeListening)) before this receiver listened")
      }
      let lost = lostEnds
      if lost.count > 0 { figures.append("\(Figures.grouped(lost.count)) lost \(lost.words)") }
      if ends.neverSent > 0 { figures.append("\(Figures.grouped(ends.neverSent)) numbers never sent") }
      page.row("sent", figures)
    } else {
      var text = ends.knowledge.rawValue
      if let least = ends.sentAtLeast { text += "; at least \(Figures.grouped(least)) were sent" }
      page.row("sent", [text])
    }
    guard loss.total > loss.played + loss.stillBuffered else { return }
    var figures = ["\(Figures.grouped(loss.network)) lost on the network"]
    if loss.droppedBySocket > 0 { figures.append("\(Figures.grouped(loss.droppedBySocket)) dropped by this host") }
    if loss.late > 0 { figures.append("\(Figures.grouped(loss.late)) too late") }
    if loss.discarded > 0 { figures.append("\(Figures.grouped(loss.discarded)) discarded") }
    let whole = (loss.isComplete ? "" : "known ") + Figures.count(loss.total, "packet")
    page.row("not played", figures + ["of \(whole)"])
  }

  func writePatterns(to page: inout TextPage) {
    let runs = reception.lossRuns
    guard runs.count > 0 else { return page.row("lost in", lostEnds.figures.map { [$0] } ?? []) }
    var figures = [
      Figures.count(runs.count, "run"), "mean \(Figures.fixed(runs.mean, decimals: 1))",
      "longest \(Figures.count(runs.max, "packet"))",
    ]
    let distance = reception.lossDistance
    if distance.count > 0 {
      let near = Figures.trimmed(distance.noticeableRate() * 100, decimals: 0)
      figures.append("\(near) % within \(LossDistance.reportedDelta) of the one before")
    }
    if let atEnds = lostEnds.figures { figures.append(atEnds) }
    page.row("lost in", figures)
    let bursts = reception.burstGap
    if bursts.burstCount > 0 {
      page.row(
        "bursts",
        [
          "\(Figures.grouped(bursts.burstCount)) of \(Figures.duration(bursts.meanBurst))",
          "\(Figures.percent(bursts.burstMissing, of: bursts.burstPackets)) missing in them",
          "\(Figures.percent(bursts.gapMissing, of: bursts.gapPackets)) in the gaps of "
            + Figures.duration(bursts.meanGap),
        ])
    }
    writeModels(to: &page)
  }

  private func writeModels(to page: inout TextPage) {
    let gilbert = reception.gilbert
    guard gilbert.isReliable, let p = gilbert.p, let r = gilbert.r else {
      return page.row("loss model", ["not enough data for one"])
    }
    var figures = ["Gilbert p " + Self.figure(p, gilbert.pBounds) + " r " + Self.figure(r, gilbert.rBounds)]
    if let fit = gilbertElliott, fit.verdict == .notEnoughData {
      figures.append("Gilbert-Elliott: not enough data (\(Figures.count(fit.losses, "loss", "losses")))")
    }
    page.row("loss model", figures)
    guard let fit = gilbertElliott, fit.verdict != .notEnoughData else { return }
    guard let p = fit.p, let r = fit.r, let k = fit.k, let h = fit.h else {
      return page.row("", ["Gilbert-Elliott: " + fit.verdict.rawValue])
    }
    let parts = [("p", p), ("r", r), ("k", k), ("h", h)].map { name, figure in
      "\(name) \(Figures.trimmed(figure.value, decimals: 4)) ±\(Figures.trimmed(figure.error, decimals: 4))"
    }
    page.row("", ["Gilbert-Elliott " + parts.joined(separator: " ")])
  }

  private static func figure(_ value: Double, _ bounds: ClosedRange<Double>?) -> String {
    let text = Figures.trimmed(value, decimals: 3)
    guard let bounds else { return text }
    let (low, high) = (bounds.lowerBound, bounds.upperBound)
    return "\(text) (\(Figures.trimmed(low, decimals: 3)) to \(Figures.trimmed(high, decimals: 3)))"
  }

  func writeOrder(to page: inout TextPage) {
    let order = reception.reordering
    guard order.count > 0 else { return }
    page.row(
      "reordered",
      [
        "\(Figures.count(order.count, "packet")) (\(Figures.percent(order.count, of: order.unique)))",
        "by up to \(Figures.count(order.maxExtent, "place"))",
        "up to \(Figures.milliseconds(order.maxLateTime.milliseconds)) behind",
        "\(Figures.grouped(order.reordered(byAtLeast: 3))) would look lost to TCP",
      ])
  }

  func writeDelay(to page: inout TextPage) {
    guard isClockKnown, let spread = reception.delayVariation else { return }
    page.row(
      "spread",
      [
        "50 % within \(Figures.milliseconds(spread.p50)) of the fastest", "95 % \(Figures.milliseconds(spread.p95))",
        "99 % \(Figures.milliseconds(spread.p99))", "99.9 % \(Figures.milliseconds(spread.p999))",
        "all \(Figures.milliseconds(spread.max))",
      ])
    let steps = reception.interPacketVariation
    if let low = steps.percentile(0.01), let high = steps.percentile(0.99) {
      page.row(
        "steps",
        [
          "98 % of changes from packet to packet are \(Figures.milliseconds(low.milliseconds)) to "
            + Figures.milliseconds(high.milliseconds),
          "mean \(Figures.milliseconds(steps.meanMagnitude.milliseconds))",
        ])
    }
    if let drift = reception.drift { page.row("clocks", Self.words(for: drift)) }
    writePathDelay(spread, to: &page)
  }

  private static func words(for drift: ClockDrift) -> [String] {
    let bounds = drift.bounds
    let range =
      "\(Figures.trimmed(bounds.lowerBound, decimals: 1)) to \(Figures.trimmed(bounds.upperBound, decimals: 1)) ppm"
    guard drift.isSignificant else { return ["the sender's runs like ours (drift \(range))"] }
    let word = drift.ppm > 0 ? "fast" : "slow"
    return [
      "the sender's is \(Figures.trimmed(drift.ppm.magnitude, decimals: 1)) ppm \(word) (\(range))",
      "\(Figures.milliseconds(drift.effect.milliseconds)) of the spread is that",
    ]
  }

  private func writePathDelay(_ spread: DelayPercentiles, to page: inout TextPage) {
    guard let delay else { return }
    guard let least = delay.least?.milliseconds, let basis = delay.basis else {
      return page.row("delay", ["only relative, as above: " + (delay.obstacle?.rawValue ?? "nothing is known")])
    }
    var figures = [
      "one way \(Figures.milliseconds(least)) at least", "50 % \(Figures.milliseconds(least + spread.p50))",
      "99 % \(Figures.milliseconds(least + spread.p99))",
    ]
    switch basis {
    case .sameHost: figures.append("both ends on this host, one clock")
    case .roundTrip: figures.append("±\(Figures.milliseconds(delay.error.milliseconds)), half the round trip")
    }
    page.row("delay", figures)
  }

  func writeLateness(to page: inout TextPage) {
    guard whatIf == nil, let points = lateness?.points, points.count > 1, let last = points.last else { return }
    let told: Set<Interval> = Set([10, 20, 40, 60, 100, 150, 200, 300, 500].map { .milliseconds($0) })
    let shown = points.filter { told.contains($0.delay) || $0 == last }
    let parts = shown.prefix(6).map { point in
      "\(Figures.trimmed(point.delay.milliseconds, decimals: 1)) ms: \(Figures.trimmed(point.late * 100, decimals: 2)) %"
    }
    page.row("late with", ["a fixed buffer of " + parts.joined(separator: ", ")])
  }
}
