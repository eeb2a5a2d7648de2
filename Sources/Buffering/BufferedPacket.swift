public import Timeline

/// What the jitter buffer has to know of a packet.
public struct BufferedPacket: Equatable, Sendable {
  /// The extended sequence number.
  public var sequence: Int64
  /// The extended timestamp, in units of the stream's clock.
  public var timestamp: Int64
  /// How long the packet plays, in units of the stream's clock; 0 when nobody can tell (payloads without frames).
  public var duration: Int64
  /// When it arrived.
  public var arrival: Instant
  /// Whether it announces silence (discontinuous transmission): what follows it until the next packet isn't lost.
  public var isSilence: Bool
  /// How good a copy it is; of several with one number the best is decoded, the first to arrive counts as the arrival.
  public var copy = Copy.primary
  /// Whether it carries a coarse copy of the packet before it (Opus in-band FEC, RFC 6716 section 2.1.7).
  public var carriesFEC: Bool
  /// Anything the caller wants back with the packet: its number in a trace, say.
  public var tag: UInt64

  /// Where a packet's payload comes from, the best first.
  public enum Copy: UInt8, Comparable, Sendable {
    /// The packet itself.
    case primary
    /// The packet sent once more (RFC 4588).
    case retransmission
    /// A copy inside a later packet (RFC 2198).
    case redundant

    /// Better.
    public static func < (left: Copy, right: Copy) -> Bool { left.rawValue < right.rawValue }
  }

  /// Describes a packet.
  public init(
    sequence: Int64, timestamp: Int64, duration: Int64, arrival: Instant, isSilence: Bool = false,
    carriesFEC: Bool = false, tag: UInt64 = 0
  ) {
    self.sequence = sequence
    self.timestamp = timestamp
    self.duration = duration
    self.arrival = arrival
    self.isSilence = isSilence
    self.carriesFEC = carriesFEC
    self.tag = tag
  }
}

/// How the player should change the length of a packet's audio.
public struct Stretch: Equatable, Sendable {
  /// The most units to insert, or to remove when it is negative.
  public var most: Int64
  /// The change that wastes none of the delay, between 0 and `most`.
  ///
  /// After it the audio ends with a block of the pull clock. Where nobody plays it is taken for done.
  public var preferred: Int64
  /// Whether the change matters more than how it sounds: delay is far too long, or the buffer is about to run dry.
  public var isUrgent: Bool

  /// The audio stays as it is.
  public static var none: Stretch { Stretch(most: 0, preferred: 0, isUrgent: false) }

  init(most: Int64, preferred: Int64, isUrgent: Bool) {
    self.most = most
    self.preferred = preferred
    self.isUrgent = isUrgent
  }
}

/// What became of a packet that was offered to the buffer.
public enum Insertion: Equatable, Sendable {
  /// It waits for its time.
  case stored
  /// Its time has passed: the place was concealed or skipped already.
  case late
  /// It took the place of a worse copy that waited.
  case improved
  /// A packet with this number waits already.
  case duplicate
  /// Its timestamp is so far from its neighbours' that it has no place between them.
  case misplaced
  /// The buffer's limit in packets or bytes is reached.
  case full
}

/// What the listener's side has to do now.
public enum PlayoutDecision: Equatable, Sendable {
  /// Nothing until this instant, or until the next packet when there is none.
  case wait(until: Instant?)
  /// Decode and play this packet, but leave out its first `skip` units, whose time was filled already.
  case play(BufferedPacket, slot: Int, skip: Int64)
  /// Rebuild `duration` units from the copy that the packet in `slot` carries; that packet itself plays next.
  case recover(slot: Int, duration: Int64)
  /// Conceal `duration` units of missing media.
  case conceal(duration: Int64)
  /// Play `duration` units of silence: the sender meant a pause, or a gap is too long to conceal.
  case silence(duration: Int64)
  /// This packet was in time but isn't played: so much media is waiting that it would be heard too late to be of use.
  case discard(BufferedPacket)
  /// Everything has been played and nothing more will come.
  case ended
}

