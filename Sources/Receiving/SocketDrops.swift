/// Datagrams that this host's socket dropped, and what is known of whose they were.
///
/// The kernel tells with each datagram how many were dropped before it was queued. What was dropped right before a
/// stream's packet shows as a gap in its numbers at that packet. So after each such event each stream's first packet in
/// order takes as much of the loss as its gap holds; what no gap holds was something else: a duplicate, a report, a
/// packet of a stream that ended.
public struct SocketDrops: Equatable, Sendable {
  /// Datagrams dropped so far.
  public private(set) var total = 0
  /// Those of the last event that no stream's gap has taken yet.
  public private(set) var pending = 0
  /// Those dropped after the last datagram that was read.
  public private(set) var atEnd = 0
  /// How often datagrams were dropped.
  private(set) var events = 0

  mutating func note(_ count: Int) {
    events += 1
    total += count
    pending = count
  }

  mutating func noteAtEnd(_ count: Int) {
    total += count
    atEnd += count
  }

  mutating func take(atMost gap: Int) -> Int {
    let taken = min(pending, gap)
    pending -= taken
    return taken
  }
}
