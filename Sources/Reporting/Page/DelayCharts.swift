internal import Plots
internal import Statistics
internal import Timeline

/// The drawings of a stream's delays that need no timeline.
extension StreamReport {
  /// Writes how often which delay occurred, and which buffer would have done.
  func writeDelayCharts(to page: inout Markup) {
    writeHistogram(to: &page)
    writeLateness(to: &page)
  }

  private func writeHistogram(to page: inout Markup) {
    let counts = reception.delayHistogram.counts
    guard let first = counts.firstIndex(where: { $0 > 0 }), let last = counts.lastIndex(where: { $0 > 0 }),
      reception.unique > 1
    else { return }
    let edges = DelayHistogram.edges
    let lowest = edges[0] / 2
    let highest = edges[edges.count - 1] * 2
    let bars = (first...last).filter { counts[$0] > 0 }.map { place in
      let (low, high) = (place == 0 ? lowest : edges[place - 1], place == edges.count ? highest : edges[place])
      let range =
        place == edges.count
        ? "above \(Self.short(low)) ms" : "\(place == 0 ? "0" : Self.short(low)) to \(Self.short(high)) ms"
      return PlotBar(
        from: low, to: high, value: Double(counts[place]), title: "\(range): \(Figures.count(counts[place], "packet"))")
    }
    let spread = reception.delayVariation
    var layers: [PlotLayer] = [.bars(bars, .main)]
    if let spread, spread.p50 > lowest { layers.append(.event(spread.p50, "half", .muted)) }
    if let spread, spread.p99 > spread.p50 * 1.6 { layers.append(.event(spread.p99, "99 %", .muted)) }
    let chart = Chart(
      title: "How the delays spread",
      summary: spread.map {
        "Half of the packets within \(Figures.milliseconds($0.p50)) of the fastest, 99 % within "
          + "\(Figures.milliseconds($0.p99)), all within \(Figures.milliseconds($0.max))."
      } ?? "",
      x: PlotAxis(
        "ms above the smallest delay", kind: .logarithmic, low: bars.first?.from, high: max(bars.last?.to ?? 1, 1)),
      y: PlotAxis("packets", kind: .logarithmic, high: Double(counts.max() ?? 1) * 3, isWhole: true), layers: layers)
    let ofOrder = orderNote.map { " Of this stream: \($0)." } ?? ""
    page.figure(
      "How the delays spread",
      "How many packets were how much slower than the fastest (PDV, RFC 5481). Both axes go in powers of ten, so that a "
        + "single late packet is seen beside thousands on time.\(ofOrder)",
      svg: chart.svg)
  }

  private func writeLateness(to page: inout Markup) {
    let points = latenessPoints
    guard points.count > 1, let last = points.last, reception.unique > 1 else { return }
    let least = 0.01
    // Where it adapted, the mean.
    let mean = playout.adaptation == nil ? nil : playout.samples?.meanTarget
    let target = mean.map { $0 * 1000 } ?? playout.target.milliseconds
    var layers: [PlotLayer] = [
      .line(points.map { PlotPoint($0.delay.milliseconds, max($0.late * 100, least)) }, .main)
    ]
    let end = max(last.delay.milliseconds, target * 1.1)
    if target > 0 { layers.append(.event(target, "the buffer: \(targetWords)", .second)) }
    if let adaptive = whatIf?.adaptive {
      layers.append(
        .mark(PlotPoint(adaptive.delay.milliseconds, max(adaptive.late * 100, least)), "adaptive, on average", .second))
    }
    if let enough = sufficientBuffer {
      let late = points.first { $0.delay == enough }?.late ?? 0
      layers.append(
        .mark(
          PlotPoint(enough.milliseconds, max(late * 100, least)), "\(Self.short(enough.milliseconds)) ms: enough", .main
        ))
    }
    let chart = Chart(
      title: "Which buffer would have done",
      summary: points.map {
        "\(Self.short($0.delay.milliseconds)) ms: \(Figures.trimmed($0.late * 100, decimals: 2)) %"
      }
      .joined(separator: ", "),
      x: PlotAxis("ms of buffer", low: 0, high: end),
      y: PlotAxis("% too late", kind: .logarithmic, low: least, high: 100), layers: layers)
    page.figure(
      "Which buffer would have done",
      "The share of the packets that arrived which a buffer of a fixed delay would have called too late; the lowest line "
        + "means none, or fewer than one in 10,000. “Enough” is at most "
        + "\(Figures.trimmed(ReplayCurve.enough * 100, decimals: 1)) %.",
      svg: chart.svg)
  }

