public import Statistics
public import Timeline

/// How it was decided what a stream's payload type means.
public enum EncodingSource: String, Sendable {
  /// An SDP said so.
  case sdp
  /// The option `--format` said so.
  case formatOption = "format option"
  /// The output file's suffix implied it.
  case outputSuffix = "output suffix"
  /// The packets look like it.
  case packets
  /// RFC 3551 fixes it.
  case staticTable = "static table"
  /// Nothing else was known: one of our own dynamic types, or a guess at the clock.
  case convention
}

/// What one run reports of one RTP stream received.
public struct StreamReport: Sendable {
  /// The stream's source identifier.
  public var ssrc: UInt32
  /// Which way it went, where there are two: "down" for what came back to a prober.
  public var direction: String?
  /// Where its packets came from, as "address:port".
  public var source: String
  /// The sender's canonical name (RFC 3550 section 6.5.1), when it was heard.
  public var cname: String?
  /// Encoding as in SDP: "opus/48000/2"; nil when unknown.
  public var encoding: String?
  /// How the encoding is known.
  public var encodingSource: EncodingSource?
  /// The payload type of its packets.
  public var payloadType: UInt8
  /// What was counted as the packets arrived.
  public var reception: ReceptionSummary
  /// What became of them after.
  public var playout: PlayoutStatistics
  /// What a viewer saw of it; nil where its packets aren't parts of frames.
  public var pictures: PictureStatistics?
  /// Round-trip times, when report blocks gave any.
  public var roundTrip: RoundTrip
  /// How it was kept together with others of its sender; nil where there is nothing to keep together.
  public var lipSync: LipSyncStatistics?
  /// The quality estimate, for encodings with figures.
  public var quality: QualityEstimate?
  /// Why there is no quality estimate; nil when there is one.
  public var qualityWithheld: String?
  /// What is known of packets before the first and after the last that arrived.
  public var ends = StreamEnds(.noReport)
  /// Lost packets that this host's socket dropped.
  public var socketDrops = 0
  /// The loss model with two hidden states; nil when nobody tried to fit it.
  public var gilbertElliott: GilbertElliottFit?
  /// What share of packets a fixed buffer of this or that delay would have found late.
  public var lateness: LatenessCurve?
  /// How long packets were under way, as far as the clocks tell; nil when nobody looked.
  public var delay: PathDelay?
  /// What the sender says that it sent, by its last sender report.
  public var sender: SenderCounts?
  /// What happened when; nil unless a report that shows it was asked for.
  public var timeline: StreamTimeline?
  /// When the first packet arrived, in nanoseconds since 1970.
  public var firstArrival: Int64?
  /// When the last packet arrived, in nanoseconds since 1970.
  public var lastArrival: Int64?
  /// Why the stream ended, in a few words; nil while it goes on.
  public var ended: String?
  /// Where it stands in a capture; nil when it was received.
  public var place: StreamPlace?
  /// The jitter of its own payload type alone; nil when it had no packets of others, such as telephone events.
  public var mediaJitter: InterarrivalJitter?
  /// What other delays of the buffer would have led to; nil when that wasn't asked.
  public var whatIf: ReplayCurve?
  /// The spec of a link that is like what happened on average; nil when that wasn't asked.
  public var fittedLink: String?

  /// The counts in a sender report (RFC 3550 section 6.4.1).
  public struct SenderCounts: Hashable, Sendable {
    /// RTP packets sent.
    public var packets: Int
    /// Bytes of payload sent.
    public var bytes: Int

    /// Makes the counts.
    public init(packets: Int, bytes: Int) {
      self.packets = packets
      self.bytes = bytes
    }
  }

  /// Makes a report of what was counted; the rest is filled in after.
  public init(
    ssrc: UInt32, source: String, payloadType: UInt8, reception: ReceptionSummary, playout: PlayoutStatistics
  ) {
    self.ssrc = ssrc
    self.source = source
    self.payloadType = payloadType
    self.reception = reception
    self.playout = playout
    roundTrip = RoundTrip()
  }

  /// Where packets were lost.
  public var loss: LossAccount { LossAccount(reception, playout, ends, socketDrops: socketDrops) }

  /// Estimates the quality from the counts and from `delay`, for a packet of `packetization` media.
  public mutating func estimateQuality(packetization: Interval) {
    let name = encoding.flatMap { $0.split(separator: "/").first }.map { String($0) }
    let roundTrips = roundTrip.milliseconds
    let atEnds = ends.lostAtEnds ?? 0
    let estimate = Quality.estimate(
      Quality.Inputs(
        encoding: name ?? "", expected: reception.expected + atEnds,
        // What is of another payload type, such as a telephone event, isn't missing.
        missing: reception.lost + atEnds + playout.late + playout.discarded.total
          - playout.discarded[.wrongPayloadType] - playout.recovered,
        meanBurst: meanBurst, packetization: packetization,
        bufferDelay: Interval(seconds: playout.meanWait ?? 0),
        roundTrip: roundTrips.count == 0 ? nil : Interval(seconds: roundTrips.mean / 1000),
        transit: meanTransit))
    switch estimate {
    case .success(let result): (quality, qualityWithheld) = (result, nil)
    case .failure(let reason): (quality, qualityWithheld) = (nil, reason.description)
    }
  }

  /// How long packets were under way, by clocks that are known to agree.
  private var meanTransit: Interval? {
    guard let delay, delay.basis == .sameHost, let least = delay.least, let spread = reception.delayVariation else {
      return nil
    }
    return least + Interval(seconds: spread.p50 / 1000)
  }

  /// Whether timestamps can be turned into time; without it there is no jitter and no delay.
  public var isClockKnown: Bool { encodingSource != .convention || encoding?.hasPrefix("unknown/") != true }

  /// The mean run of losses; an outage at either end is a run like any other where it is known which end it was at.
  private var meanBurst: Double {
    let runs = reception.lossRuns
    let (before, after) = lossAtEnds ?? (0, 0)
    let count = runs.count + (before > 0 ? 1 : 0) + (after > 0 ? 1 : 0)
    return count == 0 ? 0 : Double(runs.packets + before + after) / Double(count)
  }

  /// Packets lost before the first and after the last that arrived; nil when the split isn't known.
  var lossAtEnds: (before: Int, after: Int)? {
    guard let after = ends.lostAfter else { return nil }
    // What was sent before anybody listened isn't lost.
    guard let before = ends.lostBefore ?? (ends.beforeListening > 0 ? 0 : nil) else { return nil }
    return (before, after)
  }

  /// The length of all media: played, concealed, rebuilt and silent.
  public var mediaDuration: Interval {
    playout.playedDuration + playout.concealedDuration + playout.recoveredDuration + playout.silenceDuration
  }
}
