internal import Plots
internal import Statistics
internal import Timeline

extension StreamReport {
  /// The anchor of the stream's section.
  func anchor(_ place: Int) -> String { "stream-\(place + 1)" }

  /// Writes everything about the stream.
  func write(to page: inout Markup, place: Int, detail: PageDetail) {
    page.section(anchor(place), heading, description: description, tiles: tiles) { section in
      accounts.write(to: &section)
      if let pictures { PictureStrip(pictures: pictures).write(to: &section) }
      let charts = StreamCharts(self, detail: detail)
      charts?.write(to: &section)
      writeDelayCharts(to: &section)
      reception.lossRuns.write(to: &section, ends: lostEnds, isVideo: isVideo)
      section.element("h3", "The figures")
      figures.write(to: &section)
      guard let charts else { return }
      writeEvents(charts.timeline, to: &section)
      section.element("details") { details in
        details.element("summary", "Table by \(charts.span)")
        Self.table(charts.rows, span: charts.span).write(to: &details)
      }
    }
  }

  private var heading: String {
    let name = "tream \(Figures.identifier(ssrc)) from \(source)"
    return direction == "down" ? "Down: s" + name : "S" + name
  }

  private var description: String {
    var parts = [encoding ?? "unknown encoding", "payload type \(payloadType)"]
    if let encodingSource { parts[0] += " (known from \(encodingSource.words))" }
    if let cname { parts.append("sent by \(cname)") }
    if let firstArrival { parts.append("first packet at \(CalendarText.text(nanoseconds: firstArrival))") }
    if let firstArrival, let lastArrival, lastArrival >= firstArrival {
      parts.append("received for \(Figures.duration(Interval(nanoseconds: lastArrival - firstArrival)))")
    }
    if let ended { parts.append(ended) }
    return parts.joined(separator: " · ")
  }

  /// The delay that the buffer aimed at: "60 ms".
  ///
  /// Where it adapted, what it aimed at on average: "46 ms on average".
  var targetWords: String {
    guard playout.adaptation != nil, let mean = playout.samples?.meanTarget else {
      return Figures.trimmed(playout.target.milliseconds, decimals: 1) + " ms"
    }
    return Figures.trimmed(mean * 1000, decimals: 0) + " ms on average"
  }

  private var tiles: [PageTile] {
    let counts = reception
    let byOrder = orderNote == nil ? "" : "; by the frames' order too"
    var tiles = [
      (
        "Lost", Figures.percent(loss.network + loss.droppedBySocket, of: loss.total),
        Figures.count(loss.network + loss.droppedBySocket, "packet")
      ),
      (
        "Too late", Figures.percent(playout.late, of: loss.total),
        playout.adaptation == nil ? "for \(targetWords) of buffer" : "for a buffer that adapted"
      ),
      ("Duplicates", Figures.grouped(counts.duplicates), "\(Figures.percent(counts.duplicates, of: counts.received))"),
      ("Out of order", Figures.grouped(counts.reordered), "\(Figures.percent(counts.reordered, of: counts.unique))"),
      (
        "Jitter", Figures.milliseconds(counts.jitter.mean),
        "mean; \(Figures.milliseconds(counts.jitter.max)) at most\(byOrder)"
      ),
    ]
    if let delay = counts.delayVariation {
      var note = "99 % within; all \(Figures.milliseconds(delay.max))"
      if let drift = counts.drift, drift.isSignificant, drift.effect.milliseconds > delay.max / 10 {
        note += "; \(Figures.milliseconds(drift.effect.milliseconds)) of it by clock drift"
      }
      note += byOrder
      tiles.append(("Delay spread", Figures.milliseconds(delay.p99), note))
    }
    if let quality {
      tiles.append(
        ("Speech quality", Figures.fixed(quality.meanOpinionScore, decimals: 2), "MOS, an estimate; 4.5 at best"))
    }
    return tiles.map { (name: $0.0, value: $0.1, note: $0.2) }
  }

