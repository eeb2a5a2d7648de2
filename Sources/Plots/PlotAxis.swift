/// One axis of a chart: what it counts, from where to where.
public struct PlotAxis: Sendable {
  /// How values are spread along the axis, and what its marks look like.
  public enum Kind: Sendable {
    /// Evenly.
    case linear
    /// By their logarithm; values that aren't positive stand at the lower end.
    case logarithmic
    /// Evenly, in seconds, with marks as on a clock.
    case time
  }

  /// What is counted, with its unit: "delay in ms".
  public var label: String
  /// How values are spread.
  public var kind: Kind
  /// The lower end; nil for as low as the data goes.
  public var low: Double?
  /// The upper end; nil for as high as the data goes.
  public var high: Double?
  /// Whether only whole numbers make sense.
  public var isWhole: Bool

  /// Describes an axis.
  public init(
    _ label: String, kind: Kind = .linear, low: Double? = nil, high: Double? = nil, isWhole: Bool = false
  ) {
    self.label = label
    self.kind = kind
    self.low = low
    self.high = high
    self.isWhole = isWhole
  }
}

/// An axis with its ends and marks settled.
struct AxisScale {
  let kind: PlotAxis.Kind
  let low: Double
  let high: Double
  let ticks: [Tick]

  /// Settles an axis for the values that `extent` spans; nil for a chart without data.
  init(_ axis: PlotAxis, extent: ClosedRange<Double>?, tickCount: Int) {
    let least = axis.low.flatMap { $0.isFinite ? $0 : nil } ?? extent?.lowerBound ?? 0
    let most = max(axis.high.flatMap { $0.isFinite ? $0 : nil } ?? extent?.upperBound ?? 1, least)
    kind = axis.kind
    switch axis.kind {
    case .linear:
      var marks = Ticks.linear(from: least, to: most, about: tickCount)
      if axis.isWhole {
        marks = marks.compactMap { mark in Int(exactly: mark.value).map { Tick($0) } }
      }
      // An end that was asked for holds; one that the data gives is moved out to the next mark.
      low = axis.low == nil ? min(marks.first?.value ?? least, least) : least
      high = axis.high == nil || most <= low ? max(marks.last?.value ?? most, most) : most
      let ends = (low, high)
      ticks = marks.filter { $0.value >= ends.0 && $0.value <= ends.1 }
    case .logarithmic:
      // Counts stand on half of one, so that a single one is seen.
      let marks = Ticks.logarithmic(from: axis.isWhole ? 1 : least, to: most)
      low = axis.isWhole ? 0.5 : axis.low.map { max($0, marks.first?.value ?? $0) } ?? marks.first?.value ?? 1
      high = max(axis.high.map { min($0, marks.last?.value ?? $0) } ?? marks.last?.value ?? 10, low * 2)
      let ends = (low, high)
      ticks = marks.filter { $0.value >= ends.0 && $0.value <= ends.1 }
    case .time:
      low = least
      high = most > least ? most : least + 1
      ticks = Ticks.time(from: low, to: high, about: tickCount)
    }
  }

  /// Where a value stands, from 0 at the low end to 1 at the high one, kept within; nil when it isn't finite.
  func share(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    let share: Double
    switch kind {
    case .linear, .time:
      // Halves, because the difference of two huge numbers may not be finite.
      share = (value / 2 - low / 2) / (high / 2 - low / 2)
    case .logarithmic:
      guard value > 0 else { return 0 }
      let origin = Logarithm.decimal(low)
      share = (Logarithm.decimal(value) - origin) / (Logarithm.decimal(high) - origin)
    }
    guard share.isFinite else { return nil }
    return min(max(share, 0), 1)
  }
}
