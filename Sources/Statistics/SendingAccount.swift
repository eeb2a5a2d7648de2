public import Timeline

/// What the sender's own count says of packets that nobody here has seen: those before the first number that arrived
/// and after the last.
///
/// A sender report carries the number of packets sent so far (RFC 3550 section 6.4.1, 32 bits that wrap). With the count
/// that comes with the goodbye the account is closed: sent - expected were lost at the two ends. A single number can't
/// say at which; but the sender's first number is the highest one that arrived before a report, less the count in it,
/// plus one, if nothing was sent between the two, which their timestamps tell. So the split is told when more than half of
/// such reports agree on a first number that is possible, and at least two do; one is enough for the number that arrived
/// first, since a loss can't make another number look like that one.
public struct SendingAccount: Sendable {
  /// One run of numbers of the sender.
  private struct Run: Sendable {
    var reports = 0
    /// The count in the last report, extended beyond 32 bits.
    var count: Int64 = 0
    var isFinal = false
    /// First numbers that reports point to, and how many do.
    var candidates: [(first: Int64, votes: Int)] = []

    mutating func vote(for first: Int64) {
      if let place = candidates.firstIndex(where: { $0.first == first }) {
        candidates[place].votes += 1
      } else if candidates.count < SendingAccount.candidateLimit {
        candidates.append((first, 1))
      }
    }
  }

  private static let candidateLimit = 8

  private var run = Run()
  /// A sender that counts anew shows in its reports before it shows in its numbers, or without doing so at all.
  private var next: Run?
  private var lastTime: UInt64 = 0
  /// The sum over the runs that ended; nil when it isn't known of one of them.
  private var closed: StreamEnds? = StreamEnds.nothing

  /// Starts without a report.
  public init() {}

  /// Takes in a sender report, with the lowest and the highest number that had arrived by then.
  ///
  /// - Parameters:
  ///   - packets: the sender's packet count.
  ///   - time: the report's NTP timestamp, by which one that was overtaken is known; 0 when it has none.
  ///   - numbers: the lowest and highest extended number of the present run; nil when there is none.
  ///   - isAdjacent: whether the report's timestamp is less than a packet's length after that of the highest number, so
  ///     that nothing can have been sent between them.
  /// - Returns: whether the report counts; one that was overtaken doesn't.
  @discardableResult
  public mutating func report(
    packets: UInt32, time: UInt64, numbers: ClosedRange<Int64>?, isAdjacent: Bool = true
  ) -> Bool {
    let known = next ?? run
    if time != 0, known.reports > 0, time <= lastTime {
      // A copy of the last one says the same; what is older is of no use.
      return time == lastTime && packets == UInt32(truncatingIfNeeded: known.count)
    }
    lastTime = max(time, lastTime)
    let step = Int64(Int32(bitPattern: packets &- UInt32(truncatingIfNeeded: known.count)))
    if known.reports > 0, step < 0 {
      // The sender began anew.
      var fresh = Run()
      fresh.reports = 1
      fresh.count = Int64(packets)
      next = fresh
      return true
    }
    var updated = known
    updated.count = known.reports == 0 ? Int64(packets) : known.count + step
    updated.reports += 1
    // A goodbye that is said again, with the same count, leaves the first one true.
    updated.isFinal = known.isFinal && known.reports > 0 && step == 0
    if next != nil {
      next = updated
      return true
    }
    if let numbers, isAdjacent, updated.count > 0 {
      let first = numbers.upperBound + 1 - updated.count
      if first <= numbers.lowerBound { updated.vote(for: first) }
    }
    run = updated
    return true
  }

  /// The sender said goodbye together with its last report: the count is final.
  public mutating func close() {
    if next != nil { next?.isFinal = true } else { run.isFinal = run.reports > 0 }
  }

  /// The sender began new numbers, after a run of these.
  public mutating func restart(numbers: ClosedRange<Int64>, lost: Int) {
    let ends = Self.ends(of: run, numbers: numbers, lost: lost)
    closed = ends.sent == nil ? nil : closed.map { $0.adding(ends) }
    run = next ?? Run()
    next = nil
  }

  /// What is known at last.
  ///
  /// - Parameters:
  ///   - numbers: the lowest and highest extended number of the last run; nil when there is none.
  ///   - lost: how many between them didn't arrive.
  public func ends(numbers: ClosedRange<Int64>?, lost: Int) -> StreamEnds {
    guard let numbers else { return StreamEnds(.noReport) }
    if next != nil { return StreamEnds(.countedAnew) }
    // When the end of an earlier run is unknown, the whole is.
    guard let closed else { return StreamEnds(.earlierRunUnknown) }
    return closed.adding(Self.ends(of: run, numbers: numbers, lost: lost))
  }

