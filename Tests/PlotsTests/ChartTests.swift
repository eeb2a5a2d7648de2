import Foundation
import Plots
import Testing

struct ChartTests {
  static let hostile = "\u{0}\u{1b}[31m</title><script>alert(1)</script>\"'&\u{2028}\u{202e}\u{ffff}😀"

  private func chart(_ layers: [PlotLayer], x: PlotAxis = PlotAxis("x"), y: PlotAxis = PlotAxis("y")) -> Chart {
    Chart(title: Self.hostile, summary: Self.hostile, x: x, y: y, layers: layers)
  }

  /// One of each layer over the same values.
  private func layers(_ values: [Double]) -> [PlotLayer] {
    let points = values.enumerated().map { PlotPoint(Double($0.offset), $0.element) }
    let ranges = points.map { PlotRange($0.x, $0.y, $0.y * 2) }
    let bars = points.map { PlotBar(from: $0.x, to: $0.x + 1, value: $0.y, title: Self.hostile) }
    var layers: [PlotLayer] = [
      .line(points, .main), .steps(points, until: 9, .second), .band(ranges, until: 9, .muted),
      .ranges(ranges, .late), .bars(bars, .lost), .stackedBars(bars, .lost), .stackedBars(bars, .late),
      .paleBars(bars, .lost), .hovers(bars),
    ]
    for point in points {
      layers += [
        .mark(point, Self.hostile, .main), .event(point.y, Self.hostile, .muted), .level(point.y, "l", .muted),
        .span(PlotBar(from: point.y, to: point.x, value: .nan, title: Self.hostile), .lost),
      ]
    }
    return layers
  }

  @Test(
    arguments: [
      [], [0], [5], [-5, 5], [1, 2, 3], [.nan], [.infinity, -.infinity], [1e308, -1e308], [1, .nan, 3],
      [.leastNonzeroMagnitude], [.greatestFiniteMagnitude], [1e15, 1e15 + 0.1],
    ] as [[Double]])
  func `any values give well-formed SVG without a number that isn't one`(values: [Double]) {
    for kind in [PlotAxis.Kind.linear, .logarithmic, .time] {
      let axis = PlotAxis(Self.hostile, kind: kind)
      let svg = chart(layers(values), x: axis, y: axis).svg
      let parsed = WellFormed(svg)
      #expect(parsed.isWellFormed, "\(parsed.trouble)")
      #expect(!parsed.elements.contains { $0.name == "script" })
      let drawn = parsed.elements.compactMap { $0.attributes["d"] }.joined(separator: " ")
      #expect(!drawn.contains("nan") && !drawn.contains("inf") && !drawn.contains("e"))
      #expect(svg.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{2028}" && $0 != "\u{202e}" })
    }
  }

  @Test func `ends of an axis that aren't numbers are ignored`() {
    let axis = PlotAxis("x", low: .nan, high: .infinity)
    #expect(WellFormed(chart([.line([PlotPoint(1, 1), PlotPoint(2, 4)], .main)], x: axis, y: axis).svg).isWellFormed)
    let reversed = PlotAxis("x", low: 5, high: -5)
    #expect(WellFormed(chart([.line([PlotPoint(1, 1)], .main)], x: reversed, y: reversed).svg).isWellFormed)
  }

  @Test func `values stand where the axes say`() throws {
    let svg = chart(
      [.line([PlotPoint(0, 0), PlotPoint(5, 50), PlotPoint(10, 100), PlotPoint(11, .nan), PlotPoint(10, 0)], .main)],
      x: PlotAxis("x", low: 0, high: 10), y: PlotAxis("y", low: 0, high: 100)
    ).svg
    let path = WellFormed(svg).elements.first { $0.attributes["class"] == "line s-main" }
    #expect(path?.attributes["d"] == "M0 1000L500 500L1000 0M1000 1000")
  }

  @Test func `a logarithmic axis gives each power of ten the same room`() {
    let svg = chart(
      [.ranges([PlotRange(1, 1, 10), PlotRange(2, 100, 1000), PlotRange(3, 0, 0)], .main)],
      x: PlotAxis("x", low: 0, high: 4), y: PlotAxis("y", kind: .logarithmic, low: 1, high: 1000)
    ).svg
    let path = WellFormed(svg).elements.first { $0.attributes["class"] == "range s-main" }
    #expect(path?.attributes["d"] == "M250 1000V666.7M500 333.3V0M750 1000h0")
  }

  @Test func `stacked bars stand on each other, and the axis reaches their sum`() {
    let low = [PlotBar(from: 0, to: 1, value: 10), PlotBar(from: 1, to: 2, value: 0)]
    let high = [PlotBar(from: 0, to: 1, value: 30), PlotBar(from: 1, to: 2, value: 20)]
    let svg = chart(
      [.stackedBars(low, .lost), .stackedBars(high, .late)], x: PlotAxis("x", low: 0, high: 2), y: PlotAxis("y", low: 0)
    ).svg
    let paths = WellFormed(svg).elements.filter { $0.attributes["class"] == "f-late" }.compactMap { $0.attributes["d"] }
    #expect(paths == ["M0 750V0H500V750z", "M500 1000V500H1000V1000z"])
    #expect(WellFormed(svg).text.contains("40"))
  }

