/// A strip of cells in order, line after line, as inline SVG: what became of each packet.
///
/// Neighbours that look the same are drawn as one, so its size follows the changes, not the cells. It needs
/// `PlotStyle.css` on its page.
public struct StripChart: Sendable {
  /// One cell: what is drawn on the strip's ground.
  public struct Cell: Hashable, Sendable {
    /// A part of a cell over its full width.
    public struct Part: Hashable, Sendable {
      /// Its colour.
      public var ink: Ink
      /// Where it begins, in tenths of the cell's height from the top.
      public var top: Int
      /// Where it ends.
      public var bottom: Int

      /// Makes a part between two heights in tenths from the top, kept within 0 to 10.
      public init(_ ink: Ink, from top: Int, to bottom: Int) {
        self.ink = ink
        self.top = min(max(top, 0), 10)
        self.bottom = min(max(bottom, 0), 10)
      }
    }

    /// The parts, later ones above earlier ones.
    public var parts: [Part]

    /// The colour of a cell that has no ground and no parts, but an outline around a pale filling.
    public var outline: Ink?

    /// Makes a cell of parts.
    public init(_ parts: [Part]) { self.parts = parts }

    /// Makes a cell that is an outline.
    public init(outline: Ink) {
      parts = []
      self.outline = outline
    }
  }

  /// What it shows, in a few words.
  public var title: String
  /// What is to be seen in it, for those who can't look.
  public var summary: String
  /// What a cell without parts looks like.
  public var ground: Ink
  /// The cells in order.
  public var cells: [Cell]
  /// What stands before a line and what is told to whoever points at it, given the places of its cells.
  public var line: @Sendable (Range<Int>) -> (label: String, title: String)

  /// Describes a strip.
  public init(
    title: String, summary: String, ground: Ink, cells: [Cell],
    line: @escaping @Sendable (Range<Int>) -> (label: String, title: String)
  ) {
    self.title = title
    self.summary = summary
    self.ground = ground
    self.cells = cells
    self.line = line
  }

  /// How many cells stand in a line: 64, or more where the lines would be many.
  public var columns: Int { cells.count > 64 * 16 ? 128 : 64 }

  /// The strip as an `<svg>` element.
  public var svg: String {
    let columns = columns
    let lines = max((cells.count + columns - 1) / columns, 1)
    var markup = Markup()
    markup.plot("plot strip", height: lines * Self.pitch, title: title, summary: summary) { svg in
      svg.element(
        "svg",
        [
          "viewBox": "0 0 \(columns) \(lines * Self.pitch)", "preserveAspectRatio": "none", "width": "100%",
          "height": "100%",
        ]
      ) { inner in
        inner.empty("path", ["class": ground.fill, "d": groundPath])
        let (paths, outlines) = paths()
        for ink in Ink.fromTheBottomUp {
          if let path = outlines[ink] { inner.empty("path", ["class": ink.pale, "d": path]) }
          if let path = paths[ink] { inner.empty("path", ["class": ink.fill, "d": path]) }
        }
        for index in 0..<lines { writeHover(line: index, to: &inner) }
      }
      let stride = lines > 8 ? 4 : lines > 4 ? 2 : 1
      for index in Swift.stride(from: 0, to: lines, by: stride) where !cells.isEmpty {
        let label = line(places(of: index)).label
        svg.element(
          "text", ["class": "end", "x": "0", "dx": "-8", "y": "\(index * Self.pitch)", "dy": "9"], label)
      }
    }
    return markup.text
  }

  /// The height of a line in pixels, of which 10 are cells and the rest is air.
  private static let pitch = 13

  private func places(of line: Int) -> Range<Int> { line * columns..<min((line + 1) * columns, cells.count) }

  private func writeHover(line index: Int, to svg: inout Markup) {
    guard !cells.isEmpty else { return }
    let top = index * Self.pitch
    svg.element("path", ["class": "hover", "d": "M0 \(top)h\(columns)v11H0z"]) {
      $0.element("title", line(places(of: index)).title)
    }
  }

  /// Runs of neighbours in a line that are alike.
  private func runs(alike: (Cell, Cell) -> Bool) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var place = 0
    while place < cells.count {
      let lineEnd = min((place / columns + 1) * columns, cells.count)
      var end = place + 1
      while end < lineEnd, alike(cells[end], cells[place]) { end += 1 }
      runs.append(place..<end)
      place = end
    }
    return runs
  }

  private var groundPath: String {
    runs { ($0.outline == nil) == ($1.outline == nil) }.filter { cells[$0.lowerBound].outline == nil }
      .map { piece($0, from: 0, to: 10) }.joined()
  }

  /// One path an ink for the parts, and one for the outlines.
  private func paths() -> (parts: [Ink: String], outlines: [Ink: String]) {
    var (parts, outlines): ([Ink: String], [Ink: String]) = ([:], [:])
    for run in runs(alike: ==) {
      let cell = cells[run.lowerBound]
      for part in cell.parts where part.bottom > part.top {
        parts[part.ink, default: ""] += piece(run, from: part.top, to: part.bottom)
      }
      if let ink = cell.outline { outlines[ink, default: ""] += piece(run, from: 0, to: 10) }
    }
    return (parts, outlines)
  }

  /// Cells of one line, between two heights in tenths from the top.
  private func piece(_ run: Range<Int>, from top: Int, to bottom: Int) -> String {
    let (x, y) = (run.lowerBound % columns, run.lowerBound / columns * Self.pitch)
    return "M\(x) \(y + top)h\(run.count)v\(bottom - top)h-\(run.count)z"
  }
}

extension Ink {
  /// The order in which the parts of a strip lie above each other.
  static let fromTheBottomUp: [Ink] = [
    .good, .muted, .reordered, .duplicate, .discarded, .late, .lost, .main, .second, .third, .fourth,
  ]
}
