import Buffering
import Timeline

/// Packets on their way from one sender, each with the delay that a scenario gives it.
struct Network {
  /// The path's smallest transit, in all scenarios.
  static let transit = Interval.milliseconds(50)

  /// In order of arrival.
  var packets: [BufferedPacket] = []
  var rate: UInt32 = 48_000

  /// A stream of `count` packets of `duration` units; `delay` is what each takes longer than the fastest, in ms, nil
  /// when it is lost.
  ///
  /// - Parameter skew: by how much the sender's clock is slow against the listener's, in parts per million.
  init(
    _ count: Int64, rate: UInt32 = 48_000, duration: Int64 = 960, from firstSequence: Int64 = 0,
    firstTimestamp: Int64 = 0, start: Interval = .zero, skew: Double = 0, delay: (Int64) -> Double?
  ) {
    self.rate = rate
    for number in 0..<count {
      guard let delay = delay(number) else { continue }
      let sent = Interval(seconds: Interval(units: number * duration, rate: rate).seconds * (1 + skew * 1e-6))
      packets.append(
        BufferedPacket(
          sequence: firstSequence + number, timestamp: firstTimestamp + number * duration, duration: duration,
          arrival: .zero + start + sent + Self.transit + Interval(seconds: delay / 1000), tag: UInt64(number)))
    }
    sort()
  }

  /// Sorts by arrival; what was sent first wins a tie.
  mutating func sort() {
    packets.sort { ($0.arrival, $0.sequence) < ($1.arrival, $1.sequence) }
  }

  /// The same packets in the order in which they were sent: each waits for those before it, and takes 0.1 ms.
  var inOrder: Network {
    var network = self
    network.packets.sort { $0.sequence < $1.sequence }
    for (before, index) in zip(network.packets.indices, network.packets.indices.dropFirst()) {
      network.packets[index].arrival = max(
        network.packets[index].arrival, network.packets[before].arrival + .microseconds(100))
    }
    return network
  }

  static func + (left: Network, right: Network) -> Network {
    var sum = left
    sum.packets += right.packets
    sum.sort()
    return sum
  }
}

extension SeededGenerator {
  /// An exponentially distributed delay in ms.
  mutating func exponential(mean: Double) -> Double {
    // The series converges fast enough for a network: the logarithm of the standard library is Glibc's.
    let unit = max(nextUnit(), 1e-12)
    var exponent = 0.0
    var rest = unit
    while rest < 0.5 {
      rest *= 2
      exponent += 1
    }
    // ln(rest) for 0.5...1 by atanh.
    let z = (rest - 1) / (rest + 1)
    let series = 2 * z * (1 + z * z / 3 + z * z * z * z / 5 + z * z * z * z * z * z / 7)
    return mean * (exponent * 0.693_147_180_559_945 - series)
  }

  /// An integer from 0 up to but without `limit`.
  mutating func number(_ limit: UInt64) -> Int64 { Int64(next() % limit) }
}
