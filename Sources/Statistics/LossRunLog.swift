/// The pattern of losses as runs, for models to be fitted to: the last 2,048 runs of losses, with what came between.
struct LossRunLog: Hashable, Sendable {
  /// A stretch of received numbers and the losses that followed it; no loss where a run of numbers ended.
  struct Entry: Hashable, Sendable {
    var received: UInt32
    var lost: UInt32
  }

  private var ring: [Entry] = []
  private var next = 0
  private var received = 0
  private var lost = 0

  mutating func appendLost(_ count: Int) { lost += count }

  mutating func appendReceived(_ count: Int) {
    if lost > 0 { push() }
    received += count
  }

  /// Ends this run of numbers.
  mutating func close() {
    // A run of numbers ends with a received one, so this entry has no loss: it marks the end.
    if received > 0 || lost > 0 { push() }
  }

  /// The entries in order; the first may be cut off from what was before it.
  var entries: [Entry] { ring.count < Self.capacity ? ring : Array(ring[next...] + ring[..<next]) }

  private mutating func push() {
    let entry = Entry(received: UInt32(clamping: received), lost: UInt32(clamping: lost))
    (received, lost) = (0, 0)
    guard ring.count == Self.capacity else {
      ring.append(entry)
      return
    }
    ring[next] = entry
    next = (next + 1) % Self.capacity
  }

  private static let capacity = 2048
}
