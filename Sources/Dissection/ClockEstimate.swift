import Timeline

/// The clock of a stream whose encoding nobody named, as its packets show it.
enum ClockEstimate {
  /// A packet as evidence.
  struct Sample: Sendable {
    var sequence: SequenceNumber
    var timestamp: RTPTimestamp
    var arrival: Instant
    /// The duration by an Opus table of contents; nil when the payload can't be Opus.
    var opusDuration: Int?
  }

  /// Rates that many encodings use, and others.
  private static let common: [Double] = [8_000, 16_000, 32_000, 48_000, 90_000]
  private static let rare: [Double] = [11_025, 12_000, 22_050, 24_000, 44_100]

  /// The shortest stretch that is measured: a jitter of 60 ms is then 12 %.
  ///
  /// A stretch with even steps may be shorter.
  private static let shortest = Interval.milliseconds(500)
  private static let shortestEven = Interval.milliseconds(80)

  /// The rate whose ticks pass in the time between the packets; nil when none fits, or when too little is known.
  static func rate(of samples: [Sample]) -> UInt32? {
    guard let first = samples.first, let last = samples.last, samples.count >= 4 else { return nil }
    let least = isEven(samples) ? shortestEven : shortest
    // The fastest packets of both halves: what waited on its way says nothing about the clock.
    var extender = TimestampExtender(first: first.timestamp)
    let points = samples.map {
      (time: ($0.arrival - first.arrival).seconds, units: Double(extender.extend($0.timestamp)))
    }
    guard last.arrival - first.arrival >= least, let slope = slope(points), slope > 0 else { return nil }
    if samples.count >= 32, let rate = rare.first(where: { abs(slope / $0 - 1) < 0.01 }) { return UInt32(rate) }
    let best = common.min { ratio(slope, $0) < ratio(slope, $1) }
    return best.flatMap { ratio(slope, $0) < 1.3 ? UInt32($0) : nil }
  }

  /// Whether the timestamp advances by the same from each packet to the next: nobody paused.
  private static func isEven(_ samples: [Sample]) -> Bool {
    let step = samples[0].timestamp.distance(to: samples[1].timestamp)
    return step > 0
      && (1..<samples.count).allSatisfy { samples[$0 - 1].timestamp.distance(to: samples[$0].timestamp) == step }
  }

  /// Whether all packets are Opus by their looks, and the neighbours among them agree with their timestamps.
  static func isOpus(_ samples: [Sample]) -> Bool {
    var agreeing = 0
    for index in samples.indices {
      guard let duration = samples[index].opusDuration else { return false }
      guard index + 1 < samples.count, samples[index].sequence.distance(to: samples[index + 1].sequence) == 1 else {
        continue
      }
      guard samples[index].timestamp.distance(to: samples[index + 1].timestamp) == Int64(duration) else { return false }
      agreeing += 1
    }
    return agreeing > 0
  }

  /// The median of the slopes between each packet of the first half and its partner in the second: outliers don't count.
  private static func slope(_ points: [(time: Double, units: Double)]) -> Double? {
    let half = points.count / 2
    var slopes: [Double] = []
    for index in 0..<half {
      let (one, other) = (points[index], points[index + points.count - half])
      if other.time - one.time > 0.02 { slopes.append((other.units - one.units) / (other.time - one.time)) }
    }
    return slopes.isEmpty ? nil : slopes.sorted()[slopes.count / 2]
  }

  private static func ratio(_ left: Double, _ right: Double) -> Double { left > right ? left / right : right / left }
}
