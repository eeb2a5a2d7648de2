public import Statistics
public import Timeline

/// What `jitterbug probe` reports beyond the streams received.
public struct ProbeReport: Sendable {
  /// The traffic in words: "opus-voice, 1 stream".
  public var traffic: String
  /// The streams sent, with what is known of their arrival.
  public var up: [SentStreamReport] = []
  /// The verdict on the way there; nil when nothing is known.
  public var upVerdict: DirectionVerdict?
  /// The verdict on the way back; nil when it wasn't measured.
  public var downVerdict: DirectionVerdict?
  /// When the far end was heard last, since the media began; nil when it told of everything.
  public var lastHeard: Interval?
  /// Whether it stopped answering before all was sent.
  public var hasFallenSilent = false
  /// What a ramp found; nil without one.
  public var ramp: RampReport?
  /// What the link on the way back inside this process did; nil without one.
  public var downLinkRecord: LinkReport?
  /// The run second by second.
  public var seconds: [ProbeSecond] = []
  /// Whether the text report has the table by second.
  public var showsSeconds = false

  /// Starts a report.
  public init(traffic: String) { self.traffic = traffic }
}

/// How the arrival of a stream that was sent is known.
public enum ArrivalKnowledge: String, Sendable {
  /// Packet by packet, from RTCP extended reports (RFC 3611).
  case extendedReports = "xr"
  /// From the totals that `jitterbug receive --reflect` tells a prober: exact, but without the runs.
  case feedback
  /// From report blocks (RFC 3550 section 6.4.1): totals in which duplicates hide losses.
  case receiverReports = "rr"
  /// No report came.
  case nothing
}

/// A stream that was sent, and what the far end says of it.
public struct SentStreamReport: Sendable {
  /// The source identifier.
  public var ssrc: UInt32
  /// Where it was sent.
  public var destination: String
  /// Encoding as in SDP.
  public var encoding: String
  /// The payload type.
  public var payloadType: UInt8
  /// RTP packets sent.
  public var sent = 0
  /// How the rest is known.
  public var knownBy = ArrivalKnowledge.nothing
  /// Packets sent of which the far end has told; the others came after its last report.
  public var reported = 0
  /// Packets that the far end received, duplicates included; nil when it isn't known.
  public var received: Int?
  /// Sequence numbers that arrived; nil when it isn't known.
  public var unique: Int?
  /// Sequence numbers that didn't arrive; by report blocks, packets less those received.
  public var lost: Int?
  /// Of those, how many before the first and after the last one that arrived; nil when it isn't known.
  public var lostAtEnds: Int?
  /// Of those, how many before the first; nil when it isn't known.
  public var lostBefore: Int?
  /// Packets that arrived again; nil when it isn't known.
  public var duplicates: Int?
  /// Runs of lost packets between others that arrived; nil when they aren't known.
  public var lossRuns: LossRuns?
  /// The interarrival jitter at the far end in milliseconds.
  public var jitter = RunningExtent()
  /// How the delays vary, of the packets whose receipt times were told; nil when it isn't known.
  public var delayVariation: DelayPercentiles?
  /// The round-trip times.
  public var roundTrip = RoundTrip()
  /// Reports that came.
  public var reports = 0

  /// Starts with nothing sent.
  public init(ssrc: UInt32, destination: String, encoding: String, payloadType: UInt8) {
    self.ssrc = ssrc
    self.destination = destination
    self.encoding = encoding
    self.payloadType = payloadType
  }
}

/// What the figures of one direction mean.
public struct DirectionVerdict: Sendable {
  /// Packets sent, or expected.
  public var packets: Int
  /// Those that never arrived; nil when it can't be told.
  public var lost: Int?
  /// Whether the figures reach to the last packet sent; if not, the end is unknown.
  public var isComplete = true
  /// How that is known.
  public var knownBy: String
  /// The mean run of losses; nil when runs aren't known.
  public var meanRun: Double?
  /// What the traffic stands for: "voice", "music", "video".
  public var use: String
  /// The quality in a word; nil when no figures are published for such media.
  public var grade: String?
  /// The quality estimate; nil likewise.
  public var quality: QualityEstimate?
  /// Why there is no estimate; nil when there is one.
  public var withheld: String?
  /// The buffer recommended; nil when nothing is known of the delays.
  public var buffer: Interval?
  /// What that is drawn from: "percentiles", "range", "jitter".
  public var bufferBasis: String?
  /// What helps against loss: "nothing", "fec", "redundancy", "retransmission", "lower_rate".
  public var remedy: String

  /// Makes a verdict; what isn't known is filled in where it is.
  public init(packets: Int, lost: Int?, knownBy: String, use: String, remedy: String) {
    self.packets = packets
    self.lost = lost
    self.knownBy = knownBy
    self.use = use
    self.remedy = remedy
  }
}

/// One second of a probe.
public struct ProbeSecond: Hashable, Sendable {
  /// Packets sent.
  public var sent = 0
  /// Of those sent so far, packets that the far end missed by the end of the second less those missed before; nil
  /// without a report in this second.
  public var upLost: Int?
  /// Sequence numbers expected from the far end.
  public var downExpected = 0
  /// Sequence numbers that arrived from there.
  public var downUnique = 0
  /// The largest jitter of the streams from there, in milliseconds.
  public var downJitter = 0.0
  /// The last round trip in milliseconds; nil before the first.
  public var roundTrip: Double?

  /// Starts with nothing.
  public init() {}
}

/// What a ramp found; rates are in bits a second with RTP, UDP and IPv4 headers.
public struct RampReport: Sendable {
  /// One step.
  public struct Step: Hashable, Sendable {
    /// The rate aimed at.
    public var rate: Double
    /// The rate sent.
    public var sentRate: Double
    /// The rate that arrived; 0 when it isn't known.
    public var deliveredRate: Double
    /// Packets sent.
    public var sent: Int
    /// Packets that didn't arrive.
    public var lost: Int
    /// How much the delay grew.
    public var delayGrowth: Interval
    /// Whether it was too much.
    public var isOverload: Bool

    /// Makes a step.
    public init(
      rate: Double, sentRate: Double, deliveredRate: Double, sent: Int, lost: Int, delayGrowth: Interval,
      isOverload: Bool
    ) {
      self.rate = rate
      self.sentRate = sentRate
      self.deliveredRate = deliveredRate
      self.sent = sent
      self.lost = lost
      self.delayGrowth = delayGrowth
      self.isOverload = isOverload
    }
  }

  /// What is known of the capacity.
  public enum Outcome: String, Sendable {
    /// The capacity, within the margin.
    case capacity
    /// The rate was carried, and no higher one was tried.
    case atLeast = "at_least"
    /// Even the rate was too much.
    case below
    /// This host couldn't send more than the rate.
    case hostLimit = "host_limit"
    /// The far end stopped telling.
    case noFeedback = "no_feedback"
  }

  /// What is known.
  public var outcome: Outcome
  /// The rate that the outcome is about; nil without one.
  public var rate: Double?
  /// Half the width of the range in which it lies; nil where it isn't known.
  public var margin: Double?
  /// The delay that the queue added at capacity; nil where it isn't known.
  public var delayAtCapacity: Interval?
  /// The loss just above the capacity, 0...1; nil where it isn't known.
  public var lossAtCapacity: Double?
  /// The loss in steps that were not too much, 0...1.
  public var usualLoss = 0.0
  /// The steps in order.
  public var steps: [Step] = []

  /// Starts with an outcome.
  public init(_ outcome: Outcome) { self.outcome = outcome }
}
