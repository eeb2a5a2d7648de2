/// The two-state loss model (Gilbert) whose transitions are as frequent as those seen between sequence numbers.
///
/// State 0 is received, state 1 lost. `p` = n(0→1) / n(0→·), `r` = n(1→0) / n(1→·); then `p / (p + r)` is the share
/// lost in the long run and `1 / r` the mean run of losses.
public struct GilbertFit: Hashable, Sendable {
  /// The probability that a loss follows a received packet; nil without two numbers to compare.
  public var p: Double?
  /// The probability that a received packet follows a loss; nil without a loss.
  public var r: Double?
  /// The bounds of the 95 % confidence interval of `p` (Wilson 1927).
  public var pBounds: ClosedRange<Double>?
  /// The bounds of the 95 % confidence interval of `r` (Wilson 1927).
  public var rBounds: ClosedRange<Double>?
  /// Runs of losses that it is made from.
  public var runs = 0

  /// Whether there are enough runs of losses for the figures to say something: ten.
  public var isReliable: Bool { runs >= 10 }

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
    self.runs = runs
    p = received > segments ? Double(runs) / Double(received - segments) : nil
    r = lost > 0 ? Double(runs) / Double(lost) : nil
    pBounds = Self.bounds(runs, of: received - segments)
    rBounds = Self.bounds(runs, of: lost)
  }

  /// The score interval of a share, which unlike the plain one is right for few cases and near 0 and 1.
  private static func bounds(_ part: Int, of whole: Int) -> ClosedRange<Double>? {
    guard whole > 0 else { return nil }
    let (n, share, z2) = (Double(whole), Double(part) / Double(whole), 1.96 * 1.96)
    let center = (share + z2 / (2 * n)) / (1 + z2 / n)
    let half = (z2 * (share * (1 - share) / n + z2 / (4 * n * n))).squareRoot() / (1 + z2 / n)
    return max(center - half, 0)...min(center + half, 1)
  }
}
