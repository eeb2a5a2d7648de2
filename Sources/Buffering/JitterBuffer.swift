public import Timeline

/// Puts packets back in order and decides, instant by instant, what a listener hears.
///
/// Its clock is the caller's: `insert` with packets in order of arrival, `poll(at:)` until it says `.wait`, and again at
/// the instant it names. Each decision depends on the packets and instants given, on nothing else.
///
/// A packet is due when its media time plus the smallest recent transit (``ArrivalModel``) plus the target delay has
/// come. The target is fixed here; an adaptive policy only has to set ``target``.
///
/// Nothing is played twice or out of order: a sequence number is passed once, by playing, rebuilding or concealing it.
public struct JitterBuffer: Sendable {
  /// What a buffer is made for.
  public struct Configuration: Sendable {
    /// Ticks of the RTP clock a second.
    public var clockRate: UInt32
    /// The delay beyond the smallest transit after which a packet is played.
    public var target: Interval
    /// Whether the media is one continuous timeline whose gaps have to be filled (audio), or packets that are just due
    /// at their time (anything else).
    public var isContinuous: Bool
    /// The most packets in store, rounded up to a power of two.
    public var packetLimit = 1024
    /// The most payload bytes in store.
    public var byteLimit = 4 << 20
    /// The longest stretch that is concealed; after that comes silence.
    public var concealmentLimit = Interval.milliseconds(200)

    /// Describes a buffer of the usual size.
    public init(clockRate: UInt32, target: Interval, isContinuous: Bool = true) {
      self.clockRate = clockRate
      self.target = target
      self.isContinuous = isContinuous
    }
  }

  /// A jump of the transit by more than this is a new timeline, not delay.
  static let discontinuity = Interval.seconds(5)
  /// After this long without a packet, a stream that goes on where it stopped is taken up at its new delay.
  static let pause = Interval.seconds(1)
  /// The number of sequence numbers that a restarted sender's first number is placed ahead of the last one, so that
  /// packets which overtook it still have a number.
  public static let restartMargin: Int64 = 64

  private enum Boundary: Sendable {
    case none
    /// From this number on the timestamps have a new origin.
    case timeline(Int64)
    /// From this number on the sender counts anew: numbers skipped before it were never sent.
    case restart(Int64)
  }

  /// The delay beyond the smallest transit at which packets are played.
  public var target: Interval
  /// What has been done so far.
  public private(set) var counts = PlayoutCounts()

  private let configuration: Configuration
  private var store: PacketStore
  private var arrivals: ArrivalModel?
  private var lastArrival = Instant.zero
  private var boundary = Boundary.none
  private var hasStarted = false
  private var isEnded = false
  private var firstSequence: Int64 = 0
  /// The lowest number whose time hasn't passed.
  private var nextSequence: Int64 = 0
  /// The media time that is to be played next.
  private var nextTimestamp: Int64 = 0
  private var lastDuration: Int64
  private var lastWasSilence = false
  /// Filled since the last packet was played, without knowing yet whether a packet was lost or none was sent.
  private var stallUnits: Int64 = 0
  /// Concealed in the gap that is being filled.
  private var gapUnits: Int64 = 0
  private var gapRecovered = 0

