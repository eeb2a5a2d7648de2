internal import Plots
internal import Statistics
internal import Timeline

/// The strip of a stream's frames in the order in which they are shown.
struct PictureStrip {
  let pictures: PictureStatistics

  /// Writes the strip and what its colours stand for.
  func write(to page: inout Markup) {
    let history = pictures.history
    guard !history.cells.isEmpty else { return }
    var summary =
      "\(Figures.count(pictures.expected, "frame")): \(Figures.grouped(pictures.damaged)) damaged, "
      + "\(Figures.grouped(pictures.late)) late, \(Figures.grouped(pictures.lost)) lost, "
      + "\(Figures.grouped(pictures.undecodable)) whole but not decodable."
    if pictures.freezes > 0 {
      summary +=
        " The picture froze \(Figures.count(pictures.freezes, "time")), \(Figures.duration(pictures.frozen)) in all."
    }
    let (cells, size) = (history.cells, history.framesPerCell)
    let chart = StripChart(
      title: "What became of each frame", summary: summary, ground: .good, cells: cells.map(\.drawing)
    ) { Self.line(cells, $0, size: size) }
    var explanation = "In the order in which they are shown, from the left and line by line."
    explanation +=
      size == 1 ? " One cell is one frame." : " One cell is \(Figures.grouped(size)) frames, coloured by their shares."
    page.figure("Frame by frame", explanation, svg: chart.svg, legend: legend)
  }

  private static func line(
    _ cells: [PictureHistory.Cell], _ range: Range<Int>, size: Int
  ) -> (label: String, title: String) {
    let part = cells[range]
    func sum(_ count: (PictureHistory.Cell) -> Int) -> String { Figures.grouped(part.reduce(0) { $0 + count($1) }) }
    let first = Figures.grouped(range.lowerBound * size + 1)
    return (
      first,
      "frames \(first) to \(Figures.grouped(range.upperBound * size)): \(sum(\.damaged)) damaged, \(sum(\.late)) late, "
        + "\(sum(\.lost)) lost, \(sum(\.undecodable)) whole but not decodable"
    )
  }

  private var legend: Legend {
    var entries = [Legend.Entry(.good, "shown (\(Figures.grouped(pictures.shown)))")]
    func add(_ ink: Ink, _ count: Int, _ text: String) {
      if count > 0 { entries.append(Legend.Entry(ink, "\(text) (\(Figures.grouped(count)))")) }
    }
    add(.lost, pictures.lost, "lost")
    add(.discarded, pictures.damaged, "damaged")
    add(.late, pictures.late, "too late")
    add(.reordered, pictures.undecodable, "whole, but what it refers to is missing")
    return Legend(entries)
  }
}

extension PictureHistory.Cell {
  /// A cell of one frame tells its fate by height as well as by colour; one of several shows shares.
  fileprivate var drawing: StripChart.Cell {
    guard count > 1 else {
      if lost > 0 { return StripChart.Cell([.init(.lost, from: 0, to: 10)]) }
      if damaged > 0 { return StripChart.Cell([.init(.discarded, from: 2, to: 10)]) }
      if late > 0 { return StripChart.Cell([.init(.late, from: 4, to: 10)]) }
      return StripChart.Cell(undecodable > 0 ? [.init(.reordered, from: 6, to: 10)] : [])
    }
    var parts: [StripChart.Cell.Part] = []
    var bottom = 10
    for (ink, part) in [(Ink.lost, lost), (.discarded, damaged), (.late, late), (.reordered, undecodable)]
    where part > 0 {
      let height = max(part * 10 / count, 1)
      parts.append(.init(ink, from: bottom - height, to: bottom))
      bottom = max(bottom - height, 0)
    }
    return StripChart.Cell(parts)
  }
}
