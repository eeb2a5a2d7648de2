/// Where packets were lost: every packet that was sent is in exactly one place.
///
/// `total = played + late + discarded + stillBuffered + droppedBySocket + network`.
public struct LossAccount: Hashable, Sendable {
  /// What the places add up to: the packets sent, or, where that isn't known, the numbers from the first that arrived to
  /// the last.
  public var total: Int
  /// Whether `total` is what the sender says it sent.
  public var isComplete: Bool
  /// Played in time.
  public var played: Int
  /// Arrived too late for the buffer.
  public var late: Int
  /// Arrived and thrown away.
  public var discarded: Int
  /// Arrived and still in the buffer.
  public var stillBuffered: Int
  /// Crossed the network, and dropped by this host because the socket's buffer was full.
  public var droppedBySocket: Int
  /// Lost on the network.
  public var network: Int
  /// Of all lost packets those before the first or after the last that arrived; nil when not known.
  public var atEnds: Int?
  /// Numbers that the sender jumped over; not in `total`.
  public var neverSent: Int

  /// Closes the account of one stream.
  ///
  /// - Parameters:
  ///   - reception: what arrived.
  ///   - playout: what became of it.
  ///   - ends: what the sender says of the rest.
  ///   - socketDrops: packets missing that the kernel dropped, as far as they could be told from others.
  public init(_ reception: ReceptionSummary, _ playout: PlayoutStatistics, _ ends: StreamEnds, socketDrops: Int) {
    isComplete = ends.sentHere != nil
    total = max(ends.sentHere ?? reception.expected, reception.unique)
    played = playout.played
    late = playout.late
    discarded = playout.discarded.total
    stillBuffered = playout.stillBuffered
    let lost = total - reception.unique
    droppedBySocket = min(max(socketDrops, 0), lost)
    network = lost - droppedBySocket
    atEnds = ends.lostAtEnds
    neverSent = ends.neverSent
  }
}
