import Packets
public import Statistics
public import Timeline

/// What is known of one direction of a path, for a verdict.
public struct PathFigures: Sendable {
  /// Packets that were sent, or expected where that isn't known.
  public var sent = 0
  /// Those that never arrived.
  public var lost = 0
  /// Whether `lost` is a sum in which duplicates have hidden losses, so that nothing can be drawn from it.
  public var isLossHidden = false
  /// The mean length of a run of losses; nil when only totals are known.
  public var meanRun: Double?
  /// The longest run; nil when only totals are known.
  public var longestRun: Int?
  /// By how much the 99th percentile of the delays exceeds the smallest; nil when it isn't known.
  public var spread99: Interval?
  /// By how much the largest delay exceeds the smallest; nil when it isn't known.
  public var spreadMost: Interval?
  /// What share of packets a buffer of this or that delay would have called late; one curve for each stream.
  public var lateness: [LatenessCurve] = []
  /// The largest interarrival jitter; nil when it isn't known.
  public var jitterMost: Interval?
  /// The mean round trip; nil when it isn't known.
  public var roundTrip: Interval?

  /// Starts with nothing known.
  public init() {}

  /// The share that was lost.
  public var loss: Double { sent > 0 ? Double(lost) / Double(sent) : 0 }
}

/// What the figures of one direction mean for the media that was imitated.
public struct PathVerdict: Sendable {
  /// How satisfied users are, by the bands of ITU-T G.109.
  public enum Grade: String, CaseIterable, Sendable {
    /// R of 90 and above: very satisfied.
    case excellent
    /// 80 and above: satisfied.
    case good
    /// 70 and above: some dissatisfied.
    case fair
    /// 60 and above: many dissatisfied.
    case poor
    /// Below: nearly all dissatisfied.
    case bad
  }

  /// What a recommended buffer is drawn from.
  public enum Basis: String, Sendable {
    /// Less than a thousandth of the packets would have come too late for it.
    case lateness
    /// The percentiles of the delays.
    case percentiles
    /// The range of the delays that the far end told.
    case range
    /// Three times the largest jitter, for want of better.
    case jitter
  }

  /// What helps against the loss that was found.
  public enum Remedy: String, Sendable {
    /// Too little is lost to do anything.
    case nothing
    /// Losses of Opus speech are single: its in-band FEC rebuilds most.
    case forwardErrorCorrection = "fec"
    /// Losses are single, and such media has no FEC of its own: redundant copies (RFC 2198) or retransmission.
    case redundancy
    /// Losses come in runs that FEC doesn't bridge: retransmission, or redundancy spread over time.
    case retransmission
    /// So much is lost that the path must be relieved first.
    case lowerRate = "lower_rate"
  }

  /// The delay of a jitter buffer that would do, and what it is drawn from; nil when nothing is known of the delays.
  public var buffer: (delay: Interval, basis: Basis)?
  /// The estimate for speech, with that buffer; nil for media without published figures.
  public var quality: QualityEstimate?
  /// Why there is no estimate; nil when there is one.
  public var withheld: String?
  /// The estimate in a word; nil without one.
  public var grade: Grade?
  /// What helps.
  public var remedy: Remedy

  /// Judges one direction.
  public init(_ figures: PathFigures, profile: ProbeProfile) {
    buffer = Self.buffer(for: figures, packet: profile.interval)
    guard !figures.isLossHidden else {
      remedy = .nothing
      withheld = "the far end's report counts by sums (RFC 3550 A.3), where duplicates hide losses"
      return
    }
    // In-band FEC rebuilds a packet from the next one, so of a run it helps the last alone.
    let isRun = (figures.meanRun ?? 1) > 1.5
    switch figures.loss {
    case ..<0.001: remedy = .nothing
    case ..<0.15 where isRun: remedy = .retransmission
    // Opus has in-band FEC in its speech layer alone.
    case ..<0.15: remedy = profile.kind == .opusVoice ? .forwardErrorCorrection : .redundancy
    default: remedy = .lowerRate
    }
    guard figures.sent > 0 else { return }
    guard profile.kind != .opusMusic else {
      withheld = "published figures are for speech"
      return
    }
    let estimate = Quality.estimate(
      Quality.Inputs(
        encoding: profile.format.encodingName, expected: figures.sent, missing: figures.lost,
        meanBurst: figures.meanRun ?? 1, packetization: profile.interval,
        bufferDelay: buffer?.delay ?? .milliseconds(60), roundTrip: figures.roundTrip))
    switch estimate {
    case .success(let result):
      quality = result
      // The bands are of the scale to 100.
      grade = Self.grade(result.rating / result.scale.divisor)
    case .failure(let reason): withheld = reason.description
    }
  }

  static func grade(_ rating: Double) -> Grade {
    switch rating {
    case 90...: .excellent
    case 80...: .good
    case 70...: .fair
    case 60...: .poor
    default: .bad
    }
  }

  /// Rounded up to 10 ms, and at least what one packet takes.
  private static func buffer(for figures: PathFigures, packet: Interval) -> (delay: Interval, basis: Basis)? {
    let need: (Interval, Basis)
    let delays = figures.lateness.compactMap { curve in curve.points.first { $0.late <= 0.001 }?.delay }
    if !delays.isEmpty, delays.count == figures.lateness.count, let delay = delays.max() {
      need = (delay, .lateness)
    } else if let spread = figures.spread99, let most = figures.spreadMost {
      // A few stragglers aren't worth a long delay for all.
      need = (most - spread <= .milliseconds(20) ? most : spread, .percentiles)
    } else if let most = figures.spreadMost {
      need = (most, .range)
    } else if let jitter = figures.jitterMost {
      need = (jitter * 3, .jitter)
    } else {
      return nil
    }
    let step = Interval.milliseconds(10).nanoseconds
    let least = min(packet, .milliseconds(60))
    let steps = (max(need.0, least).nanoseconds + step - 1) / step
    return (.nanoseconds(steps * step), need.1)
  }
}
