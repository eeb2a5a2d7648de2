internal import Statistics
public import Timeline

// What is counted from a lane's packets.

extension LaneReport {
  /// From how long on a stretch without anything to play is called a stall: concealment hides less than that.
  public static let shortestStall = Interval.milliseconds(60)

  /// How many packets had a fate.
  public func count(_ fate: LaneFate) -> Int { packets.reduce(0) { $0 + ($1.fate == fate ? 1 : 0) } }

  /// What the lane came to, with packets of `interval` media.
  public func summary(interval: Interval) -> LaneSummary {
    var counts = [Int](repeating: 0, count: LaneFate.allCases.count)
    for packet in packets { counts[Int(packet.fate.rawValue)] += 1 }
    return LaneSummary(
      name: name, packets: packets.count, onTime: counts[0], late: counts[1], lost: counts[2], recovered: counts[3],
      delay: delayFigures, stalls: stalls(interval: interval), behind: behind, retransmits: retransmits)
  }

  /// The delays of the packets that came; nil when none did.
  var delayFigures: DelayFigures? {
    let delays = packets.compactMap { $0.delay?.milliseconds }.sorted()
    guard let least = delays.first, let most = delays.last else { return nil }
    func rank(_ share: Double) -> Double {
      delays[max(Int((share * Double(delays.count)).rounded(.up)) - 1, 0)]
    }
    return DelayFigures(min: least, p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: most)
  }

  /// How far a waiting player is behind at the end; nil for one that conceals.
  public var behind: Interval? { pauses?.reduce(.zero) { $0 + $1.length } }

  /// Stretches without anything to play: the pauses of a waiting player, or else runs of media that is missing.
  func stalls(interval: Interval) -> StallFigures {
    let lengths = pauses?.map(\.length) ?? missingRuns.map { interval * Int64($0) }.filter { $0 >= Self.shortestStall }
    return StallFigures(
      count: lengths.count, total: lengths.reduce(.zero, +), longest: lengths.max() ?? .zero)
  }

  /// Runs of packets whose media was neither there in time nor rebuilt.
  var missingRuns: [Int] {
    var (runs, run): ([Int], Int) = ([], 0)
    for packet in packets {
      if packet.fate == .late || packet.fate == .lost {
        run += 1
      } else if run > 0 {
        runs.append(run)
        run = 0
      }
    }
    return run > 0 ? runs + [run] : runs
  }
}

extension LaneSummary {
  /// The share of packets that were there when they were due; 0 without packets.
  public var onTimeRatio: Double { packets == 0 ? 0 : Double(onTime) / Double(packets) }
  /// The same with those whose media was rebuilt in time: what could be played without concealing.
  public var playableRatio: Double { packets == 0 ? 0 : Double(onTime + recovered) / Double(packets) }
}

extension LaneSummary {
  /// Packets whose media wasn't there when it was due.
  var missing: Int { late + lost }
  /// Their share; 0 without packets.
  var missingRatio: Double { packets == 0 ? 0 : Double(missing) / Double(packets) }
}

extension LaneReport {
  /// How much media a listener of this lane heard concealed: as its player counted, or else what was missing.
  func concealed(interval: Interval) -> Interval {
    if pauses != nil { return interval * Int64(count(.lost)) }
    return stream?.playout.concealedDuration ?? interval * Int64(count(.late) + count(.lost))
  }

  /// What crossed the wire beyond the media, as a share of the media; nil where it can't be told.
  ///
  /// A lane that failed didn't carry the media.
  var overhead: Double? {
    guard failure == nil, let wireBytes, payloadBytes > 0 else { return nil }
    return Double(wireBytes) / Double(payloadBytes) - 1
  }
}
