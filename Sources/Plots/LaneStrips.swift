/// Strips of cells under each other over one axis of time, block after block, as inline SVG.
///
/// A block holds so many cells of every lane, so that what stands above each other happened at the same time. Neighbours
/// that look the same are drawn as one. It needs `PlotStyle.css` on its page.
public struct LaneStrips: Sendable {
  /// One lane: its name and its cells in order.
  public struct Lane: Sendable {
    /// What stands before its strips.
    public var name: String
    /// The cells; lanes may have fewer than others.
    public var cells: [StripChart.Cell]

    /// Describes a lane.
    public init(_ name: String, _ cells: [StripChart.Cell]) {
      self.name = name
      self.cells = cells
    }
  }

  /// What it shows, in a few words.
  public var title: String
  /// What is to be seen in it, for those who can't look.
  public var summary: String
  /// What a cell without parts looks like.
  public var ground: Ink
  /// The lanes from the top.
  public var lanes: [Lane]
  /// How many cells stand in a block.
  public var columns: Int
  /// What a block's beginning is called, given its first cell's place.
  public var mark: @Sendable (Int) -> String
  /// What is told to whoever points at a lane's part of a block, given the lane and the places of its cells.
  public var hover: @Sendable (Int, Range<Int>) -> String

  /// Describes strips.
  public init(
    title: String, summary: String, ground: Ink, lanes: [Lane], columns: Int,
    mark: @escaping @Sendable (Int) -> String, hover: @escaping @Sendable (Int, Range<Int>) -> String
  ) {
    self.title = title
    self.summary = summary
    self.ground = ground
    self.lanes = lanes
    self.columns = max(columns, 1)
    self.mark = mark
    self.hover = hover
  }

  /// The strips as an `<svg>` element.
  public var svg: String {
    let blocks = max(((lanes.map(\.cells.count).max() ?? 0) + columns - 1) / columns, 1)
    let height = blocks * blockHeight
    var markup = Markup()
    markup.plot("plot strip lanes", height: height, title: title, summary: summary) { svg in
      svg.element(
        "svg",
        [
          "viewBox": "0 0 \(columns) \(height)", "preserveAspectRatio": "none", "width": "100%", "height": "100%",
        ]
      ) { inner in
        inner.empty("path", ["class": ground.fill, "d": groundPath])
        let paths = paths
        for ink in Ink.fromTheBottomUp {
          guard let path = paths[ink] else { continue }
          inner.empty("path", ["class": ink.fill, "d": path])
        }
        for block in 0..<blocks { writeHovers(of: block, to: &inner) }
      }
      for block in 0..<blocks { writeTexts(of: block, to: &svg) }
    }
    return markup.text
  }

  /// The height of a lane in pixels, of which 10 are cells; that of the line with the time; that of a block.
  private static let pitch = 13
  private static let head = 17
  private var blockHeight: Int { Self.head + lanes.count * Self.pitch + 5 }

  private func top(lane: Int, block: Int) -> Int { block * blockHeight + Self.head + lane * Self.pitch }

  private func places(of lane: Int, block: Int) -> Range<Int> {
    let end = lanes[lane].cells.count
    return min(block * columns, end)..<min((block + 1) * columns, end)
  }

  private func writeTexts(of block: Int, to svg: inout Markup) {
    let head = block * blockHeight + Self.head
    svg.element("text", ["x": "0", "y": "\(head)", "dy": "-4"], mark(block * columns))
    for (place, lane) in lanes.enumerated() {
      svg.element(
        "text", ["class": "end", "x": "0", "dx": "-6", "y": "\(top(lane: place, block: block))", "dy": "9"], lane.name)
    }
  }

  private func writeHovers(of block: Int, to svg: inout Markup) {
    for lane in lanes.indices {
      let places = places(of: lane, block: block)
      guard !places.isEmpty else { continue }
      svg.element(
        "path", ["class": "hover", "d": "M0 \(top(lane: lane, block: block))h\(places.count)v10H0z"]
      ) { $0.element("title", hover(lane, places)) }
    }
  }

  private var groundPath: String {
    var path = ""
    for lane in lanes.indices {
      for block in 0..<max((lanes[lane].cells.count + columns - 1) / columns, 0) {
        path += "M0 \(top(lane: lane, block: block))h\(places(of: lane, block: block).count)v10H0z"
      }
    }
    return path
  }

  /// One path an ink.
  private var paths: [Ink: String] {
    var paths: [Ink: String] = [:]
    for (place, lane) in lanes.enumerated() {
      var start = 0
      while start < lane.cells.count {
        let cell = lane.cells[start]
        let blockEnd = min((start / columns + 1) * columns, lane.cells.count)
        var end = start + 1
        while end < blockEnd, lane.cells[end] == cell { end += 1 }
        let (x, y, width) = (start % columns, top(lane: place, block: start / columns), end - start)
        for part in cell.parts where part.bottom > part.top {
          paths[part.ink, default: ""] +=
            "M\(x) \(y + part.top)h\(width)v\(part.bottom - part.top)h-\(width)z"
        }
        start = end
      }
    }
    return paths
  }
}
