import Timeline

/// Packets that are held back until a number of later ones have overtaken them, in the order of their sending.
///
/// All wait for the same number of packets and for the same time, so the first of them is always the next to go.
struct HeldPackets: Sendable {
  struct Entry: Sendable {
    var slot: Int
    /// Goes right behind the packet with this number among those that aren't held back, counted from 1.
    var overtaker: UInt64
    /// Goes at this time at the latest.
    var deadline: Instant
  }

  private let count: UInt64
  private var passed: UInt64 = 0
  private var entries: [Entry] = []
  private var head = 0

  init(_ spec: LinkSpec) { count = UInt64(spec.reorderBy) }

  var first: Entry? { head < entries.count ? entries[head] : nil }

  mutating func hold(slot: Int, until deadline: Instant) {
    // Reuses the room of those that have gone, so that a long run doesn't grow the array.
    if head > 16, head > entries.count / 2 {
      entries.removeFirst(head)
      head = 0
    }
    entries.append(Entry(slot: slot, overtaker: passed + count, deadline: deadline))
  }

  /// Counts a packet that isn't held back.
  mutating func countOvertaker() { passed += 1 }

  /// The next packet that enough others have overtaken.
  mutating func nextOvertaken() -> Entry? {
    guard let first, first.overtaker <= passed else { return nil }
    head += 1
    return first
  }

  /// The next packet whose time is up.
  mutating func nextExpired(at now: Instant) -> Entry? {
    guard let first, first.deadline <= now else { return nil }
    head += 1
    return first
  }
}
