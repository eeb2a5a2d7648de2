public import Timeline

/// How often a participant sends RTCP: RFC 3550 sections 6.2 and 6.3.1, computed as in appendix A.7.
///
/// RTCP gets 5 % of the session's bandwidth, of which the senders share a quarter while they are at most a quarter of
/// the members. The interval is then spread over [0.5, 1.5] of its value, and divided by e - 3/2 to make up for the
/// timer reconsideration that `ReportTimer` does.
public struct ReportTiming: Sendable {
  /// The part of the session's bandwidth that RTCP may use (section 6.2).
  public static let bandwidthFraction = 0.05
  /// The part of the RTCP bandwidth that is kept for senders (section 6.2).
  public static let senderFraction = 0.25
  /// What reconsideration makes of the mean interval: e - 3/2 (section 6.3.1).
  public static let compensation = 1.218_281_828_459_045
  /// Bytes of IPv4 and UDP header, which count as a part of each packet (section 6.2).
  public static let lowerLayers = 28

  /// Participants known, ourselves included: at least 1.
  public var members = 1 { didSet { members = max(members, 1) } }
  /// Participants known that have sent RTP since the report before the last, ourselves included.
  public var senders = 0 { didSet { senders = max(senders, 0) } }
  /// Whether we are one of the senders.
  public var weSent = false
  /// Whether no report of ours has gone out yet; the minimum is halved then.
  public private(set) var initial = true
  /// The mean size of compound packets sent and received, in bytes with IP and UDP headers.
  public private(set) var averageSize: Double
  /// RTCP bytes a second that the whole session may use.
  public private(set) var bandwidth: Double
  /// The shortest interval before it is spread, halved for the first report.
  public let minimum: Interval

  /// Starts for a session of `sessionBandwidth` bits a second, all senders together, headers included.
  ///
  /// - Parameters:
  ///   - sessionBandwidth: The session's bandwidth in bits a second; anything below 1 counts as 1.
  ///   - minimum: The shortest interval before randomisation; RFC 3550 recommends 5 s, or 360 s divided by the
  ///     bandwidth in kbit/s where that is shorter (section 6.2).
  ///   - firstPacketSize: The size in bytes that our first compound packet will probably have.
  public init(sessionBandwidth: Double, minimum: Interval = .seconds(5), firstPacketSize: Int) {
    bandwidth = Self.bandwidth(of: sessionBandwidth)
    self.minimum = max(minimum, .zero)
    averageSize = Double(max(firstPacketSize, 0)) + Double(Self.lowerLayers)
  }

  /// Changes the session's bandwidth in bits a second; anything below 1 counts as 1.
  public mutating func setSessionBandwidth(_ bits: Double) { bandwidth = Self.bandwidth(of: bits) }

  /// RTCP bytes a second that are ours as one of those who share them, with the members known now.
  public var ownBandwidth: Double {
    let (share, sharers) = sharing
    return share / Double(max(sharers, 1))
  }

  /// Takes the size of a compound packet sent or received, in bytes of the datagram's payload, into the mean (6.3.3).
  public mutating func sentOrReceived(bytes: Int) {
    averageSize += (Double(max(bytes, 0)) + Double(Self.lowerLayers) - averageSize) / 16
  }

  /// The deterministic interval Td of section 6.3.1, before it is spread, at most a day.
  public var calculatedInterval: Interval {
    let (share, sharers) = sharing
    let shortest = initial ? minimum.seconds / 2 : minimum.seconds
    return Interval(seconds: min(max(averageSize * Double(sharers) / share, shortest), 86_400))
  }

  /// The bytes a second of our kind of member, and how many share them: senders apart while they are a quarter or less.
  private var sharing: (share: Double, sharers: Int) {
    guard Double(senders) <= Double(members) * Self.senderFraction else { return (bandwidth, members) }
    return weSent
      ? (bandwidth * Self.senderFraction, senders) : (bandwidth * (1 - Self.senderFraction), members - senders)
  }

  private static func bandwidth(of session: Double) -> Double { (session >= 1 ? session : 1) / 8 * bandwidthFraction }

  /// The interval until the next report, spread and compensated, without any change to the state (section 6.3.1).
  ///
  /// While the session `isGrowing`, and is so big that its bandwidth sets the interval, the spread begins at the
  /// calculated interval instead of 0.41 of it. Of many who don't know of each other yet those report first that have
  /// drawn least, which makes the session 2.4 times as loud as it may be until all are known.
  public func interval<G: RandomNumberGenerator>(using generator: inout G, isGrowing: Bool = false) -> Interval {
    let unit = Double(generator.next() >> 11) * 0x1p-53
    let calculated = calculatedInterval
    let least = isGrowing && calculated > minimum ? Self.compensation : 0.5
    return Interval(seconds: calculated.seconds * (unit + least) / Self.compensation)
  }

  /// The interval until the next report, spread and compensated; from the second call on with the whole minimum.
  ///
  /// For those who keep their own timer and send at each expiry; `ReportTimer` reconsiders as well.
  public mutating func nextInterval<G: RandomNumberGenerator>(using generator: inout G) -> Interval {
    defer { initial = false }
    return interval(using: &generator)
  }

  /// Notes that a report of ours has gone out, so that the minimum is no longer halved.
  mutating func reported() { initial = false }
}
