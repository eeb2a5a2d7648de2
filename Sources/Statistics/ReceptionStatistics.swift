public import Timeline

/// What a packet turned out to be when it was counted.
public enum Reception: Hashable, Sendable {
  /// A number not seen before, higher than all so far.
  case inOrder
  /// A number not seen before, below the highest (type-P-reordered, RFC 4737 section 3.3).
  case reordered
  /// A number seen before.
  case duplicate
  /// A number so far below the highest that nobody knows whether it was seen; in none of the packet counts.
  case tooOld

  /// Whether the number was seen before.
  public var isDuplicate: Bool { self == .duplicate }
  /// Whether this is the first copy of a number below the highest.
  public var isReordered: Bool { self == .reordered }
  /// Whether the number was not seen before.
  public var isUnique: Bool { self == .inOrder || self == .reordered }
}

/// What a receiver knows of one RTP stream (one SSRC) from the packets that arrived.
///
/// It keeps the set of sequence numbers, not sums: a duplicate never hides a loss, and a late packet takes its own loss
/// back. Counts are valid at any time and cost nothing to read; memory is constant. Nothing here reads a clock.
///
/// - Inputs: `record`, `restart`, `restartTimestamps`.
/// - Outputs: the counts, `takeReportBlockValues`, `summary`.
public struct ReceptionStatistics: Sendable {
  /// Packets received, duplicates included.
  public private(set) var received = 0
  /// Sequence numbers received.
  public private(set) var unique = 0
  /// First copies that arrived after a packet with a higher number (RFC 4737 section 3.3).
  public private(set) var reordered = 0
  /// Packets too far below the highest to tell; not in `received`.
  public private(set) var tooOld = 0
  /// Bytes of the packets received, as given, duplicates included.
  public private(set) var bytes = 0
  /// How often the sender restarted with new sequence numbers.
  public private(set) var restarts = 0
  /// The interarrival jitter.
  public private(set) var jitter: InterarrivalJitter
  /// When the first packet arrived.
  public private(set) var firstArrival: Instant?
  /// When the last packet arrived.
  public private(set) var lastArrival: Instant?

  private var window = SequenceWindow()
  /// Numbers expected in the runs of numbers that were closed.
  private var closedExpected = 0
  private var closedUnique = 0
  private var order = ReorderingTracker()
  private var delay = DelayVariation()
  private var steps = InterPacketVariation()
  private var drift = DriftTracker()
  private var media = MediaProgress()
  private var timestamps: TimestampExtender?
  /// `expected` and `received` at the last report.
  private var reported = (expected: 0, received: 0)

  /// Starts with no packet; `clockRate` is the timestamp clock's in Hz, and 0 counts as 1.
  public init(clockRate: UInt32) { jitter = InterarrivalJitter(clockRate: clockRate) }

  // MARK: Inputs

  /// Counts one validated RTP packet, in order of arrival.
  ///
  /// `sequence` is already extended: 64 bit, it never wraps; the caller extends it and moves it on at a restart. `bytes`
  /// is the size to add up, by convention that of the RTP packet with its header. A packet that isn't timed, because its
  /// timestamp doesn't tell when it was sent, is left out of all that is about delay but the jitter.
  public mutating func record(
    sequence: Int64, timestamp: RTPTimestamp, arrival: Instant, bytes: Int, isTimed: Bool = true
  ) -> Reception {
    let reception: Reception
    switch window.insert(sequence) {
    case .inOrder:
      reception = .inOrder
      order.recordHighest(sequence, arrival: arrival)
    case .reordered:
      reception = .reordered
      reordered += 1
      order.recordReordered(sequence, arrival: arrival)
    case .duplicate:
      reception = .duplicate
    case .tooOld:
      tooOld += 1
      return .tooOld
    }
    received += 1
    self.bytes += bytes
    if firstArrival == nil { firstArrival = arrival }
    lastArrival = arrival
    jitter.record(timestamp: timestamp, arrival: arrival)
    if reception.isUnique {
      unique += 1
      if isTimed { recordDelay(of: sequence, timestamp: timestamp, arrival: arrival) }
    }
    return reception
  }

  /// The sender restarted with new sequence numbers: closes the present run of numbers and begins a new one.
  ///
  /// All totals go on; numbers between the two runs are not expected.
  public mutating func restart() {
    guard !window.isEmpty else { return }
    closedExpected += windowExpected
    closedUnique = unique
    window.close()
    order.restart()
    restarts += 1
    restartTimestamps()
  }

  /// The next timestamp stands in no relation to those so far: jitter and delay variation don't compare across.
  public mutating func restartTimestamps() {
    jitter.restart()
    delay.restart()
    steps.restart()
    drift.restart()
    media.restart()
    timestamps = nil
  }

