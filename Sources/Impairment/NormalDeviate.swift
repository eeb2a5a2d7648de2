/// Functions that random delays need, in plain arithmetic: the core links no mathematics library.
///
/// They use only operations that IEEE 754 defines to the last bit, so a seed means the same on every machine.
enum NormalDeviate {
  /// The deviate below which a standard normal variable lies with probability `p`.
  ///
  /// Algorithm AS 241, PPND16 (Wichura, Applied Statistics 37, 1988), accurate to about 1 part in 10^16. `p` is brought
  /// into the open interval from 0 to 1 first, so that the result lies within about ±8.3.
  static func quantile(_ p: Double) -> Double {
    let p = min(max(p, 0x1p-54), 1 - 0x1p-53)
    let q = p - 0.5
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * ratio(r, centre)
    }
    let r = (-naturalLogarithm(q < 0 ? p : 1 - p)).squareRoot()
    let value = r <= 5 ? ratio(r - 1.6, middle) : ratio(r - 5, tail)
    return q < 0 ? -value : value
  }

  /// The natural logarithm of a positive, normal number, to about 2 units in the last place.
  ///
  /// x = 2^e m with m from 1/√2 to √2, and ln m = 2 artanh s with s = (m - 1)/(m + 1), |s| < 0.172.
  static func naturalLogarithm(_ x: Double) -> Double {
    var exponent = Double(x.exponent)
    var m = x.significand
    if m > 1.414213562373095 {
      m /= 2
      exponent += 1
    }
    let s = (m - 1) / (m + 1)
    let square = s * s
    var sum = 0.0
    for odd in stride(from: 23.0, through: 1.0, by: -2.0) { sum = sum * square + 1 / odd }
    return exponent * 0.6931471805599453 + 2 * s * sum
  }

  /// e to the power of `x` for |x| up to 100, to about 2 units in the last place.
  ///
  /// x = n ln 2 + f with |f| < 0.35, and e^f by its Taylor series.
  static func exponential(_ x: Double) -> Double {
    let n = (x * 1.4426950408889634).rounded()
    // ln 2 in two parts, of which the first has so few bits that its product with n is exact.
    let f = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    var sum = 1.0
    for term in stride(from: 16.0, through: 1.0, by: -1.0) { sum = 1 + sum * f / term }
    return Double(sign: .plus, exponent: Int(n), significand: sum)
  }

  /// A standard log-normal deviate, shifted and scaled to mean 0 and standard deviation 1.
  ///
  /// e^Z has the mean √e and the variance e(e - 1).
  static func heavy(_ z: Double) -> Double { (exponential(z) - 1.6487212707001282) / 2.1611974158950877 }

  /// The coefficients of a rational function, each list from the highest power to the constant.
  private typealias Rational = (above: [8 of Double], below: [8 of Double])

  private static func ratio(_ x: Double, _ function: Rational) -> Double {
    var above = 0.0
    var below = 0.0
    for index in function.above.indices {
      above = above * x + function.above[index]
      below = below * x + function.below[index]
    }
    return above / below
  }

  private static let centre: Rational = (
    [
      2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
      1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
    ],
    [
      5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
      5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1,
    ]
  )
  private static let middle: Rational = (
    [
      7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
      3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
    ],
    [
      1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
      6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1,
    ]
  )
  private static let tail: Rational = (
    [
      2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
      2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
    ],
    [
      2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
      1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1,
    ]
  )
}
