internal import Statistics
internal import Timeline

extension LinkReport {
  /// What the link did, beside what the receiver counted over all streams: one row a figure, without a receiver's where
  /// there is none that compares.
  func comparison(beside streams: [StreamReport]) -> [(label: String, link: Int, receiver: Int?)] {
    func sum(_ count: (StreamReport) -> Int) -> Int? {
      streams.isEmpty ? nil : streams.reduce(0) { $0 + count($1) }
    }
    var rows: [(label: String, link: Int, receiver: Int?)] = [
      ("offered / expected", offered, sum(\.reception.expected)), ("dropped / lost", dropped, sum(\.reception.lost)),
    ]
    if queueDropped > 0 { rows.append(("  of these by the queue", queueDropped, nil)) }
    if outageLost > 0 { rows.append(("  of these in outages", outageLost, nil)) }
    rows += [
      ("duplicated", duplicated, sum(\.reception.duplicates)), ("reordered", reordered, sum(\.reception.reordered)),
      ("runs of losses", lossRuns, sum(\.reception.lossRuns.count)),
      ("longest run", longestLossRun, streams.map(\.reception.lossRuns.max).max()),
    ]
    if corrupted > 0 { rows.append(("corrupted", corrupted, nil)) }
    if inFlight > 0 { rows.append(("still under way", inFlight, nil)) }
    return rows
  }

  /// Packets that the receivers can't know of from the numbers that they got; 0 without a receiver.
  func unseen(by streams: [StreamReport]) -> Int {
    streams.isEmpty ? 0 : max(offered - streams.reduce(0) { $0 + $1.reception.expected }, 0)
  }

  /// Writes the comparison into a text report.
  func write(beside streams: [StreamReport], to page: inout TextPage) {
    page.heading("What the link did" + (streams.isEmpty ? "" : ", beside what the receiver counted"))
    var table = ComparisonTable(hasReceiver: !streams.isEmpty)
    for row in comparison(beside: streams) { table.row(row.label, row.link, row.receiver) }
    for line in table.lines { page.line(line) }
    let missing = unseen(by: streams)
    if missing > 0 {
      page.line("  \(Figures.count(missing, "packet")) before the first or after the last one that arrived.")
    }
  }
}

/// Two columns of counts, aligned to the right.
private struct ComparisonTable {
  private(set) var lines: [String]

  init(hasReceiver: Bool) {
    lines = ["  " + String(repeating: " ", count: 24) + Self.cell("link") + (hasReceiver ? Self.cell("receiver") : "")]
  }

  mutating func row(_ label: String, _ link: Int, _ receiver: Int?) {
    let padding = String(repeating: " ", count: max(24 - label.count, 1))
    let second = receiver.map { Self.cell(Figures.grouped($0)) } ?? ""
    lines.append("  " + label + padding + Self.cell(Figures.grouped(link)) + second)
  }

  private static func cell(_ text: String) -> String { String(repeating: " ", count: max(11 - text.count, 1)) + text }
}
