public import Timeline

/// Playout that keeps an adaptive target by stretching audio: no packet is thrown away to lose delay, and none is
/// concealed to gain it, as long as the stretching of what is played can do it.
extension JitterBuffer {
  /// Concealment without a packet that lasts for so long ends what was played before: what follows begins at the target.
  private static let longStall = Interval.milliseconds(500)
  /// The delay may be this far from the target before anything is stretched.
  private static let tolerance = Interval.milliseconds(4)
  /// The longest change of one packet's audio: little more than a period of the lowest voices.
  private static let longestChange = Interval.milliseconds(15)
  /// What a delay may have beyond a block more than it needs, so that it isn't made longer right after.
  private static let hysteresis = Interval.milliseconds(2)
  /// A delay that is longer than needed by less than this is left alone: it would be too short with a block less.
  private static let smallestExcess = ElasticPlayout.block + hysteresis
  /// How much more than a block's rest may be inserted, as it is of no use; more only where less couldn't be done.
  private static let overshoot = Interval.milliseconds(4)
  /// Less of a block than this isn't worth a change.
  private static let smallestRemainder = Interval.microseconds(500)
  /// What the delay has above the target and a block while a drift is corrected.
  private static let driftMargin = Interval.milliseconds(1)
  /// The least that is provided for while a drift is corrected: in a day every packet is the last one for its block
  /// many times, and a LAN's slowest packets are slower than its half percent.
  private static let driftFloor = Interval.milliseconds(4)
  /// The resampling by which each millisecond that it lacks is made up.
  private static let driftLift = 1e-4
  /// The most that audio is resampled: a twentieth of a semitone's third.
  private static let strongestCorrection = 0.001
  /// Once media is being given up, this much more than the target is given up too.
  private static let smallestBacklog = Interval.milliseconds(100)
  /// The chance that the next packet is late from which on the one before it is lengthened.
  private static let risk = 0.3

  /// Whether decisions follow the pull clock.
  @inline(__always) var isElastic: Bool { isAdaptive && configuration.isContinuous }

  /// The delay, beyond the smallest transit, at which media decided at `tick` will be heard.
  @inline(__always) private func playoutDelay(of timestamp: Int64, at tick: Instant) -> Interval {
    guard let base = arrivals?.base else { return .zero }
    return (tick + elastic.queued - .zero) - Interval(units: timestamp, rate: configuration.clockRate) - base
  }

  /// The delay, beyond the smallest transit, of what is played at `now`; nil before anything is played.
  public func playoutDelay(at now: Instant) -> Interval? {
    guard hasStarted, arrivals != nil else { return nil }
    return isElastic ? playoutDelay(of: nextTimestamp, at: max(now, elastic.tick)) : target
  }

  /// By how much the player should make audio longer (or shorter, when negative) by resampling, as a share of at most
  /// 0.001: the sender's clock isn't ours.
  ///
  /// 0 as long as nothing else is needed, so that audio stays bit for bit as it was sent.
  public var driftCorrection: Double { elastic.correction }

  /// The part of ``driftCorrection`` that isn't for the sender's clock, but brings the delay to where packets that begin
  /// anywhere in a block need it.
  public var driftLift: Double {
    elastic.correction - min(max(elastic.drift.slope, -Self.strongestCorrection), Self.strongestCorrection)
  }

  /// The packets so far weren't known to be a stream before this.
  ///
  /// A source is proven by its second packet. What would have been pulled until then is decided at once: files don't mind,
  /// and a player behind a pipe begins with so much in its own buffer. Only where the proof took longer than any packet
  /// plays playout begins with it, and the delay that this makes is taken back once a second has shown what the network
  /// does. So is that of a `margin` that is waited for after the proof, whatever it took.
  public mutating func holdStart(until instant: Instant, margin: Interval = .zero) {
    guard !hasStarted else { return }
    if margin > .zero { elastic.hold(until: instant + margin, atLeast: .zero) } else { elastic.hold(until: instant) }
  }

  /// The next thing to do for a sink that pulls `block` at `now`; `.wait` once the block is there.
  ///
  /// For a sink with a clock of its own; `poll(at:)` has one that pulls 10 ms every 10 ms. A buffer is used with one of
  /// the two.
  public mutating func pull(_ block: Interval, at now: Instant) -> PlayoutDecision {
    guard hasStarted || !store.isEmpty else { return isEnded ? .ended : .wait(until: nil) }
    if let packet = takeAbandoned() { return .discard(packet) }
    elastic.tick = now
    elastic.note(block: block)
    guard elastic.queued + ElasticPlayout.rounding < block else {
      elastic.queued -= block
      return .wait(until: nil)
    }
    return decide(at: now, until: now) ?? .silence(duration: units(block - elastic.queued, isQueued: true))
  }

