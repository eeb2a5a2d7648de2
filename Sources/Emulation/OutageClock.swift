import Synchronization
import Timeline

/// When the outages of all links of a world begin, told from another thread than the one that moves packets.
final class OutageClock: Sendable {
  private let nanoseconds = Atomic(Int64.max)

  /// When; nil while nobody has said.
  var instant: Instant? {
    let value = nanoseconds.load(ordering: .acquiring)
    return value == .max ? nil : Instant(nanoseconds: value)
  }

  /// Says when.
  func begin(at instant: Instant) { nanoseconds.store(instant.nanoseconds, ordering: .releasing) }
}
