import Timeline

/// The figures that follow from when packets arrived.
extension StreamTruth {
  /// RFC 3550 A.8 and RFC 5481 section 4.2, from the list of arrivals.
  var delays: [Expectation] {
    var (jitter, sum, most) = (0.0, 0.0, 0.0)
    var count = 0
    for (before, packet) in zip(arrivals, arrivals.dropFirst()) where before.run == packet.run {
      let steps = Int32(bitPattern: packet.timestamp &- before.timestamp)
      let difference = Double(packet.time - before.time) / 1e6 - Double(steps) * 1000 / Double(clockRate)
      jitter += (abs(difference) - jitter) / 16
      sum += jitter
      most = max(most, jitter)
      count += 1
    }
    // The report counts delays in bins of 0.1 ms; across a restart each run has a smallest delay of its own.
    let bin = sent.count > 1 ? 0.11 : 0.06
    let variation = variation
    func percentile(_ share: Double) -> Double? {
      variation.isEmpty ? nil : variation[max(0, Int((share * Double(variation.count)).rounded(.up)) - 1)]
    }
    return [
      Expectation("jitter_ms.last", jitter, within: 1e-3),
      Expectation("jitter_ms.mean", count == 0 ? 0 : sum / Double(count), within: 1e-3),
      Expectation("jitter_ms.max", most, within: 1e-3),
      Expectation("delay_variation_ms.p50", percentile(0.5), within: bin),
      Expectation("delay_variation_ms.p95", percentile(0.95), within: bin),
      Expectation("delay_variation_ms.p99", percentile(0.99), within: bin),
      Expectation("delay_variation_ms.p999", percentile(0.999), within: bin),
      Expectation("delay_variation_ms.max", variation.last, within: 1e-3),
    ]
  }

  /// Each packet's delay less the smallest of its run in milliseconds, sorted.
  private var variation: [Double] {
    var all: [Double] = []
    for run in sent.indices {
      let transits = transitsInOrder(of: run).map(\.transit)
      guard let least = transits.min() else { continue }
      all += transits.map { Double($0 - least) / 1e6 }
    }
    return all.sorted()
  }

  /// Arrival less media time of the first copies of a run, in order of arrival.
  func transitsInOrder(of run: Int) -> [(packet: Arrival, transit: Int64)] {
    let packets = firstCopies.filter { $0.run == run }
    guard let reference = packets.first else { return [] }
    return packets.map { packet in
      let steps = Int64(Int32(bitPattern: packet.timestamp &- reference.timestamp))
      return (packet, packet.time - reference.time - steps * 1_000_000_000 / Int64(clockRate))
    }
  }

  /// The packets of a run that came too late for the buffer, and how many may be either.
  ///
  /// A packet is late when one with a higher number had been played before it came, which happens when its media time,
  /// the smallest transit and the buffer's delay have passed. A margin of 50 ms either side is nobody's: the cases keep
  /// away from it, and what falls into it on a busy machine counts as undecided.
  func late(of run: Int) -> (numbers: Set<Int>, undecided: Int) {
    let packets = transitsInOrder(of: run)
    guard let least = packets.map(\.transit).min() else { return ([], 0) }
    var numbers: Set<Int> = []
    var undecided = 0
    var highest = -1
    for entry in packets {
      defer { highest = max(highest, entry.packet.index) }
      guard entry.packet.index < highest else { continue }
      let margin = entry.transit - least - buffer.nanoseconds
      if margin > 50_000_000 {
        numbers.insert(entry.packet.index)
      } else if margin > -50_000_000 {
        undecided += 1
      }
    }
    return (numbers, undecided)
  }

  /// What came too late for the buffer, and the sums that must close.
  var lateness: [Expectation] {
    let judged = sent.indices.map { late(of: $0) }
    let lateCount = judged.reduce(0) { $0 + $1.numbers.count }
    let undecided = Double(judged.reduce(0) { $0 + $1.undecided })
    let expected = received.joined().count
    return [
      Expectation("packets.late", Double(lateCount), within: undecided), Expectation("packets.recovered", 0),
      Expectation("packets.played", Double(firstCopies.count - lateCount), within: undecided),
      Expectation("packets.concealed", Double(expected - firstCopies.count + lateCount), within: undecided),
      Expectation("loss.too_late", Double(lateCount), within: undecided),
      Expectation("loss.played", Double(firstCopies.count - lateCount), within: undecided),
      Expectation("buffer_ms.target", buffer.milliseconds),
    ]
  }
}
