import Timeline

/// What goes on after a long time without a packet.
///
/// Its first packet doesn't say what happened. If the network was held up, what was sent meanwhile comes at once, each
/// packet less stale than the one before it; if the sender stood still, its packets go on at their pace. So the second
/// packet decides, or that it doesn't come.
struct Resumption: Sendable {
  /// The first packet waits for the second one for as long as it plays, but within these limits.
  static let proof = Interval.milliseconds(5)...Interval.milliseconds(20)
  /// What was kept back has all come when for so long no packet was less stale than those before.
  static let patience = Interval.milliseconds(100)

  /// What seemed to be a sender that had stood still, told by two packets, is watched for a while: if it becomes less and
  /// less late it was a network that lets go slowly, or whose first two packets came far apart.
  struct Doubt: Sendable {
    /// For so long.
    static let time = Interval.seconds(2)
    /// Packets after a pause may be this much less late than the first one: jitter makes no more.
    static let fall = Interval.milliseconds(300)

    /// The smallest transit from before, which still holds if it was held up.
    let base: Interval
    /// The first packet's transit, and when it came.
    let transit: Interval
    let arrival: Instant

    /// Whether a packet shows that it was held up, and what was kept back comes at one and a half times its pace at least:
    /// until it is all there it takes no more than twice the time for which there was nothing.
    func isDispelled(by transit: Interval, at arrival: Instant) -> Bool {
      let fall = self.transit - transit
      return fall >= Self.fall && fall * 2 >= arrival - self.arrival
    }
  }

  /// The first packet; it is in store until it is known what it is.
  let first: BufferedPacket
  /// When the first packet alone is proof that the sender had stood still; nil once what was kept back is coming.
  var proof: Instant?
  /// The smallest transit since, and when it was seen.
  var lowest: (transit: Interval, at: Instant)
  /// Media that was given up, and that was concealed in its place, in clock units.
  var givenUp: Int64 = 0
  var concealed: Int64 = 0

  init(first: BufferedPacket, transit: Interval, duration: Interval) {
    self.first = first
    proof = first.arrival + min(max(duration, Self.proof.lowerBound), Self.proof.upperBound)
    lowest = (transit, first.arrival)
  }

  /// Takes in a transit; false when nothing has become less stale for long.
  mutating func isGoingOn(_ transit: Interval, at arrival: Instant) -> Bool {
    let elapsed = arrival - lowest.at
    if transit < lowest.transit, lowest.transit - transit >= elapsed / 4 {
      lowest = (transit, arrival)
      return true
    }
    return elapsed <= Self.patience
  }
}

/// Tells a network that was held up from a sender that paused, and gives up what is stale after the former.
extension JitterBuffer {
  /// Whether what the network had kept back is coming.
  var isFlushing: Bool {
    if let resumption { resumption.proof == nil } else { false }
  }

  /// What begins with a packet of a new timeline, if it may as well be the old one's, held up by the network.
  func resumption(at packet: BufferedPacket, _ transit: Interval) -> Resumption? {
    guard configuration.isContinuous, hasStarted, store.isEmpty, case .none = boundary, !isEnded,
      abandoned.isEmpty, let base = arrivals?.base
    else { return nil }
    let (hold, excess) = (packet.arrival - lastArrival, transit - base)
    let length = Interval(units: max(packet.duration, lastDuration), rate: configuration.clockRate)
    // It can't have been kept back for longer than there was nothing.
    guard hold > Self.pause, excess > target, excess <= hold + length else { return nil }
    return Resumption(first: packet, transit: transit, duration: length)
  }

  /// So much media can be on its way before a packet whose transit exceeds the smallest by `excess`: that which isn't
  /// there, and what was sent while it was on its way.
  ///
  /// Little of it after a pause during which the clock ran, however long that was.
  @inline(__always) func media(keptBackBefore packet: BufferedPacket, _ excess: Interval) -> Interval {
    let missing = multiple(max(0, packet.sequence - nextSequence), of: max(packet.duration, lastDuration))
    return excess + Interval(units: missing, rate: configuration.clockRate)
  }

  /// What a packet is while it isn't known yet why there was none for long.
  enum Resumed {
    /// It came too late, and has been passed.
    case stale
    /// It goes on where the one before it ended.
    case goingOn
    /// It begins a new timeline.
    case jump
  }

