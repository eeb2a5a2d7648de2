/// The likelihood of a pattern of losses under a model with two hidden states, and the model that makes it greatest.
///
/// The pattern is a list of runs, and a run of n equal packets costs as much as one: with M the matrix of going on and
/// seeing that packet, M^n comes from M's two eigenvalues, and so do the sums over the n steps that Baum-Welch needs.
/// Runs of one length share both, so that a run itself costs a product of a matrix with a vector each way.
struct HiddenStateLikelihood {
  /// So many equal packets in a row, whatever comes before and after.
  private struct Kind: Hashable {
    var isReceived: Bool
    var count: Int
  }

  /// A run of this kind; `begins` where the runs before have no relation to it.
  private struct Run {
    var kind: Int32
    var begins: Bool
  }

  /// What a kind of run does to a state, under one model.
  private struct Effect {
    /// M^n / 1st^n.
    var steps: StepMatrix
    /// q^(n-1).
    var before: Double
  }

  /// What Baum-Welch knows of each run.
  private struct Scratch {
    var before: [Pair]
    var after: [Pair]

    init(count: Int) {
      before = [Pair](repeating: Pair(1, 1), count: count)
      after = before
    }
  }

  /// Those received before those lost, each by length.
  private let kinds: [Kind]
  private var runs: [Run] = []
  /// Packets received and lost in the pattern.
  private var received = 0
  private var lost = 0
  /// All packets in the pattern.
  var packets: Int { received + lost }