  /// Notes that a packet that was counted was of no use: it came too late, or was thrown away.
  ///
  /// Bursts and gaps count it as missing (RFC 3611 section 4.7.2); the counts of losses don't.
  public mutating func noteUseless(sequence: Int64) { window.markUseless(sequence) }

  // MARK: Outputs

  /// The lowest and the highest sequence number of the present run of numbers; nil before its first packet.
  public var numbers: ClosedRange<Int64>? { window.isEmpty ? nil : window.first...window.highest }

  /// Numbers of the present run of numbers that never arrived.
  public var lostInRun: Int { windowExpected - (unique - closedUnique) }

  /// Whether a timestamp is that of the highest number or less than a packet's length after it.
  public func isAdjacent(_ timestamp: RTPTimestamp) -> Bool {
    guard let newest = media.newestTimestamp else { return false }
    let ahead = RTPTimestamp(UInt32(truncatingIfNeeded: newest)).distance(to: timestamp)
    return ahead >= 0 && Interval(units: ahead, rate: jitter.clockRate) < packetInterval
  }

  /// Bursts and gaps of packets that were lost or of no use so far (RFC 3611 section 4.7.2).
  ///
  /// The same as the summary tells, for a fraction of the work: a VoIP Metrics block needs nothing else.
  public var burstGap: BurstGapMetrics {
    var bursts = window.burstsSoFar
    bursts.packetInterval = packetInterval
    return bursts
  }

  /// The media time from one packet to the next, over all numbers so far; zero before the second.
  public var packetInterval: Interval { media.interval(clockRate: jitter.clockRate) }

  /// Sequence numbers from the lowest to the highest seen (RFC 3550 A.3), over all runs of numbers.
  public var expected: Int { closedExpected + windowExpected }
  /// Sequence numbers expected that never arrived; never negative.
  public var lost: Int { expected - unique }
  /// Packets whose number had arrived before.
  public var duplicates: Int { received - unique }
  /// Packets expected less packets received, as RFC 3550 A.3 counts: duplicates lower it, below zero even.
  public var rfc3550Lost: Int { expected - received }
  /// The highest extended sequence number of the present run of numbers; nil before its first packet.
  public var highestSequence: Int64? { window.isEmpty ? nil : window.highest }

  /// The values of an RTCP report block, the fraction lost being over the time since the last call.
  public mutating func takeReportBlockValues() -> ReportBlockValues {
    let expectedInterval = expected - reported.expected
    let lostInterval = expectedInterval - (received - reported.received)
    reported = (expected, received)
    let fraction = expectedInterval > 0 && lostInterval > 0 ? min(lostInterval * 256 / expectedInterval, 255) : 0
    return ReportBlockValues(
      fractionLost: UInt8(fraction), cumulativeLost: Int32(min(max(rfc3550Lost, -0x80_0000), 0x7f_ffff)),
      extendedHighest: UInt32(truncatingIfNeeded: window.highest), jitter: jitter.units)
  }

  /// Everything for the report, computed on a copy: the running counts aren't disturbed.
  public func summary() -> ReceptionSummary {
    var settled = window
    settled.close()
    let segments = restarts + (window.isEmpty ? 0 : 1)
    return ReceptionSummary(
      expected: expected, received: received, unique: unique, lost: lost, duplicates: duplicates, reordered: reordered,
      tooOld: tooOld, bytes: bytes, restarts: restarts, rfc3550Lost: rfc3550Lost, lossRuns: settled.runs,
      gilbert: GilbertFit(runs: settled.runs.count, lost: lost, received: unique, segments: segments),
      jitter: jitter, delayVariation: delay.percentiles(), reordering: order.metrics, lossDistance: settled.distance,
      burstGap: burstGap, lossLog: settled.log, interPacketVariation: steps, delayHistogram: delay.histogram(),
      leastTransit: delay.leastTransit, drift: drift.estimate(), packetInterval: packetInterval,
      firstArrival: firstArrival, lastArrival: lastArrival)
  }

  // MARK: Private

  private var windowExpected: Int { window.isEmpty ? 0 : Int(window.highest - window.first + 1) }

  private mutating func recordDelay(of sequence: Int64, timestamp: RTPTimestamp, arrival: Instant) {
    var extender = timestamps ?? TimestampExtender(first: timestamp)
    let extended = extender.extend(timestamp)
    timestamps = extender
    let sent = Instant.zero + Interval(units: extended, rate: jitter.clockRate)
    let transit = arrival - sent
    delay.record(transit: transit)
    steps.record(number: sequence, transit: transit)
    drift.record(arrival: arrival, transit: transit)
    media.record(number: sequence, timestamp: extended)
  }
}
