internal import Statistics
internal import Timeline

extension SendingReport.FarEnd {
  /// The receiver's own table, from its reports.
  func write(to page: inout TextPage) {
    let name = cname.map { " (" + Printable.cleaned($0) + ")" } ?? ""
    page.heading("Far end \(Figures.identifier(ssrc))\(name), by its reports")
    var figures = [Figures.count(reports, "report")]
    if jitter.count > 0 {
      figures.append("jitter \(Figures.milliseconds(jitter.last)) at last, max \(Figures.milliseconds(jitter.max))")
    }
    if roundTrip.milliseconds.count > 0 {
      figures.append("round trip \(Figures.milliseconds(roundTrip.milliseconds.mean))")
    }
    page.row("reports", figures)
    page.row(
      "RFC 3550",
      [
        "\(Figures.grouped(cumulativeLost)) lost, duplicates taken off",
        "\(Figures.trimmed(lastFractionLost * 100, decimals: 1)) % at last",
      ])
    extended?.write(to: &page)
    if let missingTail, missingTail > 0 {
      let meaning = isFinal && !hasLeftEarly ? "never arrived" : "not reported on"
      page.row(
        "tail",
        (hasLeftEarly ? ["it left before the end"] : [])
          + ["the last \(Figures.count(missingTail, "packet")) sent \(meaning)"])
    } else if hasLeftEarly {
      page.row("tail", ["it left before the end"])
    }
  }
}

extension SendingReport.FarEnd.Extended {
  fileprivate func write(to page: inout TextPage) {
    let lost = reception.lost + reception.lostAtEnd
    page.row(
      "packets",
      [
        "\(Figures.grouped(reception.covered)) of \(Figures.grouped(sent)) reported on"
          + (thinning > 0 ? " (some only one in \(1 << thinning))" : ""),
        "\(Figures.grouped(reception.covered - lost)) arrived",
        "\(Figures.grouped(lost)) lost (\(Figures.percent(lost, of: reception.covered)))",
        duplicates.map { Figures.count($0, "duplicate") } ?? "\(Figures.grouped(reception.duplicated)) came again",
      ])
    if reception.runs.count > 0, thinning == 0 {
      page.row(
        "lost in",
        [
          Figures.count(reception.runs.count, "run"), "mean \(Figures.fixed(reception.runs.mean, decimals: 1))",
          "longest \(Figures.count(reception.runs.max, "packet"))",
        ])
    }
    if let delayVariation {
      page.row(
        "spread",
        [
          "50 % within \(Figures.milliseconds(delayVariation.p50)) of the fastest",
          "95 % \(Figures.milliseconds(delayVariation.p95))", "all \(Figures.milliseconds(delayVariation.max))",
          "of \(Figures.count(receiptTimes, "packet"))",
        ])
    }
    if let voipMetrics {
      page.row(
        "playout",
        [
          "\(Figures.trimmed(voipMetrics.discardRate * 100, decimals: 1)) % too late or discarded",
          "buffer \(Figures.milliseconds(voipMetrics.buffer.milliseconds))",
        ])
    }
  }
}
