import Timeline

/// Where packets were lost, in what pattern, and how the order and the delay changed from packet to packet.
extension StreamTruth {
  /// The places of loss, and what the sender's count tells of both ends.
  ///
  /// A receiver may say that it doesn't know the ends; what it says must be right.
  var places: [Expectation] {
    let seen = firstCopies.count
    let all = sent.joined().count
    let expected = received.joined().count
    let isClosed = knowsSent && sent.count == 1
    let total = isClosed ? all : expected
    // Packets of which the link delivered a copy, and the socket none.
    let delivered = sent.joined().count { $0 > 0 }
    let drops = socketDrops ? delivered - seen : 0
    let first = arrivals.map(\.index).min() ?? 0
    var expectations = [
      Expectation("packets.sent", all, mayBeUnknown: !isClosed),
      Expectation("packets.lost_at_ends", all - expected, mayBeUnknown: !isClosed),
      Expectation("loss.total", total), Expectation("loss.dropped_by_socket", drops),
      Expectation("loss.network", total - seen - drops), Expectation("loss.discarded", 0),
      Expectation("loss.still_buffered", 0), Expectation("loss.never_sent", 0),
    ]
    if sent.count == 1 {
      expectations += [
        Expectation("packets.lost_before_first", first, mayBeUnknown: true),
        Expectation("packets.lost_after_last", all - expected - first, mayBeUnknown: true),
      ]
    }
    return expectations
  }

  /// RFC 3357 section 4, by its definition.
  var distances: [Expectation] {
    var distances: [Int] = []
    var losses = 0
    for run in received {
      let lost = run.indices.filter { !run[$0] }
      losses += lost.count
      distances += zip(lost, lost.dropFirst()).map { $1 - $0 }
    }
    let near = distances.count { $0 <= 16 }
    return [
      Expectation("loss_distance.count", distances.count), Expectation("loss_distance.max", distances.max() ?? 0),
      Expectation("loss_distance.mean", Self.ratio(distances.reduce(0, +), distances.count), within: 1e-3),
      Expectation("loss_distance.noticeable.rate", Self.ratio(near, losses), within: 1e-6),
      Expectation("loss_distance.histogram.0", distances.count { $0 == 1 }),
      Expectation("loss_distance.histogram.16", distances.count { $0 > 16 }),
    ]
  }

