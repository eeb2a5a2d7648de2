public import Timeline

/// Whether the far end of a probe is still there: by when it was heard, and by who refuses packets in its place.
///
/// Silence alone proves little: the path may be down for a while, which is what a probe is to find out. So it is told at
/// once, and only a long one counts as an end. A port where nobody listens any more and a goodbye count soon.
public struct FarEndWatch: Sendable {
  /// Something that has changed.
  public enum Change: Equatable, Sendable {
    /// Nothing has come for longer than it ever took.
    case silent
    /// It is heard again, after so long.
    case heardAgain(after: Interval)
    /// It won't be heard again.
    case gone(Departure)
  }

  /// How it went.
  public enum Departure: Equatable, Sendable {
    /// Its host says that nobody listens there any more.
    case refused
    /// It said goodbye.
    case left
    /// Nothing came for very long.
    case silent
  }

  /// So many refusals in a row, over so long, are no accident.
  static let refusalLimit = 3
  static let refusalSpan = Interval.seconds(1)
  /// Who has said goodbye and says nothing for this long has meant it.
  static let goodbyeMargin = Interval.seconds(2)
  /// Silence for this long is an end.
  static let patience = Interval.seconds(30)

  /// When it was heard last; nil before it was.
  public private(set) var lastHeard: Instant?
  /// Whether it counts as gone.
  public private(set) var isGone = false

  private let usualSilence: Interval
  /// The longest time between two datagrams, but for silences that were told.
  private var longestGap = Interval.zero
  private var isSilent = false
  private var silenceEnded: Interval?
  /// Refusals since it was heard, and when the first came.
  private var refusals = 0
  private var firstRefusal: Instant?
  private var lastRefusal: Instant?

  /// Begins with nothing heard; with feedback something comes ten times a second, else a report every few seconds.
  public init(hasFeedback: Bool) {
    usualSilence = hasFeedback ? .seconds(3) : .seconds(10)
  }

  // MARK: Inputs

  /// Something came from it.
  public mutating func heard(at arrival: Instant) {
    if let lastHeard {
      let gap = arrival - lastHeard
      if isSilent { silenceEnded = gap } else { longestGap = max(longestGap, gap) }
    }
    isSilent = false
    lastHeard = max(lastHeard ?? arrival, arrival)
    (refusals, firstRefusal, lastRefusal) = (0, nil, nil)
  }

  /// Its host said that nobody listens there.
  public mutating func refused(at time: Instant) {
    refusals += 1
    firstRefusal = firstRefusal ?? time
    lastRefusal = time
  }

  // MARK: Outputs

  /// What has changed by `now`; nil when nothing has.
  ///
  /// `hasLeft` is whether the last that it said was a goodbye.
  public mutating func poll(at now: Instant, hasLeft: Bool) -> Change? {
    guard let lastHeard, !isGone else { return nil }
    if let gap = silenceEnded {
      silenceEnded = nil
      return .heardAgain(after: gap)
    }
    let silence = now - lastHeard
    if let firstRefusal, let lastRefusal, refusals >= Self.refusalLimit,
      lastRefusal - firstRefusal >= Self.refusalSpan
    {
      return end(.refused)
    }
    if hasLeft, silence >= Self.goodbyeMargin { return end(.left) }
    if silence >= max(Self.patience, longestGap * 5) { return end(.silent) }
    guard !isSilent, silence >= max(usualSilence, longestGap * 2) else { return nil }
    isSilent = true
    return .silent
  }

  private mutating func end(_ departure: Departure) -> Change {
    isGone = true
    return .gone(departure)
  }
}