  /// Where the packets went: places that add up to what was sent, or to what was expected where that isn't known.
  private var accounts: PageTable {
    let loss = loss
    var table = PageTable(
      "Where the packets went", [.text(""), .number("packets"), .number("share"), .text("meaning")])
    func row(_ name: String, _ count: Int, _ meaning: String, isSum: Bool = false) {
      table.row(name, Figures.grouped(count), Figures.percent(count, of: loss.total), meaning, isSum: isSum)
    }
    row("Played in time", loss.played, "heard or seen as they were sent")
    var lost = "never arrived"
    if let atEnds = loss.atEnds, atEnds > 0 {
      lost += "; \(Figures.grouped(atEnds)) of all lost ones before the first or after the last that did"
    }
    row("Lost on the network", loss.network, lost)
    if loss.droppedBySocket > 0 {
      row("Dropped by this host", loss.droppedBySocket, "crossed the network, but the socket's buffer was full")
    }
    row("Too late", loss.late, "arrived after their place in the playout was over")
    if loss.discarded > 0 { row("Thrown away", loss.discarded, playout.discarded.named) }
    if loss.stillBuffered > 0 { row("Still buffered", loss.stillBuffered, "waiting when the report was made") }
    if loss.isComplete {
      row("Sent", loss.total, "the rows above, by the sender's final count", isSum: true)
    } else {
      row("Expected", loss.total, "the rows above, from the first to the last that arrived", isSum: true)
      table.row("Sent", ends.sentAtLeast.map { "≥ \(Figures.grouped($0))" } ?? "?", "", ends.knowledge.rawValue)
    }
    if loss.neverSent > 0 { row("Never sent", loss.neverSent, "numbers that the sender jumped over") }
    if playout.recovered > 0 { row("Rebuilt", playout.recovered, "of those not played: made from other packets") }
    if playout.concealed > 0 {
      if isVideo {
        row(
          "Missing", playout.concealed, "of those not played: nothing stands in for them, so their frames aren't whole")
      } else {
        row("Concealed", playout.concealed, "of those not played: made up or left silent")
      }
    }
    return table
  }

  /// The text report's rows, so that page and text never tell different things.
  private var figures: PageTable {
    var text = TextPage()
    var shown = self
    // They are drawn.
    shown.whatIf = nil
    shown.lateness = nil
    shown.write(to: &text)
    return PageTable("Everything that the text report says", text)
  }

  private func writeEvents(_ timeline: StreamTimeline, to page: inout Markup) {
    page.element("h3", "What happened when")
    var table = PageTable("Events, with the time since the first packet", [.number("time"), .text("event")])
    for event in timeline.events { table.row(Figures.duration(event.time), event.words(of: self)) }
    table.write(to: &page)
    let (ofStream, ofBuffer) = timeline.forgottenEvents
    guard ofStream + ofBuffer > 0 else { return }
    let share = ofBuffer == 0 ? "" : ", \(Figures.grouped(ofBuffer)) of them of the jitter buffer's delay"
    page.element("p", "\(Figures.count(ofStream + ofBuffer, "event")) more aren't listed\(share).")
  }

  private static func table(_ rows: [TimelineRow], span: String) -> PageTable {
    var table = PageTable(
      "By \(span). Lost, late and out of order stand where the packet's place was; jitter and delay in ms.",
      [
        .number("from"), .number("expected"), .number("lost"), .number("late"), .number("thrown away"),
        .number("out of order"), .number("duplicates"), .number("kbit/s"), .number("jitter"), .number("delay min"),
        .number("mean"), .number("max"), .number("buffer"),
      ])
    table.isDense = true
    func number(_ value: Double?) -> String { value.map { Figures.fixed($0, decimals: 1) } ?? "–" }
    for row in rows {
      table.rows.append([
        Figures.clock(row.start), "\(row.fates.expected)", "\(row.fates.lost)", "\(row.fates.late)",
        "\(row.fates.discarded)", "\(row.fates.reordered)", "\(row.fates.duplicates)",
        Figures.fixed(Double(row.bytes) * 8 / max(row.duration.milliseconds, 1), decimals: 0),
        number(row.jitter?.mean), number(row.delay?.min), number(row.delay?.mean), number(row.delay?.max),
        number(row.bufferLevel?.mean),
      ])
    }
    return table
  }
}

extension TimelineEvent {
  /// The event in words.
  func words(of stream: StreamReport) -> String {
    switch kind {
    case .began: "the stream began"
    case .restarted: "the sender began anew with other sequence numbers"
    case .dropout(let packets): "\(Figures.count(packets, "packet")) are missing, then it went on"
    case .targetRose(let from, let to, let delay):
      "a packet came \(Figures.duration(delay)) late: target \(Figures.duration(from)) → \(Figures.duration(to))"
    case .targetFell(let from, let to): "calmer: target \(Figures.duration(from)) → \(Figures.duration(to))"
    case .routeChanged(let shift): "the smallest transit changed by \(Figures.duration(shift))"
    case .ranDry(let length): "nothing to play for \(Figures.duration(length))"
    case .recovered(let time): "back at the target after \(Figures.duration(time))"
    case .gaveUp(let media): "\(Figures.duration(media)) of media were given up: too late to be of use"
    case .moved: "it went on from another address"
    case .gap(let length): "nothing arrived for \(Figures.duration(length))"
    case .jump: "the timestamps, or the delay of the path, jumped"
    case .ended: "it ended" + (stream.ended.map { ": \($0)" } ?? "")
    }
  }
}
