extension RaceReport {
  /// The report for people: lines of text, each ended by a line break.
  public func text() -> String { "" }
}
