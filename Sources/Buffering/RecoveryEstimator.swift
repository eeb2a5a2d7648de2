import Timeline

/// Learns whether waiting for copies of lost packets pays: in-band FEC, which comes with the next packet.
///
/// The exchange rate is NetEq's: 20 ms of delay are worth one percent of the packets.
struct RecoveryEstimator: Sendable {
  private static let worth = Interval.seconds(2)
  /// The share of copies that is waited for.
  private static let share = 0.9
  private static let memory = Interval.seconds(60)
  /// Packets over which the share of lost packets with a copy is averaged.
  private static let packets = 3000

  private var copies: DelayHistogram
  private var rate = 0.0
  private var count = 0

  init(isUsed: Bool) { copies = DelayHistogram(memory: Self.memory, isUsed: isUsed) }

  /// Takes in a packet with a new highest number; `copy` is the delay of the packet before it, which is missing and of
  /// which it has a copy.
  mutating func observe(copy: Interval?, seconds: Double) {
    count = min(count + 1, Self.packets)
    rate += ((copy == nil ? 0 : 1) - rate) / Double(count)
    if let copy { copies.add(copy, seconds: seconds) }
  }

  /// The delay with which most copies come in time; nil while it isn't worth that much more than `need`.
  func wait(beyond need: Interval) -> Interval? {
    guard rate > 0, !copies.isEmpty else { return nil }
    let wait = copies.quantile(tail: 1 - Self.share)
    guard wait > need, (wait - need).seconds <= Self.worth.seconds * rate * Self.share else { return nil }
    return wait
  }
}
