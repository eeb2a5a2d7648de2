internal import Plots
internal import Timeline

/// The drawings of a race.
struct RaceCharts {
  let race: RaceReport
  /// The names of the lanes as they stand in legends.
  let names: [String]

  init(_ race: RaceReport) {
    self.race = race
    names = race.lanes.map(race.columnName)
  }

  /// Whether there is anything to draw.
  var hasPackets: Bool { race.lanes.contains { !$0.packets.isEmpty } }

  /// The colour of a lane.
  static func ink(_ place: Int) -> Ink {
    let inks: [Ink] = [.main, .second, .third, .fourth]
    return place < inks.count ? inks[place] : .muted
  }

  /// What the colours of the lanes stand for.
  func legend(_ places: [Int]) -> Legend {
    Legend(places.map { Legend.Entry(Self.ink($0), names[$0]) })
  }

  /// The length of what was raced, in seconds.
  var end: Double {
    let last = race.lanes.compactMap { $0.packets.last?.sentAt }.max() ?? .zero
    return max((last + race.packetInterval).seconds, 0.1)
  }

  var all: [Int] { race.lanes.indices.filter { !race.lanes[$0].packets.isEmpty } }

  // MARK: Packet by packet

  /// Writes what became of each packet, the lanes under each other.
  func writeStrips(to page: inout Markup) {
    let most = race.lanes.map(\.packets.count).max() ?? 0
    let size = max((most + Self.cellLimit - 1) / Self.cellLimit, 1)
    let race = race
    let names = names
    let interval = race.packetInterval
    let chart = LaneStrips(
      title: "What became of each packet", summary: summary, ground: .good,
      lanes: all.map { LaneStrips.Lane(Self.short(names[$0]), Self.cells(race.lanes[$0], size: size)) },
      columns: Self.columns, mark: { Self.clock(interval * Int64($0 * size), isFine: size == 1) },
      hover: { [all] lane, places in
        let packets = race.lanes[all[lane]].packets[
          places.lowerBound * size..<min(places.upperBound * size, race.lanes[all[lane]].packets.count)]
        func count(_ fate: LaneFate) -> String { Figures.grouped(packets.count { $0.fate == fate }) }
        return
          "\(names[all[lane]]), packets \(Figures.grouped(packets.startIndex + 1)) to "
          + "\(Figures.grouped(packets.endIndex)): \(count(.late)) late, \(count(.lost)) lost, "
          + "\(count(.recovered)) rebuilt"
      })
    var text =
      "The lanes under each other, from the left and block by block: what stands above each other was sent at the same "
      + "time."
    text +=
      size == 1
      ? " One cell is one packet."
      : " One cell is \(Figures.grouped(size)) packets. What is coloured grows with the share that was missing, fast at "
        + "first: 1 % fills a tenth of the cell, 25 % a half."
    page.figure("Fates over time", text, svg: chart.svg, legend: fateLegend)
  }

  private var summary: String {
    zip(names, race.summaries).map { name, lane in
      "\(name): \(Figures.count(lane.packets, "packet")), \(Figures.grouped(lane.late)) late, "
        + "\(Figures.grouped(lane.lost)) lost, \(Figures.grouped(lane.recovered)) rebuilt."
    }.joined(separator: " ")
  }

  private var fateLegend: Legend {
    let summaries = race.summaries
    var entries = [Legend.Entry(.good, "on time")]
    for (ink, text, count) in [
      (Ink.late, "late", summaries.reduce(0) { $0 + $1.late }), (.lost, "lost", summaries.reduce(0) { $0 + $1.lost }),
      (.duplicate, "rebuilt", summaries.reduce(0) { $0 + $1.recovered }),
    ] where count > 0 {
      entries.append(Legend.Entry(ink, text))
    }
    return Legend(entries)
  }

  /// The most cells of a lane, and how many stand in a block.
  private static let cellLimit = 2400
  private static let columns = 200

  /// A name that fits before a strip.
  private static func short(_ name: String) -> String {
    let first = name.split(separator: " ").first.map { String($0) } ?? name
    return Printable.truncated(first, columns: 8)
  }

  private static func clock(_ time: Interval, isFine: Bool) -> String {
    isFine && time < .seconds(60) ? Figures.trimmed(time.seconds, decimals: 2) + " s" : Figures.clock(time)
  }

  private static func cells(_ lane: LaneReport, size: Int) -> [StripChart.Cell] {
    stride(from: 0, to: lane.packets.count, by: size).map { start in
      let packets = lane.packets[start..<min(start + size, lane.packets.count)]
      return size == 1 ? single(packets[start].fate) : shares(packets)
    }
  }

  /// A fate tells itself by its height as well as by its colour.
  private static func single(_ fate: LaneFate) -> StripChart.Cell {
    switch fate {
    case .onTime: StripChart.Cell([])
    case .late: StripChart.Cell([.init(.late, from: 3, to: 10)])
    case .lost: StripChart.Cell([.init(.lost, from: 0, to: 10)])
    case .recovered: StripChart.Cell([.init(.duplicate, from: 7, to: 10)])
    }
  }

  private static func shares(_ packets: ArraySlice<LanePacket>) -> StripChart.Cell {
    var parts: [StripChart.Cell.Part] = []
    var bottom = 10
    for (ink, fate) in [(Ink.lost, LaneFate.lost), (.late, .late), (.duplicate, .recovered)] {
      let count = packets.count { $0.fate == fate }
      guard count > 0 else { continue }
      let height = max(Int(((Double(count) / Double(packets.count)).squareRoot() * 10).rounded()), 1)
      parts.append(.init(ink, from: bottom - height, to: bottom))
      bottom = max(bottom - height, 0)
    }
    return StripChart.Cell(parts)
  }

  // MARK: Runs

  /// Writes how many packets were missing in a row, the lanes beside each other.
  func writeRuns(to page: inout Markup) {
    let runs = race.lanes.map { $0.missingRuns }
    let places = all.filter { !runs[$0].isEmpty }
    guard !places.isEmpty else { return }
    let width = 0.8 / Double(places.count)
    let layers = places.enumerated().map { order, place in
      let bars = LaneReport.histogram(of: runs[place]).enumerated().map { index, count in
        let left = Double(index) + 0.6 + Double(order) * width
        return PlotBar(
          from: left, to: left + width * 0.9, value: Double(count),
          title: "\(names[place]): \(index == 9 ? "10 or more" : "\(index + 1)") in a row, "
            + Figures.count(count, "time"))
      }
      return PlotLayer.bars(bars, Self.ink(place))
    }
    var chart = Chart(
      title: "Runs of missing packets",
      summary: places.map { place in
        "\(names[place]): \(Figures.count(runs[place].count, "run")), the longest \(runs[place].max() ?? 0)."
      }.joined(separator: " "),
      x: PlotAxis("packets missing in a row (the last column: 10 or more)", low: 0.5, high: 10.5, isWhole: true),
      y: PlotAxis("runs", low: 0, isWhole: true), layers: layers)
    chart.height = 170
    page.figure(
      "How what is missing clusters",
      "Lost or late: the player had nothing to play. One packet is easily concealed, many in a row aren’t."
        + (places.contains { race.lanes[$0].transport == .byteStream }
          ? " Datagrams are missing as the network loses them; of a byte stream what comes behind a loss is missing too."
          : ""),
      svg: chart.svg, legend: legend(places))
  }
}