  /// The share too late against the delay of the buffer, by replay if that was asked for, up to the first delay at which none is.
  var latenessPoints: [(delay: Interval, late: Double)] {
    let points =
      whatIf?.points.map { (delay: $0.delay, late: $0.late) } ?? lateness?.points.map { ($0.delay, $0.late) } ?? []
    return Array(points.prefix((points.firstIndex { $0.late == 0 } ?? points.count) + 1))
  }

  /// The smallest delay of the curve from which on no more are late than are called enough; nil without one.
  var sufficientBuffer: Interval? {
    let points = latenessPoints
    let first = points.lastIndex { $0.late > ReplayCurve.enough }.map { $0 + 1 } ?? 0
    return first < points.count ? points[first].delay : nil
  }

  private static func short(_ milliseconds: Double) -> String { Figures.trimmed(milliseconds, decimals: 2) }
}

extension LossRuns {
  /// Writes how often how many packets were lost in a row; nothing without a loss.
  ///
  /// - Parameters:
  ///   - page: what is written to.
  ///   - ends: what else was lost, before the first and after the last that arrived.
  ///   - isVideo: whether the packets are parts of frames, which lack what is lost.
  func write(to page: inout Markup, ends: LostEnds, isVideo: Bool = false) {
    guard count + ends.runs.count > 0 else { return }
    func bars(_ counts: [Int], _ place: String) -> [PlotBar] {
      counts.enumerated().map { index, count in
        PlotBar(
          from: Double(index) + 0.6, to: Double(index) + 1.4, value: Double(count),
          title: "\(index == 9 ? "10 or more" : "\(index + 1)") in a row\(place): \(Figures.count(count, "time"))")
      }
    }
    var atEnds = [Int](repeating: 0, count: 10)
    for run in ends.runs { atEnds[Swift.min(run, 10) - 1] += 1 }
    var chart = Chart(
      title: "Runs of losses",
      summary: histogram.enumerated().filter { $0.element > 0 }.map {
        "\($0.element) of \($0.offset == 9 ? "10 or more" : "\($0.offset + 1)")"
      }.joined(separator: ", "),
      x: PlotAxis("packets lost in a row (the last column: 10 or more)", low: 0.5, high: 10.5, isWhole: true),
      y: PlotAxis("runs", low: 0, isWhole: true),
      layers: [.stackedBars(bars(histogram, ""), .lost), .paleBars(bars(atEnds, " at an end"), .lost)])
    chart.height = 150
    var legend: [Legend.Entry] = []
    if !ends.runs.isEmpty {
      if count > 0 { legend.append(Legend.Entry(.lost, "between packets that arrived")) }
      legend.append(Legend.Entry(.lost, "at the ends", .pale))
    }
    page.figure(
      "How losses cluster",
      (isVideo
        ? "One lost packet is enough to damage a frame: as many in a row damage fewer than one here and one there. "
        : "One lost packet is easily concealed, many in a row aren't. ")
        + (ends.count == 0 ? "" : "Between the first and the last that arrived: ") + words
        + (ends.unplaced == 0 ? "" : " The ends aren't drawn.") + (ends.sentence.map { " " + $0 } ?? ""),
      svg: chart.svg, legend: Legend(legend))
  }

  private var words: String {
    guard count > 0 else { return "no loss." }
    return "\(Figures.count(count, "run")), \(Figures.fixed(mean, decimals: 1)) packets on average. "
      + (max == 1 ? "Never two in a row." : "The longest run was \(Figures.count(max, "packet")).")
  }
}
