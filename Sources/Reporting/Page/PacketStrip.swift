internal import Plots
internal import Statistics

/// The strip of a stream's packets in their order, with those that are missing at its ends.
struct PacketStrip {
  /// One cell and the packets that it stands for, counted from 1 on.
  struct Cell {
    var packets: ClosedRange<Int>
    /// What became of them; nil for those missing at an end.
    var fates: FateCounts?
  }

  let stream: StreamReport
  /// What became of the packets between the first and the last that arrived.
  let fates: FateStrip
  let ends: LostEnds
  let cells: [Cell]
  /// Whether the ends have more packets a cell than the rest, because they would take most of the room.
  let isCut: Bool

  /// Lays out as many cells as the detail allows: one a packet where that is enough.
  init(_ stream: StreamReport, _ timeline: StreamTimeline, detail: PageDetail) {
    let ends = stream.lostEnds
    var strip = timeline.strip()
    var room = StreamTimeline.cellLimit
    if strip.numbersPerCell > 1 || strip.cells.count + ends.count + 2 > room {
      room = detail.cells
      strip = timeline.strip(atMost: room)
      while strip.cells.count > room / 4, strip.cells.count + ends.count / strip.numbersPerCell + 2 > room {
        strip = timeline.strip(atMost: strip.cells.count / 2)
      }
    }
    let size = strip.numbersPerCell
    let free = max(room - strip.cells.count - 2, 2)
    let scale = max(size, (ends.count + free - 1) / free)
    var cells = Self.missing(ends.before, from: 1, atMost: scale)
    var next = ends.before + 1
    for fates in strip.cells {
      let last = next + max(fates.expected, 1) - 1
      cells.append(Cell(packets: next...last, fates: fates))
      next = last + 1
    }
    cells += Self.missing(ends.after + ends.unplaced, from: next, atMost: scale)
    (self.stream, self.ends, self.cells, fates, isCut) = (stream, ends, cells, strip, scale > size)
  }

  private static func missing(_ count: Int, from first: Int, atMost size: Int) -> [Cell] {
    stride(from: 0, to: count, by: size).map { offset in
      Cell(packets: first + offset...first + min(offset + size, count) - 1)
    }
  }

  /// Writes the strip and what its colours stand for.
  func write(to page: inout Markup) {
    let counts = stream.reception
    var summary =
      "\(Figures.count(counts.expected, "packet")): \(Figures.grouped(counts.lost)) lost, "
      + "\(Figures.grouped(stream.playout.late)) late, \(Figures.grouped(stream.playout.discarded.total)) thrown away."
    if let outage = ends.sentence { summary += " " + outage }
    let chart = StripChart(
      title: "What became of each packet", summary: summary, ground: .good, cells: cells.map(\.drawing)
    ) { Self.line(cells[$0]) }
    page.figure("Packet by packet", explanation, svg: chart.svg, legend: legend)
  }

  private var explanation: String {
    var text = "In order of sequence number, from the left and line by line; the number is that of a line's first."
    text +=
      fates.numbersPerCell == 1
      ? " One cell is one packet."
      : " One cell is \(Figures.grouped(fates.numbersPerCell)) packets. What is coloured grows with the share that was "
        + "missing, fast at first: 1 % fills a tenth of the cell, 25 % a half."
    guard let outage = ends.sentence else { return text }
    if ends.unplaced > 0 { text += " Those missing at the ends stand behind the last." }
    if isCut { text += " The ends are drawn shorter than they were." }
    return text + " " + outage
  }

  /// What stands before a line, and what is told of it.
  private static func line(_ cells: ArraySlice<Cell>) -> (label: String, title: String) {
    let (first, last) = (cells.first?.packets.lowerBound ?? 0, cells.last?.packets.upperBound ?? 0)
    func sum(_ count: (Cell) -> Int) -> String { Figures.grouped(cells.reduce(0) { $0 + count($1) }) }
    let atEnds = cells.reduce(0) { $0 + ($1.fates == nil ? $1.packets.count : 0) }
    return (
      Figures.grouped(first),
      "packets \(Figures.grouped(first)) to \(Figures.grouped(last)): \(sum { $0.fates?.lost ?? 0 }) lost, "
        + "\(sum { $0.fates?.late ?? 0 }) late, \(sum { $0.fates?.discarded ?? 0 }) thrown away"
        + (atEnds > 0 ? ", \(Figures.grouped(atEnds)) lost at the ends" : "")
    )
  }

  private var legend: Legend {
    let counts = stream.reception
    var entries: [Legend.Entry] = [Legend.Entry(.good, "in time")]
    func add(_ ink: Ink, _ count: Int, _ text: String, _ look: Legend.Look = .filled) {
      if count > 0 { entries.append(Legend.Entry(ink, "\(text) (\(Figures.grouped(count)))", look)) }
    }
    add(.lost, counts.lost, "lost")
    add(.lost, ends.count, "lost at the ends", .pale)
    add(.late, stream.playout.late, "too late")
    add(.discarded, stream.playout.discarded.total, "thrown away")
    if fates.numbersPerCell == 1 {
      add(.reordered, counts.reordered, "out of order")
      add(.duplicate, counts.duplicates, "came again")
    }
    return Legend(entries)
  }
}

extension PacketStrip.Cell {
  /// A cell of one packet tells its fate by height as well as by colour; one of several shows shares.
  fileprivate var drawing: StripChart.Cell {
    guard let fates else { return StripChart.Cell(outline: .lost) }
    return fates.expected == 1 ? Self.single(fates) : Self.shares(fates)
  }

  private static func single(_ fates: FateCounts) -> StripChart.Cell {
    if fates.lost > 0 { return StripChart.Cell([.init(.lost, from: 0, to: 10)]) }
    var parts: [StripChart.Cell.Part] = []
    if fates.reordered > 0 { parts.append(.init(.reordered, from: 0, to: 3)) }
    if fates.duplicates > 0 { parts.append(.init(.duplicate, from: 7, to: 10)) }
    if fates.late > 0 { parts.append(.init(.late, from: 3, to: 10)) }
    if fates.discarded > 0 { parts.append(.init(.discarded, from: 5, to: 10)) }
    return StripChart.Cell(parts)
  }

  private static func shares(_ fates: FateCounts) -> StripChart.Cell {
    var parts: [StripChart.Cell.Part] = []
    var bottom = 10
    for (ink, count) in [(Ink.lost, fates.lost), (.late, fates.late), (.discarded, fates.discarded)] where count > 0 {
      let height = max(Int(((Double(count) / Double(max(fates.expected, 1))).squareRoot() * 10).rounded()), 1)
      parts.append(.init(ink, from: bottom - height, to: bottom))
      bottom = max(bottom - height, 0)
    }
    return StripChart.Cell(parts)
  }
}
