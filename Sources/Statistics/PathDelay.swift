public import Timeline

/// How long packets were under way, as far as the clocks of the two ends allow to tell.
///
/// A sender report ties the sender's media clock to its time of day, so arrival less that time is a delay if both ends
/// have the same time of day. That is known in two cases only. On the same host both read one clock. With a round trip
/// measured, the fastest packet took between nothing and the whole of it: half of it, give or take half of it, is the
/// least delay, and what the clocks say beyond that is their offset. In all other cases only differences are known.
public struct PathDelay: Hashable, Sendable {
  /// How the clocks of both ends are known to agree.
  public enum Basis: String, Sendable {
    /// Both ends are on one host.
    case sameHost = "same host"
    /// The round trip bounds the difference.
    case roundTrip = "round trip"
  }

  /// Why there is no more than relative delay.
  public enum Obstacle: String, Sendable {
    /// No packet arrived, or the sender restarted its timestamps.
    case noTransit = "the timestamps have no single origin"
    /// The sender didn't say what its timestamps stand for.
    case noReport = "no sender report came"
    /// Nothing shows that the clocks agree.
    case unknownOffset = "nothing shows that the two clocks agree"
    /// By the clocks, packets arrived before they were sent.
    case implausible = "by the two clocks packets arrived before they were sent"
    /// The timestamps of video whose frames are reordered don't say when anything was sent.
    case presentationOrder = "timestamps are presentation times, and frames are sent in another order"
  }

  /// The least one-way delay; nil when only differences are known.
  public var least: Interval?
  /// By how much `least` may be wrong; zero on the same host.
  public var error = Interval.zero
  /// How the clocks are known to agree; nil when only differences are known.
  public var basis: Basis?
  /// Why only differences are known; nil when more is.
  public var obstacle: Obstacle?
  /// Our time of day less the sender's, where the round trip tells.
  public var clockOffset: Interval?

  /// Judges what can be known.
  ///
  /// - Parameters:
  ///   - leastTransit: the smallest arrival less timestamp, both as lengths of time; nil when there are several origins.
  ///   - senderOrigin: the sender's time of day when its timestamp was 0, since 1970; nil without a sender report.
  ///   - ourOrigin: our time of day when our clock was 0, since 1970.
  ///   - isSameHost: whether the packets come from this host.
  ///   - roundTrip: the smallest round trip measured; nil without one.
  ///   - isReordered: whether frames are sent in another order than they are shown, so that a timestamp may lie far behind
  ///     the instant at which its packets are sent.
  public init(
    leastTransit: Interval?, senderOrigin: Interval?, ourOrigin: Interval, isSameHost: Bool, roundTrip: Interval?,
    isReordered: Bool = false
  ) {
    guard let leastTransit else {
      obstacle = .noTransit
      return
    }
    guard let senderOrigin else {
      obstacle = .noReport
      return
    }
    guard !isReordered else {
      obstacle = .presentationOrder
      return
    }
    let apparent = leastTransit + ourOrigin - senderOrigin
    if isSameHost {
      // Rounding of the report's times may make it a little negative.
      guard apparent > .milliseconds(-1) else {
        obstacle = .implausible
        return
      }
      basis = .sameHost
      least = max(apparent, .zero)
    } else if let roundTrip {
      basis = .roundTrip
      least = roundTrip / 2
      error = roundTrip / 2
      clockOffset = apparent - roundTrip / 2
    } else {
      obstacle = .unknownOffset
    }
  }
}
