/// A 16-bit RTP sequence number, which wraps (RFC 3550 section 5.1).
public struct SequenceNumber: Hashable, Sendable {
  /// The number as it stands in the packet.
  public var rawValue: UInt16

  /// Makes a sequence number from the number in a packet.
  @inlinable public init(_ rawValue: UInt16) { self.rawValue = rawValue }

  /// The number `count` further on, with wrap-around; `count` may be negative.
  @inlinable public func advanced(by count: Int) -> SequenceNumber {
    SequenceNumber(rawValue &+ UInt16(truncatingIfNeeded: count))
  }

  /// The signed distance by the shorter way round: -32768 to 32767.
  @inlinable public func distance(to other: SequenceNumber) -> Int {
    Int(Int16(bitPattern: other.rawValue &- rawValue))
  }
}

/// Extends 16-bit sequence numbers to 64 bits: each is taken as the one nearest to the highest so far.
public struct SequenceExtender: Sendable {
  /// The highest extended number so far.
  public private(set) var highest: Int64

  /// Starts at `first`, whose extended number is its own value.
  public init(first: SequenceNumber) { highest = Int64(first.rawValue) }

  /// The extended number nearest to the highest so far, without changing it.
  @inlinable public func extended(_ number: SequenceNumber) -> Int64 {
    highest + Int64(SequenceNumber(UInt16(truncatingIfNeeded: highest)).distance(to: number))
  }

  /// Extends `number` and remembers it when it is the highest.
  public mutating func extend(_ number: SequenceNumber) -> Int64 {
    let value = extended(number)
    highest = max(highest, value)
    return value
  }
}
