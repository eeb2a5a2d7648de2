/// A 64-bit NTP timestamp: seconds since 1900 and a binary fraction (RFC 3550 section 4).
public struct NTPTimestamp: Hashable, Sendable {
  /// The whole 64 bits: 32 of seconds since 1 January 1900 UTC, 32 of fraction.
  public var rawValue: UInt64

  /// Makes a timestamp from its 64 bits.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Seconds between the NTP epoch (1900) and the Unix epoch (1970).
  private static let unixOffset: Int64 = 2_208_988_800

  /// Converts from nanoseconds since the Unix epoch, rounded to the nearest unit of 2^-32 s.
  public init(unixNanoseconds: Int64) {
    let seconds = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let borrow: Int64 = seconds.remainder < 0 ? 1 : 0
    let whole = UInt64(truncatingIfNeeded: seconds.quotient - borrow + Self.unixOffset) << 32
    let nanoseconds = UInt64(seconds.remainder + borrow * 1_000_000_000)
    rawValue = whole &+ ((nanoseconds << 32) + 500_000_000) / 1_000_000_000
  }

  /// Nanoseconds since the Unix epoch, in NTP era 0 (until 2036), rounded to the nearest nanosecond.
  public var unixNanoseconds: Int64 {
    let seconds = Int64(rawValue >> 32) - Self.unixOffset
    let nanoseconds = ((rawValue & 0xffff_ffff) * 1_000_000_000 + 0x8000_0000) >> 32
    return seconds * 1_000_000_000 + Int64(nanoseconds)
  }

  /// The middle 32 bits, as LSR in a report block carries them (RFC 3550 section 6.4.1), in units of 1/65536 s.
  @inlinable public var middle: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) }
}