  /// What the player made of ``stretch``: so many units inserted, or removed when negative.
  public mutating func settleStretch(_ units: Int64) {
    let difference = units - stretch.preferred
    noteStretch(stretch.preferred, sign: -1)
    noteStretch(units)
    elastic.append(Interval(units: difference, rate: configuration.clockRate))
    // A packet that was played as it is doesn't end the rest after the last change.
    guard stretch.most != 0 else { return }
    elastic.hasMissed = units == 0
    elastic.rest(after: Interval(units: units, rate: configuration.clockRate))
    counts.stretches += (units == 0 ? 0 : 1) - (stretch.preferred == 0 ? 0 : 1)
    stretch = .none
  }

  mutating func pollElastic(at now: Instant) -> PlayoutDecision {
    guard hasStarted || !store.isEmpty else { return isEnded ? .ended : .wait(until: nil) }
    if let packet = takeAbandoned() { return .discard(packet) }
    while elastic.pull(until: now) {
      if let decision = decide(at: elastic.tick, until: now) { return decision }
    }
    return .wait(until: elastic.tick)
  }

  /// Learns from an arrival.
  @inline(__always) mutating func learn(_ packet: BufferedPacket, _ measured: Interval) {
    guard isAdaptive, let adaptation = configuration.adaptation, let base = arrivals?.base,
      let (transit, seconds) = lesson(of: packet, measured, base: base)
    else { return }
    estimator.observe(transit: transit, base: base, at: packet.arrival, seconds: seconds)
    elastic.drift.observe(transit: transit, at: packet.arrival)
    var need = estimator.need + senderWait
    if configuration.isFramed, packet.arrival - elastic.tick < Self.framedLearning {
      need = max(need, configuration.firstTarget(adaptation))
    }
    if configuration.isFramed { need = max(need, largestFrames.need, Self.framedLeast) }
    if packet.sequence >= newestSequence { learnRecovery(packet, transit, base: base) }
    // The delay may stay under the target by the tolerance, and a copy that misses its block is half a copy.
    if packet.carriesFEC { need = recovery.wait(beyond: need).map { $0 + Self.tolerance } ?? need }
    let asked = min(max(need, adaptation.limits.lowerBound), adaptation.limits.upperBound)
    target = asked + addedDelay
    narrator.note(target: asked, delay: transit - base, base: base, at: packet.arrival)
  }

  /// The transit that the packet lets learn from, and how many seconds it counts for; nil where it tells nothing.
  @inline(__always) private mutating func lesson(
    of packet: BufferedPacket, _ transit: Interval, base: Interval
  ) -> (transit: Interval, seconds: Double)? {
    let rate = configuration.clockRate
    if configuration.isFramed, !configuration.hasFrameEnds {
      return delayGroup.take(packet, delay: transit - base, rate: rate).map { (base + $0.delay, $0.seconds) }
    }
    if configuration.isFramed {
      largestFrames.take(packet, delay: transit - base)
      guard packet.duration > 0 else { return nil }
    }
    return (transit, Double(packet.duration > 0 ? packet.duration : lastDuration) / Double(rate))
  }

  private mutating func learnRecovery(_ packet: BufferedPacket, _ transit: Interval, base: Interval) {
    let lost = packet.sequence - 1
    let isCopy = packet.carriesFEC && lost >= nextSequence && hasStarted && !store.contains(lost)
    let length = Interval(units: packet.duration, rate: configuration.clockRate)
    recovery.observe(copy: isCopy ? transit - base + length : nil, seconds: length.seconds)
  }

  /// The next thing that changed the delay.
  public mutating func pollEvent() -> (event: BufferEvent, at: Instant)? { narrator.next() }

