/// A point in time on a monotonic clock, in nanoseconds since an origin that nobody needs to know.
///
/// The core never reads a clock: instants are arguments, given by the shell from `CLOCK_MONOTONIC` or by a simulation
/// from its virtual clock.
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since the clock's origin.
  public var nanoseconds: Int64

  /// Makes an instant from nanoseconds since the clock's origin.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The origin of the clock.
  @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }
  /// Later than everything that can happen.
  @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

  /// The earlier of two instants, where nil stands for one that never comes.
  @inlinable public static func earliest(_ left: Instant?, _ right: Instant?) -> Instant? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
  }

  /// Earlier.
  @inlinable public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
  /// The instant that lies `interval` later, clamped to what fits.
  @inlinable public static func + (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: (Interval(nanoseconds: instant.nanoseconds) + interval).nanoseconds)
  }
  /// The instant that lies `interval` earlier, clamped to what fits.
  @inlinable public static func - (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: (Interval(nanoseconds: instant.nanoseconds) - interval).nanoseconds)
  }
  /// How much later `left` is than `right`, clamped to what fits.
  @inlinable public static func - (left: Instant, right: Instant) -> Interval {
    Interval(nanoseconds: left.nanoseconds) - Interval(nanoseconds: right.nanoseconds)
  }
  /// Moves the instant.
  @inlinable public static func += (instant: inout Instant, interval: Interval) { instant = instant + interval }
}
