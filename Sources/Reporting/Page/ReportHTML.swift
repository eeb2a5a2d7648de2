internal import Plots
internal import Statistics
internal import Timeline

extension Report {
  /// The report as one self-contained HTML page, which is well-formed XML too.
  ///
  /// It asks for nothing from outside and runs no script; what it says stands in it as JSON as well, once as `json()`
  /// writes it and once for what is drawn. An hour of one stream takes less than 300 kB.
  public func html() -> String {
    var page = Markup()
    page.raw("<!DOCTYPE html>\n")
    page.element("html", ["lang": "en"]) { html in
      html.element("head") { writeHead(to: &$0) }
      html.element("body") { body in
        body.element("header") { writeHeader(to: &$0) }
        body.element("main") { writeMain(to: &$0) }
        body.element("footer") { writeFooter(to: &$0) }
        Self.writeData("report", json(), to: &body)
        if streams.contains(where: { $0.timeline != nil }) { Self.writeData("timelines", timelineJSON(), to: &body) }
      }
    }
    return page.text + "\n"
  }

  /// JSON as it may stand in a `<script>`: nothing in it can end the element or begin a comment.
  static func embeddable(_ json: String) -> String {
    var result = ""
    result.reserveCapacity(json.utf8.count)
    for scalar in json.unicodeScalars {
      switch scalar {
      case "<": result += "\\u003c"
      case ">": result += "\\u003e"
      case "&": result += "\\u0026"
      case "\u{2028}": result += "\\u2028"
      case "\u{2029}": result += "\\u2029"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func writeData(_ id: String, _ json: String, to page: inout Markup) {
    page.element("script", ["type": "application/json", "id": id]) { $0.raw(embeddable(json)) }
  }

  private func writeHead(to head: inout Markup) {
    head.empty("meta", ["charset": "utf-8"])
    head.empty(
      "meta",
      [
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
      ])
    head.empty("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
    head.empty("meta", ["name": "color-scheme", "content": "light dark"])
    head.empty("meta", ["name": "generator", "content": "jitterbug \(version)"])
    head.element("title", "jitterbug \(verb): \(verdict.headline)")
    head.element("style") { $0.raw(PageStyle.css) }
  }

  private func writeHeader(to header: inout Markup) {
    header.element("h1", "jitterbug \(verb)")
    var parts = [Figures.duration(duration)]
    if let start = capture?.first ?? streams.compactMap(\.firstArrival).min() {
      parts.insert(CalendarText.text(nanoseconds: start), at: 0)
    }
    if let ended { parts.append("ended: \(ended)") }
    header.element("p", ["class": "soft"], parts.joined(separator: " · "))
    if let capture { header.element("p", ["class": "soft"], "Capture \(capture.name)") }
    if let link {
      header.element("p", ["class": "soft"]) { line in
        line.write("Behind a link inside this process: ")
        line.element("code", link)
      }
    }
    let verdict = verdict
    header.element("div", ["class": "verdict g\(verdict.grade.rawValue)", "role": "status"]) { box in
      for sentence in [verdict.headline] + verdict.sentences { box.element("p", sentence) }
    }
  }

  private func writeSendings(to main: inout Markup) {
    for (place, sending) in sendings.enumerated() {
      sending.write(to: &main, id: place == 0 ? "sending" : "sending-\(place + 1)")
    }
  }

  private func writeMain(to main: inout Markup) {
    if let probe { probe.write(to: &main) } else { writeSendings(to: &main) }
    if streams.count > 1 { writeStreams(to: &main) }
    let shown = min(streams.count, PageDetail.streamLimit)
    for place in 0..<shown { streams[place].write(to: &main, place: place, detail: PageDetail(streams: shown)) }
    if shown < streams.count {
      main.element(
        "p",
        "The other \(Figures.count(streams.count - shown, "stream")) stand in the table of streams and in the JSON.")
    }
    probe?.writeSeconds(to: &main)
    // The link of a probe lies on the way there, what it received came by the way back.
    let heading = "What the link did"
    linkRecord?.write(probe == nil ? heading : heading + ", up", beside: probe == nil ? streams : [], to: &main)
    if let link = probe?.downLinkRecord { link.write(heading + ", down", beside: streams, to: &main) }
    datagrams?.write(to: &main)
    if let capture { write(capture, to: &main) }
  }

  private func write(_ capture: CaptureReport, to main: inout Markup) {
    var text = TextPage()
    capture.write(streams: streams.count, to: &text)
    main.element("h2", "Capture \(capture.name)")
    PageTable("What the capture held", text).write(to: &main)
  }

  private func writeStreams(to main: inout Markup) {
    main.element("h2", probe == nil ? "The streams" : "Down: the streams that came back")
    var table = PageTable(
      probe == nil
        ? "Streams in order of appearance"
        : "What came back, in order of appearance; streams of which nothing came back aren't listed",
      [
        .text("stream"), .text("from"), .text("encoding"), .number("expected"), .number("lost"), .number("late"),
        .number("duplicates"), .number("out of order"), .number("jitter"), .number("MOS"),
      ])
    table.isDense = true
    for stream in streams {
      let counts = stream.reception
      table.row(
        Figures.identifier(stream.ssrc), stream.source, stream.encoding ?? "unknown", Figures.grouped(counts.expected),
        "\(Figures.grouped(counts.lost)) (\(Figures.percent(counts.lost, of: counts.expected)))",
        Figures.grouped(stream.playout.late), Figures.grouped(counts.duplicates), Figures.grouped(counts.reordered),
        Figures.milliseconds(counts.jitter.mean),
        stream.quality.map { Figures.fixed($0.meanOpinionScore, decimals: 2) } ?? "–")
    }
    table.write(to: &main)
    main.element("nav", ["aria-label": "Streams"]) { nav in
      nav.element("ul") { list in
        for (place, stream) in streams.prefix(PageDetail.streamLimit).enumerated() {
          list.element("li") { item in
            item.element("a", ["href": "#" + stream.anchor(place)], Figures.identifier(stream.ssrc))
            item.write(": " + stream.verdict.headline)
          }
        }
      }
    }
  }

  private func writeFooter(to footer: inout Markup) {
    footer.element("p") { line in
      line.write("Written by jitterbug \(version). Every figure is defined, with its standard, in ")
      line.element("code", "docs/report-format.md")
      line.write("; this page asks for nothing from outside.")
    }
    guard streams.count <= PageDetail.streamLimit else { return }
    footer.element("details") { details in
      details.element("summary", "The report as JSON")
      details.element("pre", ["tabindex": "0"], json(pretty: true))
    }
  }
}
