/// The likelihood of a pattern of losses under a model with two hidden states, and the model that makes it greatest.
///
/// The pattern is a list of runs, and a run of n equal packets costs as much as one: with M the matrix of going on and
/// seeing that packet, M^n comes from M's two eigenvalues, and so do the sums over the n steps that Baum-Welch needs.
struct HiddenStateLikelihood {
  /// So many equal packets in a row; `begins` where the runs before have no relation to it.
  private struct Run {
    var isReceived: Bool
    var length: Double
    var count: Int
    var begins: Bool
  }

  private var runs: [Run] = []
  /// All packets in the pattern.
  private(set) var packets = 0

  init(_ entries: [LossRunLog.Entry]) {
    var begins = true
    for entry in entries {
      for (count, isReceived) in [(Int(entry.received), true), (Int(entry.lost), false)] where count > 0 {
        runs.append(Run(isReceived: isReceived, length: Double(count), count: count, begins: begins))
        packets += count
        begins = false
      }
      if entry.lost == 0 { begins = true }
    }
  }

  /// The logarithm of the pattern's probability.
  func logLikelihood(of model: HiddenStateModel) -> Double {
    let operators = (received: StepOperator(model, receives: true), lost: StepOperator(model, receives: false))
    var sum = LogarithmSum()
    var state = model.stationary
    for run in runs {
      if run.begins { state = model.stationary }
      let step = run.isReceived ? operators.received : operators.lost
      state = step.apply(run.count, after: state)
      let total = state.x + state.y
      sum.add(max(total, 1e-300), logarithm: run.length * step.firstLogarithm)
      state = Pair(state.x / total, state.y / total)
    }
    return sum.value
  }

  /// The best model whose good state loses nothing and whose bad state loses everything: Gilbert's in its simple form.
  func maximizeSimple() -> (model: HiddenStateModel, logLikelihood: Double) {
    var (toBad, toGood, good, bad) = (0.0, 0.0, 0.0, 0.0)
    for (index, run) in runs.enumerated() {
      let goesOn = index + 1 < runs.count && !runs[index + 1].begins
      let pairs = run.length - (goesOn ? 0 : 1)
      if run.isReceived {
        good += pairs
        toBad += goesOn ? 1 : 0
      } else {
        bad += pairs
        toGood += goesOn ? 1 : 0
      }
    }
    let model = HiddenStateModel(
      p: Self.inside(toBad / max(good, 1)), r: Self.inside(toGood / max(bad, 1)), k: 1 - Self.least, h: Self.least)
    return (model, logLikelihood(of: model))
  }

  /// The most likely model that was found from several starts.
  func maximize(from simple: HiddenStateModel) -> (model: HiddenStateModel, logLikelihood: Double) {
    var best = (model: simple, logLikelihood: -Double.infinity)
    for (stretch, h) in [(1.0, 0.1), (3.0, 0.5), (10.0, 0.7)] {
      let start = HiddenStateModel(
        p: Self.inside(simple.p / stretch), r: Self.inside(simple.r / stretch),
        k: Self.inside(1 - simple.p / 4), h: h)
      let found = climb(from: start, steps: Self.firstSteps)
      if found.logLikelihood > best.logLikelihood { best = found }
    }
    // Most starts lead to the same summit; only the one that is highest by then climbs to the end.
    best = climb(from: best.model, steps: Self.mostSteps)
    // The better state is the good one.
    if best.model.k < best.model.h {
      let model = best.model
      best.model = HiddenStateModel(p: model.r, r: model.p, k: model.h, h: model.k)
    }
    return best
  }

  /// The steps from each start, and those of the best of them to the end.
  private static let firstSteps = 30
  private static let mostSteps = 400

  /// Baum-Welch until nothing moves any more, or for so many steps.
  private func climb(from start: HiddenStateModel, steps: Int) -> (model: HiddenStateModel, logLikelihood: Double) {
    var model = start
    var before = -Double.infinity
    for step in 0..<steps {
      model = improve(model)
      guard step % 10 == 9 else { continue }
      let now = logLikelihood(of: model)
      if now - before < 1e-4 { return (model, now) }
      before = now
    }
    return (model, before)
  }

