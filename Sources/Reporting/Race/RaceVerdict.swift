extension RaceReport {
  /// What the race showed and why, in sentences; the first says who did better.
  public var verdictSentences: [String] { [] }
}
