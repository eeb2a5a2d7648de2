public import Packets
public import Statistics
public import Timeline

/// What one receiver says of our stream (RFC 3550 section 6.4, RFC 3611).
public struct FarEnd: Sendable, Identifiable {
  /// The receiver's identifier.
  public let id: UInt32
  /// Its canonical name, once it has said so; whatever isn't UTF-8 in it is replaced.
  public internal(set) var cname: String?
  /// Its latest report block about our stream.
  public private(set) var block: ReportBlock?
  /// Report blocks about our stream so far.
  public private(set) var blockCount = 0
  /// The interarrival jitter that it reported, in milliseconds.
  public private(set) var jitter = RunningExtent()
  /// The round trip times, by LSR and DLSR (RFC 3550 section 6.4.1).
  public private(set) var roundTrip = RoundTrip()
  /// The number of the highest packet that it has received, from 0; nil before a report.
  public private(set) var highest: Int64?
  /// When it was heard last.
  public internal(set) var lastHeard: Instant
  /// Whether it said goodbye.
  public internal(set) var hasLeft = false
  /// What its extended reports say; nil before the first of them.
  public private(set) var extended: ExtendedFarEnd?

  /// Its last reference time (RFC 3611 section 4.4), when that came, and how often it was answered.
  var reference: (middle: UInt32, arrival: Instant, answers: Int)?

  init(id: UInt32, at now: Instant) {
    self.id = id
    lastHeard = now
  }

  /// The packets behind the highest that it has received; all of them are lost once it has heard of our goodbye.
  public func missingTail(of sent: Int64) -> Int64? { highest.map { sent - 1 - $0 } }

  /// Whether its latest report answers the sender report with this time.
  func answers(_ middle: UInt32?) -> Bool { middle != nil && block?.lastSenderReport == middle }

  mutating func take(_ block: ReportBlock, sent: SentNumbers, clockRate: UInt32, at now: NTPTimestamp) {
    self.block = block
    blockCount += 1
    jitter.record(Interval(units: Int64(block.jitter), rate: clockRate).milliseconds)
    roundTrip.record(
      arrival: now, lastSenderReport: block.lastSenderReport, delay: block.delaySinceLastSenderReport)
    highest = sent.index(of: UInt16(truncatingIfNeeded: block.highestSequence)) ?? highest
  }

  /// Takes in one block about our stream; `budget` is how many numbers may still be looked at.
  mutating func take(
    _ block: XRBlock, in datagram: RawSpan, sent: SentNumbers, clockRate: UInt32, budget: inout Int
  ) {
    var extended = self.extended ?? ExtendedFarEnd(clockRate: clockRate)
    extended.take(block, in: datagram, sent: sent, budget: &budget)
    self.extended = extended
  }
}
