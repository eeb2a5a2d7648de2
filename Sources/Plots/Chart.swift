/// A chart with two axes as inline SVG.
///
/// The drawing stretches with the width it is given, texts and strokes don't: marks lie in a nested drawing of 1,000 by
/// 1,000 units, texts at percentages of the outer one. It needs `PlotStyle.css` on its page, and no script. Whatever
/// values it is given, it is well-formed XML: numbers that aren't finite are left out, an empty range is widened.
public struct Chart: Sendable {
  /// What it shows, in a few words.
  public var title: String
  /// What is to be seen in it, for those who can't look.
  public var summary: String
  /// The horizontal axis.
  public var x: PlotAxis
  /// The vertical axis.
  public var y: PlotAxis
  /// What is drawn, from the bottom up.
  public var layers: [PlotLayer]
  /// The height in pixels.
  public var height = 200

  /// Describes a chart.
  public init(title: String, summary: String, x: PlotAxis, y: PlotAxis, layers: [PlotLayer]) {
    self.title = title
    self.summary = summary
    self.x = x
    self.y = y
    self.layers = layers
  }

  /// The chart as an `<svg>` element.
  public var svg: String {
    let drawing = ChartDrawing(self)
    var markup = Markup()
    markup.plot("plot", height: max(height, 40), title: title, summary: summary) { svg in
      drawing.writeGrid(to: &svg)
      svg.element(
        "svg", ["viewBox": "0 0 1000 1000", "preserveAspectRatio": "none", "width": "100%", "height": "100%"]
      ) { inner in
        for layer in layers { drawing.write(layer, to: &inner) }
      }
      drawing.writeAxes(of: self, to: &svg)
      for (place, layer) in layers.enumerated() { drawing.writeNote(of: layer, place: place, to: &svg) }
    }
    return markup.text
  }
}

/// Writes a chart's parts with its axes settled.
struct ChartDrawing {
  private let x: AxisScale
  private let y: AxisScale
  /// The stacked layers' bars, in order.
  private let stacks: [[PlotBar]]

  init(_ chart: Chart) {
    stacks = Self.stacked(chart.layers)
    let corners = chart.layers.flatMap(\.corners) + Self.heights(stacks[...]).map { PlotPoint($0.key, $0.value) }
    func extent(_ value: (PlotPoint) -> Double) -> ClosedRange<Double>? {
      guard let first = corners.first else { return nil }
      return corners.reduce(value(first)...value(first)) { range, point in
        min(range.lowerBound, value(point))...max(range.upperBound, value(point))
      }
    }
    x = AxisScale(chart.x, extent: extent(\.x), tickCount: 6)
    y = AxisScale(chart.y, extent: extent(\.y), tickCount: max(chart.height / 45, 2))
  }

  // MARK: Axes

  func writeGrid(to svg: inout Markup) {
    for tick in y.ticks {
      let place = percent(1 - (y.share(tick.value) ?? 0))
      svg.empty("line", ["class": "grid", "x1": "0", "x2": "100%", "y1": place, "y2": place])
    }
  }

  func writeAxes(of chart: Chart, to svg: inout Markup) {
    svg.empty("line", ["class": "axis", "x1": "0", "x2": "100%", "y1": "100%", "y2": "100%"])
    for tick in y.ticks {
      let place = percent(1 - (y.share(tick.value) ?? 0))
      svg.element("text", ["class": "end", "x": "0", "dx": "-8", "y": place, "dy": "4"], tick.label)
    }
    for (index, tick) in x.ticks.enumerated() {
      let share = x.share(tick.value) ?? 0
      // On a narrow page every other label is left out where there are many.
      let isOdd = x.ticks.count > 5 && index % 2 == 1
      svg.empty(
        "line",
        ["class": "axis", "x1": percent(share), "x2": percent(share), "y1": "100%", "y2": "100%", "stroke-width": "1"])
      // The last label mustn't reach out of the page.
      let (side, shift) = share > 0.97 ? ("end", "10") : ("mid", "0")
      svg.element(
        "text", ["class": isOdd ? side + " odd" : side, "x": percent(share), "dx": shift, "y": "100%", "dy": "18"],
        tick.label)
    }
    svg.element("text", ["class": "end", "x": "100%", "y": "100%", "dy": "35"], chart.x.label)
    svg.element("text", ["x": "0", "dx": "-52", "y": "0", "dy": "-12"], chart.y.label)
  }

