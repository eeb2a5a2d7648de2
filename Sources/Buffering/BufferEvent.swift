public import Timeline

/// Something that changed the jitter buffer's delay, with the reason.
public enum BufferEvent: Equatable, Sendable {
  /// The target rose, because a packet came so much later than the fastest.
  case targetRose(from: Interval, to: Interval, delay: Interval)
  /// The target fell: what had raised it is over.
  case targetFell(from: Interval, to: Interval)
  /// The smallest transit changed at once by so much: another route, or a queue that stays.
  case routeChanged(Interval)
  /// There was nothing to play for so long, and the delay grew by it.
  case ranDry(Interval)
  /// The delay is back at the target, so long after the buffer ran dry.
  case recovered(after: Interval)
  /// So much media was given up, because it would have been heard too late.
  case gaveUp(Interval)
}

/// Tells apart what is worth an event from the small changes that go on all the time.
struct BufferNarrator: Sendable {
  /// The most events that wait to be told; the oldest is lost first.
  private static let limit = 64
  /// The target is told again when it has moved by more than this, and by half.
  private static let smallest = Interval.milliseconds(20)
  /// How far the target before the last arrivals lies back, at least.
  private static let calmAge = Interval.milliseconds(500)
  /// A change of route that is told.
  private static let smallestRoute = Interval.milliseconds(10)
  /// For so long the smallest transit of a new timeline is still being found.
  private static let finding = Interval.seconds(2)
  /// A return that took less isn't told: nothing was noticed of the way back.
  private static let shortestReturn = Interval.milliseconds(100)
  /// Between two sentences about the target, or about the route.
  private static let pause = Interval.seconds(1)

  private(set) var events: [(event: BufferEvent, at: Instant)] = []
  private var told: Interval
  private var toldAt: Instant?
  private var lastBase: Interval?
  /// When the timeline began.
  private var began = Instant.zero
  /// How much the route has changed since it was told, and when that was.
  private var step = Interval.zero
  private var routeAt: Instant?
  /// When the buffer ran dry, and what the target had been.
  private var stall: (since: Instant, goal: Interval)?
  /// The target before the last arrivals.
  private var calm = Interval.zero
  private var calmNext = Interval.zero
  private var calmAt = Instant.zero
  /// The longest delay since the target was told.
  private var longest = Interval.zero
  /// Whether the delay that the last stall made is still there.
  var isRecovering: Bool { stall != nil }

  /// Begins with the target that a buffer begins with.
  init(target: Interval) { told = target }

  mutating func next() -> (event: BufferEvent, at: Instant)? { events.isEmpty ? nil : events.removeFirst() }

  mutating func tell(_ event: BufferEvent, at instant: Instant) {
    if events.count == Self.limit { events.removeFirst() }
    events.append((event, instant))
  }

  /// Looks at the target after an arrival that was delayed by `delay`.
  mutating func note(target: Interval, delay: Interval, base: Interval, at now: Instant) {
    if lastBase == nil { began = now }
    if let lastBase, now - began >= Self.finding,
      base - lastBase > Self.smallestRoute || lastBase - base > Self.smallestRoute
    {
      step += base - lastBase
    }
    lastBase = base
    longest = max(longest, delay)
    noteCalm(target, at: now)
    if step != .zero, routeAt.map({ now - $0 >= Self.pause }) ?? true {
      tell(.routeChanged(step), at: now)
      step = .zero
      routeAt = now
    }
    guard target - told > Self.smallest || told - target > Self.smallest else { return }
    if let toldAt, now - toldAt < Self.pause { return }
    if target > told + told / 2 {
      tell(.targetRose(from: told, to: target, delay: longest), at: now)
    } else if target < told / 2 {
      tell(.targetFell(from: told, to: target), at: now)
    } else {
      return
    }
    told = target
    toldAt = now
    longest = .zero
  }

  /// Remembers the target as it was at the last arrival but those of the last half second.
  private mutating func noteCalm(_ target: Interval, at now: Instant) {
    guard now - calmAt > Self.calmAge else { return }
    calm = calmNext
    calmNext = target
    calmAt = now
  }

  /// The timeline begins anew.
  mutating func restart() { lastBase = nil }

  mutating func ranDry(for length: Interval, at now: Instant) {
    tell(.ranDry(length), at: now)
    if stall == nil { stall = (now, calm) }
  }

  /// The delay is no longer than the target was before the buffer ran dry, or than it is now; how long that took.
  mutating func recovered(delay: Interval, at now: Instant) -> Interval? {
    guard let (since, goal) = stall, delay <= goal else { return nil }
    stall = nil
    if now - since >= Self.shortestReturn { tell(.recovered(after: now - since), at: now) }
    return now - since
  }
}
