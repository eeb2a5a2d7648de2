/// The loss model with two hidden states, good and bad, each with a loss rate of its own (Gilbert 1960, Elliott 1963),
/// fitted by maximum likelihood (Baum-Welch) to the pattern of losses, with what is known of its certainty.
public struct GilbertElliottFit: Hashable, Sendable {
  /// How far the fit can be relied on.
  public enum Verdict: String, Sendable {
    /// The figures are good to their standard errors.
    case fitted
    /// Fewer than 500 losses, or fewer than 30 runs of them: anything would fit.
    case notEnoughData = "not enough data"
    /// The losses don't say what the hidden states are: other figures explain them as well.
    case notIdentifiable = "not enough data: the hidden states can't be told from these losses"
    /// The simpler two-state model explains the losses as well (Bayesian information criterion).
    case simpler = "the simpler Gilbert model explains these losses as well"
  }

  /// One figure with its standard error.
  public struct Figure: Hashable, Sendable {
    /// The value.
    public var value: Double
    /// The standard error, from the curvature of the likelihood.
    public var error: Double
  }

  /// How far the fit can be relied on; without a fit there are no figures.
  public var verdict: Verdict
  /// Losses that it is made from: those of the last 2,048 runs of losses.
  public var losses: Int
  /// The probability of going from good to bad.
  public var p: Figure?
  /// The probability of going from bad to good.
  public var r: Figure?
  /// The probability that a packet arrives in the good state.
  public var k: Figure?
  /// The probability that a packet arrives in the bad state.
  public var h: Figure?

  static let leastLosses = 500
  static let leastRuns = 30

  init(_ verdict: Verdict, losses: Int) {
    self.verdict = verdict
    self.losses = losses
  }

  /// Fits the model to a pattern of losses; takes up to some tenths of a second.
  init(_ log: LossRunLog) {
    let entries = log.entries
    let losses = entries.reduce(0) { $0 + Int($1.lost) }
    let runs = entries.count { $0.lost > 0 }
    self.init(.notEnoughData, losses: losses)
    guard losses >= Self.leastLosses, runs >= Self.leastRuns else { return }
    let sequence = HiddenStateLikelihood(entries)
    let packets = Double(sequence.packets)
    let simple = sequence.maximizeSimple()
    let best = sequence.maximize(from: simple.model)
    // Two parameters more must be worth it.
    guard 2 * (best.logLikelihood - simple.logLikelihood) > 2 * Quality.naturalLogarithm(packets) else {
      verdict = .simpler
      return
    }
    guard let errors = sequence.standardErrors(at: best.model), Self.isIdentified(best.model, errors) else {
      verdict = .notIdentifiable
      return
    }
    verdict = .fitted
    p = Figure(value: best.model.p, error: errors.p)
    r = Figure(value: best.model.r, error: errors.r)
    k = Figure(value: best.model.k, error: errors.k)
    h = Figure(value: best.model.h, error: errors.h)
  }

  /// Whether the figures are known well enough to be told: the rates to half their value, and the states apart.
  private static func isIdentified(_ model: HiddenStateModel, _ errors: HiddenStateModel) -> Bool {
    errors.p < model.p / 2 && errors.r < model.r / 2 && errors.h < 0.25 && model.k - model.h > 2 * errors.h
  }
}

/// The four figures of the model.
struct HiddenStateModel: Hashable, Sendable {
  var p: Double
  var r: Double
  var k: Double
  var h: Double

  subscript(index: Int) -> Double {
    get { [p, r, k, h][index] }
    set {
      switch index {
      case 0: p = newValue
      case 1: r = newValue
      case 2: k = newValue
      default: h = newValue
      }
    }
  }
}
