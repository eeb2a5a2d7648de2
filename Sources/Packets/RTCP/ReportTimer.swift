public import Timeline

/// The timer of one participant's RTCP reports, with the reconsideration of RFC 3550 section 6.3.
///
/// In: the first interval (6.3.2), reconsideration at expiry (6.3.6), so that many who join at once don't all report
/// at once, and reverse reconsideration when members leave (6.3.4). Not in: the BYE back-off of 6.3.7, which only
/// concerns sessions of more than 50 members, and timing out members (6.3.5), which is the session's: it knows who
/// was heard when, and sets `timing.members` and `timing.senders`.
public struct ReportTimer: Sendable {
  /// Members, senders, sizes and bandwidth.
  public var timing: ReportTiming
  /// When to call `expire(at:using:)`.
  public private(set) var deadline: Instant
  /// When the last report went out, or when we joined.
  public private(set) var lastReport: Instant

  /// Starts at the moment of joining, with the first interval ahead.
  public init<G: RandomNumberGenerator>(timing: ReportTiming, at now: Instant, using generator: inout G) {
    self.timing = timing
    lastReport = now
    deadline = now + timing.interval(using: &generator)
  }

  /// Whether to send a report now; either way the deadline is the next one (section 6.3.6).
  ///
  /// False before the deadline, and at the deadline when the session has grown so much since the timer was set that
  /// the report isn't due yet.
  public mutating func expire<G: RandomNumberGenerator>(at now: Instant, using generator: inout G) -> Bool {
    guard now >= deadline else { return false }
    let due = lastReport + timing.interval(using: &generator)
    guard due <= now else {
      deadline = due
      return false
    }
    lastReport = now
    timing.reported()
    deadline = now + timing.interval(using: &generator)
    return true
  }

  /// Brings the deadline closer when members have left or timed out (reverse reconsideration, section 6.3.4).
  ///
  /// With more members than before only the count changes: reconsideration at expiry sees to the rest.
  public mutating func setMembers(_ members: Int, senders: Int, at now: Instant) {
    let before = timing.members
    timing.members = members
    timing.senders = senders
    guard timing.members < before else { return }
    let ratio = Double(timing.members) / Double(before)
    deadline = now + Interval(seconds: ratio * (deadline - now).seconds)
    lastReport = now - Interval(seconds: ratio * (now - lastReport).seconds)
  }
}
