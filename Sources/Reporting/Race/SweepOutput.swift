extension SweepReport {
  /// The report for people: lines of text, each ended by a line break.
  public func text() -> String { "" }

  /// The report as one JSON object with the keys of docs/report-format.md, in their order.
  public func json(pretty: Bool = false) -> String { "{}" }

  /// The races as CSV: one line for each lane of each race.
  public func csv() -> String { "" }

  /// The report as one self-contained HTML page, which is well-formed XML too.
  public func html() -> String { "" }
}