  private static func ends(of run: Run, numbers: ClosedRange<Int64>, lost: Int) -> StreamEnds {
    guard run.reports > 0 else { return StreamEnds(.noReport) }
    let expected = numbers.upperBound - numbers.lowerBound + 1
    guard run.isFinal else {
      var ends = StreamEnds(.lastReport)
      if run.count > expected { ends.sentAtLeast = Int(run.count) }
      return ends
    }
    let missing = run.count - expected
    guard missing >= 0 else {
      // It jumped over numbers, or counts something else.
      guard -missing <= Int64(lost) else { return StreamEnds(.contradiction) }
      var ends = StreamEnds(.finalCount)
      (ends.sent, ends.sentAtLeast) = (Int(run.count), Int(run.count))
      ends.neverSent = Int(-missing)
      (ends.lostAtEnds, ends.lostBefore, ends.lostAfter) = (0, 0, 0)
      return ends
    }
    var ends = StreamEnds(.finalCount)
    (ends.sent, ends.sentAtLeast) = (Int(run.count), Int(run.count))
    ends.lostAtEnds = Int(missing)
    let possible = (numbers.lowerBound - missing)...numbers.lowerBound
    let votes = run.candidates.reduce(0) { $0 + $1.votes }
    if missing == 0 {
      (ends.lostBefore, ends.lostAfter) = (0, 0)
    } else if let best = run.candidates.max(by: { $0.votes < $1.votes }), 2 * best.votes > votes,
      best.votes >= 2 || best.first == numbers.lowerBound, possible.contains(best.first)
    {
      ends.lostBefore = Int(numbers.lowerBound - best.first)
      ends.lostAfter = Int(missing) - Int(numbers.lowerBound - best.first)
    }
    return ends
  }
}

/// What is known of the packets before the first number that arrived and after the last.
public struct StreamEnds: Hashable, Sendable {
  /// How the end of the stream is known, or why it isn't.
  public enum Knowledge: String, Sendable {
    /// By the count in the sender's last report, sent with its goodbye.
    case finalCount = "known by the sender's final count"
    /// Only up to the last report: what was sent after it is unknown.
    case lastReport = "unknown after the sender's last report, which came without a goodbye"
    /// No sender report came.
    case noReport = "unknown: no sender report came"
    /// The sender says that it sent fewer packets than arrived.
    case contradiction = "unknown: the sender's count contradicts what arrived"
    /// The sender's count began anew while its numbers went on.
    case countedAnew = "unknown: the sender's count began anew"
    /// The sender restarted, and what it sent last before isn't known.
    case earlierRunUnknown = "unknown: the sender restarted without a final count"
    /// The sender had begun before anybody listened, so that packets before the first aren't lost.
    case joinedLate = "unknown: the sender had begun before this receiver listened"
  }

  /// How it is known.
  public var knowledge: Knowledge
  /// Packets that the sender sent; nil when that isn't known.
  public var sent: Int?
  /// Packets that it sent at least: `sent`, or what a report proves that isn't its last word.
  public var sentAtLeast: Int?
  /// Packets lost before the first and after the last that arrived; nil when not known.
  public var lostAtEnds: Int?
  /// Those before the first; nil when the split isn't certain.
  public var lostBefore: Int?
  /// Those after the last; nil when the split isn't certain.
  public var lostAfter: Int?
  /// Numbers that the sender jumped over: packets that its socket refused.
  public var neverSent = 0
  /// Packets sent before this receiver listened, which are neither lost nor received.
  public var beforeListening = 0

  /// The ends of nothing.
  static var nothing: StreamEnds {
    var ends = StreamEnds(.finalCount)
    (ends.sent, ends.sentAtLeast, ends.lostAtEnds, ends.lostBefore, ends.lostAfter) = (0, 0, 0, 0, 0)
    return ends
  }

  /// These and those of the run that followed; what isn't known of that one isn't known of both.
  func adding(_ other: StreamEnds) -> StreamEnds {
    func sum(_ key: KeyPath<StreamEnds, Int?>) -> Int? {
      guard let one = self[keyPath: key], let two = other[keyPath: key] else { return nil }
      return one + two
    }
    var ends = StreamEnds(other.knowledge)
    ends.sent = sum(\.sent)
    ends.sentAtLeast = sum(\.sentAtLeast)
    ends.lostAtEnds = sum(\.lostAtEnds)
    ends.lostBefore = sum(\.lostBefore)
    ends.lostAfter = sum(\.lostAfter)
    ends.neverSent = neverSent + other.neverSent
    return ends
  }

  /// Nothing more is known.
  public init(_ knowledge: Knowledge) { self.knowledge = knowledge }

  /// Packets that were sent to this receiver while it listened; nil when not known.
  public var sentHere: Int? { sent.map { $0 - beforeListening } }

  /// Takes what can't have been heard out of the account: a receiver that came late hasn't lost what it missed.
  ///
  /// - Parameters:
  ///   - before: how long this receiver had listened before the first packet arrived.
  ///   - after: how long after the last packet the sender's last report came.
  ///   - interval: the media time from one packet to the next.
  public mutating func limit(listenedBefore before: Interval, after: Interval, packetInterval interval: Interval) {
    guard let lostAtEnds, lostAtEnds > 0, interval > .zero else { return }
    // Twice what the time holds, and some more, leaves room for bursts and changes of the packets' length.
    func room(_ time: Interval) -> Int { Int(2 * max(time.seconds, 0) / interval.seconds) + 16 }
    if let lostBefore, let lostAfter {
      guard lostBefore > room(before) else { return }
      beforeListening = lostBefore
      self.lostBefore = nil
      self.lostAtEnds = lostAfter
    } else if lostAtEnds > room(before) + room(after) {
      knowledge = .joinedLate
      self.lostAtEnds = nil
      (sent, sentAtLeast) = (nil, nil)
    }
  }
}
