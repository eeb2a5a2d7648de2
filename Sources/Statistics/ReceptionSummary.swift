public import Timeline

/// What the report says of one stream's packets, taken from `ReceptionStatistics` at one moment.
public struct ReceptionSummary: Sendable {
  /// Sequence numbers from the lowest to the highest seen (RFC 3550 A.3): `unique + lost`.
  public var expected: Int
  /// Packets received: `unique + duplicates`.
  public var received: Int
  /// Sequence numbers received.
  public var unique: Int
  /// Sequence numbers that never arrived.
  public var lost: Int
  /// Packets whose number had arrived before.
  public var duplicates: Int
  /// First copies that arrived after a packet with a higher number (RFC 4737 section 3.3).
  public var reordered: Int
  /// Packets too far below the highest to tell; not in `received`.
  public var tooOld: Int
  /// Bytes of the packets received.
  public var bytes: Int
  /// How often the sender restarted with new sequence numbers.
  public var restarts: Int
  /// Packets expected less packets received, duplicates included (RFC 3550 A.3); may be negative.
  public var rfc3550Lost: Int
  /// The runs of consecutive losses, all ended.
  public var lossRuns: LossRuns
  /// The two-state loss model that fits.
  public var gilbert: GilbertFit
  /// The interarrival jitter (RFC 3550 A.8).
  public var jitter: InterarrivalJitter
  /// The delay variation (RFC 5481 section 4.2); nil without a packet.
  public var delayVariation: DelayPercentiles?
  /// How far packets arrived out of place (RFC 4737).
  public var reordering: ReorderingMetrics
  /// How far losses are apart (RFC 3357).
  public var lossDistance: LossDistance
  /// Bursts and gaps of packets that were lost or of no use (RFC 3611 section 4.7.2).
  public var burstGap: BurstGapMetrics
  /// What ``fitGilbertElliott()`` is made from.
  var lossLog: LossRunLog
  /// How much the delay changes from one packet to the next (RFC 5481 section 4.1).
  public var interPacketVariation: InterPacketVariation
  /// How many packets were how much slower than the fastest.
  public var delayHistogram: DelayHistogram
  /// The smallest transit: arrival by our clock less the timestamp by the sender's; nil without a packet and after a
  /// restart.
  public var leastTransit: Interval?
  /// How much faster the sender's clock runs; nil when there isn't enough to tell.
  public var drift: ClockDrift?
  /// The media time from one packet to the next; zero before the second.
  public var packetInterval: Interval
  /// When the first packet arrived.
  public var firstArrival: Instant?
  /// When the last packet arrived.
  public var lastArrival: Instant?

  /// The share of expected packets that never arrived; 0 when none was expected.
  public var lossRatio: Double { expected == 0 ? 0 : Double(lost) / Double(expected) }

  /// The largest reordering extent in packets (RFC 4737 section 4.2); 0 without reordering.
  public var reorderingExtent: Int { reordering.maxExtent }
  /// The largest late time of a reordered packet (RFC 4737 section 4.3).
  public var lateTime: Interval { reordering.maxLateTime }

  /// Fits the loss model with two hidden states, which takes up to some tenths of a second.
  public func fitGilbertElliott() -> GilbertElliottFit { GilbertElliottFit(lossLog) }
}
