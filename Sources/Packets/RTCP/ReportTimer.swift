public import Timeline

/// The timer of one participant's RTCP reports, with the reconsideration of RFC 3550 section 6.3.
///
/// The first interval (6.3.2), reconsideration at expiry (6.3.6), so that many who join at once don't all report at once,
/// and reverse reconsideration when members leave (6.3.4). Who the members are is `Membership`'s to know.
public struct ReportTimer: Sendable {
  /// Members, senders, sizes and bandwidth.
  public var timing: ReportTiming
  /// When to call `expire(at:using:)`.
  public private(set) var deadline: Instant
  /// When the last report went out, or when we joined.
  public private(set) var lastReport: Instant
  /// The interval that the deadline was set by.
  private(set) var interval: Interval
  /// The members when the deadline was set: `pmembers` of section 6.3.
  private var membersAtDeadline: Int
  /// Whether the first report is due without any interval.
  private var isFirstDue: Bool

  /// Starts at the moment of joining, with the first interval ahead.
  ///
  /// Where each other can hear only one, the first report may go out at once (section 6.2: the delay before it may be
  /// zero in unicast sessions): `reportsAtOnce` says so. All others come as they would after any first report.
  public init<G: RandomNumberGenerator>(
    timing: ReportTiming, at now: Instant, reportsAtOnce: Bool = false, using generator: inout G
  ) {
    self.timing = timing
    lastReport = now
    membersAtDeadline = timing.members
    isFirstDue = reportsAtOnce
    interval = timing.interval(using: &generator)
    // Media that begins has an instant that may lie ahead of the one at which it is sent.
    deadline = reportsAtOnce ? .zero : now + interval
  }

  /// Whether to send a report now; either way the deadline is the next one (section 6.3.6).
  ///
  /// False before the deadline, and at the deadline when the session has grown so much since the timer was set that
  /// the report isn't due yet.
  public mutating func expire<G: RandomNumberGenerator>(at now: Instant, using generator: inout G) -> Bool {
    guard now >= deadline else { return false }
    if isFirstDue {
      report(at: now, using: &generator)
      return true
    }
    // By more than a tenth.
    let isGrowing = timing.members - membersAtDeadline > membersAtDeadline / 10
    membersAtDeadline = timing.members
    interval = timing.interval(using: &generator, isGrowing: isGrowing)
    guard lastReport + interval <= now else {
      deadline = lastReport + interval
      return false
    }
    report(at: now, using: &generator)
    return true
  }

  private mutating func report<G: RandomNumberGenerator>(at now: Instant, using generator: inout G) {
    isFirstDue = false
    membersAtDeadline = timing.members
    lastReport = now
    timing.reported()
    interval = timing.interval(using: &generator)
    deadline = now + interval
  }

  /// Brings the deadline closer when members have left or timed out (reverse reconsideration, section 6.3.4).
  ///
  /// With more members than when the deadline was set only the count changes: reconsideration at expiry sees to the rest.
  public mutating func setMembers(_ members: Int, senders: Int, at now: Instant) {
    timing.members = members
    timing.senders = senders
    guard timing.members < membersAtDeadline, !isFirstDue else { return }
    let ratio = Double(timing.members) / Double(membersAtDeadline)
    deadline = now + Interval(seconds: ratio * (deadline - now).seconds)
    lastReport = now - Interval(seconds: ratio * (now - lastReport).seconds)
    membersAtDeadline = timing.members
  }
}
