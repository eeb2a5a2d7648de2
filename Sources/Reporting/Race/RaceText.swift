internal import Timeline

extension RaceReport {
  /// The report for people: lines of text, each ended by a line break.
  ///
  /// The table takes at most 100 columns with four lanes.
  public func text() -> String {
    var page = TextPage()
    var title = "jitterbug race · \(Printable.cleaned(file)) · \(Figures.duration(duration))"
    if let ended { title += " · ended: " + Printable.cleaned(ended) }
    page.line(title)
    for line in settings { page.line(line) }
    if !lanes.isEmpty {
      page.line("")
      for line in table { page.line(line) }
    }
    page.line("")
    for sentence in verdictSentences { page.line(sentence) }
    return page.text
  }

  /// The settings in words, one line for the link and one for the rest.
  var settings: [String] {
    var first = "Link: " + (link.map { Printable.cleaned($0) } ?? "none")
    if link != nil { first += returnLink.map { ", back: " + Printable.cleaned($0) } ?? " both ways" }
    if let seed { first += " · seed \(seed)" }
    return [first, (bufferSettings + [setting.words]).joined(separator: " · ")]
  }

  /// What the players do.
  var bufferSettings: [String] {
    var parts = [
      isBufferAdaptive ? "adaptive buffer" : "buffer \(Figures.duration(buffer))",
      "a packet every \(Figures.duration(packetInterval))",
    ]
    if lanes.contains(where: { $0.transport == .byteStream }) {
      parts.append(tcpPlayer == .wait ? "TCP’s player waits" : "TCP’s player conceals")
    }
    return parts
  }

  /// The figures of the lanes beside each other: what is counted, and a cell a lane.
  var rows: [(label: String, cells: [String])] {
    let summaries = summaries
    var rows: [(label: String, cells: [String])] = []
    func row(_ label: String, isShown: Bool = true, _ cell: (LaneReport, LaneSummary) -> String?) {
      let cells = zip(lanes, summaries).map { cell($0, $1) ?? "–" }
      if isShown, cells.contains(where: { $0 != "–" }) { rows.append((label, cells)) }
    }
    func share(_ count: Int, _ summary: LaneSummary) -> String {
      "\(Figures.grouped(count)) (\(Figures.percent(count, of: summary.packets)))"
    }
    let hasRepairs = summaries.contains { $0.recovered > 0 } || lanes.contains { $0.name.contains("+") }
    row("packets") { Figures.grouped($1.packets) }
    row("on time") { share($1.onTime, $1) }
    row("late") { share($1.late, $1) }
    row("lost") { share($1.lost, $1) }
    row("recovered", isShown: hasRepairs) { share($1.recovered, $1) }
    row("concealed") { lane, _ in Figures.duration(lane.concealed(interval: packetInterval)) }
    row("stalls") { Figures.grouped($1.stalls.count) }
    row("longest stall") { $1.stalls.count == 0 ? nil : Figures.duration($1.stalls.longest) }
    row("behind at the end") { $1.behind.map(Figures.duration) }
    row("delay median") { $1.delay.map { Figures.milliseconds($0.p50) } }
    row("delay 95 %") { $1.delay.map { Figures.milliseconds($0.p95) } }
    row("delay 99 %") { $1.delay.map { Figures.milliseconds($0.p99) } }
    row("delay max") { $1.delay.map { Figures.milliseconds($0.max) } }
    row("sent again") { lane, _ in lane.retransmits.map { Figures.count($0, "segment") } }
    row("connection set-up") { lane, _ in lane.connectionSetup.map { Figures.milliseconds($0.milliseconds) } }
    row("on the wire") { lane, _ in lane.wireBytes.map(Figures.bytes) }
    row("beyond the media") { lane, _ in
      lane.overhead.map { ($0 < 0 ? "" : "+") + Figures.fixed($0 * 100, decimals: 0) + " %" }
    }
    return rows
  }

  /// The head of a lane's column.
  func columnName(_ lane: LaneReport) -> String {
    let name = Printable.cleaned(lane.name, limit: 16)
    guard lane.transport == .byteStream, let control = lane.congestionControl, !name.contains(control) else {
      return name
    }
    return name + " " + Printable.cleaned(control, limit: 10)
  }

  private var table: [String] {
    let rows = [(label: "", cells: lanes.map(columnName))] + self.rows
    let first = rows.map { Printable.columns($0.label) }.max() ?? 0
    let widths = lanes.indices.map { lane in rows.map { Printable.columns($0.cells[lane]) }.max() ?? 0 }
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(width - Printable.columns(text), 0)) + text
    }
    return rows.map { row in
      let label = row.label + String(repeating: " ", count: first - Printable.columns(row.label))
      return "  " + label + zip(row.cells, widths).map { "  " + padded($0, max($1, 10)) }.joined()
    }
  }
}

extension RaceReport.Setting {
  /// Where the lanes ran, in words.
  var words: String {
    switch self {
    case .namespaces: "kernel sockets in network namespaces"
    case .inProcess: "UDP sockets, the link inside this process"
    case .simulated: "simulated on a virtual clock"
    }
  }
}
