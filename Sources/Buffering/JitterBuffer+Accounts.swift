import Timeline

/// What is counted of the audio that goes out.
extension JitterBuffer {
  /// A packet has left the buffer, and is heard at `heard`.
  @inline(__always) mutating func noteEmitted(_ decision: PlayoutDecision, heard: Instant) {
    guard case .play(let packet, _, let skip) = decision else { return }
    let units = Double(packet.duration - skip)
    let wait = max(0, (heard - packet.arrival).seconds)
    counts.waiting += wait
    counts.waited += wait * units
    counts.targeted += target.seconds * units
    if isAdaptive { counts.needed += max(0, estimator.need.seconds) * units }
  }

  /// Something has to be filled in: after what was played that is an event of its own.
  mutating func noteFilling() {
    guard gapUnits == 0, stallUnits == 0 else { return }
    counts.concealmentEvents += 1
    isEventOpen = true
  }

  /// Lost media was concealed, or left silent where the gap is long.
  mutating func noteConcealed(_ units: Int64) {
    counts.silentConcealedUnits += max(0, gapUnits + units - concealmentLimit) - max(0, gapUnits - concealmentLimit)
    counts.concealedUnits += units
    gapUnits += units
    if units > 0 { isEventOpen = false }
  }

  /// What was filled in was the sender's pause: nothing was concealed in it, and nothing ran dry.
  mutating func notePause() {
    guard isEventOpen else { return }
    isEventOpen = false
    counts.concealmentEvents -= 1
    if isElastic { counts.underruns -= 1 }
  }

  /// For so long the next packet was late; where nothing can be told of its `covered` units yet, those are left out.
  mutating func noteStalled(_ units: Int64, beyond covered: Int64 = 0) {
    guard units > 0 else { return }
    if !lastWasSilence { counts.stalls += 1 }
    counts.stalledUnits += units
    counts.silentConcealedUnits +=
      max(0, units + covered - concealmentLimit) - max(0, covered - concealmentLimit)
    isEventOpen = false
  }

  /// The stream is over: what was filled in since its last packet stood for nothing.
  mutating func forgetStall() {
    guard stallUnits > 0 else { return }
    let units = stallUnits
    stallUnits = 0
    counts.end.units += units
    guard !lastWasSilence else { return }
    counts.end.concealedUnits += units
    counts.end.silentUnits += max(0, units - concealmentLimit)
    if gapUnits == 0 { counts.concealmentEvents -= 1 }
    if isElastic { counts.underruns -= 1 }
  }

  /// Of what was filled while nothing was known, as much as the gap lacks up to `units` was lost media, the rest a
  /// pause of the sender; unless that isn't known yet of the rest.
  mutating func settleStall(lost units: Int64, keepingRest: Bool = false) {
    guard stallUnits > 0 else { return }
    let lost = min(stallUnits, max(0, units - gapUnits))
    noteConcealed(lost)
    stallUnits -= lost
    if keepingRest { return }
    if stallUnits > 0 { notePause() }
    counts.silenceUnits += stallUnits
    stallUnits = 0
  }
}
