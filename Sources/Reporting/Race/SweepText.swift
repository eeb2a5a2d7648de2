internal import Timeline

/// What one lane came to at one value of what is swept, over its seeds.
struct SweepPoint {
  /// Mean, least and most of the seeds' figures.
  struct Spread {
    var mean: Double
    var least: Double
    var most: Double

    /// The spread of values; nil without any.
    init?(_ values: [Double]) {
      guard let least = values.min(), let most = values.max() else { return nil }
      (self.least, self.most) = (least, most)
      mean = values.reduce(0, +) / Double(values.count)
    }
  }

  var value: Double
  var text: String
  var lane: String
  var seeds: Int
  /// The share of packets that could be played when due, rebuilt ones among them.
  var inTime: Spread
  /// The delay within which 95 % came, in milliseconds; nil where none came.
  var delay: Spread?
  var stalls: Double
  var retransmits: Double?
}

extension SweepReport {
  /// The names of the lanes in the order in which they were raced.
  var laneNames: [String] {
    var names: [String] = []
    for lane in runs.flatMap(\.lanes) where !names.contains(lane.name) { names.append(lane.name) }
    return names
  }

  /// What each lane came to at each value, in ascending order of values.
  var points: [SweepPoint] {
    var values: [(value: Double, text: String)] = []
    for run in runs where !values.contains(where: { $0.value == run.value }) { values.append((run.value, run.text)) }
    return values.sorted { $0.value < $1.value }.flatMap { value, text in
      laneNames.compactMap { name -> SweepPoint? in
        let lanes = runs.filter { $0.value == value }.compactMap { run in run.lanes.first { $0.name == name } }
        guard let inTime = SweepPoint.Spread(lanes.map(\.playableRatio)) else { return nil }
        let again = lanes.compactMap(\.retransmits)
        return SweepPoint(
          value: value, text: text, lane: name, seeds: lanes.count, inTime: inTime,
          delay: SweepPoint.Spread(lanes.compactMap { $0.delay?.p95 }),
          stalls: Double(lanes.reduce(0) { $0 + $1.stalls.count }) / Double(lanes.count),
          retransmits: again.isEmpty ? nil : Double(again.reduce(0, +)) / Double(again.count))
      }
    }
  }

  /// What the sweep showed, in sentences; the first is about what each lane withstood.
  public var verdictSentences: [String] {
    let (points, names) = (points, laneNames)
    guard !points.isEmpty else { return ["Nothing was raced."] }
    let kept = names.map { name in
      let own = points.filter { $0.lane == name }
      let good = own.prefix { $0.inTime.mean >= Self.good }
      guard let last = good.last else {
        guard let some = own.first(where: { $0.inTime.mean >= Self.good }) else { return "\(name) nowhere" }
        return "\(name) from \(some.text) on"
      }
      return good.count == own.count ? "\(name) everywhere" : "\(name) up to \(last.text)"
    }
    return [
      "Where 99 % of the packets could be played when they were due, by \(Printable.cleaned(key)): "
        + kept.map { Printable.cleaned($0) }.joined(separator: ", ") + "."
    ] + comparison(points, names) + race.notes.map { Printable.cleaned($0, limit: 400) }
  }

  /// From which share of packets in time on a lane is called good.
  private static let good = 0.99

  /// Where which of the first two lanes that differ in kind did better.
  private func comparison(_ points: [SweepPoint], _ names: [String]) -> [String] {
    guard let first = names.first(where: { $0.hasPrefix("udp") }),
      let other = names.first(where: { $0.hasPrefix("tcp") })
    else { return [] }
    var (wins, losses, ties): ([String], [String], [String]) = ([], [], [])
    for point in points where point.lane == first {
      guard let rival = points.first(where: { $0.lane == other && $0.value == point.value }) else { continue }
      let difference = point.inTime.mean - rival.inTime.mean
      // Seeds whose shares overlap are no proof either way.
      let isApart = point.inTime.least > rival.inTime.most || rival.inTime.least > point.inTime.most
      if difference.magnitude < 0.002 || !isApart {
        ties.append(point.text)
      } else if difference > 0 {
        wins.append(point.text)
      } else {
        losses.append(point.text)
      }
    }
    func at(_ texts: [String]) -> String { "at \(RaceJudge.list(texts.map { Printable.cleaned($0) }))" }
    var parts = [(first, wins), (other, losses)].filter { !$0.1.isEmpty }.map { name, texts in
      "\(at(texts)) \(Printable.cleaned(name)) had more in time"
    }
    if !ties.isEmpty { parts.append("\(at(ties)) there was no clear difference") }
    return parts.isEmpty ? [] : [parts.joined(separator: "; ").capitalizedAtFirst + "."]
  }

  /// The report for people: lines of text, each ended by a line break.
  public func text() -> String {
    var page = TextPage()
    page.line(title)
    for line in race.settings { page.line(line) }
    page.line("")
    for line in Self.aligned([Self.heads(key)] + cells) { page.line(line) }
    page.line("")
    for sentence in verdictSentences { page.line(sentence) }
    return page.text
  }

  /// What was raced: "jitterbug race · speech.opus · loss swept over 6 values with 5 seeds".
  var title: String {
    let values = Set(runs.map(\.value)).count
    let seeds = Set(runs.map(\.seed)).count
    return "jitterbug race · \(Printable.cleaned(race.file)) · \(Printable.cleaned(key)) swept over "
      + "\(Figures.count(values, "value")) with \(Figures.count(seeds, "seed"))"
      + (race.duration > .zero ? " · \(Figures.duration(race.duration))" : "")
      + (race.ended.map { " · ended: \(Printable.cleaned($0))" } ?? "")
  }

  static func heads(_ key: String) -> [String] {
    [
      Printable.cleaned(key), "lane", "played when due", "least to most", "delay 95 %", "least to most", "stalls",
      "sent again",
    ]
  }

  /// The table: a row for each value and lane.
  var cells: [[String]] {
    var last: String?
    return points.map { point in
      func share(_ value: Double) -> String { Figures.trimmed(value * 100, decimals: 2) + " %" }
      let text = Printable.cleaned(point.text)
      defer { last = text }
      return [
        text == last ? "" : text, Printable.cleaned(point.lane), share(point.inTime.mean),
        "\(share(point.inTime.least)) to \(share(point.inTime.most))",
        point.delay.map { Figures.milliseconds($0.mean) } ?? "–",
        point.delay.map { "\(Figures.milliseconds($0.least)) to \(Figures.milliseconds($0.most))" } ?? "–",
        Figures.trimmed(point.stalls, decimals: 1),
        point.retransmits.map { Figures.trimmed($0, decimals: 1) } ?? "–",
      ]
    }
  }

  private static func aligned(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { Printable.columns($0[column]) }.max() ?? 0 }
    return rows.map { row in
      "  "
        + zip(row, widths).enumerated().map { column, cell in
          let padding = String(repeating: " ", count: max(cell.1 - Printable.columns(cell.0), 0))
          return column < 2 ? cell.0 + padding : padding + cell.0
        }.joined(separator: "  ")
    }
  }
}
