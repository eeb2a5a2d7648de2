internal import Statistics

/// The packets of a stream that never arrived and lay before the first or after the last that did: no gap in the
/// sequence numbers shows them, only the sender's count does.
struct LostEnds {
  /// Those before the first.
  var before = 0
  /// Those after the last.
  var after = 0
  /// Those at one end or the other where nobody knows at which.
  var unplaced = 0

  /// All of them.
  var count: Int { before + after + unplaced }
  /// The run at each end that had a loss, where the ends are known.
  var runs: [Int] { [before, after].filter { $0 > 0 } }

  /// At which end they are missing: "after the last that arrived".
  var words: String {
    if unplaced > 0 { return "before the first or after the last that arrived" }
    if before > 0, after > 0 {
      return "(\(Figures.grouped(before)) before the first that arrived, \(Figures.grouped(after)) after the last)"
    }
    return before > 0 ? "before the first that arrived" : "after the last that arrived"
  }

  /// How many are missing at which end: "7 before the first, 160 after the last that arrived"; nil when none is known to
  /// be.
  var figures: String? {
    guard count > 0 else { return nil }
    guard before > 0, after > 0 else { return "\(Figures.grouped(count)) \(words)" }
    return "\(Figures.grouped(before)) before the first, \(Figures.grouped(after)) after the last that arrived"
  }

  /// What is missing, as a sentence; nil when nothing is known to be.
  var sentence: String? {
    func words(_ place: String, _ count: Int) -> String { count == 1 ? place : "\(place) \(Figures.grouped(count))" }
    guard count > 0 else { return nil }
    guard unplaced == 0 else {
      return "\(Figures.grouped(count)) of the lost were sent before the first or after the last that arrived."
    }
    guard after > 0 else { return "The \(words("first", before)) never arrived." }
    return "The \(words("last", after)) never arrived" + (before > 0 ? ", nor did the \(words("first", before))." : ".")
  }
}

extension StreamReport {
  /// What is missing at the ends, which no run of losses counts.
  var lostEnds: LostEnds {
    guard let atEnds = ends.lostAtEnds, atEnds > 0 else { return LostEnds() }
    // The ends of the runs before a restart lie in the middle.
    guard reception.restarts == 0, let (before, after) = lossAtEnds else { return LostEnds(unplaced: atEnds) }
    return LostEnds(before: before, after: after)
  }
}

extension SentStreamReport {
  /// What is missing at the ends at the far end.
  var lostEnds: LostEnds {
    guard let lostAtEnds, lostAtEnds > 0 else { return LostEnds() }
    guard let lostBefore else { return LostEnds(unplaced: lostAtEnds) }
    return LostEnds(before: lostBefore, after: lostAtEnds - lostBefore)
  }
}
