import Glibc
public import Timeline

/// The clock by which everything is scheduled and measured: `CLOCK_MONOTONIC`.
///
/// It never steps and has nothing to do with the time of day.
public enum MonotonicClock {
  /// The present instant.
  @inline(never) public static func now() -> Instant { Instant(nanoseconds: nanoseconds(of: CLOCK_MONOTONIC)) }
}

/// The time of day, which may step when somebody sets it.
public enum RealtimeClock {
  /// Nanoseconds since 1970-01-01 00:00 UTC, without leap seconds.
  @inline(never) public static func unixNanoseconds() -> Int64 { nanoseconds(of: CLOCK_REALTIME) }
}

/// How far the time of day is ahead of the monotonic clock.
///
/// The kernel stamps datagrams with the time of day (`SO_TIMESTAMPNS`); this converts the stamps. Both clocks are
/// slewed alike, so the true offset is constant until somebody steps the time of day.
public struct ClockOffset: Hashable, Sendable {
  /// Time of day minus monotonic time.
  public var realtimeMinusMonotonic: Interval
  /// By how much that may be wrong: half the time it took to read the clocks.
  public var uncertainty: Interval

  /// Makes an offset that was measured elsewhere.
  public init(realtimeMinusMonotonic: Interval, uncertainty: Interval) {
    self.realtimeMinusMonotonic = realtimeMinusMonotonic
    self.uncertainty = uncertainty
  }

  /// Reads both clocks, a few times, and takes the reading that was disturbed least.
  public static func sample() -> ClockOffset {
    var best = reading()
    for _ in 0..<2 {
      let next = reading()
      if next.uncertainty < best.uncertainty { best = next }
    }
    return best
  }

  /// The instant at which the time of day was `nanoseconds` since 1970.
  public func instant(unixNanoseconds nanoseconds: Int64) -> Instant {
    Instant(nanoseconds: nanoseconds) - realtimeMinusMonotonic
  }

  /// Whether two readings can be of the same offset, with a microsecond to spare.
  func agrees(with other: ClockOffset) -> Bool {
    let difference = (realtimeMinusMonotonic - other.realtimeMinusMonotonic).nanoseconds.magnitude
    return difference <= (uncertainty + other.uncertainty + .microseconds(1)).nanoseconds.magnitude
  }

  private static func reading() -> ClockOffset {
    let before = MonotonicClock.now()
    let realtime = RealtimeClock.unixNanoseconds()
    let half = (MonotonicClock.now() - before) / 2
    return ClockOffset(
      realtimeMinusMonotonic: Instant(nanoseconds: realtime) - (before + half), uncertainty: half)
  }
}

private func nanoseconds(of clock: clockid_t) -> Int64 {
  var time = timespec()
  let result = clock_gettime(clock, &time)
  precondition(result == 0, "Linux has had this clock since 2.6")
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
