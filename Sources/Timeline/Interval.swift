/// A signed length of time in whole nanoseconds: about ±292 years.
///
/// `Swift.Duration` counts attoseconds in 128 bits; on a packet's path 64 bits are enough and much cheaper to divide.
public struct Interval: Hashable, Comparable, Sendable {
  /// The length in nanoseconds.
  public var nanoseconds: Int64

  /// Makes an interval of a number of nanoseconds.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// No time at all.
  @inlinable public static var zero: Interval { Interval(nanoseconds: 0) }

  /// An interval of whole nanoseconds.
  @inlinable public static func nanoseconds(_ value: Int64) -> Interval { Interval(nanoseconds: value) }
  /// An interval of whole microseconds.
  @inlinable public static func microseconds(_ value: Int64) -> Interval { Interval(nanoseconds: value * 1_000) }
  /// An interval of whole milliseconds.
  @inlinable public static func milliseconds(_ value: Int64) -> Interval { Interval(nanoseconds: value * 1_000_000) }
  /// An interval of whole seconds.
  @inlinable public static func seconds(_ value: Int64) -> Interval { Interval(nanoseconds: value * 1_000_000_000) }

  /// An interval of a fractional number of seconds, rounded to a nanosecond and clamped to what fits.
  @inlinable public init(seconds: Double) {
    let scaled = (seconds * 1e9).rounded()
    if scaled.isNaN {
      nanoseconds = 0
    } else if scaled >= 9.2e18 {
      nanoseconds = .max
    } else if scaled <= -9.2e18 {
      nanoseconds = .min
    } else {
      nanoseconds = Int64(scaled)
    }
  }

  /// The interval that `units` ticks of a clock of `rate` Hz take, rounded down to a nanosecond.
  ///
  /// No number of units traps: where the product needs more than 64 bits it is taken in 128, which is much slower to
  /// divide. The result is clamped to what fits.
  @inlinable public init(units: Int64, rate: UInt32) {
    let (product, overflow) = units.multipliedReportingOverflow(by: 1_000_000_000)
    if !overflow {
      nanoseconds = product / Int64(max(rate, 1))
      return
    }
    let exact = Int128(units) * 1_000_000_000 / Int128(max(rate, 1))
    nanoseconds = Int64(clamping: exact)
  }

  /// The length in seconds.
  @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }
  /// The length in milliseconds.
  @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }

  /// The number of ticks of a clock of `rate` Hz in this interval, rounded to the nearest.
  @inlinable public func units(rate: UInt32) -> Int64 {
    let (product, overflow) = nanoseconds.multipliedReportingOverflow(by: Int64(rate))
    if !overflow, product.magnitude < UInt64(Int64.max) / 2 {
      return (product + (product < 0 ? -500_000_000 : 500_000_000)) / 1_000_000_000
    }
    let exact = Int128(nanoseconds) * Int128(rate)
    let half: Int128 = exact < 0 ? -500_000_000 : 500_000_000
    return Int64(clamping: (exact + half) / 1_000_000_000)
  }

  /// Shorter, or further into the past.
  @inlinable public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }
  /// The sum, clamped to what fits.
  @inlinable public static func + (left: Interval, right: Interval) -> Interval {
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
    return Interval(nanoseconds: overflow ? (left.nanoseconds < 0 ? .min : .max) : sum)
  }
  /// The difference, clamped to what fits.
  @inlinable public static func - (left: Interval, right: Interval) -> Interval {
    let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
    return Interval(nanoseconds: overflow ? (left.nanoseconds < 0 ? .min : .max) : difference)
  }
  /// Adds in place.
  @inlinable public static func += (left: inout Interval, right: Interval) { left = left + right }
  /// Subtracts in place.
  @inlinable public static func -= (left: inout Interval, right: Interval) { left = left - right }
  /// The interval the other way round.
  @inlinable public static prefix func - (value: Interval) -> Interval { .zero - value }
  /// A multiple, clamped to what fits.
  @inlinable public static func * (left: Interval, factor: Int64) -> Interval {
    Interval(nanoseconds: Int64(clamping: Int128(left.nanoseconds) * Int128(factor)))
  }
  /// A fraction, rounded towards zero; `divisor` must not be zero.
  @inlinable public static func / (left: Interval, divisor: Int64) -> Interval {
    Interval(nanoseconds: left.nanoseconds / divisor)
  }
}