  // MARK: Layers

  func write(_ layer: PlotLayer, to svg: inout Markup) {
    switch layer {
    case .line(let points, let ink):
      write(path: line(points), class: "line \(ink.stroke)", to: &svg)
    case .steps(let points, let until, let ink):
      write(path: steps(points, until: until), class: "line \(ink.stroke)", to: &svg)
    case .band(let ranges, let until, let ink):
      write(path: band(ranges, until: until), class: "band \(ink.fill)", to: &svg)
    case .ranges(let ranges, let ink):
      write(path: strokes(ranges), class: "range \(ink.stroke)", to: &svg)
    case .bars(let bars, let ink): write(bars, from: [:], ink.fill, to: &svg)
    case .stackedBars(let bars, let ink): write(stack: bars, ink.fill, to: &svg)
    case .paleBars(let bars, let ink): write(stack: bars, ink.pale, to: &svg)
    case .span(let span, let ink):
      guard let left = x.share(span.from), let right = x.share(span.to) else { return }
      rectangle(ink.pale, left, right, 0, 1, span.title, to: &svg)
    case .hovers(let bars):
      for bar in bars {
        guard let left = x.share(bar.from), let right = x.share(bar.to) else { continue }
        rectangle("hover", left, right, 0, 1, bar.title, to: &svg)
      }
    case .mark(let point, _, let ink):
      write(path: strokes([PlotRange(point.x, point.y, point.y)]), class: "dot \(ink.stroke)", to: &svg)
    case .event(let value, _, let ink):
      guard let share = x.share(value) else { return }
      write(path: "M\(unit(share)) 0V1000", class: "dash \(ink.stroke)", to: &svg)
    case .level(let value, _, let ink):
      guard let share = y.share(value) else { return }
      write(path: "M0 \(unit(1 - share))H1000", class: "dash \(ink.stroke)", to: &svg)
    }
  }

  /// The texts that belong to a layer, which the drawing's stretching mustn't distort.
  func writeNote(of layer: PlotLayer, place: Int, to svg: inout Markup) {
    switch layer {
    case .mark(let point, let text, _):
      guard let across = x.share(point.x), let up = y.share(point.y), !text.isEmpty else { return }
      // On the side that has room.
      let (side, shift) = across > 0.6 ? ("note end", "-10") : ("note", "10")
      // Curves fall to the right in every plot of ours that has such texts: before the point there is room below it.
      let isBelow = up > 0.85 || across > 0.6 && up > 0.15
      let drop = isBelow ? "18" : "-8"
      svg.element(
        "text", ["class": side, "x": percent(across), "dx": shift, "y": percent(1 - up), "dy": drop], text)
    case .event(let value, let text, _):
      guard let share = x.share(value), !text.isEmpty else { return }
      let (side, shift) = share > 0.6 ? ("end", "-4") : ("", "4")
      // Neighbours stand at different heights.
      let drop = place % 2 == 0 ? "10" : "24"
      svg.element("text", ["class": side, "x": percent(share), "dx": shift, "y": "0", "dy": drop], text)
    case .level(let value, let text, _):
      guard let share = y.share(value) else { return }
      let drop = share > 0.9 ? "14" : "-5"
      svg.element("text", ["x": "0", "dx": "5", "y": percent(1 - share), "dy": drop], text)
    default: break
    }
  }

  private func write(path: String, class name: String, to svg: inout Markup) {
    guard !path.isEmpty else { return }
    svg.empty("path", ["class": name, "d": path])
  }

