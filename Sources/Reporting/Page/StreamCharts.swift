internal import Plots
internal import Statistics
internal import Timeline

/// How fine the page shows each stream, so that it stays small whatever the run was.
struct PageDetail {
  /// The most rows of the table by second.
  var rows: Int
  /// The most cells of the packet strip, where one cell stands for several packets.
  var cells: Int
  /// The most delays drawn.
  var samples: Int

  /// The detail of each of so many streams.
  init(streams: Int) {
    let share = max(streams, 1)
    rows = max(360 / share, 60)
    cells = max(1024 / share, 128)
    samples = max(1024 / share, 128)
  }

  /// The most streams shown with drawings; more stand in the table of streams only.
  static let streamLimit = 12
}

/// The drawings of one stream.
struct StreamCharts {
  let stream: StreamReport
  let timeline: StreamTimeline
  let rows: [TimelineRow]
  let strip: PacketStrip
  let samples: [DelaySample]

  init?(_ stream: StreamReport, detail: PageDetail) {
    guard let timeline = stream.timeline else { return nil }
    self.stream = stream
    self.timeline = timeline
    rows = timeline.rows(atMost: detail.rows)
    strip = PacketStrip(stream, timeline, detail: detail)
    samples = timeline.delaySamples(atMost: detail.samples)
  }

  /// Writes every drawing that there is something to see in.
  func write(to page: inout Markup) {
    strip.write(to: &page)
    writeDelay(to: &page)
    writeMissing(to: &page)
    writeBuffer(to: &page)
  }

  /// The end of the time axis, in seconds.
  private var end: Double { max(timeline.duration.seconds, 0.001) }

  private var timeAxis: PlotAxis {
    PlotAxis(
      "time since the first packet", kind: .time, low: min(lostSpans.first?.from ?? 0, 0),
      high: max(lostSpans.last?.to ?? end, end))
  }

  /// The time that the packets missing at the ends would have taken, as long as all the others at the most.
  private var lostSpans: [PlotBar] {
    let counts = stream.reception
    guard counts.expected > 1 else { return [] }
    let interval = timeline.duration.seconds / Double(counts.expected - 1)
    func span(_ count: Int, _ words: String, _ range: (Double) -> (Double, Double)) -> PlotBar? {
      guard count > 0 else { return nil }
      let length = Double(count) * interval
      let (from, to) = range(min(length, end))
      let text = "\(Figures.count(count, "packet")) lost \(words)" + (length > end ? ", longer than drawn" : "")
      return PlotBar(from: from, to: to, value: 0, title: text)
    }
    let ends = strip.ends
    return [
      span(ends.before, "before the first") { (-$0, 0) }, span(ends.after, "after the last") { (end, end + $0) },
      span(ends.unplaced, "here or before the first") { (end, end + $0) },
    ].compactMap { $0 }
  }

  private var lostMarks: [PlotLayer] { lostSpans.map { .span($0, .lost) } }
  private var lostLegend: [Legend.Entry] {
    lostSpans.compactMap { $0.title }.map { Legend.Entry(.lost, $0, .pale) }
  }

  // MARK: Over time

  private func writeDelay(to page: inout Markup) {
    guard !samples.isEmpty else { return }
    func ranges(_ part: (DelaySample) -> ClosedRange<Double>?) -> [PlotRange] {
      samples.compactMap { sample in
        part(sample).map { PlotRange(sample.time.seconds, $0.lowerBound, $0.upperBound) }
      }
    }
    let late = ranges(\.late)
    var layers: [PlotLayer] = []
    let band = rows.compactMap { row -> PlotRange? in
      guard let target = row.bufferTarget, let base = row.bufferBase else { return nil }
      return PlotRange(row.start.seconds, base.lowerBound, base.upperBound + target)
    }
    if !band.isEmpty { layers.append(.band(band, until: end, .second)) }
    layers.append(.ranges(ranges(\.inTime), .main))
    if !late.isEmpty { layers.append(.ranges(late, .late)) }
    if !band.isEmpty { layers.append(.steps(band.map { PlotPoint($0.x, $0.high) }, until: end, .second)) }
    layers += eventMarks
    layers += lostMarks
    layers.append(.hovers(hovers))
    let most = samples.flatMap { [$0.inTime?.upperBound, $0.late?.upperBound] }.compactMap { $0 }.max() ?? 0
    var chart = Chart(
      title: "Delay over time",
      summary: "Delay of the packets above the smallest, up to \(Figures.milliseconds(most)), over "
        + "\(Figures.duration(timeline.duration)).",
      x: timeAxis, y: PlotAxis("ms above the smallest", low: 0), layers: layers)
    chart.height = 240
    var entries: [Legend.Entry] = [Legend.Entry(.main, "in time")]
    if !late.isEmpty { entries.append(Legend.Entry(.late, "too late")) }
    if !band.isEmpty { entries.append(Legend.Entry(.second, "what the buffer waits for", .band)) }
    entries += lostLegend
    page.figure(
      "Delay over time",
      "How much longer each packet took than the fastest one. "
        + (stream.playout.adaptation == nil
          ? "What lies above the band came after its time: too late, unless nothing behind it had been played. "
          : "The band is what the buffer aimed at: what lies above it was waited for, or came too late. ")
        + "Where packets are many, a stroke reaches from the fastest to the slowest: no spike is left out."
        + (stream.reception.drift?.isSignificant == true ? " A steady slope is the two clocks running apart." : ""),
      svg: chart.svg, legend: Legend(entries))
  }

