public import Buffering
import Packets
public import Statistics
public import Timeline

/// The receiving side of an RTP session: validates sources, keeps their statistics, orders their packets, says what to
/// play, and reports to the senders.
///
/// Methods come in three kinds. Inputs (`handleRTP`, `handleRTCP`, `stop`) change the state. Outputs (`pollPlayout`,
/// `pollEvent`, `pollFate`, `pollReport`) are drained after each input, and at `nextWake`, until they return nil.
/// Queries change nothing.
///
/// The draining rule for playout: poll up to a datagram's arrival time before handing that datagram in. Then what is
/// played depends on when datagrams arrived, not on when the process got to read them.
public struct ReceiveSession: Sendable {
  /// What a session is set up with.
  public struct Configuration: Sendable {
    /// What payload types stand for.
    public var formats = FormatTable()
    /// The jitter buffer's fixed delay.
    public var target = Interval.milliseconds(60)
    /// How the delay follows the network; nil keeps it at `target`.
    public var adaptation: JitterBuffer.Adaptation?
    /// A stream ends after this long without a packet; nil waits for ever.
    public var idleTimeout: Interval?
    /// The most sources followed at once.
    public var sourceLimit = 32
    /// Whether `pollFate` tells what became of each datagram.
    public var isTracing = false
    /// Whether each stream keeps a `StreamTimeline`, for reports that show what happened when.
    public var keepsTimelines = false
    /// How many arrivals of each stream are kept, so that they can be replayed with other delays.
    public var arrivalLimit = 0
    /// Whether each stream's packets are put in order for a recording as well, however late they come.
    public var recordsAll = false
    /// Whether payloads are kept until they are played; where nobody plays, only their length counts.
    public var keepsPayloads = true
    /// Whether payloads are encrypted: nothing is read from them.
    public var isEncrypted = false
    /// Whether reports will be asked for; where nobody hears them, nothing is noted down for them.
    public var sendsReports = true
    /// For how long audio whose delay adapts waits at its beginning for the video that it may have to be in sync with.
    public var startMargin = Interval.zero
    /// The number of the first stream; whoever has several sessions keeps their streams apart by it.
    public var firstStream = 0
    /// Our own synchronisation source in receiver reports.
    public var ssrc: UInt32
    /// Our canonical name, at most 255 bytes.
    public var cname: String
    /// The session's bandwidth in bits a second, of which RTCP takes 5 %.
    public var bandwidth = 128_000.0
    /// Whether extended reports are sent (RFC 3611).
    public var sendsExtendedReports = true
    /// Whether senders of video are asked for a key frame when the picture is broken.
    public var requestsKeyFrames = true
    /// What has to be added to an `Instant` to get nanoseconds since the Unix epoch.
    public var wallClockOffset: Int64 = 0
    /// The seed of the report timer's randomisation.
    public var seed: UInt64

    /// A session with the usual limits.
    public init(ssrc: UInt32, cname: String, seed: UInt64) {
      self.ssrc = ssrc
      self.cname = cname
      self.seed = seed
    }
  }

  /// Datagrams by what they were; together with the streams' counts, each RTP datagram is in exactly one class.
  public struct DatagramCounts: Equatable, Sendable {
    /// Datagrams handed in as RTP.
    public internal(set) var rtp = 0
    /// Valid compound RTCP packets.
    public internal(set) var rtcp = 0
    /// Datagrams on the RTCP side that weren't valid.
    public internal(set) var invalidRTCP = 0
    /// RTP datagrams that belong to no stream, by reason.
    public internal(set) var discarded = DiscardCounts()
    /// RTP datagrams held back: of a source on probation, or announcing a jump.
    public internal(set) var held = 0
  }

  /// How long after a goodbye packets may still be on their way (RFC 3550 section 6.2.1 keeps the source for a while).
  static let goodbyeMargin = Interval.seconds(1)
  /// A source that has been silent for longer makes place for a new one when all places are taken.
  static let displacementAge = Interval.seconds(2)
  /// Streams that ended are kept for the report, up to this many in all.
  static let streamLimit = 256

  /// All streams in order of appearance, those that ended too.
  public internal(set) var streams: [ReceiveStream] = []
  /// Streams that ended so long ago that only this count is left of them.
  public private(set) var forgottenStreams = 0
  /// The packets that those streams had received.
  public private(set) var forgottenPackets = 0
  /// What the datagrams were.
  public internal(set) var datagrams = DatagramCounts()
  /// What this host's socket dropped, and whether it is known whose it was.
  public private(set) var socketDrops = SocketDrops()

