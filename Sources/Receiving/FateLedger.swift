/// Keeps, when the session is traced, the datagrams whose fate isn't known yet, and hands out those whose fate is.
///
/// It holds no more entries than the jitter buffers hold packets.
struct FateLedger: Sendable {
  let isTracing: Bool
  private var waiting: [UInt64: DatagramFate] = [:]
  private var settled: [DatagramFate] = []
  private var handedOut = 0

  init(isTracing: Bool) { self.isTracing = isTracing }

  mutating func record(_ fate: DatagramFate) {
    if isTracing { settled.append(fate) }
  }

  mutating func await(_ fate: DatagramFate) {
    if isTracing { waiting[fate.index] = fate }
  }

  mutating func settle(_ index: UInt64, as fate: DatagramFate.Fate) {
    guard isTracing, var entry = waiting.removeValue(forKey: index) else { return }
    entry.fate = fate
    settled.append(entry)
  }

  /// Everything that still waits stays where it is for good.
  mutating func close() {
    settled += waiting.values.sorted { $0.index < $1.index }
    waiting = [:]
  }

  mutating func next() -> DatagramFate? {
    guard handedOut < settled.count else {
      settled.removeAll(keepingCapacity: true)
      handedOut = 0
      return nil
    }
    defer { handedOut += 1 }
    return settled[handedOut]
  }
}
