public import Timeline

/// Bursts and gaps of missing packets (RFC 3611 section 4.7.2), lost and useless ones alike, in order of number.
///
/// A burst is the longest stretch that begins and ends with a missing packet and holds no run of ``minimumGap`` or more
/// good ones; everything else is gap. A single missing packet with that many good ones on both sides belongs to its gap.
/// Before the first and after the last number good ones are assumed, as the RFC asks.
public struct BurstGapMetrics: Hashable, Sendable {
  /// Gmin: so many good packets in a row end a burst.
  public static let minimumGap = 16

  /// Bursts.
  public private(set) var burstCount = 0
  /// Packets in bursts.
  public private(set) var burstPackets = 0
  /// Missing packets in bursts.
  public private(set) var burstMissing = 0
  /// Gaps of at least one packet.
  public private(set) var gapCount = 0
  /// Packets in gaps.
  public private(set) var gapPackets = 0
  /// Missing packets in gaps.
  public private(set) var gapMissing = 0
  /// The media time from one packet to the next, by which packets become durations.
  public internal(set) var packetInterval = Interval.zero

  /// From the first to the last missing packet of what may become a burst; 0 outside.
  private var openPackets = 0
  private var openMissing = 0
  /// Good packets since the last missing one, while something is open.
  private var trailing = 0
  /// Packets of the gap that is going on.
  private var gapLength = 0

  /// Starts with no packet.
  public init() {}

  /// The share of missing packets in bursts; 0 without a burst.
  public var burstDensity: Double { burstPackets == 0 ? 0 : Double(burstMissing) / Double(burstPackets) }
  /// The share of missing packets in gaps; 0 without a gap.
  public var gapDensity: Double { gapPackets == 0 ? 0 : Double(gapMissing) / Double(gapPackets) }
  /// The mean duration of a burst; zero without one.
  public var meanBurst: Interval { mean(burstPackets, of: burstCount) }
  /// The mean duration of a gap; zero without one.
  public var meanGap: Interval { mean(gapPackets, of: gapCount) }

  /// The next `count` packets are missing: lost, too late or thrown away.
  public mutating func appendMissing(_ count: Int) {
    guard count > 0 else { return }
    openPackets += trailing + count
    openMissing += count
    trailing = 0
  }

  /// The next `count` packets were of use.
  public mutating func appendGood(_ count: Int) {
    guard openMissing > 0 else {
      gapLength += count
      return
    }
    trailing += count
    if trailing >= Self.minimumGap { closeOpen() }
  }

  /// Ends this run of numbers: what comes after stands in no relation to it.
  public mutating func close() {
    closeOpen()
    closeGap()
  }

  private mutating func closeOpen() {
    if openMissing == 1 {
      gapMissing += 1
      gapLength += openPackets
    } else if openMissing > 1 {
      closeGap()
      burstCount += 1
      burstPackets += openPackets
      burstMissing += openMissing
    }
    gapLength += trailing
    (openPackets, openMissing, trailing) = (0, 0, 0)
  }

  private mutating func closeGap() {
    guard gapLength > 0 else { return }
    gapCount += 1
    gapPackets += gapLength
    gapLength = 0
  }

  private func mean(_ packets: Int, of count: Int) -> Interval {
    count == 0 ? .zero : Interval(seconds: packetInterval.seconds * Double(packets) / Double(count))
  }
}
