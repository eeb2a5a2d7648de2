import Buffering
import Timeline

/// The jitter buffer alone: slots of 20 ms, in each a packet put in and 20 ms pulled, the pattern that
/// `Benchmarks/Peers/buffers.c` feeds other buffers with.
///
/// Lossy: 1 % of the packets are lost, and 5 % come one to three slots late.
struct BufferBenchmark {
  var isAdaptive: Bool
  var isLossy: Bool

  private static let period = 4096
  private static let payload = [UInt8](repeating: 0x78, count: 160)

  func run(slots count: Int) -> UInt64 {
    var configuration = JitterBuffer.Configuration(clockRate: 48_000, target: .milliseconds(60))
    if isAdaptive { configuration.adaptation = JitterBuffer.Adaptation() }
    var buffer = JitterBuffer(configuration)
    let order = arrivals()
    var next = 0
    var base = 0
    var sum: UInt64 = 0
    for slot in 0..<count {
      let now = Instant.zero + .milliseconds(50) + .milliseconds(20) * Int64(slot)
      while base + order[next].slot <= slot {
        let number = Int64(base + order[next].number)
        let packet = BufferedPacket(sequence: number, timestamp: number * 960, duration: 960, arrival: now)
        _ = buffer.insert(packet, payload: Self.payload.span.bytes)
        next += 1
        if next == order.count { (next, base) = (0, base + Self.period) }
      }
      sum &+= isAdaptive ? pull(&buffer, at: now) : poll(&buffer, at: now)
    }
    return sum
  }

  private func poll(_ buffer: inout JitterBuffer, at now: Instant) -> UInt64 {
    var sum: UInt64 = 0
    while true {
      switch buffer.poll(at: now) {
      case .play(let packet, let slot, _):
        sum &+= UInt64(packet.sequence) &+ buffer.withPayload(in: slot) { UInt64($0.byteCount) }
      case .wait, .ended: return sum
      default: sum &+= 1
      }
    }
  }

  private func pull(_ buffer: inout JitterBuffer, at now: Instant) -> UInt64 {
    var sum: UInt64 = 0
    for half in 0..<2 {
      blocks: while true {
        switch buffer.pull(.milliseconds(10), at: now + .milliseconds(10) * Int64(half)) {
        case .play(let packet, let slot, _):
          sum &+= UInt64(packet.sequence) &+ buffer.withPayload(in: slot) { UInt64($0.byteCount) }
        case .wait, .ended: break blocks
        default: sum &+= 1
        }
      }
    }
    return sum
  }

  /// Which packet arrives in which slot, of one period that repeats.
  private func arrivals() -> [(number: Int, slot: Int)] {
    var seed: UInt64 = 1
    var result: [(number: Int, slot: Int)] = []
    for number in 0..<Self.period {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let chance = Int(seed >> 33) % 1000
      if isLossy, chance < 10 { continue }
      result.append((number, number + (isLossy && chance < 60 ? 1 + chance % 3 : 0)))
    }
    result.sort { ($0.slot, $0.number) < ($1.slot, $1.number) }
    return result
  }
}
