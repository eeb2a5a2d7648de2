public import Timeline

/// What a link has decided about one packet.
public struct LinkFate: Equatable, Sendable {
  /// What becomes of a packet.
  public enum Cause: String, CaseIterable, Sendable {
    /// It arrives, once or twice.
    case delivered
    /// It is lost at random.
    case lost
    /// It is dropped because too much waits for the line, or because too many packets are under way.
    case queueFull = "queue-full"
    /// It is lost because the link is down.
    case outage
  }

  /// The packet's number among those offered, from 0.
  public var index: UInt64
  /// What becomes of the packet.
  public var cause: Cause
  /// How many copies arrive: 0, 1 or 2.
  public var copies = 0
  /// Whether the packet is held back until others have overtaken it.
  public var isHeldBack = false
  /// The bit that is flipped, counted from the first byte's most significant bit, in all copies.
  public var corruptedBit: Int?
  /// From the offer to the arrival of the first copy; nil when none arrives, or when the packet is held back and it
  /// isn't known yet.
  public var delay: Interval?
  /// From the offer to the arrival of the second copy, if there is one and its time is known yet.
  public var duplicateDelay: Interval?
}

/// A packet that has crossed a link.
public struct Delivery<Payload> {
  /// What was offered; the link never touches it.
  public var payload: Payload
  /// The packet's number among those offered, from 0.
  public var sentIndex: UInt64
  /// 0 for the first copy, 1 for a duplicate.
  public var copy: Int
  /// When the packet was offered.
  public var sentAt: Instant
  /// When the packet arrived, which may be earlier than it was asked for.
  public var deliveredAt: Instant
  /// The size that the sender gave.
  public var bytes: Int
  /// The bit to flip, counted from the first byte's most significant bit and below 8 times `bytes`; nil for none.
  public var corruptedBit: Int?

  @usableFromInline init(
    payload: Payload, sentIndex: UInt64, copy: Int, sentAt: Instant, deliveredAt: Instant, bytes: Int,
    corruptedBit: Int?
  ) {
    self.payload = payload
    self.sentIndex = sentIndex
    self.copy = copy
    self.sentAt = sentAt
    self.deliveredAt = deliveredAt
    self.bytes = bytes
    self.corruptedBit = corruptedBit
  }

  /// Flips the bit that the link has corrupted, if there is one.
  ///
  /// When the size given to the link counts headers, too, and the bit lies beyond the end, the position wraps around.
  public func corrupt(_ datagram: inout [UInt8]) {
    var span = datagram.mutableSpan
    corrupt(&span)
  }

  /// Flips the bit that the link has corrupted, if there is one.
  public func corrupt(_ datagram: inout MutableSpan<UInt8>) {
    guard let corruptedBit, !datagram.isEmpty else { return }
    datagram[corruptedBit / 8 % datagram.count] ^= 0x80 >> UInt8(corruptedBit % 8)
  }
}

extension Delivery: Sendable where Payload: Sendable {}

/// What a link has done so far, counted packet by packet.
///
/// At every moment `offered + duplicated == delivered + lost + queueDropped + outageLost + inFlight`, and likewise
/// `bytesOffered + bytesDuplicated == bytesDelivered + bytesDropped + bytesInFlight`.
public struct LinkRecord: Equatable, Sendable {
  /// Packets given to the link.
  public internal(set) var offered: UInt64 = 0
  /// Copies handed out, duplicates among them.
  public internal(set) var delivered: UInt64 = 0
  /// Packets lost at random, singly or in bursts.
  public internal(set) var lost: UInt64 = 0
  /// Packets dropped because too much was waiting or under way.
  public internal(set) var queueDropped: UInt64 = 0
  /// Packets lost because the link was down.
  public internal(set) var outageLost: UInt64 = 0
  /// Second copies that the link has made, those still under way among them.
  public internal(set) var duplicated: UInt64 = 0
  /// Copies that haven't been handed out yet.
  public internal(set) var inFlight: UInt64 = 0
  /// Packets whose first copy was handed out after a packet offered later (RFC 4737 section 3, type-P-reordered).
  public internal(set) var reordered: UInt64 = 0
  /// Copies handed out with a bit to flip.
  public internal(set) var corrupted: UInt64 = 0
  /// Runs of packets offered one after another that were all dropped, for whatever cause (RFC 3357 loss periods).
  public internal(set) var lossRuns: UInt64 = 0
  /// The number of packets in the longest such run.
  public internal(set) var longestLossRun: UInt64 = 0

  /// Bytes of the packets given to the link.
  public internal(set) var bytesOffered: UInt64 = 0
  /// Bytes of the second copies.
  public internal(set) var bytesDuplicated: UInt64 = 0
  /// Bytes of the copies handed out.
  public internal(set) var bytesDelivered: UInt64 = 0
  /// Bytes of the packets that were dropped, for whatever cause.
  public internal(set) var bytesDropped: UInt64 = 0
  /// Bytes of the copies that haven't been handed out yet.
  public internal(set) var bytesInFlight: UInt64 = 0

  private var currentRun: UInt64 = 0
  private var nextExpected: UInt64 = 0

  /// Packets of which no copy arrives: lost, dropped by the queue, or sent while the link was down.
  public var dropped: UInt64 { lost + queueDropped + outageLost }

  /// Makes the record of a link that nothing was offered to.
  public init() {}

  mutating func drop(_ cause: LinkFate.Cause, bytes: Int) {
    switch cause {
    case .delivered: return
    case .lost: lost += 1
    case .queueFull: queueDropped += 1
    case .outage: outageLost += 1
    }
    bytesDropped &+= UInt64(bytes)
    lossRuns += currentRun == 0 ? 1 : 0
    currentRun += 1
    longestLossRun = max(longestLossRun, currentRun)
  }

  mutating func accept(copies: Int, bytes: Int) {
    currentRun = 0
    inFlight += UInt64(copies)
    duplicated += UInt64(copies - 1)
    bytesInFlight &+= UInt64(copies) &* UInt64(bytes)
    bytesDuplicated &+= UInt64(copies - 1) &* UInt64(bytes)
  }

  mutating func deliver(index: UInt64, copy: Int, bytes: Int, isCorrupted: Bool) {
    inFlight -= 1
    delivered += 1
    corrupted += isCorrupted ? 1 : 0
    bytesInFlight &-= UInt64(bytes)
    bytesDelivered &+= UInt64(bytes)
    guard copy == 0 else { return }
    if index < nextExpected { reordered += 1 } else { nextExpected = index + 1 }
  }
}
