internal import Statistics
internal import Timeline

extension LinkReport {
  /// What the link did, beside what the receiver counted over all streams.
  func write(beside streams: [StreamReport], to page: inout TextPage) {
    page.heading("What the link did" + (streams.isEmpty ? "" : ", beside what the receiver counted"))
    func sum(_ count: (StreamReport) -> Int) -> Int? {
      streams.isEmpty ? nil : streams.reduce(0) { $0 + count($1) }
    }
    var table = ComparisonTable(hasReceiver: !streams.isEmpty)
    table.row("offered / expected", offered, sum(\.reception.expected))
    table.row("dropped / lost", dropped, sum(\.reception.lost))
    if queueDropped > 0 { table.row("  of these by the queue", queueDropped, nil) }
    if outageLost > 0 { table.row("  of these in outages", outageLost, nil) }
    table.row("duplicated", duplicated, sum(\.reception.duplicates))
    table.row("reordered", reordered, sum(\.reception.reordered))
    table.row("runs of losses", lossRuns, sum(\.reception.lossRuns.count))
    table.row("longest run", longestLossRun, streams.map(\.reception.lossRuns.max).max())
    if corrupted > 0 { table.row("corrupted", corrupted, nil) }
    if inFlight > 0 { table.row("still under way", inFlight, nil) }
    for line in table.lines { page.line(line) }
    let missing = offered - (sum(\.reception.expected) ?? offered)
    if missing > 0 {
      // The receiver can't know of numbers below the first or above the last that it got.
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
