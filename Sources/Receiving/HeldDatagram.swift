import Packets
import Timeline

/// A datagram that waits until it is known what to make of it: it began a source, or announced a jump.
struct HeldDatagram: Sendable {
  var bytes: [UInt8]
  var peer: Peer
  var arrival: Instant
  var index: UInt64
  var sequence: SequenceNumber
  var timestamp: RTPTimestamp

  init(_ datagram: RawSpan, header: RTPHeader, peer: Peer, arrival: Instant, index: UInt64) {
    bytes = unsafe datagram.withUnsafeBytes { unsafe [UInt8]($0) }
    self.peer = peer
    self.arrival = arrival
    self.index = index
    sequence = header.sequenceNumber
    timestamp = header.timestamp
  }
}

/// Sources that have not yet sent two packets in sequence (RFC 3550 A.1, probation).
///
/// Made-up sources can only push each other out of here; sources that were validated are not touched.
struct Probation: Sendable {
  /// The most sources on probation; a random one makes room.
  ///
  /// If the oldest made room, a flood of this many made-up sources between two packets of a real one would keep that out
  /// for good. So it gets in after a few packets.
  static let sourceLimit = 256
  /// The most packets kept of each; the oldest makes room.
  static let packetLimit = 8

  private struct Candidate: Sendable {
    var ssrc: UInt32
    /// Two senders with one SSRC don't prove each other.
    var peer: Peer
    var held: [HeldDatagram]
  }

  private var candidates: [Candidate] = []
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// What came of a packet of a source on probation.
  struct Outcome {
    /// The packets that prove the source, in order of arrival; empty while it stays on probation.
    var proof: [HeldDatagram] = []
    /// Packets given up on.
    var dropped: [(ssrc: UInt32, datagram: HeldDatagram)] = []
  }

  /// Takes in a packet of an unknown source.
  mutating func receive(_ datagram: HeldDatagram, ssrc: UInt32) -> Outcome {
    var outcome = Outcome()
    guard let place = candidates.firstIndex(where: { $0.ssrc == ssrc && $0.peer == datagram.peer }) else {
      if candidates.count == Self.sourceLimit {
        let place = Int(generator.next() % UInt64(Self.sourceLimit))
        let victim = candidates[place]
        outcome.dropped = victim.held.map { (victim.ssrc, $0) }
        candidates[place] = Candidate(ssrc: ssrc, peer: datagram.peer, held: [datagram])
      } else {
        candidates.append(Candidate(ssrc: ssrc, peer: datagram.peer, held: [datagram]))
      }
      return outcome
    }
    var candidate = candidates[place]
    let isProven = candidate.held.contains { $0.sequence.distance(to: datagram.sequence) == 1 }
    candidate.held.append(datagram)
    if isProven {
      // Half of what the validator takes as reordering, so that it accepts each of them whatever their order.
      let limit = Int(SequenceValidator.maxMisorder) / 2
      for held in candidate.held {
        if abs(held.sequence.distance(to: datagram.sequence)) < limit {
          outcome.proof.append(held)
        } else {
          outcome.dropped.append((ssrc, held))
        }
      }
      candidates.remove(at: place)
      return outcome
    }
    if candidate.held.count > Self.packetLimit { outcome.dropped = [(ssrc, candidate.held.removeFirst())] }
    candidates[place] = candidate
    return outcome
  }

  /// Gives up on all of them.
  mutating func removeAll() -> [(ssrc: UInt32, datagram: HeldDatagram)] {
    defer { candidates = [] }
    return candidates.flatMap { candidate in candidate.held.map { (candidate.ssrc, $0) } }
  }
}
