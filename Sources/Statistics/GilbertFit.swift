/// The two-state loss model (Gilbert) whose transitions are as frequent as those seen between sequence numbers.
///
/// State 0 is received, state 1 lost. `p` = n(0→1) / n(0→·), `r` = n(1→0) / n(1→·); then `p / (p + r)` is the share
/// lost in the long run and `1 / r` the mean run of losses.
public struct GilbertFit: Hashable, Sendable {
  /// The probability that a loss follows a received packet; nil without two numbers to compare.
  public var p: Double?
  /// The probability that a received packet follows a loss; nil without a loss.
  public var r: Double?

  /// Makes a fit from its two probabilities.
  public init(p: Double?, r: Double?) {
    self.p = p
    self.r = r
  }

  /// Fits the model to the counts of a set of numbers.
  ///
  /// Each run of numbers (`segments`) begins and ends with a received one, so every run of losses is entered and left
  /// once, and every received number but the last of each segment has a successor.
  init(runs: Int, lost: Int, received: Int, segments: Int) {
    p = received > segments ? Double(runs) / Double(received - segments) : nil
    r = lost > 0 ? Double(runs) / Double(lost) : nil
  }
}
