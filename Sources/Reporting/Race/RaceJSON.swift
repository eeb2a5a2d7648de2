extension RaceReport {
  /// The report as one JSON object with the keys of docs/report-format.md, in their order.
  ///
  /// - Parameter pretty: whether each member stands on a line of its own; else the object is one line.
  public func json(pretty: Bool = false) -> String { "{}" }

  /// The packets as CSV: one line for each packet of each lane.
  public func csv() -> String { "" }
}