  /// The next thing to put into the queue; nil when the clock was set instead.
  private mutating func decide(at tick: Instant, until now: Instant) -> PlayoutDecision? {
    if let until = undecided(at: tick) { return stall(at: tick, until: min(now, until)) }
    guard let head = store.head else { return stall(at: tick, until: now) }
    let isFlushing = crossBoundary(to: head)
    absorbStall(before: head)
    elastic.note(packet: head.duration, rate: configuration.clockRate)
    var gap = head.timestamp - nextTimestamp
    if isFlushing {
      // What is played before a boundary keeps what follows waiting: neither a pause in it nor a long gap may take time.
      if gap > min(missingUnits(before: head), concealmentLimit) {
        nextTimestamp = head.timestamp
        gap = 0
      }
    } else {
      let delay = playoutDelay(of: head.timestamp, at: tick)
      if let decision = discardStale(head, delay: delay) { return decision }
      if !elastic.isAnchored {
        elastic.isAnchored = true
        // A delay is never less than nothing, whatever a hostile sender's timestamps make of it.
        let lack = target + elastic.unevenness - max(delay, -ElasticPlayout.block)
        if lack > .zero {
          if !hasStarted, elastic.unevenness == .zero {
            // A sink with a clock of its own is asked again at its next block.
            elastic.isAnchored = !elastic.isPulled
            elastic.tick = tick + lack
            return nil
          }
          let pause = units(lack, isQueued: true)
          counts.stalledUnits += pause
          counts.silentConcealedUnits += pause
          return .silence(duration: pause)
        }
      }
    }
    if gap > 0, tick < elastic.endOfDiscarding,
      playoutDelay(of: nextTimestamp, at: tick) > target + Self.smallestBacklog
    {
      // What is missing is as stale as what was given up before it.
      nextTimestamp = head.timestamp
      gap = 0
    }
    if gap > 0 {
      let decision = fill(gap, before: head)
      // Before a boundary the delay can't be told, and so can't be corrected.
      guard !isFlushing, case .silence(let duration) = decision else { return queue(decision) }
      return pause(of: duration, at: tick)
    }
    return lengthen(head, at: tick, isFlushing: isFlushing)
  }

  /// Plays a packet, with a wish for its length.
  private mutating func lengthen(_ head: BufferedPacket, at tick: Instant, isFlushing: Bool) -> PlayoutDecision {
    let delay = playoutDelay(of: nextTimestamp, at: tick)
    correctDrift(delay: delay)
    if narrator.isRecovering, let time = narrator.recovered(delay: delay - ElasticPlayout.block * 2, at: tick) {
      counts.recoveries += 1
      counts.recovering += time.seconds
    }
    if !hasStarted { elastic.begin(with: max(delay, target), added: addedDelay) }
    let heard = tick + elastic.queued
    stretch = isFlushing ? .none : wish(for: head, delay: delay, at: tick)
    let decision = play(head)
    guard case .play(_, _, let skip) = decision else { return decision }
    let duration = head.duration - skip
    noteEmitted(decision, heard: heard)
    if stretch.preferred != 0 {
      noteStretch(stretch.preferred)
      counts.stretches += 1
      elastic.rest(after: Interval(units: stretch.preferred, rate: configuration.clockRate))
    }
    elastic.append(Interval(units: duration + stretch.preferred, rate: configuration.clockRate))
    return decision
  }

  /// How much longer or shorter the packet that is about to be played should become.
  private mutating func wish(for head: BufferedPacket, delay: Interval, at tick: Instant) -> Stretch {
    guard head.duration > 0 else { return .none }
    let remainder = elastic.queued
    if head.isSilence, hasStarted, delay - target > Self.smallestExcess {
      // Nobody hears how long a pause is.
      let wanted = -min(delay - target, Interval(units: head.duration, rate: configuration.clockRate) * 3 / 4)
      return change(atMost: wanted, preferring: wanted, of: head, isUrgent: true)
    }
    if isAboutToRunDry(after: head, at: tick) {
      let lack = ElasticPlayout.block - remainder
      let wanted = lack < ElasticPlayout.block / 2 ? lack + ElasticPlayout.block : lack
      return change(atMost: Self.longestChange, preferring: wanted, of: head, isUrgent: true)
    }
    guard tick >= elastic.nextStretch else { return .none }
    // A packet that is needed before it is due, because it begins within a block, has so much less time.
    let offset = elastic.offset(of: remainder)
    let margin = delay - elastic.unevenness - offset
    if margin < target - min(Self.tolerance, target / 2) {
      // Less than this and the next packet is needed by the same block as before.
      elastic.pace = 10
      let wanted = elastic.roundedUp(min(target - margin, ElasticPlayout.block)) - offset
      let most = elastic.hasMissed ? Self.longestChange : min(wanted + Self.overshoot, Self.longestChange)
      return change(atMost: most, preferring: wanted, of: head, isUrgent: false)
    }
    // A delay that the buffer began with and that has been enough so far is left alone, unless the path became shorter
    // or it is longer than was asked for.
    let longest = configuration.adaptation.map { $0.limits.upperBound + addedDelay } ?? elastic.firstDelay
    let isSettling = elastic.settling.map { tick >= $0 } ?? false
    guard elastic.hasRunDry || isSettling || delay > min(elastic.firstDelay, longest) + Self.smallestExcess else {
      return .none
    }
    // While a drift is corrected, packets begin anywhere in a block sooner or later.
    let isEven = elastic.correction == 0 || elastic.unevenness > .zero
    let excess = isEven ? margin - target : delay - target - worstRemainder
    if excess > Self.smallestExcess {
      elastic.pace = ElasticPlayout.pace(for: excess)
      // Beyond a whole number of blocks a change would make the next packet needed one block earlier.
      let blocks = (excess - Self.hysteresis).nanoseconds / ElasticPlayout.block.nanoseconds
      let most = min(offset + ElasticPlayout.block * blocks, Self.longestChange)
      return change(
        atMost: -most, preferring: -min(most, ElasticPlayout.block + offset), of: head,
        isUrgent: excess > .milliseconds(60))
    }
    // What a packet waits within its block is of no use, and goes where it can.
    guard offset > Self.smallestRemainder, excess > .zero, elastic.correction == 0 else {
      if isSettling { elastic.settle(at: max(delay, target), added: addedDelay) }
      return .none
    }
    elastic.pace = 10
    return change(atMost: -offset, preferring: -offset, of: head, isUrgent: false)
  }