  private func line(_ points: [PlotPoint]) -> String {
    var path = ""
    var isOpen = false
    for point in points {
      guard let across = x.share(point.x), let up = y.share(point.y) else {
        isOpen = false
        continue
      }
      path += (isOpen ? "L" : "M") + "\(unit(across)) \(unit(1 - up))"
      isOpen = true
    }
    return path
  }

  private func steps(_ points: [PlotPoint], until: Double) -> String {
    var path = ""
    var isOpen = false
    for (index, point) in points.enumerated() {
      let end = index + 1 < points.count ? points[index + 1].x : until
      guard let left = x.share(point.x), let right = x.share(end), let up = y.share(point.y) else {
        isOpen = false
        continue
      }
      path += (isOpen ? "V\(unit(1 - up))" : "M\(unit(left)) \(unit(1 - up))") + "H\(unit(right))"
      isOpen = true
    }
    return path
  }

  private func band(_ ranges: [PlotRange], until: Double) -> String {
    var path = ""
    for (index, range) in ranges.enumerated() {
      let end = index + 1 < ranges.count ? ranges[index + 1].x : until
      guard let left = x.share(range.x), let right = x.share(end), let low = y.share(range.low),
        let high = y.share(range.high)
      else { continue }
      path += "M\(unit(left)) \(unit(1 - high))H\(unit(right))V\(unit(1 - low))H\(unit(left))z"
    }
    return path
  }

  private func strokes(_ ranges: [PlotRange]) -> String {
    var path = ""
    for range in ranges {
      guard let across = x.share(range.x), let low = y.share(range.low), let high = y.share(range.high) else {
        continue
      }
      let (bottom, top) = (unit(1 - low), unit(1 - high))
      path += "M\(unit(across)) \(bottom)" + (bottom == top ? "h0" : "V\(top)")
    }
    return path
  }

  private func write(stack bars: [PlotBar], _ name: String, to svg: inout Markup) {
    let place = stacks.firstIndex { $0 == bars } ?? 0
    write(bars, from: Self.heights(stacks[..<place]), name, to: &svg)
  }

  private func write(_ bars: [PlotBar], from bases: [Double: Double], _ name: String, to svg: inout Markup) {
    for bar in bars where bar.value > 0 {
      let base = bases[bar.from] ?? 0
      guard let left = x.share(bar.from), let right = x.share(bar.to), let top = y.share(base + bar.value) else {
        continue
      }
      rectangle(name, left, right, 1 - top, base == 0 ? 1 : 1 - (y.share(base) ?? 0), bar.title, to: &svg)
    }
  }

  private func rectangle(
    _ name: String, _ left: Double, _ right: Double, _ top: Double, _ bottom: Double, _ title: String?,
    to svg: inout Markup
  ) {
    guard right > left, bottom > top else { return }
    let path = "M\(unit(left)) \(unit(bottom))V\(unit(top))H\(unit(right))V\(unit(bottom))z"
    guard let title else { return svg.empty("path", ["class": name, "d": path]) }
    svg.element("path", ["class": name, "d": path]) { $0.element("title", title) }
  }

  private static func stacked(_ layers: [PlotLayer]) -> [[PlotBar]] {
    layers.compactMap { layer in
      switch layer {
      case .stackedBars(let bars, _), .paleBars(let bars, _): bars
      default: nil
      }
    }
  }

  /// The heights that these layers reach together, by the left edge of their bars.
  private static func heights(_ layers: ArraySlice<[PlotBar]>) -> [Double: Double] {
    var heights: [Double: Double] = [:]
    for bars in layers {
      for bar in bars where bar.value.isFinite && bar.from.isFinite { heights[bar.from, default: 0] += bar.value }
    }
    return heights
  }

  private func percent(_ share: Double) -> String {
    DecimalText.text(Int((share * 1000).rounded()), exponent: -1) + "%"
  }

  private func unit(_ share: Double) -> String {
    let tenths = Int((share * 10_000).rounded())
    return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
  }
}
