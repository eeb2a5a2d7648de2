import Timeline

/// Learns from arrivals how much delay a late-loss budget needs.
///
/// Two memories are asked, and the larger answer counts. The slow one (a minute) knows what this path does as a rule;
/// the fast one (a second) knows that it has just become worse, and forgets it as fast. What the slow memory learns is
/// filtered twice:
///
/// - Its delays are counted from the smaller transit of the two seconds before and after the packet, whichever of the two
///   is the larger. After a change of route the packets seem late only until the two seconds before have passed; looking
///   at both sides, they don't seem late at all.
/// - A spike that stands alone is put by until another one comes, and of two the smaller one is learned: what two have
///   reached is a habit. One accident says nothing of the path, and would otherwise cost delay for a minute.
///
/// Its answer is never more than the longest delay that it has learned lately: a quantile alone would forget half a
/// minute of swings only after four.
struct DelayEstimator: Sendable {
  /// An arrival that the slow memory hasn't taken in yet.
  private struct Waiting: Sendable {
    var arrival: Instant
    var transit: Interval
    var seconds: Double
  }

  private static let slowMemory = Interval.seconds(60)
  private static let fastMemory = Interval.milliseconds(800)
  /// How much more of the past second than of the past minute may be late.
  private static let fastTail = 4.0
  /// A delay this far beyond the slow memory's answer is part of a spike.
  private static let spikeMargin = Interval.milliseconds(10)
  /// Delays that follow each other within this time are one spike.
  private static let spikeGap = Interval.milliseconds(300)
  /// Delays that go on for longer than this aren't a spike but what the path is like now.
  private static let longestSpike = Interval.seconds(1)
  /// After so long without a packet a network was held up: that isn't jitter.
  private static let hold = Interval.milliseconds(500)
  /// A spike that stood alone for so long is forgotten.
  private static let spikeMemory = Interval.seconds(60)
  /// The most delays of one spike.
  private static let spikeLimit = 256
  /// The most packets that wait for the slow memory; beyond it they wait for less than two seconds.
  private static let waitingLimit = 512
  /// The share by which the slow memory's answer is raised while it knows nothing, and the samples by which it knows.
  private static let ignorance = (share: 0.5, samples: 500.0)
  /// The share of the past below which nothing is known: less than one spike a minute.
  private static let resolution = 0.0005

  /// A smallest transit that rises by more than this between two packets is another route's.
  private static let routeChange = Interval.milliseconds(10)

  private let budget: Double
  private var slow: DelayHistogram
  private var fast: DelayHistogram
  private var before: ArrivalModel?
  private var lastBase: Interval?
  private var lastArrival: Instant?
  /// Whether what comes was held up, and until when it may be.
  private var isHeldUp = false
  private var heldUntil = Instant.zero
  private var waiting: [Waiting]
  private var firstWaiting = 0
  private var waitingCount = 0
  private var spike: [(delay: Interval, seconds: Double)] = []
  private var lastSpike: Instant?
  /// The last spike that no other has come near to, and when it was.
  private var lonely: [(delay: Interval, seconds: Double)] = []
  private var lonelyAt: Instant?
  private var spikeStart = Instant.zero
  private var slowAnswer = Interval.zero
  /// The longest delays that the slow memory has lately learned.
  private var longest: RecentMaximum
  /// How much delay the budget needs, counted from the smallest transit.
  private(set) var need = Interval.zero

  /// Begins with no knowledge.
  ///
  /// - Parameter lateBudget: the share of media that may come too late, 0...1; nil for an estimator that isn't used,
  ///   which takes no memory.
  init(lateBudget: Double?) {
    budget = lateBudget ?? 0
    let isUsed = lateBudget != nil
    slow = DelayHistogram(memory: Self.slowMemory, isUsed: isUsed)
    fast = DelayHistogram(memory: Self.fastMemory, isUsed: isUsed)
    longest = RecentMaximum(window: Self.window(of: lateBudget ?? 1))
    waiting = Array(
      repeating: Waiting(arrival: .zero, transit: .zero, seconds: 0), count: isUsed ? Self.waitingLimit : 0)
    if isUsed {
      spike.reserveCapacity(Self.spikeLimit)
      lonely.reserveCapacity(Self.spikeLimit)
    }
  }

