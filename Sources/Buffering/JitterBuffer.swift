public import Timeline

/// Puts packets back in order and decides, instant by instant, what a listener hears.
///
/// Its clock is the caller's: `insert` with packets in order of arrival, `poll(at:)` until it says `.wait`, and again at
/// the instant it names. Each decision depends on the packets and instants given, on nothing else.
///
/// A packet is due when its media time plus the smallest recent transit (see `ArrivalModel`) plus the target delay has
/// come. The target is fixed here; an adaptive policy only has to set ``target``.
///
/// Nothing is played twice or out of order: a sequence number is passed once, by playing, rebuilding or concealing it.
public struct JitterBuffer: Sendable {
  /// A jump of the transit by more than this is a new timeline, not delay.
  static let discontinuity = Interval.seconds(5)
  /// A step back of the timestamps by more than this is a new timeline; a smaller one is played with an overlap.
  static let backwardJump = Interval.milliseconds(500)
  /// After this long without a packet, a stream that goes on where it stopped is taken up at its new delay.
  static let pause = Interval.seconds(1)
  /// The number of sequence numbers that a restarted sender's first number is placed ahead of the last one, so that
  /// packets which overtook it still have a number.
  public static let restartMargin: Int64 = 64

  /// The longest piece of silence in units of the clock: at 48 kHz 700 years.
  static let longestSilence: Int64 = 1 << 50

  /// Where a new timeline begins that packets still in store stand before.
  enum Boundary: Sendable {
    case none
    /// From this number on the timestamps have a new origin; the transit that went before.
    case timeline(Int64, before: Interval)
    /// From this number on the sender counts anew: numbers skipped before it were never sent.
    case restart(Int64)
  }

  /// The delay beyond the smallest transit at which packets are played, ``addedDelay`` included.
  public var target: Interval
  /// What `target` has on top of what the network asks for, so that this stream waits for another one.
  public internal(set) var addedDelay = Interval.zero
  /// What `target` has on top because the sender keeps packets back.
  var senderWait = Interval.zero
  /// What has been done so far.
  public internal(set) var counts = PlayoutCounts()

  let configuration: Configuration
  /// `JitterBuffer.backwardJump` in units of the clock.
  private let backwardJump: Int64
  /// The configuration's, in units of the clock.
  let concealmentLimit: Int64
  @usableFromInline var store: PacketStore
  var arrivals: ArrivalModel?
  var lastArrival = Instant.zero
  /// The timestamp of the packet with the highest number so far.
  var newestTimestamp: Int64 = 0
  var newestSequence: Int64 = 0
  var boundary = Boundary.none
  /// While nothing of a new timeline has been played: the lowest number that can still become its first.
  var openFrom: Int64? = .min
  var hasStarted = false
  var isEnded = false
  var firstSequence: Int64 = 0
  /// The lowest number whose time hasn't passed.
  var nextSequence: Int64 = 0
  /// The media time that is to be played next.
  var nextTimestamp: Int64 = 0
  /// The decoding time of the last frame that is over.
  var framesOver = Int64.min
  var lastDuration: Int64
  /// What packets tell of delays together, where none tells how long it lasts.
  var delayGroup = DelayGroup()
  /// What the largest frames need, where packets are parts of frames.
  var largestFrames = LargestFrames()
  var lastWasSilence = false
  /// Filled since the last packet was played, without knowing yet whether a packet was lost or none was sent.
  var stallUnits: Int64 = 0
  /// Concealed in the gap that is being filled.
  var gapUnits: Int64 = 0
  var gapRecovered = 0
  /// Whether the concealment event counted last may still turn out to be the sender's pause.
  var isEventOpen = false
  /// What goes on after a long time without a packet, while it isn't known whether the network or the sender was held up.
  var resumption: Resumption?
  /// What went on as a new timeline, as long as it may still turn out to have been held up.
  var doubt: Resumption.Doubt?
  /// Packets that were in store when they turned out to be stale, and are to be handed out as given up.
  var abandoned: [BufferedPacket] = []
  /// What is known of delays, where the target adapts.
  var estimator: DelayEstimator
  /// Whether the target adapts.
  let isAdaptive: Bool
  /// Whether waiting for copies pays.
  var recovery: RecoveryEstimator
  /// What is told of all this.
  var narrator: BufferNarrator
  /// The pull clock, where audio is stretched to keep the target.
  var elastic = ElasticPlayout()
  /// What to do with the audio of the packet that the last `.play` decision named.
  public internal(set) var stretch = Stretch.none

