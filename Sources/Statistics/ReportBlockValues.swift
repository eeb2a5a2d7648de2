/// What an RTCP report block says of one source (RFC 3550 section 6.4.1), computed as appendix A.3 does.
public struct ReportBlockValues: Hashable, Sendable {
  /// The share of packets lost since the last report in 1/256, 0 when duplicates made it negative.
  public var fractionLost: UInt8
  /// Packets expected less packets received, duplicates included: -8,388,608 to 8,388,607.
  public var cumulativeLost: Int32
  /// The highest sequence number with the count of its wraps above it.
  public var extendedHighest: UInt32
  /// The interarrival jitter in timestamp units.
  public var jitter: UInt32

  /// Makes the values.
  public init(fractionLost: UInt8, cumulativeLost: Int32, extendedHighest: UInt32, jitter: UInt32) {
    self.fractionLost = fractionLost
    self.cumulativeLost = cumulativeLost
    self.extendedHighest = extendedHighest
    self.jitter = jitter
  }
}
