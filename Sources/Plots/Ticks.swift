/// A mark on an axis.
public struct Tick: Hashable, Sendable {
  /// Where, in the axis' unit.
  public var value: Double
  /// What stands there.
  public var label: String
}

extension Tick {
  /// A mark at a whole number.
  init(_ number: Int) {
    self.init(value: Double(number), label: DecimalText.text(number, exponent: 0))
  }
}

/// Finds round numbers for the marks of an axis.
public enum Ticks {
  /// Marks at multiples of 1, 2 or 5 times a power of ten: about `count`, the outer ones at or beyond the ends.
  ///
  /// Ends that aren't finite, or in the wrong order, count as 0 and 1; an empty range is widened.
  public static func linear(from low: Double, to high: Double, about count: Int = 5) -> [Tick] {
    let (low, high) = widened(low, high)
    let step = Step(atLeast: (high - low) / Double(max(count, 1)))
    let first = (low / step.value).rounded(.down)
    let last = (high / step.value).rounded(.up)
    // So narrow a range, so far from zero, that a number can't tell its ends apart in whole steps.
    guard first.magnitude < 1e15, last.magnitude < 1e15, last - first <= 100 else {
      return [Tick(value: low, label: low.description), Tick(value: high, label: high.description)]
    }
    return (Int(first)...Int(last)).map { step.tick($0) }
  }

  /// Marks at powers of ten from the one at or below `low` to the one at or above `high`; at 2 and 5 as well where they
  /// are few.
  ///
  /// A range without positive numbers counts as 1 to 10.
  public static func logarithmic(from low: Double, to high: Double) -> [Tick] {
    let top = high.isFinite && high > 0 ? min(max(high, 1 / reach), reach) : 10
    let bottom = low.isFinite && low > 0 && low <= top ? max(low, 1 / reach) : min(1, top)
    let first = Logarithm.floorOfDecimal(bottom)
    let floor = Logarithm.floorOfDecimal(top)
    let last = max(PowerOfTen.value(floor) < top ? floor + 1 : floor, first + 1)
    let span = last - first
    let stride = (span + 7) / 8
    var ticks: [Tick] = []
    for exponent in first...last where (exponent - first) % stride == 0 || exponent == last {
      ticks.append(Step(mantissa: 1, exponent: exponent).tick(1))
      guard span <= 2, exponent < last else { continue }
      for mantissa in [2, 5] { ticks.append(Step(mantissa: mantissa, exponent: exponent).tick(1)) }
    }
    return ticks
  }

  /// Marks on a clock of seconds from `low`: at whole seconds, minutes or hours, about `count` of them, none beyond
  /// the ends.
  public static func time(from low: Double, to high: Double, about count: Int = 6) -> [Tick] {
    let (low, high) = widened(low, high)
    let least = (high - low) / Double(max(count, 1))
    guard least > 0.5, high < 1e9, low > -1e9 else {
      return linear(from: low, to: high, about: count).filter { $0.value >= low && $0.value <= high }.map {
        Tick(value: $0.value, label: $0.label + " s")
      }
    }
    let step = clockSteps.first { Double($0) >= least } ?? Int(Step(atLeast: least / 86_400).value * 86_400)
    let first = Int((low / Double(step)).rounded(.up))
    let last = Int((high / Double(step)).rounded(.down))
    guard first <= last else { return [] }
    return (first...last).map { Tick(value: Double($0 * step), label: clock($0 * step, longest: Int(high))) }
  }

  /// Marks go no further than this, so that the next one is always a number.
  private static let reach = 1e290