  init(_ entries: [LossRunLog.Entry]) {
    var begins = true
    var found: [(kind: Kind, begins: Bool)] = []
    for entry in entries {
      received += Int(entry.received)
      lost += Int(entry.lost)
      for (count, isReceived) in [(Int(entry.received), true), (Int(entry.lost), false)] where count > 0 {
        found.append((Kind(isReceived: isReceived, count: count), begins))
        begins = false
      }
      if entry.lost == 0 { begins = true }
    }
    kinds = Set(found.map(\.kind)).sorted {
      $0.isReceived == $1.isReceived ? $0.count < $1.count : $0.isReceived
    }
    let places = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1, $0) })
    runs = found.compactMap { run in places[run.kind].map { Run(kind: Int32($0), begins: run.begins) } }
  }

  /// The logarithm of the pattern's probability.
  func logLikelihood(of model: HiddenStateModel) -> Double {
    let operators = (received: StepOperator(model, receives: true), lost: StepOperator(model, receives: false))
    let effects = effects(of: operators)
    var sum = LogarithmSum()
    var state = Pair(1, 0)
    for (index, run) in runs.enumerated() {
      if run.begins || index % Self.stride == 0 {
        sum.add(state.x + state.y)
        state = run.begins ? model.stationary : Self.whole(state)
      }
      state = effects[Int(run.kind)].steps.apply(after: state)
    }
    sum.add(state.x + state.y)
    let apart = Double(received) * operators.received.firstLogarithm + Double(lost) * operators.lost.firstLogarithm
    return sum.value + apart
  }

  /// What each kind of run does.
  private func effects(of operators: (received: StepOperator, lost: StepOperator)) -> [Effect] {
    var (power, count, isReceived) = (1.0, 1, true)
    return kinds.map { kind in
      let step = kind.isReceived ? operators.received : operators.lost
      if kind.isReceived != isReceived { (power, count, isReceived) = (1, 1, kind.isReceived) }
      power *= step.power(kind.count - count)
      count = kind.count
      return Effect(steps: step.steps(power: power * step.power(1)), before: power)
    }
  }

  /// The best model whose good state loses nothing and whose bad state loses everything: Gilbert's in its simple form.
  func maximizeSimple() -> (model: HiddenStateModel, logLikelihood: Double) {
    var (toBad, toGood, good, bad) = (0.0, 0.0, 0.0, 0.0)
    for (index, run) in runs.enumerated() {
      let goesOn = index + 1 < runs.count && !runs[index + 1].begins
      let pairs = Double(kinds[Int(run.kind)].count - (goesOn ? 0 : 1))
      if kinds[Int(run.kind)].isReceived {
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
    var scratch = Scratch(count: runs.count)
    for step in 0..<steps {
      model = improve(model, with: &scratch)
      guard step % 10 == 9 else { continue }
      let now = logLikelihood(of: model)
      if now - before < 1e-4 { return (model, now) }
      before = now
    }
    return (model, before)
  }

  /// One step of Baum-Welch.
  private func improve(_ model: HiddenStateModel, with scratch: inout Scratch) -> HiddenStateModel {
    let operators = (received: StepOperator(model, receives: true), lost: StepOperator(model, receives: false))
    let effects = effects(of: operators)
    walk(effects, from: model.stationary, before: &scratch.before, after: &scratch.after)
    let ends = ends(effects, scratch)
    var seen = (received: StepMatrix(), lost: StepMatrix())
    for (place, kind) in kinds.enumerated() {
      let length = Double(kind.count)
      if kind.isReceived {
        let more = operators.received.expected(length, before: effects[place].before, ends: ends[place])
        seen.received = seen.received.merged(with: more, +)
      } else {
        let more = operators.lost.expected(length, before: effects[place].before, ends: ends[place])
        seen.lost = seen.lost.merged(with: more, +)
      }
    }
    return Self.model(of: seen.received, seen.lost)
  }

  /// Notes the state before each run, and how likely what comes after it is; a factor makes no difference, as what
  /// counts are shares.
  ///
  /// Each step waits for the one before: the walk forward and that from the end are taken together to wait half as long.
  private func walk(_ effects: [Effect], from start: Pair, before: inout [Pair], after: inout [Pair]) {
    let runs = runs.span
    let effects = effects.span
    var before = before.mutableSpan
    var after = after.mutableSpan
    var state = start
    var behind = Pair(1, 1)
    for index in runs.indices {
      if index % Self.stride == 0 { (state, behind) = (Self.whole(state), Self.whole(behind)) }
      let run = runs[index]
      if run.begins { state = start }
      before[index] = state
      state = effects[Int(run.kind)].steps.apply(after: state)
      let other = runs.count - 1 - index
      let last = runs[other]
      after[other] = behind
      behind = last.begins ? Pair(1, 1) : effects[Int(last.kind)].steps.apply(before: behind)
    }
  }

  /// What `StepOperator.expected` needs of each kind of run.
  private func ends(_ effects: [Effect], _ scratch: Scratch) -> [StepMatrix] {
    var ends = [StepMatrix](repeating: StepMatrix(), count: kinds.count)
    let runs = runs.span
    let effects = effects.span
    let before = scratch.before.span
    let after = scratch.after.span
    var sums = ends.mutableSpan
    for index in runs.indices {
      let (state, behind, kind) = (before[index], after[index], Int(runs[index].kind))
      let through = effects[kind].steps.apply(after: state)
      let weight = 1 / (through.x * behind.x + through.y * behind.y)
      let (x, y) = (state.x * weight, state.y * weight)
      var sum = sums[kind]
      sum.gg += x * behind.x
      sum.gb += x * behind.y
      sum.bg += y * behind.x
      sum.bb += y * behind.y
      sums[kind] = sum
    }
    return ends
  }

  /// The state with the same shares and a sum of 1.
  @inline(__always) private static func whole(_ state: Pair) -> Pair {
    let scale = 1 / (state.x + state.y)
    return Pair(state.x * scale, state.y * scale)
  }

  /// The model in which the steps are as often as they were, into received packets and into lost ones.
  private static func model(of received: StepMatrix, _ lost: StepMatrix) -> HiddenStateModel {
    let all = received.merged(with: lost, +)
    return HiddenStateModel(
      p: ratio(all.gb, of: all.gg + all.gb), r: ratio(all.bg, of: all.bg + all.bb),
      k: ratio(received.gg + received.bg, of: all.gg + all.bg), h: ratio(received.gb + received.bb, of: all.gb + all.bb)
    )
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
  /// A run makes a state smaller, by 1e30 at the very most: after so many the sum is made 1 again.
  private static let stride = 4
  private static func inside(_ value: Double) -> Double { min(max(value, least), 1 - least) }
  private static func ratio(_ part: Double, of whole: Double) -> Double { inside(whole > 0 ? part / whole : 0.5) }
}
