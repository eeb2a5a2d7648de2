/// A point in the units of the axes.
public struct PlotPoint: Hashable, Sendable {
  /// Along the x axis.
  public var x: Double
  /// Along the y axis.
  public var y: Double

  /// Makes a point; one that isn't finite is left out of a plot, and breaks a line.
  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// A stretch of y at one x.
public struct PlotRange: Hashable, Sendable {
  /// Along the x axis.
  public var x: Double
  /// The lower end.
  public var low: Double
  /// The upper end.
  public var high: Double

  /// Makes a stretch; one that isn't finite is left out of a plot.
  public init(_ x: Double, _ low: Double, _ high: Double) {
    self.x = x
    self.low = low
    self.high = high
  }
}

/// A column of a bar chart or a histogram.
public struct PlotBar: Hashable, Sendable {
  /// Its left edge along the x axis.
  public var from: Double
  /// Its right edge.
  public var to: Double
  /// Its height.
  public var value: Double
  /// What a reader is told who points at it; nil for nothing.
  public var title: String?

  /// Makes a column; one that isn't finite is left out of a plot.
  public init(from: Double, to: Double, value: Double, title: String? = nil) {
    self.from = from
    self.to = to
    self.value = value
    self.title = title
  }
}

/// Something drawn in a chart; later layers lie above earlier ones.
public enum PlotLayer: Sendable {
  /// Points joined by straight lines.
  case line([PlotPoint], Ink)
  /// Values that hold from their x to the next one's; the last one holds to `until`.
  case steps([PlotPoint], until: Double, Ink)
  /// The area between two values that hold from their x to the next one's; the last ones hold to `until`.
  case band([PlotRange], until: Double, Ink)
  /// A vertical stroke for each range, a dot where its ends meet.
  case ranges([PlotRange], Ink)
  /// Columns from the lower end of the y axis.
  case bars([PlotBar], Ink)
  /// Columns on the columns before: the heights of layers of this kind add up where their edges are equal.
  case stackedBars([PlotBar], Ink)
  /// The same, drawn as outlines around a pale filling.
  case paleBars([PlotBar], Ink)
  /// A stretch of x over the full height, as an outline around a pale filling; its value is unused.
  case span(PlotBar, Ink)
  /// Invisible columns over the full height that tell their title to whoever points at them; their values are unused.
  case hovers([PlotBar])
  /// A marked point and its text.
  case mark(PlotPoint, String, Ink)
  /// A dashed vertical line with a text at its top.
  case event(Double, String, Ink)
  /// A dashed horizontal line with a text at its left end.
  case level(Double, String, Ink)
}

extension PlotLayer {
  /// The finite corners of what is drawn, which the axes must reach.
  var corners: [PlotPoint] {
    let points: [PlotPoint] =
      switch self {
      case .line(let points, _): points
      case .steps(let points, let until, _): points + points.suffix(1).map { PlotPoint(until, $0.y) }
      case .band(let ranges, let until, _):
        ranges.flatMap { [PlotPoint($0.x, $0.low), PlotPoint($0.x, $0.high)] }
          + ranges.suffix(1).map { PlotPoint(until, $0.high) }
      case .ranges(let ranges, _): ranges.flatMap { [PlotPoint($0.x, $0.low), PlotPoint($0.x, $0.high)] }
      case .bars(let bars, _), .stackedBars(let bars, _), .paleBars(let bars, _):
        bars.flatMap { [PlotPoint($0.from, $0.value), PlotPoint($0.to, $0.value)] }
      case .mark(let point, _, _): [point]
      case .hovers, .event, .level, .span: []
      }
    return points.filter { $0.x.isFinite && $0.y.isFinite }
  }
}