  /// Takes in the next packet.
  mutating func resume(with packet: BufferedPacket, _ transit: Interval) -> Resumed {
    guard var resumption, let base = arrivals?.base else { return .goingOn }
    if resumption.proof != nil {
      let (first, elapsed) = (resumption.lowest.transit, packet.arrival - resumption.first.arrival)
      let change = first < transit ? transit - first : first - transit
      // Two packets that come in less than half the time that lies between them were kept back together.
      guard elapsed < change, transit - base <= packet.arrival - lastArrival + Self.discontinuity,
        transit >= base - target
      else {
        takeUp()
        return .goingOn
      }
      resumption.proof = nil
      self.resumption = resumption
      abandon(resumption.first)
    } else if packet.arrival - lastArrival > Self.pause {
      endFlush(at: packet.arrival, base: base)
      return .goingOn
    }
    let length = Interval(units: max(packet.duration, lastDuration), rate: configuration.clockRate)
    let limit = target + (isElastic ? min(length, ElasticPlayout.block) : length)
    guard transit - base > limit else {
      endFlush(at: packet.arrival, base: base)
      return .goingOn
    }
    let isGoingOn = self.resumption?.isGoingOn(transit, at: packet.arrival) == true
    guard isGoingOn || packet.sequence < nextSequence else {
      // The path has become longer, or it was the sender that stood still: then hardly anything became less stale.
      let first = self.transit(of: resumption.first)
      endFlush(at: packet.arrival, base: base)
      if isElastic, first - transit > transit - base {
        noteStalled(stallUnits)
        stallUnits = 0
      }
      return .jump
    }
    giveUp(packet)
    return .stale
  }

  /// Asks once more whether the network was held up, while what goes on after a long time without a packet is played.
  mutating func reconsider(_ packet: BufferedPacket, _ transit: Interval) {
    guard let doubt, resumption == nil, !isEnded, packet.arrival - doubt.arrival <= Resumption.Doubt.time else {
      self.doubt = nil
      return
    }
    // Until what was played before is over, what follows has no place yet.
    guard case .none = boundary, openFrom == nil, packet.sequence >= nextSequence else { return }
    guard doubt.isDispelled(by: transit, at: packet.arrival) else { return }
    self.doubt = nil
    // What is no later than anything else has come after all, and is played.
    guard transit - doubt.base > target + ElasticPlayout.block else { return }
    var resumption = Resumption(first: packet, transit: transit, duration: .zero)
    resumption.proof = nil
    self.resumption = resumption
    arrivals = ArrivalModel(transit: doubt.base, at: packet.arrival)
    while let head = store.head { abandon(head) }
  }

  /// Gives up a packet that is in store, the first one of all.
  private mutating func abandon(_ packet: BufferedPacket) {
    abandoned.append(packet)
    counts.discarded += 1
    store.removeLowest()
    giveUp(packet)
  }

  /// Passes a stale packet, and with it those missing before it.
  private mutating func giveUp(_ packet: BufferedPacket) {
    lastArrival = max(lastArrival, packet.arrival)
    guard packet.sequence >= nextSequence else { return }
    let missing = packet.sequence + 1 - nextSequence
    let units = multiple(missing, of: max(lastDuration, packet.duration))
    counts.concealed += Int(missing) - gapRecovered
    nextSequence = packet.sequence + 1
    newestSequence = max(newestSequence, packet.sequence)
    newestTimestamp = packet.timestamp
    gapUnits = 0
    gapRecovered = 0
    resumption?.givenUp += min(units, .max / 4)
    if isElastic {
      nextTimestamp = max(nextTimestamp, packet.timestamp + packet.duration)
      return
    }
    // A fixed delay has gone on meanwhile, and concealed what is too late now.
    let (lost, before) = (min(stallUnits, units), resumption?.concealed ?? 0)
    stallUnits -= lost
    resumption?.concealed = before + lost
    counts.concealedUnits += lost
    counts.silentConcealedUnits += max(0, before + lost - concealmentLimit) - max(0, before - concealmentLimit)
    if lost > 0 { isEventOpen = false }
  }

  /// What was kept back has come, and the path is what it was before.
  private mutating func endFlush(at arrival: Instant, base: Interval) {
    if isAdaptive, let units = resumption?.givenUp {
      narrator.tell(.gaveUp(Interval(units: units, rate: configuration.clockRate)), at: arrival)
    }
    resumption = nil
    arrivals = ArrivalModel(transit: base, at: arrival)
    estimator.restart()
    elastic.drift.restart()
    narrator.restart()
  }

  /// The sender had stood still: the first packet since begins a new timeline.
  private mutating func takeUp() {
    guard let first = resumption?.first else { return }
    resumption = nil
    if isElastic, let base = arrivals?.base {
      doubt = Resumption.Doubt(base: base, transit: transit(of: first), arrival: first.arrival)
    }
    observe(first, transit(of: first), isJump: true)
  }

  /// Until when it isn't known what happened; nil once it is.
  @inline(__always) mutating func undecided(at now: Instant) -> Instant? {
    guard let proof = resumption?.proof else { return nil }
    guard now < proof, !isEnded else {
      takeUp()
      return nil
    }
    return proof
  }

  /// What there is to do for a buffer with a fixed delay while packets are told apart.
  @inline(__always) mutating func pollResumption(at now: Instant) -> PlayoutDecision? {
    if let packet = takeAbandoned() { return .discard(packet) }
    return undecided(at: now).map { .wait(until: $0) }
  }

  /// The packet that is to be handed out as given up.
  @inline(__always) mutating func takeAbandoned() -> BufferedPacket? {
    abandoned.isEmpty ? nil : abandoned.removeFirst()
  }
}
