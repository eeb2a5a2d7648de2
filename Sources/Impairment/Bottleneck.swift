import Timeline

/// A line that takes time to send each packet, with a drop-tail queue in front of it.
struct Bottleneck: Sendable {
  private let rate: UInt64?
  private let queue: QueueLimit
  private var busyUntil: Instant?
  /// What `busyUntil` leaves out, in fractions of a nanosecond with the rate as the denominator.
  private var remainder: UInt64 = 0

  init(_ spec: LinkSpec) {
    rate = spec.rate
    queue = spec.queue
  }

  /// Queues a packet of up to 2^31 - 1 bytes and returns when its last bit has left, or nil when the queue is full.
  mutating func admit(bytes: Int, at now: Instant) -> Instant? {
    guard let rate else { return now }
    var start = now
    if let busyUntil, busyUntil >= now {
      guard hasRoom(bytes: bytes, wait: busyUntil - now, rate: rate) else { return nil }
      start = busyUntil
    } else {
      remainder = 0
    }
    // At most 2^31 * 8e9 + 1e11, which is below 2^64.
    let work = UInt64(bytes) * 8_000_000_000 + remainder
    remainder = work % rate
    let end = start + Interval(nanoseconds: Int64(clamping: work / rate))
    busyUntil = end
    return end
  }

  private func hasRoom(bytes: Int, wait: Interval, rate: UInt64) -> Bool {
    guard wait > .zero else { return true }
    switch queue {
    case .time(let limit): return wait <= limit
    case .bytes(let limit):
      let waiting = UInt128(wait.nanoseconds) * UInt128(rate) / 8_000_000_000
      return waiting + UInt128(bytes) <= UInt128(limit)
    }
  }
}
