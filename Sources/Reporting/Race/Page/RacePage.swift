internal import Plots
internal import Timeline

extension RaceReport {
  /// The report as one self-contained HTML page, which is well-formed XML too.
  ///
  /// It asks for nothing from outside and runs no script; what it says stands in it as JSON as well. Beside the sound
  /// it takes less than 1 MB, however long the race.
  public func html() -> String {
    let verdict = verdict
    let frame = RaceFrame(version: version, title: "jitterbug race: \(verdict.headline)")
    return frame.page { body in
      body.element("header") { writeHeader(verdict, to: &$0) }
      body.element("main") { writeMain(to: &$0) }
      body.element("footer") { frame.writeFooter(json: nil, to: &$0) }
      frame.writeData("report", json(), to: &body)
    }
  }

  private func writeHeader(_ verdict: Verdict, to header: inout Markup) {
    header.element("h1", "jitterbug race")
    var parts = [file, Figures.duration(duration)]
    if let began { parts.insert(CalendarText.text(nanoseconds: began), at: 0) }
    if let ended { parts.append("ended: \(ended)") }
    header.element("p", ["class": "soft"], parts.joined(separator: " · "))
    header.element("div", ["class": "verdict g\(verdict.grade.rawValue)", "role": "status"]) { box in
      for sentence in [verdict.headline] + verdict.sentences { box.element("p", sentence) }
    }
    writeSettings(to: &header)
  }

  /// Writes the settings, and the command line to repeat the race.
  func writeSettings(to header: inout Markup) {
    for line in settings { header.element("p", ["class": "soft"], line) }
    header.element("p", ["class": "soft"], "To race it again:")
    header.element("pre", ["tabindex": "0"]) { $0.element("code", commandLine) }
  }

  private func writeMain(to main: inout Markup) {
    guard !lanes.isEmpty else { return }
    main.element("h2", "The lanes beside each other")
    var table = PageTable(
      "What each lane came to", [.text("")] + lanes.map { PageTable.Column.number(columnName($0)) })
    for row in rows { table.rows.append([row.label.capitalizedAtFirst] + row.cells) }
    table.write(to: &main)
    let charts = RaceCharts(self)
    guard charts.hasPackets else { return }
    main.element("h2", "Packet by packet")
    charts.writeStrips(to: &main)
    charts.writeRuns(to: &main)
    if lanes.contains(where: { !$0.clips.isEmpty }) {
      main.element("h2", "What the listeners heard")
      RaceSound(self).write(to: &main)
    }
    main.element("h2", "Delay")
    charts.writeDelays(to: &main)
    charts.writeDistribution(to: &main)
    charts.writeNeed(to: &main)
    charts.writeWaiting(to: &main)
    if lanes.contains(where: { $0.tcpSamples.count > 1 }) {
      main.element("h2", "What TCP did")
      charts.writeTCP(to: &main)
    }
  }
}

/// What pages about races have around what they tell.
struct RaceFrame {
  let version: String
  let title: String

  /// The page, whose body `write` writes.
  func page(_ write: (inout Markup) -> Void) -> String {
    var page = Markup()
    page.raw("<!DOCTYPE html>\n")
    page.element("html", ["lang": "en"]) { html in
      html.element("head") { writeHead(to: &$0) }
      html.element("body") { write(&$0) }
    }
    return page.text + "\n"
  }

  private func writeHead(to head: inout Markup) {
    head.empty("meta", ["charset": "utf-8"])
    head.empty(
      "meta",
      [
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'; media-src data:; base-uri 'none'; "
          + "form-action 'none'",
      ])
    head.empty("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
    head.empty("meta", ["name": "color-scheme", "content": "light dark"])
    head.empty("meta", ["name": "generator", "content": "jitterbug \(version)"])
    head.element("title", title)
    head.element("style") { $0.raw(PageStyle.css + Self.rules) }
  }

  /// Writes JSON that stands in the page for programs.
  func writeData(_ id: String, _ json: String, to page: inout Markup) {
    page.element("script", ["type": "application/json", "id": id]) { $0.raw(Report.embeddable(json)) }
  }

  /// Writes what wrote the page, and the JSON where people are to read it.
  func writeFooter(json: String?, to footer: inout Markup) {
    footer.element("p") { line in
      line.write("Written by jitterbug \(version). Every figure is defined in ")
      line.element("code", "docs/report-format.md")
      line.write("; this page asks for nothing from outside, and holds its numbers as JSON.")
    }
    guard let json else { return }
    footer.element("details") { details in
      details.element("summary", "The report as JSON")
      details.element("pre", ["tabindex": "0"], json)
    }
  }

  private static let rules = """
    audio{display:block;width:calc(100% - 72px);margin:.2rem 12px .3rem 60px}.clip{margin:1.1rem 0 0}
    .clip h3{margin-bottom:0}@media(max-width:480px){audio{width:100%;margin-left:0;margin-right:0}}
    @media print{audio{display:none}}
    """
}
