internal import Statistics
internal import Timeline

extension Report {
  /// The report as a table by second: a line of column names, then for each stream its seconds in order.
  ///
  /// The columns are those of docs/report-format.md. Streams without a timeline have no lines.
  public func csv() -> String {
    var text = (["ssrc"] + TimelineRow.columns).joined(separator: ",") + "\n"
    for stream in streams {
      let name = Figures.identifier(stream.ssrc)
      for row in stream.timeline?.rows() ?? [] {
        text += name
        for length in [row.start, row.duration] { text += "," + Figures.trimmed(length.seconds, decimals: 3) }
        for count in row.counts { text += ",\(count)" }
        for time in row.times { text += "," + (time.map { Figures.fixed($0, decimals: 3) } ?? "") }
        text += "\n"
      }
    }
    return text
  }
}