  @Test func `a span reaches over the full height, and pale bars stand on those before them`() throws {
    let below = [PlotBar(from: 0, to: 1, value: 10)]
    let above = [PlotBar(from: 0, to: 1, value: 30, title: "T")]
    let svg = chart(
      [
        .stackedBars(below, .lost), .paleBars(above, .lost), .span(PlotBar(from: -1, to: 0, value: 0), .late),
      ], x: PlotAxis("x", low: -1, high: 3), y: PlotAxis("y", low: 0)
    ).svg
    let paths = WellFormed(svg).elements.filter { $0.attributes["class"]?.hasPrefix("pale") == true }
    #expect(paths.map { $0.attributes["class"] } == ["pale s-lost f-lost", "pale s-late f-late"])
    #expect(paths.map { $0.attributes["d"] } == ["M250 750V0H500V750z", "M0 1000V0H250V1000z"])
  }

  @Test func `a chart has a title, a description, and tells them as an image`() {
    let parsed = WellFormed(Chart(title: "T & t", summary: "S", x: PlotAxis("x"), y: PlotAxis("y"), layers: []).svg)
    #expect(parsed.elements.first?.attributes["role"] == "img")
    #expect(parsed.elements.dropFirst().prefix(2).map(\.name) == ["title", "desc"])
    #expect(parsed.text.hasPrefix("T & tS"))
  }
}

struct StripChartTests {
  private func strip(_ count: Int, _ parts: (Int) -> [StripChart.Cell.Part]) -> StripChart {
    StripChart(
      title: "t", summary: "s", ground: .good, cells: (0..<count).map { StripChart.Cell(parts($0)) }
    ) { ("\($0.lowerBound)", "\($0)" + ChartTests.hostile) }
  }

  @Test(arguments: [0, 1, 63, 64, 65, 1024, 4096])
  func `any number of cells gives well-formed SVG`(count: Int) {
    let parsed = WellFormed(strip(count) { $0 % 3 == 0 ? [.init(.lost, from: -5, to: 50)] : [] }.svg)
    #expect(parsed.isWellFormed, "\(parsed.trouble)")
  }

  @Test func `neighbours that look the same are one piece, but never across a line's end`() {
    let svg = strip(66) { (62...64).contains($0) ? [.init(.lost, from: 0, to: 10)] : [] }.svg
    let path = WellFormed(svg).elements.first { $0.attributes["class"] == "f-lost" }
    #expect(path?.attributes["d"] == "M62 0h2v10h-2zM0 13h1v10h-1z")
  }

  @Test func `a cell that is an outline has no ground`() {
    var strip = strip(4) { _ in [] }
    strip.cells[1] = StripChart.Cell(outline: .lost)
    strip.cells[2] = StripChart.Cell(outline: .lost)
    let elements = WellFormed(strip.svg).elements
    func path(_ name: String) -> String? { elements.first { $0.attributes["class"] == name }?.attributes["d"] }
    #expect(path("f-good") == "M0 0h1v10h-1zM3 0h1v10h-1z")
    #expect(path("pale s-lost f-lost") == "M1 0h2v10h-2z")
  }

  @Test func `a strip without anything to show stays small`() {
    #expect(strip(4096) { _ in [] }.svg.utf8.count < 12_000)
  }
}

struct MarkupTests {
  @Test func `whatever is written comes back from a parser, or as a replacement character`() {
    var markup = Markup()
    markup.element("a", ["b": "<\"'&>\n"]) { $0.write("<\"'&>\u{0}\u{85}\u{2029}é漢😀") }
    let parsed = WellFormed(markup.text)
    #expect(parsed.isWellFormed)
    #expect(parsed.text == "<\"'&>\u{fffd}\u{fffd}\u{fffd}é漢😀")
    #expect(!markup.text.contains("\"'&>\n\""))
  }
}

struct PlotStyleTests {
  private func luminance(_ colour: String) throws -> Double {
    let value = try #require(UInt32(colour.dropFirst(), radix: 16))
    func channel(_ shift: UInt32) -> Double {
      let share = Double(value >> shift & 255) / 255
      return share <= 0.040_45 ? share / 12.92 : Foundation.pow((share + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
  }

  private func contrast(_ one: String, _ other: String) throws -> Double {
    let (a, b) = (try luminance(one), try luminance(other))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  @Test(arguments: [false, true])
  func `texts have a contrast of 4.5 and marks of 3, on the page and on panels (WCAG 2.2 AA)`(isDark: Bool) throws {
    let colours = Dictionary(uniqueKeysWithValues: PlotStyle.palette.map { ($0.name, isDark ? $0.dark : $0.light) })
    func colour(_ name: String) throws -> String { try #require(colours[name]) }
    for ground in ["page", "panel"] {
      for text in ["text", "soft", "main"] {
        #expect(try contrast(colour(text), colour(ground)) >= 4.5, "\(text) on \(ground)")
      }
      for ink in Ink.allCases where ink != .good {
        #expect(try contrast(colour(ink.rawValue), colour(ground)) >= 3, "\(ink) on \(ground)")
      }
    }
    // What stands on the strip's ground must stand out from it as well.
    for ink in [Ink.lost, .late, .discarded, .reordered, .duplicate] {
      #expect(try contrast(colour(ink.rawValue), colour("good")) >= 3, "\(ink) on good")
    }
  }

  @Test func `every ink has its colour, and the sheet closes what it opens`() {
    #expect(Set(Ink.allCases.map(\.rawValue)).isSubset(of: PlotStyle.palette.map(\.name)))
    #expect(PlotStyle.css.count { $0 == "{" } == PlotStyle.css.count { $0 == "}" })
    #expect(!PlotStyle.css.contains("<") && !PlotStyle.css.contains("url("))
  }
}
