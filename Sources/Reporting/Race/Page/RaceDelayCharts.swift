internal import Plots
internal import Timeline

/// The drawings of a race's delays.
extension RaceCharts {
  /// The lanes whose delays are drawn: without the control, which would only stretch the axes.
  private var drawn: [Int] {
    let linked = all.filter { race.lanes[$0].transport != .control && race.lanes[$0].delayFigures != nil }
    return linked.isEmpty ? all.filter { race.lanes[$0].delayFigures != nil } : linked
  }

  private func figures(_ places: [Int]) -> [DelayFigures] { places.compactMap { race.lanes[$0].delayFigures } }

  /// The delay at which a packet is due to be played: that of the fastest and the buffer.
  private func deadline(_ places: [Int]) -> Double {
    (figures(places).map(\.min).min() ?? 0) + race.typicalBuffer.milliseconds
  }

  private var deadlineWords: String { race.isBufferAdaptive ? "the deadline on average" : "the deadline" }

  /// Writes when which delay occurred.
  func writeDelays(to page: inout Markup) {
    let places = drawn
    guard !places.isEmpty else { return }
    let (most, deadline) = (figures(places).map(\.max).max() ?? 1, deadline(places))
    let isWide = most > 15 * deadline
    let top = max(most, deadline) * 1.08
    // Byte streams spread the widest and lie below.
    let order = places.sorted { Self.isBelow(race.lanes[$0], race.lanes[$1]) }
    var layers: [PlotLayer] = order.map { .ranges(ranges(of: race.lanes[$0]), Self.ink($0)) }
    layers.append(.level(deadline, "", .muted))
    var chart = Chart(
      title: "Delay over time",
      summary: places.map { place in
        let figures = race.lanes[place].delayFigures
        return "\(names[place]): half within \(Figures.milliseconds(figures?.p50 ?? 0)), the slowest "
          + "\(Figures.milliseconds(figures?.max ?? 0))."
      }.joined(separator: " "),
      x: PlotAxis("when it was sent", kind: .time, low: 0, high: end),
      y: PlotAxis(
        "ms from when it was due to be sent", kind: isWide ? .logarithmic : .linear,
        low: isWide ? figures(places).map(\.min).min() : 0, high: top),
      layers: layers)
    chart.height = 230
    page.figure(
      "Delay over time",
      "How long after a packet was due to be sent the receiver had it"
        + (isWide ? " (the axis goes in powers of ten)" : "")
        + ". What lies above the dashed line, \(deadlineWords), came too late for the buffer. Lost packets leave a hole.",
      svg: chart.svg, legend: legend(places))
  }

  private static func isBelow(_ one: LaneReport, _ other: LaneReport) -> Bool {
    one.transport == .byteStream && other.transport != .byteStream
  }

  /// The least and greatest delay of each short stretch of time.
  private func ranges(of lane: LaneReport) -> [PlotRange] {
    let pieces = min(400, lane.packets.count)
    guard pieces > 0 else { return [] }
    return (0..<pieces).compactMap { piece in
      let (from, to) = (lane.packets.count * piece / pieces, lane.packets.count * (piece + 1) / pieces)
      let delays = lane.packets[from..<to].compactMap { $0.delay?.milliseconds }
      guard let least = delays.min(), let most = delays.max() else { return nil }
      return PlotRange(lane.packets[from].sentAt.seconds, least, most)
    }
  }

  /// Writes how often which delay occurred.
  func writeDistribution(to page: inout Markup) {
    let places = drawn
    let least = max(figures(places).map(\.min).min() ?? 1, 0.01)
    let most = max(figures(places).map(\.max).max() ?? 1, deadline(places), least)
    guard !places.isEmpty else { return }
    var edges = [least / 1.06]
    while let last = edges.last, last < most * 1.06, edges.count < 400 { edges.append(last * 1.06) }
    let counts = places.map { place in
      Self.counts(of: race.lanes[place].packets.compactMap { $0.delay?.milliseconds }, edges: edges)
    }
    var layers: [PlotLayer] = zip(places, counts).map { place, counts in
      let points = zip(edges, counts).map { PlotPoint($0, Double($1)) }
      return .steps(points, until: edges.last ?? most, Self.ink(place))
    }
    layers.append(.event(deadline(places), deadlineWords, .muted))
    var chart = Chart(
      title: "How the delays spread",
      summary: places.map { place in
        "\(names[place]): 95 % within \(Figures.milliseconds(race.lanes[place].delayFigures?.p95 ?? 0))."
      }.joined(separator: " "),
      x: PlotAxis("ms of delay", kind: .logarithmic, low: edges.first, high: edges.last),
      y: PlotAxis(
        "packets", kind: .logarithmic, high: Double(counts.joined().max() ?? 1) * 3, isWhole: true), layers: layers)
    chart.height = 200
    page.figure(
      "How the delays spread",
      "How many packets took how long. Both axes go in powers of ten, so that a few slow packets are seen beside thousands "
        + "of fast ones. Right of the dashed line they came too late.",
      svg: chart.svg, legend: legend(places))
  }