  let configuration: Configuration
  /// Our own synchronisation source.
  public var ssrc: UInt32 { configuration.ssrc }
  var probation: Probation
  private var nextID: Int
  private var nextIndex: UInt64 = 0
  var nextPlayout: Instant?
  var events: [(stream: Int, event: StreamEvent)] = []
  var trace: FateLedger
  private var isStopped = false
  var reporter: ReceiverReporter

  /// Begins a session that has heard nothing.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    nextID = configuration.firstStream
    reporter = ReceiverReporter(configuration)
    probation = Probation(seed: configuration.seed)
    trace = FateLedger(isTracing: configuration.isTracing)
  }

  // MARK: Inputs

  /// Takes in an RTP datagram; arrival times don't run backwards.
  ///
  /// - Parameters:
  ///   - datagram: its bytes.
  ///   - peer: where it came from.
  ///   - arrival: when the kernel received it.
  ///   - drops: datagrams that the kernel dropped between the one before and this one, because the socket's buffer was
  ///     full. They are taken out of the gap in the numbers that shows at this packet.
  public mutating func handleRTP(
    _ datagram: RawSpan, from peer: Peer, at arrival: Instant, droppedBefore drops: Int = 0
  ) {
    if drops > 0 { socketDrops.note(drops) }
    let index = nextIndex
    nextIndex += 1
    datagrams.rtp += 1
    let packet: RTPPacket
    do throws(PacketParseError) {
      packet = try RTPPacket(parsing: datagram)
    } catch {
      discard(.malformed, index: index, header: nil, size: datagram.byteCount, arrival: arrival)
      return
    }
    let header = packet.header
    if let place = openPlace(of: header.ssrc) {
      if streams[place].socketDropsSeen == socketDrops.events,
        let (extended, fate) = streams[place].goOn(with: packet, of: datagram, from: peer, at: arrival, index: index)
      {
        if trace.isTracing {
          note(fate, index: index, header: header, extended: extended, size: datagram.byteCount, arrival: arrival)
        }
        return
      }
      guard streams[place].takesIn(header.sequenceNumber) else {
        discard(.superseded, index: index, header: header, size: datagram.byteCount, arrival: arrival)
        return
      }
      receive(packet, of: datagram, stream: place, from: peer, at: arrival, index: index)
    } else {
      datagrams.held += 1
      let held = HeldDatagram(datagram, header: header, peer: peer, arrival: arrival, index: index)
      let outcome = probation.receive(held, ssrc: header.ssrc)
      release(outcome.dropped, because: .probation)
      if !outcome.proof.isEmpty { beginStream(ssrc: header.ssrc, with: outcome.proof) }
    }
  }

  /// Takes in that the socket dropped datagrams after the last one that was handed in.
  public mutating func noteSocketDropsAtEnd(_ count: Int) { socketDrops.noteAtEnd(count) }

  /// No more input: what is in the buffers is played, then the streams end.
  public mutating func stop() {
    isStopped = true
    for place in streams.indices where streams[place].isOpen {
      if case .draining = streams[place].phase { continue }
      drain(place, because: .stopped)
    }
    release(probation.removeAll(), because: .probation)
  }

  // MARK: Outputs

  /// The next thing to play, conceal or leave silent by `now`; nil when there is nothing.
  public mutating func pollPlayout(at now: Instant) -> (stream: Int, decision: PlayoutDecision)? {
    var wake: Instant?
    for place in streams.indices where streams[place].isOpen {
      expire(place, at: now)
      while let (event, time) = streams[place].buffer.pollEvent() { announce(.buffer(event), of: place, at: time) }
      switch streams[place].buffer.poll(at: now) {
      case .wait(let instant):
        closeFrame(place, at: now)
        wake = Instant.earliest(wake, Instant.earliest(instant, timeout(of: place)))
      case .ended:
        closeFrame(place, at: now)
        finish(place, at: now)
      case .play(let packet, let slot, let skip):
        streams[place].assemble(packet, slot: slot)
        streams[place].recordLevel(at: now)
        trace.settle(packet.tag, as: .played)
        return (streams[place].id, .play(packet, slot: slot, skip: skip))
      case .discard(let packet):
        streams[place].noteStale(sequence: packet.sequence)
        trace.settle(packet.tag, as: .discarded(.stale))
        return (streams[place].id, .discard(packet))
      case let decision:
        return (streams[place].id, decision)
      }
    }
    nextPlayout = wake
    return nil
  }

  /// The next thing that happened to a stream, in order.
  public mutating func pollEvent() -> (stream: Int, event: StreamEvent)? {
    events.isEmpty ? nil : events.removeFirst()
  }

  /// The fate of a datagram, as soon as it is known, when the session is tracing; not in order of arrival.
  public mutating func pollFate() -> DatagramFate? { trace.next() }

  // MARK: Queries

  /// Runs `body` on the payload that the last entry of `pollRecording` named.
  public func withRecordedPayload<Result, Failure: Error>(
    of stream: Int, in slot: Int, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let place = streams.indices.last(where: { streams[$0].id == stream }) else { return nil }
    return try streams[place].recording?.withPayload(in: slot, body)
  }

  /// When to poll again if nothing arrives before.
  public var nextWake: Instant? { Instant.earliest(nextPlayout, reporter.nextReport) }

  /// When `pollReport` has something to send; nil before anything was received.
  public var nextReport: Instant? { reporter.nextReport }

  /// The stream with this number; nil when it was forgotten.
  public func stream(_ id: Int) -> ReceiveStream? { streams.first { $0.id == id } }

  /// Whether any stream is still being received or played.
  public var hasOpenStreams: Bool { streams.indices.contains { streams[$0].isOpen } }

  /// Runs `body` on the payload that the last decision for this stream named.
  public func withPayload<Result, Failure: Error>(
    of stream: Int, in slot: Int, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let place = streams.indices.last(where: { streams[$0].id == stream }) else { return nil }
    return try streams[place].buffer.withPayload(in: slot, body)
  }

  /// The place of the open stream with this source.
  ///
  /// By index, here and elsewhere: a closure that is given a whole stream gets a copy, and a stream is big.
  func openPlace(of ssrc: UInt32) -> Int? {
    var place = streams.count - 1
    while place >= 0, streams[place].ssrc != ssrc || !streams[place].isOpen { place -= 1 }
    return place < 0 ? nil : place
  }

  // MARK: Private

  private mutating func receive(
    _ packet: RTPPacket, of datagram: RawSpan, stream place: Int, from peer: Peer, at arrival: Instant, index: UInt64
  ) {
    let header = packet.header
    guard accepts(peer, stream: place, at: arrival) else {
      discard(.collision, index: index, header: header, size: datagram.byteCount, arrival: arrival)
      return
    }
    // A number that goes on needs no other proof.
    let fits =
      streams[place].validator.goesOn(header.sequenceNumber)
      || streams[place].fits(header.timestamp, arrival: arrival)
    let extended: Int64
    switch streams[place].validator.judge(header.sequenceNumber, fits: fits) {
    case .accept(let number):
      extended = number
      // Late packets from before a jump say nothing against it.
      if !streams[place].validator.isHolding { dropHeld(place) }
    case .hold:
      if streams[place].held.count == ReceiveStream.heldLimit {
        let oldest = streams[place].held.removeFirst()
        streams[place].validator.forget(oldest.sequence)
        release([(header.ssrc, oldest)], because: .outOfRange)
      }
      datagrams.held += 1
      streams[place].held.append(
        HeldDatagram(datagram, header: header, peer: peer, arrival: arrival, index: index))
      return
    case .jumped:
      guard let number = jump(place, to: header, arrival: arrival) else {
        discard(.outOfRange, index: index, header: header, size: datagram.byteCount, arrival: arrival)
        return
      }
      extended = number
    }
    let fate = take(packet, of: datagram, stream: place, extended: extended, arrival: arrival, index: index)
    note(fate, index: index, header: header, extended: extended, size: datagram.byteCount, arrival: arrival)
    settleGoodbye(place)
  }

  /// Hands a packet to its stream; numbers missing right before it may have been dropped by this host's socket.
  private mutating func take(
    _ packet: RTPPacket, of datagram: RawSpan, stream place: Int, extended: Int64, arrival: Instant, index: UInt64
  ) -> DatagramFate.Fate? {
    if streams[place].socketDropsSeen != socketDrops.events, let before = streams[place].statistics.highestSequence,
      extended > before
    {
      streams[place].socketDropsSeen = socketDrops.events
      streams[place].droppedBySocket += socketDrops.take(atMost: Int(extended - before - 1))
    }
    return streams[place].receive(packet, of: datagram, extended: extended, arrival: arrival, index: index)
  }

  /// Two packets in sequence have landed far away: a long dropout, a restart, or a path that delays by very much.
  ///
  /// The packets held back are received first; returns this one's extended number, nil when all are stale.
  private mutating func jump(_ place: Int, to header: RTPHeader, arrival: Instant) -> Int64? {
    let held = streams[place].held
    let before = header.sequenceNumber.advanced(by: -1)
    let first = held.first { $0.sequence == before }
    let start = first?.sequence ?? header.sequenceNumber
    let kind = streams[place].jump(
      to: start, timestamp: first?.timestamp ?? header.timestamp, arrival: first?.arrival ?? arrival)
    if kind == .stale {
      streams[place].validator.forgetJump()
      dropHeld(place)
      return nil
    }
    streams[place].held = []
    let extended: Int64
    if kind == .dropout {
      let highest = streams[place].validator.highest
      extended = streams[place].validator.dropout(to: start)
      announce(.dropout(packets: Int(extended - highest - 1)), of: place, at: first?.arrival ?? arrival)
    } else {
      extended = streams[place].validator.restart(at: start, margin: JitterBuffer.restartMargin)
      streams[place].restartTimeline(at: first?.timestamp ?? header.timestamp, sequence: extended)
      announce(.restarted, of: place, at: first?.arrival ?? arrival)
    }
    guard first != nil else {
      // Its neighbour wasn't held back, because it seemed to belong where the stream was; what was is no part of this.
      release(held.map { (header.ssrc, $0) }, because: .outOfRange)
      return extended
    }
    for datagram in held {
      // What announced another jump, or a packet from far back, is no part of this one.
      guard case .accept(let number) = streams[place].validator.judge(datagram.sequence, fits: true),
        number > extended - JitterBuffer.restartMargin
      else {
        streams[place].validator.forgetJump()
        release([(header.ssrc, datagram)], because: .outOfRange)
        continue
      }
      datagrams.held -= 1
      replay(datagram, stream: place, extended: number)
    }
    guard case .accept(let next) = streams[place].validator.judge(header.sequenceNumber, fits: true) else {
      return extended + 1
    }
    return next
  }

  private mutating func replay(_ held: HeldDatagram, stream place: Int, extended: Int64) {
    let datagram = unsafe held.bytes.span.bytes
    guard let packet = try? RTPPacket(parsing: datagram) else { return }
    let fate = take(
      packet, of: datagram, stream: place, extended: extended, arrival: held.arrival, index: held.index)
    note(
      fate, index: held.index, header: packet.header, extended: extended, size: held.bytes.count,
      arrival: held.arrival)
  }

  private mutating func beginStream(ssrc: UInt32, with proof: [HeldDatagram]) {
    guard !isStopped else { return release(proof.map { (ssrc, $0) }, because: .probation) }
    guard makePlace(at: proof.last?.arrival ?? .zero), makeRoom() else {
      return release(proof.map { (ssrc, $0) }, because: .sourceLimit)
    }
    var samples: [FormatTable.Sample] = []
    var headers: [RTPHeader] = []
    for held in proof {
      let datagram = unsafe held.bytes.span.bytes
      guard let packet = try? RTPPacket(parsing: datagram) else { continue }
      headers.append(packet.header)
      samples.append(
        FormatTable.Sample(
          sequence: held.sequence.rawValue, timestamp: held.timestamp.rawValue,
          opusDuration: OpusPacket.duration(of: datagram.extracting(packet.payload)),
          video: videoGuess(packet, of: datagram)))
    }
    guard let first = proof.first, let header = headers.first else { return }
    let (format, origin) = configuration.formats.resolve(header.payloadType, samples: samples)
    let stream = ReceiveStream(
      id: nextID, first: first, header: header, format: format, origin: origin, target: configuration.target,
      adaptation: configuration.adaptation, arrivalLimit: configuration.arrivalLimit,
      keepsPayloads: configuration.keepsPayloads, isEncrypted: configuration.isEncrypted,
      isSyntheticVideo: configuration.formats.isSyntheticVideo(format, samples: samples),
      parameterSets: configuration.formats.parameterSets[header.payloadType] ?? [])
    nextID += 1
    streams.append(stream)
    let place = streams.count - 1
    streams[place].cname = reporter.cname(of: ssrc)
    streams[place].socketDropsSeen = socketDrops.events
    streams[place].isReported = configuration.sendsReports
    if configuration.recordsAll { streams[place].recording = RecordingQueue(clockRate: format.clockRate) }
    if configuration.keepsTimelines { streams[place].timeline = StreamTimeline() }
    announce(.began, of: place, at: first.arrival)
    reporter.heard(ssrc, at: first.arrival)
    datagrams.held -= proof.count
    for held in proof {
      guard case .accept(let extended) = streams[place].validator.judge(held.sequence, fits: true) else {
        datagrams.held += 1
        release([(ssrc, held)], because: .outOfRange)
        continue
      }
      replay(held, stream: place, extended: extended)
      takeEarlyReport(place, at: held.arrival)
    }
    // Nothing could be played before the source was believed.
    holdStart(place, since: proof.last?.arrival ?? first.arrival)
  }

  /// Whether one more source can be followed; the one that has been silent longest makes place if that is for long
  /// enough.
  ///
  /// Without this, sources that were made up, or died without a goodbye, would shut out all others for ever.
  private mutating func makePlace(at now: Instant) -> Bool {
    let followed = streams.indices.filter { streams[$0].isFollowed }
    guard followed.count >= configuration.sourceLimit else { return true }
    guard let stalest = followed.min(by: { streams[$0].lastArrival < streams[$1].lastArrival }),
      now - streams[stalest].lastArrival > Self.displacementAge
    else { return false }
    drain(stalest, because: .idle)
    return true
  }

  /// Whether there is room for one more stream in the report; the shortest of those that ended makes it.
  private mutating func makeRoom() -> Bool {
    guard streams.count >= Self.streamLimit else { return true }
    let ended = streams.indices.filter { !streams[$0].isOpen }
    guard let place = ended.min(by: { streams[$0].statistics.received < streams[$1].statistics.received })
    else { return false }
    forgottenPackets += streams[place].statistics.received + streams[place].statistics.tooOld
    streams.remove(at: place)
    forgottenStreams += 1
    return true
  }

  /// One address a source (RFC 3550 section 8.2); it may move once the old address has fallen silent.
  private mutating func accepts(_ peer: Peer, stream place: Int, at arrival: Instant) -> Bool {
    guard streams[place].peer != peer else { return true }
    guard arrival - streams[place].lastArrival > .seconds(1) else { return false }
    streams[place].peer = peer
    announce(.moved, of: place, at: arrival)
    return true
  }

  /// Tells what happened to a stream, and notes it in its timeline.
  mutating func announce(_ event: StreamEvent, of place: Int, at instant: Instant) {
    events.append((streams[place].id, event))
    streams[place].timeline?.recordEvent(TimelineEvent.Kind(event), at: instant)
  }

  mutating func dropHeld(_ place: Int) {
    let held = streams[place].held
    guard !held.isEmpty else { return }
    streams[place].held = []
    let ssrc = streams[place].ssrc
    release(held.map { (ssrc, $0) }, because: .outOfRange)
  }

  mutating func release(_ dropped: [(ssrc: UInt32, datagram: HeldDatagram)], because reason: DiscardReason) {
    for (ssrc, held) in dropped {
      datagrams.held -= 1
      let header = RTPHeader(payloadType: 0, sequenceNumber: held.sequence, timestamp: held.timestamp, ssrc: ssrc)
      discard(reason, index: held.index, header: header, size: held.bytes.count, arrival: held.arrival)
    }
  }

  private mutating func discard(
    _ reason: DiscardReason, index: UInt64, header: RTPHeader?, size: Int, arrival: Instant
  ) {
    datagrams.discarded[reason] += 1
    trace.record(
      DatagramFate(
        index: index, arrival: arrival, ssrc: header?.ssrc ?? 0, sequence: header?.sequenceNumber.rawValue ?? 0,
        extended: nil, timestamp: header?.timestamp.rawValue ?? 0, size: size, fate: .discarded(reason)))
  }

  private mutating func note(
    _ fate: DatagramFate.Fate?, index: UInt64, header: RTPHeader, extended: Int64, size: Int, arrival: Instant
  ) {
    let entry = DatagramFate(
      index: index, arrival: arrival, ssrc: header.ssrc, sequence: header.sequenceNumber.rawValue,
      extended: extended, timestamp: header.timestamp.rawValue, size: size, fate: fate ?? .buffered)
    if fate == nil { trace.await(entry) } else { trace.record(entry) }
  }
}