  private static let clockSteps = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
  ]

  private static func clock(_ seconds: Int, longest: Int) -> String {
    if longest < 60 { return "\(seconds) s" }
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (sign, whole) = (seconds < 0 ? "-" : "", seconds.magnitude)
    let (minutes, rest) = (Int(whole / 60), Int(whole % 60))
    if longest < 3600 { return "\(sign)\(minutes):\(two(rest))" }
    return "\(sign)\(minutes / 60):\(two(minutes % 60)):\(two(rest))"
  }

  private static func widened(_ low: Double, _ high: Double) -> (Double, Double) {
    guard low.isFinite, high.isFinite, low <= high else { return (0, 1) }
    let (low, high) = (min(max(low, -reach), reach), min(max(high, -reach), reach))
    let least = max(max(low.magnitude, high.magnitude) * 1e-9, 1 / reach)
    if high - low > least { return (low, high) }
    let margin = low.magnitude / 2
    return low.magnitude < 1 / reach ? (0, 1) : (low - margin, high + margin)
  }

  /// A step of 1, 2 or 5 times a power of ten.
  struct Step {
    var mantissa: Int
    var exponent: Int

    init(mantissa: Int, exponent: Int) {
      self.mantissa = mantissa
      self.exponent = exponent
    }

    init(atLeast width: Double) {
      exponent = Logarithm.floorOfDecimal(width)
      mantissa = 10
      for candidate in [1, 2, 5] where Self.value(candidate, exponent) >= width * (1 - 1e-9) {
        mantissa = candidate
        break
      }
      if mantissa == 10 { (mantissa, exponent) = (1, exponent + 1) }
    }

    var value: Double { Self.value(mantissa, exponent) }

    func tick(_ count: Int) -> Tick {
      Tick(value: Self.value(count * mantissa, exponent), label: DecimalText.text(count * mantissa, exponent: exponent))
    }

    private static func value(_ mantissa: Int, _ exponent: Int) -> Double {
      // Dividing by a whole power of ten gives the number nearest to 0.3; multiplying by 0.1 doesn't.
      exponent < 0
        ? Double(mantissa) / PowerOfTen.value(-exponent) : Double(mantissa) * PowerOfTen.value(exponent)
    }
  }
}

/// Powers of ten.
enum PowerOfTen {
  static func value(_ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<min(exponent.magnitude, 400) { result = exponent < 0 ? result / 10 : result * 10 }
    return result
  }
}

/// Numbers written out from a whole number and a power of ten, without rounding errors.
enum DecimalText {
  /// `mantissa` · 10^`exponent`: "2,500", "0.05", "3e9".
  static func text(_ mantissa: Int, exponent: Int) -> String {
    guard mantissa != 0 else { return "0" }
    let digits = String(mantissa.magnitude)
    let sign = mantissa < 0 ? "-" : ""
    if exponent >= 0 {
      guard digits.count + exponent <= 7 else { return scientific(sign, digits, exponent) }
      return sign + grouped(digits + String(repeating: "0", count: exponent))
    }
    guard exponent >= -6 else { return scientific(sign, digits, exponent) }
    let padded = String(repeating: "0", count: max(1 - exponent - digits.count, 0)) + digits
    return sign + grouped(String(padded.dropLast(-exponent))) + "." + padded.suffix(-exponent)
  }

  private static func scientific(_ sign: String, _ digits: String, _ exponent: Int) -> String {
    var rest = digits.dropFirst()
    while rest.last == "0" { rest.removeLast() }
    let power = exponent + digits.count - 1
    return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e\(power)"
  }

  private static func grouped(_ digits: String) -> String {
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return result
  }
}

/// Logarithms without a C library.
enum Logarithm {
  /// The largest power of ten that isn't above a positive finite value.
  static func floorOfDecimal(_ value: Double) -> Int {
    guard value.isFinite, value > 0 else { return 0 }
    var exponent = Int((decimal(value)).rounded(.down))
    // Right at a power of ten the logarithm may fall to either side.
    if scaled(1, exponent + 1) <= value { exponent += 1 }
    if scaled(1, exponent) > value { exponent -= 1 }
    return exponent
  }

  /// The logarithm to base 10 of a positive finite value, right to about 1e-15.
  static func decimal(_ value: Double) -> Double {
    // ln s = 2 artanh((s - 1) / (s + 1)) of the significand; its ratio is below 1/3.
    let ratio = (value.significand - 1) / (value.significand + 1)
    var term = ratio
    var sum = 0.0
    for step in 0..<18 {
      sum += term / Double(2 * step + 1)
      term *= ratio * ratio
    }
    return Double(value.exponent) * 0.301_029_995_663_981_2 + 2 * sum * 0.434_294_481_903_251_8
  }

  private static func scaled(_ value: Double, _ exponent: Int) -> Double { value * PowerOfTen.value(exponent) }
}