/// What became of the time that has come, where nobody plays it.
public enum Passage: Equatable, Sendable {
  /// Nothing until this instant, or until the next packet when there is none.
  case wait(until: Instant?)
  /// The packet with this tag was played.
  case played(tag: UInt64)
  /// The packet with this tag and number was given up.
  case discarded(tag: UInt64, sequence: Int64)
  /// Missing media was rebuilt, concealed or left silent.
  case filled
  /// Everything has been played and nothing more will come.
  case ended
}

/// What the buffer has done so far; every passed sequence number is in exactly one of the first three.
public struct PlayoutCounts: Equatable, Sendable {
  /// What was filled in behind the last packet, in clock units.
  public struct End: Equatable, Sendable {
    /// All of it.
    public internal(set) var units: Int64 = 0
    /// What was made up; the rest went on with a pause that the sender meant.
    public internal(set) var concealedUnits: Int64 = 0
    /// What of that was silent.
    public internal(set) var silentUnits: Int64 = 0
  }

  /// Nothing done yet.
  public init() {}

  /// Packets played.
  public internal(set) var played = 0
  /// Missing packets rebuilt from in-band FEC, from the beginning to the end.
  public internal(set) var recovered = 0
  /// Sequence numbers whose time passed without a packet to play: concealed.
  public internal(set) var concealed = 0
  /// Media played from packets, in clock units.
  public internal(set) var playedUnits: Int64 = 0
  /// Media rebuilt from in-band FEC, in clock units.
  public internal(set) var recoveredUnits: Int64 = 0
  /// Media concealed, in clock units; a stall that ends the stream isn't media and doesn't count.
  public internal(set) var concealedUnits: Int64 = 0
  /// Of what was concealed or stalled, what was left silent because it went on for long, in clock units.
  public internal(set) var silentConcealedUnits: Int64 = 0
  /// Times that something was filled in behind what was played.
  public internal(set) var concealmentEvents = 0
  /// What was filled in behind the last packet, until it was known that the stream was over.
  ///
  /// It stands for no media, and is in no other count. Whoever listens by a pipe has heard it.
  public internal(set) var end = End()
  /// Pauses that the sender meant, in clock units.
  public internal(set) var silenceUnits: Int64 = 0
  /// Filled while the next packet was late, in clock units: nothing was lost by it, the delay has grown.
  public internal(set) var stalledUnits: Int64 = 0
  /// Inserted into packets' audio to gain time, in clock units.
  public internal(set) var insertedUnits: Int64 = 0
  /// Removed from packets' audio to lose delay, in clock units.
  public internal(set) var removedUnits: Int64 = 0
  /// Times that audio was lengthened or shortened.
  public internal(set) var stretches = 0
  /// Times that there was nothing to play although the sender hadn't paused.
  public internal(set) var underruns = 0
  /// How many of these times the next packet came late and was played, and the delay grew; the others were gaps.
  public internal(set) var stalls = 0
  /// Packets that arrived in time and were given up because too much media was waiting.
  public internal(set) var discarded = 0
  /// Times that the delay came back to the target after the buffer had run dry, and the seconds it took in all.
  public internal(set) var recoveries = 0
  /// The seconds that it took in all.
  public internal(set) var recovering = 0.0
  /// The sum over all packets played of the seconds that each waited in the buffer.
  public internal(set) var waiting = 0.0
  /// The sum over all media played of the time it waited in the buffer, in seconds times clock units.
  public internal(set) var waited = 0.0
  /// The sum over all media played of the target delay, in seconds times clock units.
  public internal(set) var targeted = 0.0
  /// The sum over all media played of the delay that the network alone called for, in seconds times clock units; 0 where
  /// the delay is fixed.
  public internal(set) var needed = 0.0
  /// Times the timeline was anchored anew because the sender's timestamps or the path's delay jumped.
  public internal(set) var resynchronisations = 0
}
