internal import Plots
internal import Statistics
internal import Timeline

extension ProbeReport {
  /// The verdict in words: the figures of the worse direction, and a sentence for each.
  var pageVerdict: Verdict {
    let directions = [upVerdict, downVerdict].compactMap { $0 }
    let share = directions.compactMap { one in
      one.lost.map { one.packets > 0 ? Double($0) / Double(one.packets) : 1 }
    }.max()
    var grade: Verdict.Grade = share.map { $0 >= 0.03 ? .bad : $0 >= 0.01 ? .mixed : .fine } ?? .mixed
    if grade == .fine, directions.contains(where: { $0.lost == nil || !$0.isComplete }) { grade = .mixed }
    if directions.contains(where: { $0.packets == 0 }) { grade = .bad }
    if let ramp { grade = ramp.outcome == .noFeedback ? .bad : .fine }
    var sentences = self.sentences
    let headline = sentences.isEmpty ? "Nothing came back from the far end." : sentences.removeFirst()
    if sentences.isEmpty, directions.isEmpty, ramp == nil { grade = .bad }
    if ramp == nil { sentences.append("The traffic was \(traffic).") }
    if let recommendedBuffer {
      let buffer = Figures.trimmed(recommendedBuffer.milliseconds, decimals: 0)
      sentences.append(
        "A buffer of \(buffer) ms serves \(directions.count > 1 ? "both directions" : "this direction").")
    }
    return Verdict(grade: grade, headline: headline, sentences: sentences)
  }

  /// Writes what a ramp found, what was sent and what arrived of it.
  func write(to page: inout Markup) {
    ramp?.write(to: &page)
    for (place, stream) in up.prefix(PageDetail.streamLimit).enumerated() { stream.write(to: &page, place: place) }
  }

  /// Writes the run by second, both ways.
  func writeSeconds(to page: inout Markup) {
    guard seconds.count > 1 else { return }
    page.element("h2", "Second by second")
    let end = Double(seconds.count)
    let axis = PlotAxis("time since the beginning", kind: .time, low: 0, high: end)
    func bars(_ value: (ProbeSecond) -> Int?) -> [PlotBar] {
      seconds.enumerated().map { PlotBar(from: Double($0), to: Double($0) + 1, value: Double(value($1) ?? 0)) }
    }
    let (upLost, downLost) = (bars(\.upLost), bars { max($0.downExpected - $0.downUnique, 0) })
    let hasDown = seconds.contains { $0.downExpected > 0 }
    if (upLost + downLost).contains(where: { $0.value > 0 }) {
      let chart = Chart(
        title: "Lost packets by second", summary: "Packets lost on the way there and on the way back in each second.",
        x: axis, y: PlotAxis("packets", low: 0, isWhole: true),
        layers: [.stackedBars(upLost, .main), .stackedBars(downLost, .second)])
      var entries = [Legend.Entry(.main, "up")]
      if hasDown { entries.append(Legend.Entry(.second, "down")) }
      page.figure(
        "Lost by second", "Packets lost in each second, as far as reports told of it at once.", svg: chart.svg,
        legend: Legend(entries))
    }
    let trips = seconds.enumerated().map { PlotPoint(Double($0), $1.roundTrip ?? .nan) }
    if trips.contains(where: { $0.y.isFinite }) {
      var chart = Chart(
        title: "Round trip", summary: "The last round-trip time of each second.", x: axis, y: PlotAxis("ms", low: 0),
        layers: [.steps(trips, until: end, .main)])
      chart.height = 150
      page.figure("Round trip", "The last round-trip time known in each second.", svg: chart.svg)
    }
    page.element("details") { details in
      details.element("summary", "Table by second")
      table.write(to: &details)
    }
  }

  private var table: PageTable {
    var table = PageTable(
      "By second" + (seconds.count > 3600 ? ", the first 3,600 seconds" : ""),
      [
        .number("second"), .number("sent"), .number("up lost"), .number("down expected"), .number("down arrived"),
        .number("jitter ms"), .number("round trip ms"),
      ])
    table.isDense = true
    for (index, second) in seconds.prefix(3600).enumerated() {
      table.row(
        "\(index + 1)", "\(second.sent)", second.upLost.map { "\($0)" } ?? "–", "\(second.downExpected)",
        "\(second.downUnique)", Figures.fixed(second.downJitter, decimals: 2),
        second.roundTrip.map { Figures.fixed($0, decimals: 2) } ?? "–")
    }
    return table
  }
}

extension SentStreamReport {
  fileprivate func write(to page: inout Markup, place: Int) {
    page.section(
      "up-\(place + 1)", "Up: stream \(Figures.identifier(ssrc)) to \(destination)", tiles: tiles
    ) { section in
      if let lossRuns { lossRuns.write(to: &section, ends: lostEnds) }
      var text = TextPage()
      write(to: &text)
      PageTable("Everything that the text report says", text).write(to: &section)
    }
  }

  private var tiles: [PageTile] {
    var tiles: [PageTile] = [(name: "Sent", value: Figures.grouped(sent), note: encoding)]
    if let lost {
      let value = lost < 0 ? "can't be told" : Figures.percent(lost, of: reported)
      tiles.append((name: "Lost", value: value, note: Figures.count(lost, "packet")))
    }
    if let duplicates {
      tiles.append((name: "Duplicates", value: Figures.grouped(duplicates), note: "at the far end"))
    }
    if jitter.count > 0 {
      tiles.append((name: "Jitter", value: Figures.milliseconds(jitter.mean), note: "mean of what was reported"))
    }
    let times = roundTrip.milliseconds
    if times.count > 0 {
      let most = "\(Figures.milliseconds(times.max)) at most"
      tiles.append((name: "Round trip", value: Figures.milliseconds(times.mean), note: most))
    }
    return tiles
  }
}

extension RampReport {
  fileprivate func write(to page: inout Markup) {
    page.element("h2", "Ramp")
    let megabits = 1e6
    let carried = steps.filter { $0.deliveredRate > 0 }
    if carried.count > 1 {
      let ideal = carried.map { PlotPoint($0.sentRate / megabits, $0.sentRate / megabits) }.sorted { $0.x < $1.x }
      var layers: [PlotLayer] = [.line(ideal, .muted)]
      for step in carried {
        let point = PlotPoint(step.sentRate / megabits, step.deliveredRate / megabits)
        layers.append(.mark(point, "", step.isOverload ? .late : .main))
      }
      if let rate, outcome == .capacity {
        layers.append(.level(rate / megabits, "capacity \(Figures.bitrate(rate))", .second))
      }
      let chart = Chart(
        title: "What arrived of what was sent", summary: sentence, x: PlotAxis("Mbit/s sent", low: 0),
        y: PlotAxis("Mbit/s arrived", low: 0), layers: layers)
      page.figure(
        "What arrived of what was sent", "Each dot is one step of the ramp; on the line everything arrived.",
        svg: chart.svg,
        legend: Legend([
          Legend.Entry(.main, "carried"), Legend.Entry(.late, "too much"), Legend.Entry(.muted, "all of it"),
        ]))
    }
    var table = PageTable(
      "The steps",
      [.number("rate"), .number("sent"), .number("arrived"), .number("lost"), .number("delay grew"), .text("")])
    for step in steps {
      table.row(
        Figures.bitrate(step.rate), Figures.bitrate(step.sentRate),
        step.deliveredRate > 0 ? Figures.bitrate(step.deliveredRate) : "–", Figures.percent(step.lost, of: step.sent),
        Figures.milliseconds(step.delayGrowth.milliseconds), step.isOverload ? "too much" : "")
    }
    table.write(to: &page)
  }
}
