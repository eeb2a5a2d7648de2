public import Timeline

/// One participant's part in an RTCP session: who else is there, when to report, and how to leave (RFC 3550 sections 6.2
/// and 6.3).
///
/// Inputs are who was heard and what was sent; `expire` says whether to report, or to say goodbye, now. Every reception
/// report has to be announced with `sent(bytes:)`, so that the mean size is right.
public struct Membership: Sendable {
  /// What is due.
  public enum Due: Equatable, Sendable {
    /// A report.
    case report
    /// The last report, with a goodbye.
    case goodbye
  }

  /// With fewer members a goodbye, or the report on a stream's end, may be sent at once (section 6.3.7).
  public static let immediateLimit = 50
  /// A member is timed out after so many calculated intervals without a word (section 6.3.5).
  public static let timeoutIntervals: Int64 = 5

  private enum Phase: Equatable { case outside, inside, leaving, left }

  /// The others.
  public private(set) var others: MemberTable
  /// When to call `expire`; nil before joining and after leaving.
  public var deadline: Instant? {
    switch phase {
    case .outside, .left: nil
    case .inside: timer?.deadline
    case .leaving: isImmediate ? timer?.lastReport : timer?.deadline
    }
  }
  /// Whether a goodbye is still to come.
  public var isLeaving: Bool { phase == .leaving }
  /// Whether we have left, with a goodbye or without.
  public var hasLeft: Bool { phase == .left }
  /// Everybody, ourselves included.
  public var memberCount: Int { others.count + 1 }
  /// Senders, ourselves included when we are one.
  public var senderCount: Int { others.senderCount + (isSender ? 1 : 0) }
  /// The RTCP bytes a second that are ours.
  public var ownBandwidth: Double { (timer?.timing ?? timing).ownBandwidth }
  /// The shortest interval between two reports, before it is spread.
  public var minimumInterval: Interval { timing.minimum }

  private let ssrc: UInt32
  private let timing: ReportTiming
  private let isSender: Bool
  private let reportsAtOnce: Bool
  private var phase = Phase.outside
  private var timer: ReportTimer?
  /// Whether a report of ours has gone out.
  private var hasReported = false
  /// Whether the goodbye needs no back-off.
  private var isImmediate = false

  /// Starts outside of the session.
  ///
  /// - Parameters:
  ///   - ssrc: Our own identifier; what is heard of it is our own echo.
  ///   - timing: Bandwidth, minimum interval and the size of our first packet.
  ///   - isSender: Whether we send RTP.
  ///   - seed: Keeps others from filling the table of members.
  ///   - reportsAtOnce: Whether the first report goes out without a delay, as it may in a unicast session (section 6.2).
  public init(ssrc: UInt32, timing: ReportTiming, isSender: Bool, seed: UInt64, reportsAtOnce: Bool = false) {
    self.ssrc = ssrc
    self.isSender = isSender
    self.reportsAtOnce = reportsAtOnce
    var timing = timing
    timing.weSent = isSender
    self.timing = timing
    others = MemberTable(seed: seed)
  }

  // MARK: Inputs

  /// Begins to take part; only the first call counts.
  ///
  /// Somebody else is there at least, or there would be no session: the first interval counts with two.
  public mutating func join<G: RandomNumberGenerator>(at now: Instant, using generator: inout G) {
    guard phase == .outside else { return }
    phase = .inside
    var timing = timing
    timing.members = max(memberCount, 2)
    timing.senders = max(senderCount, 1)
    timer = ReportTimer(timing: timing, at: now, reportsAtOnce: reportsAtOnce, using: &generator)
  }

  /// Somebody was heard by RTCP, or by RTP when `isSender`.
  public mutating func heard(_ ssrc: UInt32, isSender: Bool, at now: Instant) {
    guard ssrc != self.ssrc, phase != .leaving else { return }
    others.heard(ssrc, isSender: isSender, at: now)
    count(at: now)
  }

  /// Somebody said goodbye.
  public mutating func heardGoodbye(of ssrc: UInt32, at now: Instant) {
    guard ssrc != self.ssrc else { return }
    if phase == .leaving {
      // Whoever it is, known or not, wants a share of the bandwidth for goodbyes.
      timer?.timing.members += 1
      return
    }
    others.remove(ssrc)
    count(at: now)
  }

  /// A compound packet of somebody else came in; while we leave only goodbyes count.
  public mutating func received(bytes: Int, hasGoodbye: Bool) {
    if phase != .leaving || hasGoodbye { timer?.timing.sentOrReceived(bytes: bytes) }
  }

  /// Our report has gone out, in all its datagrams together.
  public mutating func sent(bytes: Int) {
    hasReported = true
    timer?.timing.sentOrReceived(bytes: bytes)
  }

  /// Changes the session's bandwidth in bits a second.
  public mutating func setSessionBandwidth(_ bits: Double) { timer?.timing.setSessionBandwidth(bits) }

  /// Begins to leave: at once with few members, else by the back-off of section 6.3.7; `goodbyeSize` is how many bytes
  /// the last compound will have.
  ///
  /// Whoever has never sent anything leaves without a word.
  public mutating func leave<G: RandomNumberGenerator>(
    at now: Instant, goodbyeSize: Int, using generator: inout G
  ) {
    guard phase == .inside else {
      if phase == .outside { phase = .left }
      return
    }
    guard hasReported || isSender || memberCount < Self.immediateLimit else {
      phase = .left
      return
    }
    phase = .leaving
    isImmediate = memberCount < Self.immediateLimit
    guard !isImmediate else { return }
    var timing = ReportTiming(
      sessionBandwidth: timing.bandwidth * 8 / ReportTiming.bandwidthFraction, minimum: timing.minimum,
      firstPacketSize: goodbyeSize)
    timing.members = 1
    timer = ReportTimer(timing: timing, at: now, using: &generator)
  }

  // MARK: Outputs

  /// What to send now; also forgets members that have fallen silent (section 6.3.5).
  public mutating func expire<G: RandomNumberGenerator>(at now: Instant, using generator: inout G) -> Due? {
    switch phase {
    case .outside, .left: return nil
    case .inside:
      guard let deadline = timer?.deadline, deadline <= now else { return nil }
      forgetSilent(at: now)
      return timer?.expire(at: now, using: &generator) == true ? .report : nil
    case .leaving:
      guard isImmediate || timer?.expire(at: now, using: &generator) == true else { return nil }
      phase = .left
      return .goodbye
    }
  }

  // MARK: Private

  private mutating func count(at now: Instant) {
    let (members, senders) = (max(memberCount, 2), max(senderCount, 1))
    timer?.setMembers(members, senders: senders, at: now)
  }

  private mutating func forgetSilent(at now: Instant) {
    guard let timer else { return }
    var timing = timer.timing
    timing.weSent = false
    others.expire(
      membersBefore: now - timing.calculatedInterval * Self.timeoutIntervals, sendersBefore: now - timer.interval * 2)
    count(at: now)
  }
}
