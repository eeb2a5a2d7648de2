internal import Plots
internal import Timeline

extension SweepReport {
  /// The report as one self-contained HTML page, which is well-formed XML too.
  public func html() -> String {
    let sentences = verdictSentences
    let frame = RaceFrame(version: race.version, title: "jitterbug race: \(sentences.first ?? "")")
    return frame.page { body in
      body.element("header") { header in
        header.element("h1", "jitterbug race: \(key) swept")
        var parts = [title]
        if let began = race.began { parts.insert(CalendarText.text(nanoseconds: began), at: 0) }
        header.element("p", ["class": "soft"], parts.joined(separator: " · "))
        header.element("div", ["class": "verdict", "role": "status"]) { box in
          for sentence in sentences { box.element("p", sentence) }
        }
        race.writeSettings(to: &header)
      }
      body.element("main") { writeMain(to: &$0) }
      body.element("footer") { frame.writeFooter(json: nil, to: &$0) }
      frame.writeData("report", json(), to: &body)
    }
  }

  private func writeMain(to main: inout Markup) {
    let points = points
    guard !points.isEmpty else { return }
    main.element("h2", "The lanes against \(key)")
    write(
      "Played when due", "The share of packets that were there, or rebuilt, when they were due.", "% of the packets",
      top: 101, points, to: &main
    ) { point in (point.inTime.mean * 100, point.inTime.least * 100, point.inTime.most * 100) }
    write(
      "Delay", "The delay within which 95 % of what came did, from when it was due to be sent.", "ms", low: 0, points,
      to: &main
    ) { point in point.delay.map { ($0.mean, $0.least, $0.most) } }
    let heads = Self.heads(key)
    var table = PageTable(
      "Each value and lane; the figures of its seeds",
      heads.enumerated().map { $0.offset < 2 ? .text($0.element) : .number($0.element) })
    table.isDense = true
    table.rows = cells
    table.write(to: &main)
  }

  private func write(
    _ title: String, _ text: String, _ label: String, low: Double? = nil, top: Double? = nil, _ points: [SweepPoint],
    to page: inout Markup, _ figure: (SweepPoint) -> (mean: Double, least: Double, most: Double)?
  ) {
    var layers: [PlotLayer] = []
    var (entries, words): ([Legend.Entry], [String]) = ([], [])
    for (place, name) in laneNames.enumerated() {
      let own = points.filter { $0.lane == name }.compactMap { point in figure(point).map { (point, $0) } }
      guard !own.isEmpty else { continue }
      let ink = RaceCharts.ink(place)
      layers.append(.line(own.map { PlotPoint($0.0.value, $0.1.mean) }, ink))
      layers.append(.ranges(own.map { PlotRange($0.0.value, $0.1.least, $0.1.most) }, ink))
      layers += own.map { .mark(PlotPoint($0.0.value, $0.1.mean), "", ink) }
      entries.append(Legend.Entry(ink, name))
      words.append(
        "\(name): " + own.map { "\($0.0.text) \(Figures.trimmed($0.1.mean, decimals: 2))" }.joined(separator: ", "))
    }
    // Room for the dots at the ends.
    let values = points.map(\.value).filter(\.isFinite)
    let (least, most) = (values.min() ?? 0, values.max() ?? 1)
    let room = max((most - least) * 0.03, 1e-6)
    var chart = Chart(
      title: title, summary: words.joined(separator: "; "),
      x: PlotAxis("\(key) in \(unit)", low: least - room, high: most + room),
      y: PlotAxis(label, low: low, high: top), layers: layers)
    chart.height = 260
    page.figure(
      title, text + " The lines join the means, the strokes reach from the worst seed to the best.", svg: chart.svg,
      legend: Legend(entries))
  }
}