  private func writeMissing(to page: inout Markup) {
    let missing = stream.reception.lost + stream.playout.late + stream.playout.discarded.total
    guard missing > 0, rows.count > 1 else { return }
    func bars(_ count: (FateCounts) -> Int) -> [PlotBar] {
      rows.map { row in
        PlotBar(
          from: row.start.seconds, to: min((row.start + row.duration).seconds, end),
          value: row.fates.expected == 0 ? 0 : Double(count(row.fates)) / Double(row.fates.expected) * 100)
      }
    }
    let chart = Chart(
      title: "Missing packets over time",
      summary: "The share of packets lost, late or thrown away in each \(span).",
      x: timeAxis, y: PlotAxis("% of packets", low: 0),
      layers: [
        .stackedBars(bars(\.lost), .lost), .stackedBars(bars(\.late), .late),
        .stackedBars(bars(\.discarded), .discarded),
      ] + lostMarks)
    var entries: [Legend.Entry] = []
    if stream.reception.lost > 0 { entries.append(Legend.Entry(.lost, "lost")) }
    if stream.playout.late > 0 { entries.append(Legend.Entry(.late, "too late")) }
    if stream.playout.discarded.total > 0 { entries.append(Legend.Entry(.discarded, "thrown away")) }
    entries += lostLegend
    page.figure(
      "Missing over time", "The share of packets in each \(span) that couldn't be played.", svg: chart.svg,
      legend: Legend(entries))
  }

  private func writeBuffer(to page: inout Markup) {
    let levels = rows.map { PlotRange($0.start.seconds, $0.bufferLevel?.min ?? .nan, $0.bufferLevel?.max ?? .nan) }
    guard rows.count > 1, rows.contains(where: { $0.bufferLevel != nil }) else { return }
    let means = rows.map { PlotPoint($0.start.seconds, $0.bufferLevel?.mean ?? .nan) }
    var layers: [PlotLayer] = [.band(levels, until: end, .main), .steps(means, until: end, .main)]
    let target = stream.playout.target.milliseconds
    let most = rows.compactMap(\.bufferTarget).max() ?? target
    var entries = [Legend.Entry(.main, "mean"), Legend.Entry(.main, "least to most", .band)]
    if stream.playout.adaptation != nil {
      layers.append(.steps(rows.map { PlotPoint($0.start.seconds, $0.bufferTarget ?? .nan) }, until: end, .second))
      entries.append(Legend.Entry(.second, "target"))
    } else if target > 0 {
      layers.append(.level(target, "target \(Figures.trimmed(target, decimals: 1)) ms", .muted))
    }
    var chart = Chart(
      title: "Media in the buffer", summary: "Smallest, mean and largest level of the buffer in each \(span).",
      x: timeAxis,
      y: PlotAxis("ms of media", low: 0, high: max(most * 1.15, rows.compactMap(\.bufferLevel?.max).max() ?? 0)),
      layers: layers)
    chart.height = 150
    page.figure(
      "Media in the buffer",
      "What was held back at each moment of playing: from the least to the most in each \(span), and the mean. "
        + "At nothing, the next packet must be there at once.",
      svg: chart.svg,
      legend: Legend(entries))
  }

  // MARK: Parts

  /// The length of a row, in words: "second", "16 seconds".
  var span: String {
    let seconds = rows.first.map { Int($0.duration.seconds) } ?? 1
    return seconds == 1 ? "second" : "\(Figures.grouped(seconds)) seconds"
  }

  private var hovers: [PlotBar] {
    timeline.rows(atMost: min(rows.count, 120)).filter { $0.fates.expected > 0 }.map { row in
      var title = "\(Figures.clock(row.start)): \(Figures.count(row.fates.expected, "packet"))"
      if row.fates.lost > 0 { title += ", \(row.fates.lost) lost" }
      if row.fates.late > 0 { title += ", \(row.fates.late) late" }
      if let delay = row.delay {
        title += ", delay \(Figures.milliseconds(delay.min)) to \(Figures.milliseconds(delay.max))"
      }
      return PlotBar(
        from: row.start.seconds, to: min((row.start + row.duration).seconds, end), value: 0, title: title)
    }
  }

  private var eventMarks: [PlotLayer] {
    // There is room for so many: first what happened to the stream itself.
    let ofStream = timeline.events.filter { $0.kind.bufferRank == nil }.prefix(24)
    let ofBuffer = timeline.events.filter { $0.kind.bufferRank ?? 0 > 2 }.prefix(24 - ofStream.count)
    return (ofStream + ofBuffer).compactMap { event in
      switch event.kind {
      case .began, .ended: nil
      case .restarted: .event(event.time.seconds, "restart", .muted)
      case .dropout: .event(event.time.seconds, "dropout", .muted)
      case .moved: .event(event.time.seconds, "moved", .muted)
      case .jump, .routeChanged: .event(event.time.seconds, "jump", .muted)
      case .targetRose(_, let to, _): .event(event.time.seconds, "→ \(Figures.duration(to))", .muted)
      case .gaveUp: .event(event.time.seconds, "gave up", .muted)
      case .targetFell, .ranDry, .recovered: nil
      case .gap: .event(event.time.seconds, "", .muted)
      }
    }
  }
}