  /// Makes an empty buffer.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    target = configuration.target
    store = PacketStore(packetLimit: configuration.packetLimit, byteLimit: configuration.byteLimit)
    lastDuration = Int64(configuration.clockRate / 50)
  }

  // MARK: Inputs

  /// Offers a packet that is not a duplicate, in order of arrival.
  public mutating func insert(_ packet: BufferedPacket, payload: RawSpan) -> Insertion {
    guard hasStarted || !store.isEmpty else {
      begin(with: packet)
      return store.insert(packet, payload: payload)
    }
    let isJump = startsTimeline(packet)
    if !isJump, isPassed(packet) {
      pass(packet)
      lastArrival = max(lastArrival, packet.arrival)
      return .late
    }
    let insertion = store.insert(packet, payload: payload)
    guard insertion == .stored else { return insertion }
    observe(packet, isJump: isJump)
    if !hasStarted, packet.sequence < nextSequence {
      nextSequence = packet.sequence
      firstSequence = packet.sequence
      nextTimestamp = packet.timestamp
    }
    return .stored
  }

  /// The sender restarted at `sequence`: a new timeline begins, and the numbers skipped before it were never sent.
  ///
  /// What is in store is played first, at once.
  public mutating func restart(at sequence: Int64) {
    guard hasStarted || !store.isEmpty else { return }
    boundary = .restart(sequence)
    counts.resynchronisations += 1
    arrivals = nil
  }

  /// Nothing more will come: what is in store is played at its time, then `poll` says `.ended`.
  public mutating func end() { isEnded = true }

  /// Closes the account after `.ended`: numbers up to `highest` that arrived but were never played count as concealed.
  public mutating func settle(through highest: Int64) {
    guard highest >= nextSequence, hasStarted else { return }
    counts.concealed += Int(highest + 1 - nextSequence)
    nextSequence = highest + 1
  }

  // MARK: Outputs

  /// The next thing to do at `now`; call again until it says `.wait` or `.ended`.
  public mutating func poll(at now: Instant) -> PlayoutDecision {
    guard hasStarted || !store.isEmpty else { return isEnded ? .ended : .wait(until: nil) }
    guard let head = store.head else { return pollEmpty(at: now) }
    let isFlushing = crossBoundary(to: head)
    if !configuration.isContinuous { nextTimestamp = head.timestamp }
    let due = dueTime(of: nextTimestamp)
    guard isFlushing || due <= now else { return .wait(until: due) }
    let gap = head.timestamp - nextTimestamp
    return gap > 0 ? fill(gap, before: head) : play(head)
  }

  /// Runs `body` on the payload of the packet in `slot`, which a decision of the last `poll` named.
  public func withPayload<Result>(in slot: Int, _ body: (RawSpan) -> Result) -> Result {
    store.withPayload(in: slot, body)
  }

  // MARK: Queries

  /// Packets in store.
  public var packetCount: Int { store.count }

  /// Media from the playout position to the end of the newest packet in store: how much delay the store holds.
  public var level: Interval {
    guard let tail = store.tail else { return .zero }
    return Interval(
      units: max(0, tail.timestamp &+ tail.duration &- nextTimestamp), rate: configuration.clockRate)
  }

  // MARK: Private

  private func dueTime(of timestamp: Int64) -> Instant {
    guard let arrivals else { return .zero }
    return Instant.zero + arrivals.base + Interval(units: timestamp, rate: configuration.clockRate) + target
  }

  private func transit(of packet: BufferedPacket) -> Interval {
    (packet.arrival - .zero) - Interval(units: packet.timestamp, rate: configuration.clockRate)
  }

  private mutating func begin(with packet: BufferedPacket) {
    firstSequence = packet.sequence
    nextSequence = packet.sequence
    nextTimestamp = packet.timestamp
    lastArrival = packet.arrival
    arrivals = ArrivalModel(transit: transit(of: packet), at: packet.arrival)
  }

  /// Whether the packet's time has passed; what lies behind a boundary is never late.
  private func isPassed(_ packet: BufferedPacket) -> Bool {
    guard hasStarted else { return false }
    if packet.sequence < nextSequence { return true }
    if case .restart(let start) = boundary, packet.sequence >= start - Self.restartMargin { return false }
    if case .timeline(let start) = boundary, packet.sequence >= start { return false }
    guard configuration.isContinuous else { return false }
    return packet.timestamp + max(packet.duration, 1) <= nextTimestamp
  }

  /// A late packet's number has been passed without being played, as have those before it.
  private mutating func pass(_ packet: BufferedPacket) {
    if packet.sequence < firstSequence {
      counts.concealed += Int(firstSequence - packet.sequence)
      firstSequence = packet.sequence
    } else if packet.sequence >= nextSequence {
      guard store.isEmpty || packet.sequence < store.lowest else { return }
      counts.concealed += Int(packet.sequence + 1 - nextSequence)
      nextSequence = packet.sequence + 1
      settleStall(asLost: true)
    }
    let transit = transit(of: packet)
    arrivals?.observe(transit: transit, at: packet.arrival)
  }

  /// Whether this packet's transit is so far from all before it that the sender's timestamps, or the pause it made,
  /// have moved the timeline.
  private func startsTimeline(_ packet: BufferedPacket) -> Bool {
    guard case .none = boundary, hasStarted, let arrivals else { return false }
    guard packet.sequence >= nextSequence, store.isEmpty || packet.sequence > store.highest else { return false }
    let shift = transit(of: packet) - arrivals.base
    if shift > Self.discontinuity || shift < -Self.discontinuity { return true }
    return packet.arrival - lastArrival > Self.pause && packet.sequence == nextSequence && shift > target
  }

  private mutating func observe(_ packet: BufferedPacket, isJump: Bool) {
    let transit = transit(of: packet)
    lastArrival = max(lastArrival, packet.arrival)
    if isJump {
      boundary = .timeline(packet.sequence)
      counts.resynchronisations += 1
      arrivals = nil
    }
    switch boundary {
    case .timeline(let start) where packet.sequence < start: return
    case .restart(let start) where packet.sequence < start - Self.restartMargin: return
    default: break
    }
    if arrivals == nil {
      arrivals = ArrivalModel(transit: transit, at: packet.arrival)
    } else {
      arrivals?.observe(transit: transit, at: packet.arrival)
    }
  }

  /// Steps over a boundary once every packet before it has been played; true while those have to be played at once.
  private mutating func crossBoundary(to head: BufferedPacket) -> Bool {
    switch boundary {
    case .none: return false
    case .timeline(let start):
      guard head.sequence >= start else { return true }
      settleStall(asLost: head.sequence > nextSequence)
    case .restart(let start):
      guard head.sequence >= start - Self.restartMargin else { return true }
      settleStall(asLost: false)
      nextSequence = head.sequence
    }
    boundary = .none
    nextTimestamp = head.timestamp
    return false
  }

  private mutating func play(_ head: BufferedPacket) -> PlayoutDecision {
    let slot = store.slot(of: head.sequence)
    let skip = configuration.isContinuous ? nextTimestamp - head.timestamp : 0
    settleStall(asLost: head.sequence > nextSequence)
    counts.concealed += Int(head.sequence - nextSequence) - gapRecovered
    counts.played += 1
    counts.playedUnits += max(0, head.duration - skip)
    store.removeLowest()
    hasStarted = true
    nextSequence = head.sequence + 1
    nextTimestamp = head.timestamp + head.duration
    if head.duration > 0 { lastDuration = head.duration }
    lastWasSilence = head.isSilence
    gapUnits = 0
    gapRecovered = 0
    return .play(head, slot: slot, skip: skip)
  }

  /// Fills part of the gap between the playout position and the next packet in store.
  private mutating func fill(_ gap: Int64, before head: BufferedPacket) -> PlayoutDecision {
    let missing = head.sequence - nextSequence
    settleStall(asLost: missing > 0)
    // More time than the missing packets can have held: the rest is a pause.
    let lostUnits = missing.multipliedReportingOverflow(by: lastDuration)
    let isLost = missing > 0 && (lostUnits.overflow || gapUnits < lostUnits.partialValue)
    guard isLost else {
      let piece = min(gap, Int64(configuration.clockRate))
      counts.silenceUnits += piece
      nextTimestamp += piece
      return .silence(duration: piece)
    }
    if head.carriesFEC, gap <= head.duration {
      counts.recovered += 1
      counts.recoveredUnits += gap
      gapRecovered = 1
      nextTimestamp += gap
      return .recover(slot: store.slot(of: head.sequence), duration: gap)
    }
    let piece = min(head.carriesFEC ? gap - head.duration : gap, lastDuration)
    counts.concealedUnits += piece
    gapUnits += piece
    nextTimestamp += piece
    return concealment(of: piece, after: gapUnits - piece)
  }

  /// The store is empty although something is due: fill in real time until it is known what happened.
  private mutating func pollEmpty(at now: Instant) -> PlayoutDecision {
    if isEnded {
      stallUnits = 0
      return .ended
    }
    guard configuration.isContinuous, case .none = boundary else { return .wait(until: nil) }
    let due = dueTime(of: nextTimestamp)
    guard due <= now else { return .wait(until: due) }
    let filled = stallUnits
    stallUnits += lastDuration
    nextTimestamp += lastDuration
    return lastWasSilence ? .silence(duration: lastDuration) : concealment(of: lastDuration, after: filled)
  }

  private func concealment(of units: Int64, after filled: Int64) -> PlayoutDecision {
    let limit = configuration.concealmentLimit.units(rate: configuration.clockRate)
    return filled < limit ? .conceal(duration: units) : .silence(duration: units)
  }

  /// What was filled while nothing was known is now known to have been lost media or a pause of the sender.
  private mutating func settleStall(asLost isLost: Bool) {
    if isLost {
      counts.concealedUnits += stallUnits
      gapUnits += stallUnits
    } else {
      counts.silenceUnits += stallUnits
    }
    stallUnits = 0
  }
}