  private static func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }

  /// RFC 3611 section 4.7.2, by its definition: what came too late is missing like what was lost.
  var burstsAndGaps: [Expectation] {
    var missing = 0
    var (burstCount, burstPackets, burstMissing, gapCount) = (0, 0, 0, 0)
    var isDecided = true
    for (number, run) in received.enumerated() {
      let (late, undecided) = late(of: number)
      if undecided > 0 { isDecided = false }
      let first = arrivals.filter { $0.run == number }.map(\.index).min() ?? 0
      let lost = run.indices.filter { !run[$0] || late.contains($0 + first) }
      missing += lost.count
      var inBurst = [Bool](repeating: false, count: run.count)
      for burst in Self.bursts(lost) {
        burstCount += 1
        burstMissing += burst.count
        for place in burst[0]...burst[burst.count - 1] { inBurst[place] = true }
      }
      burstPackets += inBurst.count { $0 }
      gapCount += inBurst.split(whereSeparator: { $0 }).count
    }
    let gapPackets = received.joined().count - burstPackets
    // Where a packet may be late or not, on a busy machine, so may its burst.
    guard isDecided else { return [] }
    return [
      Expectation("burst_gap.burst_count", burstCount), Expectation("burst_gap.burst_packets", burstPackets),
      Expectation("burst_gap.burst_missing", burstMissing), Expectation("burst_gap.gap_count", gapCount),
      Expectation("burst_gap.gap_packets", gapPackets), Expectation("burst_gap.gap_missing", missing - burstMissing),
      Expectation("burst_gap.burst_density", Self.ratio(burstMissing, burstPackets), within: 1e-6),
      Expectation("burst_gap.gap_density", Self.ratio(missing - burstMissing, gapPackets), within: 1e-6),
    ]
  }

  /// Missing numbers with fewer than 16 good ones between each and the next; two at least make a burst.
  private static func bursts(_ lost: [Int]) -> [[Int]] {
    var groups: [[Int]] = []
    for place in lost {
      if let last = groups.last?.last, place - last - 1 < 16 {
        groups[groups.count - 1].append(place)
      } else {
        groups.append([place])
      }
    }
    return groups.filter { $0.count > 1 }
  }

  /// RFC 4737 section 5.3: n-reordered when the n packets that arrived just before all have a higher number.
  var displacements: [Expectation] {
    var counts = [Int](repeating: 0, count: 10)
    var most = 0
    let firstCopies = firstCopies
    for run in sent.indices {
      let order = firstCopies.filter { $0.run == run }.map(\.index)
      for (place, number) in order.enumerated() {
        let n = order[..<place].reversed().prefix { $0 > number }.count
        guard n > 0 else { continue }
        counts[min(n, 10) - 1] += 1
        most = max(most, n)
      }
    }
    return counts.enumerated().map { Expectation("reordering.n_reordering.\($0.offset)", $0.element) }
      + [Expectation("reordering.max_n", most)]
  }

  /// RFC 5481 section 4.1: the change of delay between neighbouring numbers that both arrived.
  var steps: [Expectation] {
    var changes: [Double] = []
    for run in sent.indices {
      var transits: [Int: Int64] = [:]
      for entry in transitsInOrder(of: run) { transits[entry.packet.index] = entry.transit }
      for (index, transit) in transits {
        if let before = transits[index - 1] { changes.append(Double(transit - before) / 1e6) }
      }
    }
    changes.sort()
    guard let least = changes.first, let most = changes.last else { return [] }
    let magnitude = changes.reduce(0) { $0 + abs($1) } / Double(changes.count)
    var expectations = [
      Expectation("ipdv_ms.pairs", changes.count), Expectation("ipdv_ms.min", least, within: 1e-3),
      Expectation("ipdv_ms.max", most, within: 1e-3), Expectation("ipdv_ms.mean_magnitude", magnitude, within: 1e-3),
    ]
    for (name, share) in [("p1", 0.01), ("p5", 0.05), ("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)] {
      let value = changes[max(Int((share * Double(changes.count)).rounded(.up)), 1) - 1]
      // The report's percentiles are right to 1.6 % or 0.5 µs.
      expectations.append(Expectation("ipdv_ms.\(name)", value, within: 0.0016 + abs(value) * 0.016))
    }
    return expectations
  }

  /// What the sender has to know of one run by the receiver's last reports, extended ones (RFC 3611) among them; what was
  /// lost behind the last that arrived only where the receiver tells of it.
  func farEnd(tellsTail: Bool) -> [Expectation] {
    let run = received.joined().map { $0 }
    let tail = tellsTail ? sent.joined().count - 1 - (arrivals.map(\.index).max() ?? -1) : 0
    let lost = run.count { !$0 }
    let lengths = run.split(whereSeparator: { $0 }).map(\.count)
    var copies: [Int: Int] = [:]
    for arrival in arrivals { copies[arrival.index, default: 0] += 1 }
    let place = SenderTruth.farEnd
    var expectations = [
      Expectation(place + "cumulative_lost", run.count - arrivals.count),
      Expectation(place + "xr.sent", sent.joined().count), Expectation(place + "xr.covered", run.count + tail),
      Expectation(place + "xr.received", copies.count), Expectation(place + "xr.lost", lost),
      Expectation(place + "xr.lost_at_end", tail),
      Expectation(place + "xr.loss_ratio", Self.ratio(lost, run.count), within: 1e-6),
      Expectation(place + "xr.duplicated", copies.values.count { $0 > 1 }),
      Expectation(place + "xr.duplicates", arrivals.count - copies.count, mayBeUnknown: true),
      Expectation(place + "xr.bursts.count", lengths.count), Expectation(place + "xr.bursts.max", lengths.max() ?? 0),
      Expectation(place + "xr.bursts.mean", Self.ratio(lost, lengths.count), within: 1e-3),
    ]
    for length in 1...10 {
      let count = lengths.count { length == 10 ? $0 >= 10 : $0 == length }
      expectations.append(Expectation(place + "xr.bursts.histogram.\(length - 1)", count))
    }
    return expectations
  }
}
