internal import Statistics
internal import Timeline

extension Report {
  /// The report as a table by second: a line of column names, then for each stream its seconds in order.
  ///
  /// The columns are those of docs/report-format.md; those of what was sent are others than those of what was received.
  /// Streams without a timeline have no lines.
  public func csv() -> String {
    if let probe { return probe.csv() }
    if sending != nil, streams.isEmpty { return SendingReport.csv(of: sendings) }
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

extension SendTimeline.Row {
  /// The names of the columns of a row, in the report's JSON and CSV.
  static let columns = [
    "start_s", "duration_s", "packets", "bytes", "pacing_error_ms_min", "pacing_error_ms_mean", "pacing_error_ms_max",
  ]

  /// The times in milliseconds, in the order of their columns.
  var times: [Double?] { [lateness?.min, lateness?.mean, lateness?.max] }
}

extension ProbeReport {
  fileprivate func csv() -> String {
    var text = "second,sent,up_lost,down_expected,down_unique,down_jitter_ms,round_trip_ms\n"
    for (index, second) in seconds.enumerated() {
      text += "\(index + 1),\(second.sent),\(second.upLost.map { "\($0)" } ?? ""),\(second.downExpected),"
      text += "\(second.downUnique),\(Figures.fixed(second.downJitter, decimals: 3)),"
      text += (second.roundTrip.map { Figures.fixed($0, decimals: 3) } ?? "") + "\n"
    }
    return text
  }
}

extension SendingReport {
  fileprivate static func csv(of sendings: [SendingReport]) -> String {
    let header = (["ssrc"] + SendTimeline.Row.columns).joined(separator: ",") + "\n"
    return sendings.reduce(header) { $0 + $1.rows }
  }

  private var rows: String {
    var text = ""
    for row in timeline?.rows() ?? [] {
      text += Figures.identifier(ssrc)
      for length in [row.start, row.duration] { text += "," + Figures.trimmed(length.seconds, decimals: 3) }
      text += ",\(row.packets),\(row.bytes)"
      for time in row.times { text += "," + (time.map { Figures.fixed($0, decimals: 3) } ?? "") }
      text += "\n"
    }
    return text
  }
}
