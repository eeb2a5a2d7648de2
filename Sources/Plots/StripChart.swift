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

    /// Makes a cell of parts.
    public init(_ parts: [Part]) { self.parts = parts }
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
    markup.element(
      "svg",
      ["xmlns": "http://www.w3.org/2000/svg", "class": "plot strip", "role": "img", "height": "\(lines * Self.pitch)"]
    ) { svg in
      svg.element("title", title)
      svg.element("desc", summary)
      svg.element(
        "svg",
        [
          "viewBox": "0 0 \(columns) \(lines * Self.pitch)", "preserveAspectRatio": "none", "width": "100%",
          "height": "100%",
        ]
      ) { inner in
        var path = ""
        for index in 0..<lines where !cells.isEmpty {
          path += "M0 \(index * Self.pitch)h\(places(of: index).count)v10H0z"
        }
        inner.empty("path", ["class": ground.fill, "d": path])
        for (ink, path) in paths() { inner.empty("path", ["class": ink.fill, "d": path]) }
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

  /// One path an ink, in the order in which inks lie above each other.
  private func paths() -> [(Ink, String)] {
    var paths: [Ink: String] = [:]
    var place = 0
    while place < cells.count {
      let cell = cells[place]
      let lineEnd = min((place / columns + 1) * columns, cells.count)
      var end = place + 1
      while end < lineEnd, cells[end] == cell { end += 1 }
      let (x, y) = (place % columns, place / columns * Self.pitch)
      for part in cell.parts where part.bottom > part.top {
        // A little air between cells that differ, but none within a run.
        paths[part.ink, default: ""] +=
          "M\(x) \(y + part.top)h\(end - place)v\(part.bottom - part.top)h-\(end - place)z"
      }
      place = end
    }
    return [Ink.good, .muted, .reordered, .duplicate, .discarded, .late, .lost, .main, .second].compactMap { ink in
      paths[ink].map { (ink, $0) }
    }
  }
}
