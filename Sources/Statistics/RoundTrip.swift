public import Timeline

/// The round-trip times that report blocks about our own packets give (RFC 3550 section 6.4.1, LSR and DLSR).
public struct RoundTrip: Hashable, Sendable {
  /// The times in milliseconds.
  public private(set) var milliseconds = RunningExtent()

  /// Starts with no time.
  public init() {}

  /// Takes in a report block: round trip = arrival - LSR - DLSR.
  ///
  /// - Parameters:
  ///   - arrival: when the report arrived, by the clock whose time stood in our sender report.
  ///   - lastSenderReport: LSR, the middle 32 bits of that time; 0 when the far end had no report of ours yet.
  ///   - delay: DLSR, what the far end waited, in units of 1/65536 s.
  /// - Returns: the round trip; nil when there was no sender report, or the result is negative or above 60 s and so
  ///   can't be true. A negative result of up to 1 ms is rounding, and counts as zero.
  @discardableResult
  public mutating func record(arrival: NTPTimestamp, lastSenderReport: UInt32, delay: UInt32) -> Interval? {
    guard lastSenderReport != 0 else { return nil }
    let units = Int32(bitPattern: arrival.middle &- lastSenderReport &- delay)
    guard units >= -66, units <= 60 << 16 else { return nil }
    let result = Interval(units: Int64(max(units, 0)), rate: 65_536)
    milliseconds.record(result.milliseconds)
    return result
  }
}
