/// A 32-bit RTP timestamp in units of the payload's clock, which wraps (RFC 3550 section 5.1).
public struct RTPTimestamp: Hashable, Sendable {
  /// The number as it stands in the packet.
  public var rawValue: UInt32

  /// Makes a timestamp from the number in a packet.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// The timestamp `units` further on, with wrap-around; `units` may be negative.
  @inlinable public func advanced(by units: Int64) -> RTPTimestamp {
    RTPTimestamp(rawValue &+ UInt32(truncatingIfNeeded: units))
  }

  /// The signed distance by the shorter way round: -2^31 to 2^31 - 1.
  @inlinable public func distance(to other: RTPTimestamp) -> Int64 {
    Int64(Int32(bitPattern: other.rawValue &- rawValue))
  }
}

/// Extends 32-bit timestamps to 64 bits: each is taken as the one nearest to the one before it.
public struct TimestampExtender: Sendable {
  /// The last extended timestamp.
  public private(set) var last: Int64

  /// Starts at `first`, whose extended timestamp is its own value.
  public init(first: RTPTimestamp) { last = Int64(first.rawValue) }

  /// The extended timestamp nearest to the last one, without changing it.
  @inlinable public func extended(_ timestamp: RTPTimestamp) -> Int64 {
    last + RTPTimestamp(UInt32(truncatingIfNeeded: last)).distance(to: timestamp)
  }

  /// Extends `timestamp` and remembers it.
  public mutating func extend(_ timestamp: RTPTimestamp) -> Int64 {
    last = extended(timestamp)
    return last
  }
}