  private static func counts(of values: [Double], edges: [Double]) -> [Int] {
    var counts = [Int](repeating: 0, count: max(edges.count - 1, 0))
    for value in values {
      var (low, high) = (0, counts.count)
      while low < high {
        let middle = (low + high) / 2
        if edges[middle + 1] <= value { low = middle + 1 } else { high = middle }
      }
      if !counts.isEmpty { counts[min(low, counts.count - 1)] += 1 }
    }
    return counts
  }

  /// Writes what share other buffers would have missed.
  func writeNeed(to page: inout Markup) {
    let places = drawn
    let needs = race.needs
    let used = race.typicalBuffer.milliseconds
    let most = places.compactMap { needs[$0].milliseconds.last { $0.isFinite } }.max() ?? used
    let end = max(most * 1.05, used * 1.25, 1)
    guard !places.isEmpty else { return }
    let least = 0.01
    var layers: [PlotLayer] = places.map { place in
      let points = (0...240).map { step in
        let buffer = end * Double(step) / 240
        return PlotPoint(buffer, max(needs[place].missing(at: buffer) * 100, least))
      }
      return .line(points, Self.ink(place))
    }
    layers.append(.level(RaceJudge.tolerable * 100, "1 %", .muted))
    if used > 0 { layers.append(.event(used, race.isBufferAdaptive ? "on average" : "this race", .muted)) }
    let words = places.map { place in
      "\(names[place]): "
        + (needs[place].buffer(missing: RaceJudge.tolerable).map {
          "\(Figures.fixed(max($0.rounded(.up), 1), decimals: 0)) ms"
        } ?? "no buffer would have been enough")
    }
    var chart = Chart(
      title: "What buffer would have been enough", summary: words.joined(separator: "; "),
      x: PlotAxis("ms of buffer", low: 0, high: end),
      y: PlotAxis("% missing", kind: .logarithmic, low: least, high: 100), layers: layers)
    chart.height = 230
    page.figure(
      "What buffer would have been enough",
      "The share of the packets that would have been missing when due, lost or late, with a buffer of a fixed delay; the "
        + "lowest line means none. Enough for at most 1 %: \(words.joined(separator: ", ")).",
      svg: chart.svg, legend: legend(places))
  }

  /// Writes how far a player that waits falls behind, as it was raced or as it would have been.
  func writeWaiting(to page: inout Markup) {
    let places = all.filter { race.lanes[$0].transport == .byteStream }
    let pauses = places.map { race.lanes[$0].pauses ?? race.lanes[$0].waiting(buffer: race.typicalBuffer) }
    guard pauses.contains(where: { !$0.isEmpty }) else { return }
    var layers: [PlotLayer] = []
    for (place, pauses) in zip(places, pauses) {
      var (points, behind) = ([PlotPoint(0, 0)], Interval.zero)
      for pause in pauses.thinned(to: LaneReport.samplesInJSON) {
        behind += pause.length
        points.append(PlotPoint((pause.at + pause.length).seconds, behind.milliseconds))
      }
      layers.append(.steps(points, until: max(end, points.last?.x ?? end), Self.ink(place)))
    }
    let isRaced = race.tcpPlayer == .wait
    var chart = Chart(
      title: "How far a waiting player falls behind",
      summary: zip(places, pauses).map { place, pauses in
        "\(names[place]): \(Figures.count(pauses.count, "pause"))."
      }.joined(separator: " "),
      x: PlotAxis("time", kind: .time, low: 0, high: end), y: PlotAxis("ms behind", low: 0), layers: layers)
    chart.height = 150
    page.figure(
      isRaced ? "How far the player fell behind" : "The other story: a player that waits",
      (isRaced
        ? "The player stood still for what wasn’t there."
        : "A web player stands still instead of concealing: nothing is missing, but each pause stays as delay.")
        + " Each step is a pause.",
      svg: chart.svg, legend: legend(places))
  }

  /// Writes what the kernel told of the connections.
  func writeTCP(to page: inout Markup) {
    let places = race.lanes.indices.filter { race.lanes[$0].tcpSamples.count > 1 }
    let axis = PlotAxis("time", kind: .time, low: 0, high: end)
    func draw(_ title: String, _ text: String, _ unit: String, isWhole: Bool, _ value: (TCPSample) -> Double) {
      let layers = places.map { place in
        let points = race.lanes[place].tcpSamples.thinned(to: 600).map { PlotPoint($0.time.seconds, value($0)) }
        return PlotLayer.steps(points, until: end, Self.ink(place))
      }
      var chart = Chart(
        title: title, summary: text, x: axis, y: PlotAxis(unit, low: 0, isWhole: isWhole), layers: layers)
      chart.height = 130
      page.figure(title, text, svg: chart.svg, legend: legend(places))
    }
    draw(
      "Congestion window", "How many segments TCP lets be under way (TCP_INFO): it shrinks with each loss.",
      "segments", isWhole: true
    ) { Double($0.congestionWindow) }
    draw(
      "Segments sent again", "Counted from the beginning.", "segments", isWhole: true
    ) { Double($0.retransmits) }
    draw(
      "Round trip", "Smoothed, as the kernel measures it, with what waits in queues on the way.", "ms", isWhole: false
    ) { $0.roundTrip.milliseconds }
  }
}