  /// One step of Baum-Welch.
  private func improve(_ model: HiddenStateModel) -> HiddenStateModel {
    let received = StepOperator(model, receives: true)
    let lost = StepOperator(model, receives: false)
    // What comes after each run, from the end.
    var after = [Pair](repeating: Pair(1, 1), count: runs.count)
    var behind = Pair(1, 1)
    for index in runs.indices.reversed() {
      after[index] = behind
      let run = runs[index]
      behind = run.begins ? Pair(1, 1) : (run.isReceived ? received : lost).apply(run.count, before: behind)
      let scale = behind.x + behind.y
      behind = Pair(behind.x / scale, behind.y / scale)
    }
    var seen = (received: StepCounts(), lost: StepCounts())
    var state = model.stationary
    for index in runs.indices {
      let run = runs[index]
      if run.begins { state = model.stationary }
      if run.isReceived {
        received.expect(run.count, length: run.length, from: state, to: after[index], into: &seen.received)
        state = received.apply(run.count, after: state)
      } else {
        lost.expect(run.count, length: run.length, from: state, to: after[index], into: &seen.lost)
        state = lost.apply(run.count, after: state)
      }
      let total = state.x + state.y
      state = Pair(state.x / total, state.y / total)
    }
    let (a, b) = (seen.received, seen.lost)
    let toGood = (a.goodGood + a.badGood, b.goodGood + b.badGood)
    let toBad = (a.goodBad + a.badBad, b.goodBad + b.badBad)
    return HiddenStateModel(
      p: Self.ratio(a.goodBad + b.goodBad, of: a.goodGood + b.goodGood + a.goodBad + b.goodBad),
      r: Self.ratio(a.badGood + b.badGood, of: a.badGood + b.badGood + a.badBad + b.badBad),
      k: Self.ratio(toGood.0, of: toGood.0 + toGood.1), h: Self.ratio(toBad.0, of: toBad.0 + toBad.1))
  }

  /// The figures' standard errors from the curvature of the likelihood at its top; nil where it isn't curved downwards
  /// in every direction.
  ///
  /// A figure at the edge of what it may be is taken as known: there is no curvature at an edge.
  func standardErrors(at model: HiddenStateModel) -> HiddenStateModel? {
    let steps = (0..<4).map { min(model[$0], 1 - model[$0]) * 0.02 }
    let free = (0..<4).filter { steps[$0] > 1e-6 }
    func value(_ moves: [(Int, Double)]) -> Double {
      var moved = model
      for (index, factor) in moves { moved[index] += factor * steps[index] }
      return logLikelihood(of: moved)
    }
    let top = value([])
    var curvature: [[Double]] = []
    for i in free {
      curvature.append(
        free.map { j in
          if i == j { return -(value([(i, 1)]) - 2 * top + value([(i, -1)])) / (steps[i] * steps[i]) }
          let sum = value([(i, 1), (j, 1)]) - value([(i, 1), (j, -1)]) - value([(i, -1), (j, 1)])
          return -(sum + value([(i, -1), (j, -1)])) / (4 * steps[i] * steps[j])
        })
    }
    guard let variances = Self.inverseDiagonal(curvature) else { return nil }
    var errors = HiddenStateModel(p: 0, r: 0, k: 0, h: 0)
    for (place, index) in free.enumerated() { errors[index] = variances[place].squareRoot() }
    return errors
  }

  /// The diagonal of the inverse of a positive definite matrix (Gauss-Jordan); nil when it isn't one.
  private static func inverseDiagonal(_ matrix: [[Double]]) -> [Double]? {
    var left = matrix
    var right = matrix.indices.map { row in matrix.indices.map { $0 == row ? 1.0 : 0 } }
    for pivot in left.indices {
      let value = left[pivot][pivot]
      guard value > 0, value.isFinite else { return nil }
      for column in left.indices {
        left[pivot][column] /= value
        right[pivot][column] /= value
      }
      for row in left.indices where row != pivot {
        let factor = left[row][pivot]
        for column in left.indices {
          left[row][column] -= factor * left[pivot][column]
          right[row][column] -= factor * right[pivot][column]
        }
      }
    }
    let diagonal = right.indices.map { right[$0][$0] }
    return diagonal.allSatisfy { $0 > 0 && $0.isFinite } ? diagonal : nil
  }

  static let least = 1e-9
  private static func inside(_ value: Double) -> Double { min(max(value, least), 1 - least) }
  private static func ratio(_ part: Double, of whole: Double) -> Double { inside(whole > 0 ? part / whole : 0.5) }
}