  /// How much earlier than it is due a packet may be needed while a drift is corrected, as far as that matters: where the
  /// target is long, it is seldom needed in full.
  private var worstRemainder: Interval {
    ElasticPlayout.block - min(ElasticPlayout.block / 2, max(.zero, target - Self.driftFloor))
  }

  /// Follows the sender's clock by resampling.
  ///
  /// As packets then begin anywhere in a block, the delay has to be longer by a block: it is made so first, by resampling
  /// too, or by waiting until a fast sender has brought so much.
  private mutating func correctDrift(delay: Interval) {
    let slope = elastic.drift.slope
    guard slope != 0 else {
      elastic.correction = 0
      return
    }
    let goal = max(target + Self.driftMargin, Self.driftFloor) + worstRemainder
    let lack = (goal - delay).milliseconds
    let lift = lack > 0 ? min(lack * Self.driftLift, Self.strongestCorrection / 2) : 0
    let correction = lack > 0 && slope < 0 ? 0 : slope + lift
    elastic.correction = min(max(correction, -Self.strongestCorrection), Self.strongestCorrection)
  }

  @inline(__always) private func change(
    atMost most: Interval, preferring preferred: Interval, of head: BufferedPacket, isUrgent: Bool
  ) -> Stretch {
    let rate = configuration.clockRate
    // Three quarters of a packet at most: the rest has to be heard.
    let limit = head.duration / 2 + head.duration / 4
    let most = min(max(most.units(rate: rate), -limit), limit)
    let wanted = preferred.units(rate: rate)
    return Stretch(most: most, preferred: min(max(wanted, min(most, 0)), max(most, 0)), isUrgent: isUrgent)
  }

  /// Whether this packet is the last one, the next should be here, and is likely to come too late.
  @inline(__always) private func isAboutToRunDry(after head: BufferedPacket, at tick: Instant) -> Bool {
    guard store.count <= 2, !isEnded, !head.isSilence else { return false }
    let rate = configuration.clockRate
    let packet = Interval(units: max(1, lastDuration), rate: rate)
    guard tick - lastArrival > packet + packet * 3 / 4, let tail = store.tail, let base = arrivals?.base else {
      return false
    }
    let end = tail.timestamp + tail.duration
    let left = elastic.queued + Interval(units: end - nextTimestamp, rate: rate)
    guard left < packet + ElasticPlayout.block else { return false }
    let already = (tick - .zero) - Interval(units: end, rate: rate) - base
    return already > .zero && estimator.chance(ofMoreThan: already + left, after: already) > Self.risk
  }

  /// Gives a packet up when so much media waits that what is played isn't news any more.
  private mutating func discardStale(_ head: BufferedPacket, delay: Interval) -> PlayoutDecision? {
    guard let adaptation = configuration.adaptation else { return nil }
    if !elastic.isDiscarding {
      // While a network brings what it had kept back, each packet is a little less stale than the one before it.
      let isGoingOn = elastic.tick < elastic.endOfDiscarding
      let limit = isGoingOn ? target + Self.smallestBacklog : adaptation.limits.upperBound + addedDelay
      elastic.isDiscarding = delay > limit + ElasticPlayout.block
    }
    guard elastic.isDiscarding else { return nil }
    guard store.count > 1, delay > target + Interval(units: head.duration, rate: configuration.clockRate) else {
      elastic.isDiscarding = false
      return nil
    }
    counts.concealed += Int(head.sequence - nextSequence) + 1 - gapRecovered
    counts.discarded += 1
    // Once for all that is given up together.
    if elastic.tick >= elastic.endOfDiscarding { narrator.tell(.gaveUp(delay - target), at: elastic.tick) }
    elastic.endOfDiscarding = elastic.tick + .seconds(1)
    hasStarted = true
    openFrom = nil
    nextSequence = head.sequence + 1
    nextTimestamp = head.timestamp + head.duration
    gapUnits = 0
    gapRecovered = 0
    store.removeLowest()
    return .discard(head)
  }