  /// Takes in an arrival.
  ///
  /// - Parameters:
  ///   - transit: arrival time less media time.
  ///   - base: the smallest transit of the last two seconds, this one among them.
  ///   - seconds: how long the packet plays.
  mutating func observe(transit: Interval, base: Interval, at arrival: Instant, seconds: Double) {
    // After a change of route the last second's delays were counted from what doesn't hold any more.
    if let lastBase, base - lastBase > Self.routeChange { fast.removeAll() }
    lastBase = base
    noteHold(before: arrival)
    // What was held up is caught up, and says nothing of the second to come.
    if isHeldUp, transit - base <= slowAnswer + Self.spikeMargin { isHeldUp = false }
    if !isHeldUp { fast.add(transit - base, seconds: seconds) }
    if waitingCount == Self.waitingLimit { learnOldest(base: base) }
    waiting[(firstWaiting + waitingCount) % Self.waitingLimit] = Waiting(
      arrival: arrival, transit: transit, seconds: seconds)
    waitingCount += 1
    while waitingCount > 0, waiting[firstWaiting].arrival < arrival - ArrivalModel.window { learnOldest(base: base) }
    let doubt = Self.ignorance.samples / (Self.ignorance.samples + Double(slow.count))
    let raised = slowAnswer.seconds * (1 + Self.ignorance.share * doubt * doubt)
    need = max(Interval(seconds: raised), fast.quantile(tail: min(0.5, Self.fastTail * budget)))
  }

  /// What comes after a long time without a packet was held up, until a packet comes in time or that time has passed
  /// once more.
  private mutating func noteHold(before arrival: Instant) {
    if let lastArrival, arrival - lastArrival > Self.hold {
      isHeldUp = true
      heldUntil = arrival + (arrival - lastArrival)
    } else if isHeldUp, arrival > heldUntil {
      isHeldUp = false
    }
    lastArrival = arrival
  }

  /// The chance, 0...1, that a packet will be delayed by more than `due`, given that it is by more than `already`.
  ///
  /// What has never been seen counts as likely to go on.
  func chance(ofMoreThan due: Interval, after already: Interval) -> Double {
    (slow.share(beyond: due) + Self.resolution) / (slow.share(beyond: already) + Self.resolution)
  }

  /// The timeline begins anew: transits can't be compared with those before, but what was learned of delays stays.
  mutating func restart() {
    waitingCount = 0
    before = nil
    lastBase = nil
  }

  private mutating func learnOldest(base: Interval) {
    let packet = waiting[firstWaiting]
    firstWaiting = (firstWaiting + 1) % Self.waitingLimit
    waitingCount -= 1
    if before == nil { before = ArrivalModel(transit: packet.transit, at: packet.arrival) }
    before?.observe(transit: packet.transit, at: packet.arrival)
    let origin = max(before?.base ?? base, base)
    learn(max(.zero, packet.transit - origin), at: packet.arrival, seconds: packet.seconds)
    slowAnswer = min(slow.quantile(tail: budget), longest.value(at: packet.arrival))
  }

  private mutating func learn(_ delay: Interval, at arrival: Instant, seconds: Double) {
    let quiet = lastSpike.map { arrival - $0 } ?? Self.spikeMemory
    if quiet > Self.spikeGap, !spike.isEmpty { endSpike(at: arrival) }
    guard delay > slowAnswer + Self.spikeMargin else { return learnSlowly(delay, seconds: seconds, at: arrival) }
    if quiet > Self.spikeGap { spikeStart = arrival }
    lastSpike = arrival
    if arrival - spikeStart > Self.longestSpike || spike.count == Self.spikeLimit {
      learnSpike(at: arrival)
      learnSlowly(delay, seconds: seconds, at: arrival)
    } else {
      spike.append((delay, seconds))
    }
  }

  /// What two spikes within a minute have reached is a habit of the path: of the two the smaller one is learned, and the
  /// larger one put by.
  private mutating func endSpike(at now: Instant) {
    if let lonelyAt, now - lonelyAt > Self.spikeMemory { lonely.removeAll(keepingCapacity: true) }
    if Self.height(of: spike) * 5 / 4 < Self.height(of: lonely) {
      learnSpike(at: now)
    } else {
      swap(&spike, &lonely)
      learnSpike(at: now)
      lonelyAt = lastSpike
    }
  }

  private static func height(of spike: [(delay: Interval, seconds: Double)]) -> Interval {
    spike.reduce(.zero) { max($0, $1.delay) }
  }

  private mutating func learnSpike(at now: Instant) {
    for sample in spike { learnSlowly(sample.delay, seconds: sample.seconds, at: now) }
    spike.removeAll(keepingCapacity: true)
  }

  private mutating func learnSlowly(_ delay: Interval, seconds: Double, at now: Instant) {
    slow.add(delay, seconds: seconds)
    longest.observe(delay, at: now)
  }

  /// For how long a delay counts that hasn't come again: by then 200 ms of it would be within the budget.
  private static func window(of budget: Double) -> Interval {
    min(max(Interval(seconds: 0.2 / max(budget, 0.001)), slowMemory / 2), slowMemory)
  }
}
