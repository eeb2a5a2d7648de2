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
    if gapUnits == 0, stallUnits == 0 { counts.concealmentEvents += 1 }
  }

  /// Lost media was concealed, or left silent where the gap is long.
  mutating func noteConcealed(_ units: Int64) {
    counts.silentConcealedUnits += max(0, gapUnits + units - concealmentLimit) - max(0, gapUnits - concealmentLimit)
    counts.concealedUnits += units
    gapUnits += units
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
}