  /// There is nothing to play: fill a block, and let the delay grow by it.
  private mutating func stall(at tick: Instant, until now: Instant) -> PlayoutDecision? {
    if isEnded {
      forgetStall()
      return .ended
    }
    guard case .none = boundary else {
      // Nothing is known of the timeline to come; a sink with a clock of its own wants its block all the same.
      guard elastic.isPulled else { return .wait(until: nil) }
      return .silence(duration: units(elastic.pulled - elastic.queued, isQueued: true))
    }
    if stallUnits == 0, !lastWasSilence {
      noteFilling()
      counts.underruns += 1
    }
    let rate = configuration.clockRate
    if Interval(units: stallUnits, rate: rate) >= Self.longStall { elastic.isAnchored = false }
    guard lastWasSilence || stallUnits >= concealmentLimit else {
      // No more than the block needs: what follows then begins with the next block.
      let piece = units(elastic.pulled - elastic.queued, isQueued: true)
      stallUnits += piece
      return .conceal(duration: piece)
    }
    // As many blocks as have passed, at once: a capture's clock may leap by years.
    let passed = max(1, (now - tick).nanoseconds / ElasticPlayout.block.nanoseconds)
    let longest = Interval(units: Self.longestSilence, rate: rate)
    let piece = units(min(elastic.pulled * passed, longest) - elastic.queued, isQueued: true)
    stallUnits += piece
    return .silence(duration: piece)
  }

  /// What was filled while nothing was known stands for the media that is missing before the next packet; the rest
  /// has made the delay longer.
  private mutating func absorbStall(before head: BufferedPacket) {
    guard stallUnits > 0 else { return }
    let covered = min(stallUnits, max(0, head.timestamp - nextTimestamp))
    noteStalled(stallUnits - covered, beyond: covered)
    if stallUnits > covered {
      // What is lost doesn't show that the delay was too short.
      elastic.hasRunDry = true
      narrator.ranDry(
        for: Interval(units: stallUnits - covered, rate: configuration.clockRate), at: elastic.tick)
    }
    stallUnits = covered
    nextTimestamp += covered
    settleStall(lost: missingUnits(before: head))
  }

  /// A pause that the sender meant is made shorter or longer, where nobody hears it, until the delay is at the target.
  private mutating func pause(of duration: Int64, at tick: Instant) -> PlayoutDecision? {
    let rate = configuration.clockRate
    let length = Interval(units: duration, rate: rate)
    // `fill` has moved on to the end of the pause, which isn't in the queue yet.
    let delay = max(playoutDelay(of: nextTimestamp, at: tick) + length, -ElasticPlayout.block)
    let change = max(target + elastic.unevenness - delay, -length)
    let isWorth = change > Self.smallestExcess || -change > Self.smallestExcess
    guard isWorth else {
      elastic.append(length)
      return .silence(duration: duration)
    }
    let result = max(0, (length + change).units(rate: rate))
    noteStretch(result - duration)
    guard result > 0 else { return decide(at: tick, until: tick) }
    elastic.append(Interval(units: result, rate: rate))
    return .silence(duration: result)
  }

  private mutating func queue(_ decision: PlayoutDecision) -> PlayoutDecision {
    switch decision {
    case .recover(_, let duration), .conceal(let duration), .silence(let duration):
      elastic.append(Interval(units: duration, rate: configuration.clockRate))
    case .play, .wait, .discard, .ended: break
    }
    return decision
  }

  /// An interval in clock units; with `isQueued` it is put into the queue as well.
  private mutating func units(_ interval: Interval, isQueued: Bool) -> Int64 {
    let units = max(1, interval.units(rate: configuration.clockRate))
    if isQueued { elastic.append(Interval(units: units, rate: configuration.clockRate)) }
    return units
  }

  /// Counts a change; with a sign of -1 it is taken back.
  private mutating func noteStretch(_ units: Int64, sign: Int64 = 1) {
    if units > 0 { counts.insertedUnits += sign * units } else { counts.removedUnits -= sign * units }
  }
}
