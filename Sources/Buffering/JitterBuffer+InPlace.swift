public import Timeline

/// The same for whoever has the buffer to himself and wants only to count: no packet is handed out, and nothing is copied.
///
/// A query from another module is given a copy of the whole buffer, and a decision carries a whole packet: each costs as
/// much as the work itself. Never inlined, because that would bring the copies back.
extension JitterBuffer {
  // MARK: Outputs

  /// What `poll` would decide, for whoever doesn't play it: no packet is handed out.
  @inline(never) public mutating func pass(at now: Instant) -> Passage {
    switch poll(at: now) {
    case .wait(let instant): .wait(until: instant)
    case .play(let packet, _, _): .played(tag: packet.tag)
    case .discard(let packet): .discarded(tag: packet.tag, sequence: packet.sequence)
    case .recover, .conceal, .silence: .filled
    case .ended: .ended
    }
  }

  // MARK: Queries

  /// `level`, in place.
  @inline(never) public mutating func levelInPlace() -> Interval { level }

  /// `lateness`, in place.
  @inline(never) public mutating func latenessInPlace(of packet: BufferedPacket) -> Interval? { lateness(of: packet) }
}
