/// Two numbers: one for the good state, one for the bad.
struct Pair {
  var x: Double
  var y: Double

  init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// How often a step from one state into another is expected.
struct StepCounts {
  var goodGood = 0.0
  var goodBad = 0.0
  var badGood = 0.0
  var badBad = 0.0
}

extension HiddenStateModel {
  /// How likely each state is in the long run.
  var stationary: Pair { Pair(r / (p + r), p / (p + r)) }
}

/// One step: going on to the next packet's state and seeing that it was received, or lost.
///
/// With eigenvalues 1st and 2nd of the matrix M, M^n / 1st^n = A + q^n B, where q = 2nd / 1st, A = (M - 2nd) / (1st - 2nd)
/// and B = 1 - A. The factor 1st^n is left out and accounted for by ``first``.
struct StepOperator {
  /// The larger eigenvalue.
  let first: Double
  /// Its natural logarithm.
  let firstLogarithm: Double
  private let quotient: Double
  private let matrix: (gg: Double, gb: Double, bg: Double, bb: Double)
  private let a: (gg: Double, gb: Double, bg: Double, bb: Double)

  init(_ model: HiddenStateModel, receives: Bool) {
    let good = receives ? model.k : 1 - model.k
    let bad = receives ? model.h : 1 - model.h
    matrix = ((1 - model.p) * good, model.p * bad, model.r * good, (1 - model.r) * bad)
    let half = (matrix.gg + matrix.bb) / 2
    let difference = (matrix.gg - matrix.bb) / 2
    let root = (difference * difference + matrix.gb * matrix.bg).squareRoot()
    // Equal eigenvalues only when a state can't be left nor entered, which the limits of the figures rule out.
    let gap = max(2 * root, 1e-300)
    first = half + root
    firstLogarithm = Quality.naturalLogarithm(max(first, 1e-300))
    let second = half - root
    quotient = second / first
    a = ((matrix.gg - second) / gap, matrix.gb / gap, matrix.bg / gap, (matrix.bb - second) / gap)
  }

  /// `state` · M^n / 1st^n.
  func apply(_ n: Int, after state: Pair) -> Pair {
    let (ax, ay) = (state.x * a.gg + state.y * a.bg, state.x * a.gb + state.y * a.bb)
    let q = power(n)
    return Pair(max(ax + q * (state.x - ax), 1e-300), max(ay + q * (state.y - ay), 1e-300))
  }

  /// M^n / 1st^n · `state`.
  func apply(_ n: Int, before state: Pair) -> Pair {
    let (ax, ay) = (a.gg * state.x + a.gb * state.y, a.bg * state.x + a.bb * state.y)
    let q = power(n)
    return Pair(max(ax + q * (state.x - ax), 1e-300), max(ay + q * (state.y - ay), 1e-300))
  }

  /// Adds how often each step is expected within `n` steps that began in `from` and are followed by `to`.
  func expect(_ n: Int, length: Double, from: Pair, to: Pair, into counts: inout StepCounts) {
    let rowA = Pair(from.x * a.gg + from.y * a.bg, from.x * a.gb + from.y * a.bb)
    let rowB = Pair(from.x - rowA.x, from.y - rowA.y)
    let columnA = Pair(a.gg * to.x + a.gb * to.y, a.bg * to.x + a.bb * to.y)
    let columnB = Pair(to.x - columnA.x, to.y - columnA.y)
    let qBefore = power(n - 1)
    let q = qBefore * quotient
    let mixed = 1 - quotient > 1e-12 ? (1 - q) / (1 - quotient) : length
    let total = from.x * columnA.x + from.y * columnA.y + q * (from.x * columnB.x + from.y * columnB.y)
    guard total > 0 else { return }
    let scale = 1 / (first * total)
    func sum(_ before: Double, _ beforeB: Double, _ after: Double, _ afterB: Double) -> Double {
      length * before * after + mixed * (before * afterB + beforeB * after) + length * qBefore * beforeB * afterB
    }
    counts.goodGood += max(sum(rowA.x, rowB.x, columnA.x, columnB.x), 0) * matrix.gg * scale
    counts.goodBad += max(sum(rowA.x, rowB.x, columnA.y, columnB.y), 0) * matrix.gb * scale
    counts.badGood += max(sum(rowA.y, rowB.y, columnA.x, columnB.x), 0) * matrix.bg * scale
    counts.badBad += max(sum(rowA.y, rowB.y, columnA.y, columnB.y), 0) * matrix.bb * scale
  }

  private func power(_ n: Int) -> Double {
    var (result, factor, left) = (1.0, quotient, n)
    while left > 0 {
      if left & 1 == 1 { result *= factor }
      factor *= factor
      left >>= 1
    }
    return result
  }
}

/// The sum of logarithms of many factors, taken of their products as far as these stay within range.
struct LogarithmSum {
  private var product = 1.0
  private var sum = 0.0

  /// Adds ln(`factor`) and what is a logarithm already.
  mutating func add(_ factor: Double, logarithm: Double) {
    product *= factor
    if product < 1e-200 || product > 1e200 { fold() }
    sum += logarithm
  }

  var value: Double { sum + Quality.naturalLogarithm(product) }

  private mutating func fold() {
    sum += Quality.naturalLogarithm(product)
    product = 1
  }
}