  /// Makes an empty buffer.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    target = configuration.target
    isAdaptive = configuration.adaptation != nil
    recovery = RecoveryEstimator(isUsed: configuration.adaptation != nil)
    estimator = DelayEstimator(lateBudget: configuration.adaptation?.lateBudget)
    if let adaptation = configuration.adaptation { target = configuration.firstTarget(adaptation) }
    narrator = BufferNarrator(target: target)
    store = PacketStore(
      packetLimit: configuration.packetLimit, byteLimit: configuration.byteLimit,
      keepsPayloads: configuration.keepsPayloads)
    lastDuration = max(1, Int64(configuration.clockRate / 50))
    concealmentLimit = configuration.concealmentLimit.units(rate: configuration.clockRate)
    backwardJump = Self.backwardJump.units(rate: configuration.clockRate)
  }

  // MARK: Inputs

  /// Offers a packet that is not a duplicate, in order of arrival.
  public mutating func insert(_ packet: BufferedPacket, payload: RawSpan) -> Insertion {
    guard hasStarted || !store.isEmpty else {
      begin(with: packet)
      return store.insert(packet, payload: payload)
    }
    let transit = transit(of: packet)
    if doubt != nil { reconsider(packet, transit) }
    let resumed = resumption == nil ? .goingOn : resume(with: packet, transit)
    if case .stale = resumed { return .late }
    let isNew = if case .jump = resumed { true } else { false }
    let isJump = isNew || startsTimeline(packet, transit)
    if isJump, !isNew, let resumption = resumption(at: packet, transit) {
      let insertion = store.insert(packet, payload: payload)
      if insertion == .stored { self.resumption = resumption }
      return insertion
    }
    if !isJump {
      if beginsTimelineEarlier(packet, transit) { boundary = .timeline(packet.sequence, before: transitBefore) }
      if isPassed(packet, transit) {
        pass(packet, transit)
        return .late
      }
      guard isPlausible(packet, transit) else { return .misplaced }
    }
    guard abandoned.count < 2 || packetCount <= configuration.packetLimit else { return .full }
    let insertion = store.insert(packet, payload: payload)
    guard insertion == .stored else { return insertion }
    observe(packet, transit, isJump: isJump)
    if openFrom != nil, case .none = boundary, store.lowest == packet.sequence { anchor(at: packet) }
    return .stored
  }

  /// The sender restarted at `sequence`: a new timeline begins, and the numbers skipped before it were never sent.
  ///
  /// What is in store is played first, at once.
  public mutating func restart(at sequence: Int64) {
    guard hasStarted || !store.isEmpty else { return }
    boundary = .restart(sequence)
    resumption = nil
    openFrom = nil
    counts.resynchronisations += 1
    arrivals = nil
  }

  /// Nothing more will come: what is in store is played at its time, then `poll` says `.ended`.
  public mutating func end() { isEnded = true }

  /// Closes the account after `.ended`: of `expected` numbers, all that were neither played nor rebuilt count as
  /// concealed.
  ///
  /// While the stream runs, `concealed` is right for all numbers up to the last one played, except for those of packets
  /// that were thrown away before the first or around a restart, which the buffer never saw.
  public mutating func settle(expected: Int) {
    counts.concealed = max(0, expected - counts.played - counts.recovered)
  }

  /// Gives back the memory of a store that isn't needed any more; it takes one more packet at most.
  public mutating func release() { store = PacketStore(packetLimit: 1, byteLimit: 0) }

  // MARK: Outputs

  /// The next thing to do at `now`; call again until it says `.wait` or `.ended`.
  @inline(__always) public mutating func poll(at now: Instant) -> PlayoutDecision {
    if isElastic { return pollElastic(at: now) }
    guard hasStarted || !store.isEmpty else { return isEnded ? .ended : .wait(until: nil) }
    if let decision = pollResumption(at: now) { return decision }
    guard let head = store.head else { return pollEmpty(at: now) }
    let isFlushing = crossBoundary(to: head)
    if !configuration.isContinuous { nextTimestamp = head.timestamp }
    let due = dueTime(of: nextTimestamp)
    guard isFlushing || due <= now else { return .wait(until: due) }
    var gap = head.timestamp - nextTimestamp
    // What is played before a boundary is played at once: a pause in it, or a second boundary, mustn't take time.
    if isFlushing, gap > missingUnits(before: head) {
      nextTimestamp = head.timestamp
      gap = 0
    }
    guard gap <= 0 else { return fill(gap, before: head) }
    let decision = play(head)
    noteEmitted(decision, heard: isFlushing ? head.arrival : due)
    return decision
  }

  /// Runs `body` on the payload of the packet in `slot`, which a decision of the last `poll` named.
  @inlinable public func withPayload<Result, Failure: Error>(
    in slot: Int, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try store.withPayload(in: slot, body)
  }

  // MARK: Queries

  /// Packets in store.
  public var packetCount: Int { store.count + abandoned.count }

  /// Media from the playout position to the end of the newest packet in store: how much delay the store holds.
  public var level: Interval {
    guard let tail = store.tail else { return .zero }
    // Across a boundary timestamps can't be compared.
    guard case .none = boundary else {
      return Interval(units: Int64(store.count) * lastDuration, rate: configuration.clockRate)
    }
    return Interval(
      units: max(0, tail.timestamp &+ tail.duration &- nextTimestamp), rate: configuration.clockRate)
  }

  /// The smallest recent transit, from which the target is counted; nil before the first packet of a timeline.
  public var baseTransit: Interval? { arrivals?.base }

  /// How long after the fastest packet of the recent past this one came, asked before it is inserted.
  ///
  /// A buffer whose target is no more than that calls it late. Nil when it begins a timeline, and so can't be late.
  @inline(__always) public func lateness(of packet: BufferedPacket) -> Interval? {
    let transit = transit(of: packet)
    guard let base = arrivals?.base, isFlushing || !startsTimeline(packet, transit) else { return nil }
    return transit - base
  }

  // MARK: Private

  @inline(__always) func dueTime(of timestamp: Int64) -> Instant {
    guard let base = arrivals?.base else { return .zero }
    return Instant.zero + base + Interval(units: timestamp, rate: configuration.clockRate) + target
  }

  @inline(__always) func transit(of packet: BufferedPacket) -> Interval {
    (packet.arrival - .zero) - Interval(units: packet.timestamp, rate: configuration.clockRate)
  }

  private mutating func begin(with packet: BufferedPacket) {
    firstSequence = packet.sequence
    nextSequence = packet.sequence
    nextTimestamp = packet.timestamp
    lastArrival = packet.arrival
    newestSequence = packet.sequence
    newestTimestamp = packet.timestamp
    arrivals = ArrivalModel(transit: transit(of: packet), at: packet.arrival)
    learn(packet, transit(of: packet))
    elastic.begin(at: packet.arrival)
  }

  /// The first packet of a timeline is, so far, this one.
  private mutating func anchor(at packet: BufferedPacket) {
    nextTimestamp = packet.timestamp
    guard packet.sequence < nextSequence else { return }
    nextSequence = packet.sequence
    if !hasStarted { firstSequence = packet.sequence }
  }

  /// Whether the packet's time has passed; what lies behind a boundary is never late.
  @inline(__always) private func isPassed(_ packet: BufferedPacket, _ transit: Interval) -> Bool {
    guard hasStarted else { return false }
    if let openFrom, packet.sequence >= openFrom, isNear(transit) { return false }
    if packet.sequence < nextSequence { return true }
    switch boundary {
    case .restart(let start) where packet.sequence > start - Self.restartMargin: return false
    case .timeline(let start, _) where packet.sequence >= start: return false
    default: break
    }
    guard configuration.isContinuous else { return configuration.isFramed && isOver(packet, transit) }
    return packet.timestamp + max(packet.duration, 1) <= nextTimestamp
  }

  /// A late packet's number has been passed without being played, as have those before it.
  private mutating func pass(_ packet: BufferedPacket, _ transit: Interval) {
    if packet.sequence < firstSequence {
      counts.concealed += Int(firstSequence - packet.sequence)
      firstSequence = packet.sequence
    } else if packet.sequence >= nextSequence, store.isEmpty || packet.sequence < store.lowest {
      let missing = packet.sequence + 1 - nextSequence
      counts.concealed += Int(missing) - gapRecovered
      nextSequence = packet.sequence + 1
      settleStall(lost: multiple(missing, of: max(lastDuration, packet.duration)), keepingRest: true)
      gapUnits = 0
      gapRecovered = 0
    }
    if isNear(transit), arrivals != nil {
      arrivals?.observe(transit: transit, at: packet.arrival)
      learn(packet, transit)
    }
    noteArrival(of: packet, transit)
  }

  private mutating func noteArrival(of packet: BufferedPacket, _ transit: Interval) {
    lastArrival = max(lastArrival, packet.arrival)
    guard packet.sequence >= newestSequence, isNear(transit) || store.contains(packet.sequence) else { return }
    newestSequence = packet.sequence
    newestTimestamp = packet.timestamp
  }

  /// Whether a packet's transit is one that a path could have, given those before it.
  @inline(__always) private func isNear(_ transit: Interval) -> Bool {
    guard let base = arrivals?.base else { return true }
    let shift = transit - base
    return shift <= Self.discontinuity && shift >= -Self.discontinuity
  }

  /// Whether this packet's transit is so far from all before it that the sender's timestamps, or the pause it made,
  /// have moved the timeline.
  @inline(__always) private func startsTimeline(_ packet: BufferedPacket, _ transit: Interval) -> Bool {
    guard let base = arrivals?.base, packet.sequence >= nextSequence,
      store.isEmpty || packet.sequence > store.highest
    else {
      return false
    }
    if !isNear(transit) { return true }
    // Delay can't put a packet before the one that was sent before it.
    if configuration.isContinuous, newestTimestamp - packet.timestamp > backwardJump { return true }
    // After a pause at least: one packet late by so much is just late. So is one after a pause during which the clock ran.
    return hasStarted && store.isEmpty && packet.arrival - lastArrival > Self.pause
      && transit - base > target && media(keptBackBefore: packet, transit - base) > Self.pause * 3 / 4
  }

  /// Whether the packet belongs to a timeline that seemed to begin after it, because it was overtaken.
  ///
  /// Mutating, as `withPayload` is inlined, because a value of this size would be copied for the call.
  private mutating func beginsTimelineEarlier(_ packet: BufferedPacket, _ transit: Interval) -> Bool {
    guard case .timeline(let start, let before) = boundary, let base = arrivals?.base, packet.sequence < start,
      packet.sequence >= nextSequence
    else { return false }
    guard magnitude(transit - base) < magnitude(transit - before) else { return false }
    // A wild timestamp in between would be taken into this timeline, behind a gap that doesn't end.
    return (max(packet.sequence, store.lowest)..<max(start, store.lowest)).allSatisfy {
      store.packet($0).map { isNear(self.transit(of: $0)) } ?? true
    }
  }

  private var transitBefore: Interval {
    if case .timeline(_, let before) = boundary { before } else { arrivals?.base ?? .zero }
  }

  private func magnitude(_ interval: Interval) -> Interval { interval < .zero ? -interval : interval }

  /// Whether the packet can be played between its neighbours without a jump.
  @inline(__always) private func isPlausible(_ packet: BufferedPacket, _ transit: Interval) -> Bool {
    switch boundary {
    case .timeline(let start, let before) where packet.sequence < start:
      return magnitude(transit - before) <= Self.discontinuity
    case .restart(let start) where packet.sequence <= start - Self.restartMargin:
      // Nothing is left to compare it with; what stands before a restart is played without its gaps.
      return true
    default: return isNear(transit)
    }
  }

  mutating func observe(_ packet: BufferedPacket, _ transit: Interval, isJump: Bool) {
    noteArrival(of: packet, transit)
    if isJump {
      boundary = .timeline(packet.sequence, before: arrivals?.base ?? .zero)
      openFrom = nil
      counts.resynchronisations += 1
      arrivals = nil
    }
    switch boundary {
    case .timeline(let start, _) where packet.sequence < start: return
    case .restart(let start) where packet.sequence <= start - Self.restartMargin: return
    default: break
    }
    if arrivals == nil {
      arrivals = ArrivalModel(transit: transit, at: packet.arrival)
      estimator.restart()
      elastic.drift.restart()
      narrator.restart()
    } else {
      arrivals?.observe(transit: transit, at: packet.arrival)
    }
    learn(packet, transit)
  }

  /// Steps over a boundary once every packet before it has been played; true while those have to be played at once.
  mutating func crossBoundary(to head: BufferedPacket) -> Bool {
    switch boundary {
    case .none: return false
    case .timeline(let start, _):
      guard head.sequence >= start else { return true }
      settleStall(lost: missingUnits(before: head))
      openFrom = nextSequence
    case .restart(let start):
      guard head.sequence > start - Self.restartMargin else { return true }
      settleStall(lost: 0)
      openFrom = max(nextSequence, start - Self.restartMargin + 1)
      nextSequence = head.sequence
    }
    boundary = .none
    framesOver = .min
    elastic.isAnchored = false
    nextTimestamp = head.timestamp
    // Only when a restart was announced at a number that is in store already.
    if arrivals == nil { arrivals = ArrivalModel(transit: transit(of: head), at: head.arrival) }
    return false
  }

  @inline(__always) mutating func play(_ head: BufferedPacket) -> PlayoutDecision {
    let slot = store.slot(of: head.sequence)
    let skip = configuration.isContinuous ? min(nextTimestamp - head.timestamp, head.duration) : 0
    // What was filled blindly in the place of missing packets, and of this one's beginning, was lost.
    settleStall(lost: missingUnits(before: head) + skip)
    counts.concealed += Int(head.sequence - nextSequence) - gapRecovered
    counts.played += 1
    counts.playedUnits += head.duration - skip
    store.removeLowest()
    hasStarted = true
    openFrom = nil
    nextSequence = head.sequence + 1
    nextTimestamp = max(nextTimestamp, head.timestamp + head.duration)
    if head.duration > 0 { lastDuration = head.duration }
    lastWasSilence = head.isSilence
    gapUnits = 0
    gapRecovered = 0
    return .play(head, slot: slot, skip: skip)
  }

  /// Fills part of the gap between the playout position and the next packet in store.
  mutating func fill(_ gap: Int64, before head: BufferedPacket) -> PlayoutDecision {
    settleStall(lost: missingUnits(before: head))
    // More time than the missing packets can have held: the rest is a pause.
    guard gapUnits < missingUnits(before: head) else {
      let piece = min(gap, max(1, Int64(configuration.clockRate)))
      counts.silenceUnits += piece
      nextTimestamp += piece
      return .silence(duration: piece)
    }
    if head.carriesFEC, gap <= head.duration {
      // A packet whose beginning was concealed before its copy came was lost, though less of it.
      let isWhole = gapUnits == 0 || gap == head.duration
      if isWhole { counts.recovered += 1 }
      counts.recoveredUnits += gap
      gapRecovered = isWhole ? 1 : 0
      nextTimestamp += gap
      return .recover(slot: store.slot(of: head.sequence), duration: gap)
    }
    let piece = min(head.carriesFEC ? gap - head.duration : gap, lastDuration)
    noteFilling()
    noteConcealed(piece)
    nextTimestamp += piece
    return concealment(of: piece, after: gapUnits - piece)
  }

  /// How much media the numbers missing before the next packet can have held: nobody knows their length, but it is
  /// that of a neighbour.
  @inline(__always) func missingUnits(before head: BufferedPacket) -> Int64 {
    multiple(max(0, head.sequence - nextSequence), of: max(lastDuration, head.duration))
  }

  func multiple(_ count: Int64, of units: Int64) -> Int64 {
    let product = count.multipliedReportingOverflow(by: units)
    return product.overflow ? .max / 2 : product.partialValue
  }

  /// The store is empty although something is due: fill in real time until it is known what happened.
  private mutating func pollEmpty(at now: Instant) -> PlayoutDecision {
    if isEnded {
      forgetStall()
      return .ended
    }
    guard configuration.isContinuous, case .none = boundary else { return .wait(until: nil) }
    let due = dueTime(of: nextTimestamp)
    guard due <= now else { return .wait(until: due) }
    let filled = stallUnits
    if !lastWasSilence { noteFilling() }
    if lastWasSilence || filled >= concealmentLimit {
      // As many packets' time as has passed, at once: a capture's clock may leap by years.
      let units = min((now - due).units(rate: configuration.clockRate), Self.longestSilence)
      let piece = lastDuration + max(0, units / lastDuration * lastDuration)
      stallUnits += piece
      nextTimestamp += piece
      return .silence(duration: piece)
    }
    stallUnits += lastDuration
    nextTimestamp += lastDuration
    return .conceal(duration: lastDuration)
  }

  private func concealment(of units: Int64, after filled: Int64) -> PlayoutDecision {
    return filled < concealmentLimit ? .conceal(duration: units) : .silence(duration: units)
  }
}
