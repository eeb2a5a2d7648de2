/// What a mark in a plot stands for, which fixes its colour by a CSS variable of `PlotStyle`.
public enum Ink: String, CaseIterable, Sendable {
  /// The quantity that the plot is about.
  case main
  /// A second quantity beside it.
  case second
  /// A third.
  case third
  /// A fourth.
  case fourth
  /// What went as it should.
  case good
  /// Lost.
  case lost
  /// Too late.
  case late
  /// Thrown away.
  case discarded
  /// Out of order.
  case reordered
  /// A second copy.
  case duplicate
  /// Limits, targets, things beside the data.
  case muted

  /// The class of marks that are drawn as lines.
  var stroke: String { "s-" + rawValue }
  /// The class of marks that are filled.
  var fill: String { "f-" + rawValue }
  /// The classes of marks that are an outline around a pale filling.
  var pale: String { "pale \(stroke) \(fill)" }
}

/// The style sheet that plots need in the page they stand on: colours as variables for light and dark, lines, texts.
public enum PlotStyle {
  /// Variables with their values on a light and on a dark page; every one is used as `var(--NAME)`.
  public static let palette: [(name: String, light: String, dark: String)] = [
    ("page", "#ffffff", "#12161c"), ("panel", "#f5f7fa", "#1a2029"), ("text", "#1b2430", "#e6eaf0"),
    ("soft", "#54606e", "#a3afbd"), ("rule", "#d5dbe3", "#333d4a"), ("main", "#1f5fa8", "#77b3f5"),
    ("second", "#0b6b62", "#5cc9bd"), ("third", "#7340b0", "#cba6ff"), ("fourth", "#9c2a6e", "#f59ccb"),
    ("good", "#bfd9cd", "#2c5546"), ("lost", "#b3261e", "#ff8d80"), ("late", "#8f5600", "#f5b754"),
    ("discarded", "#7340b0", "#cba6ff"), ("reordered", "#1f5fa8", "#77b3f5"), ("duplicate", "#0b6b62", "#5cc9bd"),
    ("muted", "#687585", "#8996a6"),
  ]

  /// The style sheet, to stand in the page's `<style>`.
  public static var css: String {
    func variables(_ value: (String, String, String) -> String) -> String {
      palette.map { "--\($0.name):\(value($0.name, $0.light, $0.dark))" }.joined(separator: ";")
    }
    var css = ":root{color-scheme:light dark;\(variables { _, light, _ in light })}"
    css += "@media(prefers-color-scheme:dark){:root{\(variables { _, _, dark in dark })}}"
    css += "@media print{:root{color-scheme:light;\(variables { _, light, _ in light })}}"
    for ink in Ink.allCases {
      css += ".\(ink.stroke){stroke:var(--\(ink.rawValue));fill:none}.\(ink.fill){fill:var(--\(ink.rawValue))}"
    }
    return css + rules
  }

  private static let rules = """
    .plot{display:block;overflow:visible;width:calc(100% - 72px);margin:30px 12px 40px 60px;\
    font:12px/1.2 system-ui,sans-serif;print-color-adjust:exact;-webkit-print-color-adjust:exact}
    .plot text{fill:var(--soft)}.plot text.note{fill:var(--text);font-weight:600}
    .plot path,.plot .grid{vector-effect:non-scaling-stroke}
    .plot .grid{stroke:var(--rule);stroke-width:1}.plot .axis{stroke:var(--muted);stroke-width:1}
    .plot .line{stroke-width:1.75;stroke-linejoin:round}.plot .range{stroke-width:2.5;stroke-linecap:round}
    .plot .range.s-late{stroke-width:4}.plot .dot{stroke-width:9;stroke-linecap:round}.plot .dash{stroke-width:1.25;stroke-dasharray:5 4}
    .band{opacity:.2}.pale{fill-opacity:.2;stroke-width:1.25}.plot .hover{fill:transparent}.plot .hover:hover{fill:var(--main);fill-opacity:.18}
    .plot .end{text-anchor:end}.plot .mid{text-anchor:middle}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.1rem 0 1rem 60px;\
    font-size:.82rem;color:var(--soft)}
    .legend svg{overflow:visible;width:1.1em;height:.8em;margin-right:.4em;vertical-align:-.05em;print-color-adjust:exact}
    @media(max-width:480px){.plot{width:calc(100% - 58px);margin-left:50px;margin-right:8px}.plot .odd{display:none}\
    .legend{margin-left:0}}
    """
}
