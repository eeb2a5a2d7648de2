/// Two numbers: one for the good state, one for the bad.
struct Pair {
  var x: Double
  var y: Double

  init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

extension HiddenStateModel {
  /// How likely each state is in the long run.
  var stationary: Pair { Pair(r / (p + r), p / (p + r)) }
}

/// Four numbers for the steps from one state into another: the first letter is the state before, the second the one after.
struct StepMatrix {
  var gg = 0.0
  var gb = 0.0
  var bg = 0.0
  var bb = 0.0

  /// Runs `body` on the number of each step, taken from both.
  func merged(with other: StepMatrix, _ body: (Double, Double) -> Double) -> StepMatrix {
    StepMatrix(gg: body(gg, other.gg), gb: body(gb, other.gb), bg: body(bg, other.bg), bb: body(bb, other.bb))
  }

  /// `state` · self.
  @inline(__always) func apply(after state: Pair) -> Pair {
    Pair(state.x * gg + state.y * bg, state.x * gb + state.y * bb)
  }

  /// self · `state`.
  @inline(__always) func apply(before state: Pair) -> Pair {
    Pair(gg * state.x + gb * state.y, bg * state.x + bb * state.y)
  }

  /// self · `other` with its rows and columns exchanged.
  func timesTransposed(_ other: StepMatrix) -> StepMatrix {
    StepMatrix(
      gg: gg * other.gg + gb * other.gb, gb: gg * other.bg + gb * other.bb,
      bg: bg * other.gg + bb * other.gb, bb: bg * other.bg + bb * other.bb)
  }

  /// self with rows and columns exchanged · `other`.
  func transposedTimes(_ other: StepMatrix) -> StepMatrix {
    StepMatrix(
      gg: gg * other.gg + bg * other.bg, gb: gg * other.gb + bg * other.bb,
      bg: gb * other.gg + bb * other.bg, bb: gb * other.gb + bb * other.bb)
  }
}

/// One step: going on to the next packet's state and seeing that it was received, or lost.
///
/// With eigenvalues 1st and 2nd of the matrix M, M^n / 1st^n = A + q^n B, where q = 2nd / 1st, A = (M - 2nd) / (1st - 2nd)
/// and B = 1 - A. The factor 1st^n is left out and accounted for by ``firstLogarithm``.
struct StepOperator {
  /// The larger eigenvalue.
  private let first: Double
  /// Its natural logarithm.
  let firstLogarithm: Double
  private let quotient: Double
  private let matrix: StepMatrix
  private let a: StepMatrix

  init(_ model: HiddenStateModel, receives: Bool) {
    let good = receives ? model.k : 1 - model.k
    let bad = receives ? model.h : 1 - model.h
    let matrix = StepMatrix(gg: (1 - model.p) * good, gb: model.p * bad, bg: model.r * good, bb: (1 - model.r) * bad)
    let half = (matrix.gg + matrix.bb) / 2
    let difference = (matrix.gg - matrix.bb) / 2
    let root = (difference * difference + matrix.gb * matrix.bg).squareRoot()
    // Equal eigenvalues only when a state can't be left nor entered, which the limits of the figures rule out.
    let gap = max(2 * root, 1e-300)
    first = half + root
    firstLogarithm = Quality.naturalLogarithm(max(first, 1e-300))
    let second = half - root
    quotient = second / first
    self.matrix = matrix
    a = StepMatrix(
      gg: (matrix.gg - second) / gap, gb: matrix.gb / gap, bg: matrix.bg / gap, bb: (matrix.bb - second) / gap)
  }

  /// q^n.
  func power(_ n: Int) -> Double {
    var (result, factor, left) = (1.0, quotient, n)
    while left > 0 {
      if left & 1 == 1 { result *= factor }
      factor *= factor
      left >>= 1
    }
    return result
  }

  /// M^n / 1st^n, given q^n.
  func steps(power q: Double) -> StepMatrix {
    // None of its numbers is 0, though one may be rounded to it.
    StepMatrix(
      gg: max(a.gg + q * (1 - a.gg), Self.least), gb: max(a.gb * (1 - q), Self.least),
      bg: max(a.bg * (1 - q), Self.least), bb: max(a.bb + q * (1 - a.bb), Self.least))
  }

  /// How often each step is expected within `length` steps, summed over all runs of this length.
  ///
  /// `ends` holds the sums of how likely it is that a run began in one state, came out of the other, and was followed by
  /// what followed it, each divided by how likely the run is: the expectation is linear in these. `before` is q^(n-1).
  func expected(_ length: Double, before: Double, ends: StepMatrix) -> StepMatrix {
    let q = before * quotient
    let mixed = 1 - quotient > 1e-12 ? (1 - q) / (1 - quotient) : length
    let right = ends.timesTransposed(a)
    let rest = ends.merged(with: right, -)
    let both = a.transposedTimes(right)
    let neither = rest.merged(with: a.transposedTimes(rest), -)
    let either = right.merged(with: both, -).merged(with: a.transposedTimes(rest), +)
    let plain = both.merged(with: neither) { length * $0 + length * before * $1 }
    let sum = plain.merged(with: either) { max($0 + mixed * $1, 0) }
    return sum.merged(with: matrix) { $0 * $1 / first }
  }

  private static let least = 1e-30
}

/// The sum of logarithms of many factors, taken of their products as far as these stay within range.
struct LogarithmSum {
  private var product = 1.0
  private var sum = 0.0

  /// Adds ln(`factor`).
  mutating func add(_ factor: Double) {
    product *= max(factor, 1e-300)
    if product < 1e-200 || product > 1e200 { fold() }
  }

  var value: Double { sum + Quality.naturalLogarithm(product) }

  private mutating func fold() {
    sum += Quality.naturalLogarithm(max(product, 1e-300))
    product = 1
  }
}
