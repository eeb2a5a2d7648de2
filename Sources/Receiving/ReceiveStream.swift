public import Buffering
public import Packets
import Pictures
public import Statistics
public import Timeline

/// One validated source: its statistics, its jitter buffer, and what its sender says of itself.
public struct ReceiveStream: Sendable, Identifiable {
  /// Where the stream stands in its life: active -> leaving -> draining -> ended; only the first takes a goodbye.
  enum Phase: Equatable, Sendable {
    case active
    /// The sender said goodbye; what is on its way is still taken in.
    case leaving(StreamEnd, drainAt: Instant)
    /// Nothing more is awaited; what is in the buffer is still played.
    case draining(StreamEnd)
    case ended(StreamEnd)
  }

  /// The session's number for the stream, never used twice.
  public let id: Int
  /// The synchronisation source.
  public let ssrc: UInt32
  /// The address that its packets come from.
  public internal(set) var peer: Peer
  /// The payload type of its first packet.
  public let payloadType: UInt8
  /// What the payload type stands for.
  public let format: PayloadFormat
  /// How that was found out.
  public let formatOrigin: FormatOrigin
  /// The sender's canonical name, once it has said so; whatever isn't UTF-8 in it is replaced.
  public internal(set) var cname: String?
  /// What arrived.
  public internal(set) var statistics: ReceptionStatistics
  /// What happened when, if the session keeps it.
  public internal(set) var timeline: StreamTimeline?
  /// Packets and payload bytes that the sender says it has sent (its last sender report), modulo 2^32.
  public internal(set) var sent: (packets: UInt32, octets: UInt32)?
  /// The sender's time of day, since 1970, when its extended timestamp was 0, by its last report.
  public private(set) var senderOrigin: Interval?
  /// Lost packets of this stream that this host's socket dropped, as far as they can be told from others.
  public internal(set) var droppedBySocket = 0
  /// The round trip times to the sender and back, by its answers to our extended reports.
  public internal(set) var roundTrip = RoundTrip()
  /// Why the stream ended; nil while it runs.
  public var end: StreamEnd? {
    if case .ended(let reason) = phase { reason } else { nil }
  }

  /// The most packets held back.
  static let heldLimit = 8

  var phase = Phase.active
  var buffer: JitterBuffer
  var validator: SequenceValidator
  /// Packets that may announce a jump, in order of arrival.
  var held: [HeldDatagram] = []
  var lastArrival: Instant
  /// The last sender report: the middle of its NTP time, and when it arrived.
  var senderReport: (middle: UInt32, arrival: Instant)?
  var reportedReceived = 0
  /// The compound packet that the last sender report came in, by number.
  var reportNumber = -1
  /// The last loss in the socket that this stream's numbers were looked at for.
  var socketDropsSeen = 0
  private var sending = SendingAccount()
  private var latenessCounts = LatenessCounts()
  /// The packets in order for a recording of everything; nil when nobody wants one.
  public internal(set) var recording: RecordingQueue?
  /// What arrived and has to be told in extended reports.
  var recorder = IntervalRecorder()
  /// Whether reports are sent, so that the recorder is of use.
  var isReported = true
  /// Whether `format` is Opus, asked once: encoding names are compared without regard to case.
  private let isOpus: Bool
  private var timestamps: TimestampExtender
  private var lastTransit: Interval
  /// The first packet since the sender began to count.
  private var runStart: (sequence: Int64, timestamp: Int64)
  private var late = 0
  private var discarded = DiscardCounts()
  private var level = RunningExtent()
  /// The jitter of the stream's own payload type alone; nil while there were no packets of another.
  public private(set) var mediaJitter: InterarrivalJitter?
  /// The last packet of another payload type.
  private var lastEvent: (type: UInt8, timestamp: RTPTimestamp)?
  /// The frames, where the packets are parts of such.
  var track: PictureTrack?
  /// The arrivals, when they are kept.
  public internal(set) var log: ArrivalLog?

  init(
    id: Int, first: HeldDatagram, header: RTPHeader, format: PayloadFormat, origin: FormatOrigin, target: Interval,
    adaptation: JitterBuffer.Adaptation? = nil, arrivalLimit: Int = 0, keepsPayloads: Bool = true,
    isEncrypted: Bool = false, isSyntheticVideo: Bool = false, parameterSets: [[UInt8]] = []
  ) {
    self.id = id
    ssrc = header.ssrc
    peer = first.peer
    payloadType = header.payloadType
    self.format = format
    formatOrigin = origin
    // What is encrypted has no table of contents.
    isOpus = format == .opus && !isEncrypted
    statistics = ReceptionStatistics(clockRate: format.clockRate)
    var configuration = JitterBuffer.Configuration(
      clockRate: format.clockRate, target: target, isContinuous: isOpus)
    configuration.adaptation = adaptation
    track =
      isSyntheticVideo
      ? PictureTrack(encoding: nil, clockRate: format.clockRate, handsOut: false, isSynthetic: true)
      : Self.track(
        of: format, origin, isEncrypted: isEncrypted, handsOut: keepsPayloads, parameterSets: parameterSets)
    if let track { configuration.holdFrames(of: track) }
    // Whether a frame can be put together shows when its time comes, whoever plays.
    configuration.keepsPayloads = keepsPayloads || track?.encoding != nil
    buffer = JitterBuffer(configuration)
    validator = SequenceValidator(first: header.sequenceNumber)
    lastArrival = first.arrival
    timestamps = TimestampExtender(first: header.timestamp)
    lastTransit = (first.arrival - .zero) - Interval(units: timestamps.last, rate: format.clockRate)
    runStart = (validator.highest, timestamps.last)
    log = arrivalLimit > 0 ? ArrivalLog(limit: arrivalLimit) : nil
  }

  /// What became of the packets and the media, for the report; every unique packet is in exactly one of its classes.
  public var playout: PlayoutStatistics {
    var result = PlayoutStatistics()
    let counts = buffer.counts
    let rate = format.clockRate
    result.played = counts.played
    result.late = late
    result.recovered = counts.recovered
    result.concealed = counts.concealed
    result.discarded = discarded
    result.stillBuffered = buffer.packetCount
    result.playedDuration = Interval(units: counts.playedUnits, rate: rate)
    result.concealedDuration = Interval(units: counts.concealedUnits, rate: rate)
    result.recoveredDuration = Interval(units: counts.recoveredUnits, rate: rate)
    result.silenceDuration = Interval(units: counts.silenceUnits, rate: rate)
    result.stalledDuration = Interval(units: counts.stalledUnits, rate: rate)
    result.insertedDuration = Interval(units: counts.insertedUnits, rate: rate)
    result.removedDuration = Interval(units: counts.removedUnits, rate: rate)
    result.stretches = counts.stretches
    result.underruns = counts.underruns
    result.stalls = counts.stalls
    result.recoveries = counts.recoveries
    result.recoveringDuration = Interval(seconds: counts.recovering)
    result.driftCorrection = buffer.driftCorrection
    result.driftLift = buffer.driftLift
    result.meanWait = counts.played > 0 ? counts.waiting / Double(counts.played) : nil
    if isOpus { result.samples = PlayoutSamples(counts, isAdaptive: buffer.adaptation != nil) }
    result.adaptation = buffer.adaptation.map {
      PlayoutAdaptation(
        lateBudget: $0.lateBudget, least: $0.limits.lowerBound.milliseconds, most: $0.limits.upperBound.milliseconds)
    }
    result.bufferLevel = level
    result.target = buffer.target
    return result
  }

  /// What share of packets would have been late for which fixed delay.
  ///
  /// For media that isn't one continuous timeline (video) it is an upper bound: there a late packet is of use as long as
  /// none after it has been played.
  public var latenessCurve: LatenessCurve { latenessCounts.curve() }

  /// What is known of packets before the first and after the last that arrived.
  ///
  /// - Parameter start: since when this receiver listened: what was sent before isn't lost; nil when it always did.
  public func ends(listeningSince start: Instant?) -> StreamEnds {
    var ends = sending.ends(numbers: statistics.numbers, lost: statistics.lostInRun)
    guard let start, let first = statistics.firstArrival, let last = statistics.lastArrival else { return ends }
    ends.limit(
      listenedBefore: first - start, after: (senderReport?.arrival ?? last) - last,
      packetInterval: statistics.packetInterval)
    return ends
  }

  /// How often the playout's timeline was anchored anew.
  public var resynchronisations: Int { buffer.counts.resynchronisations }

  /// Media in the buffer now.
  public var bufferedMedia: Interval { buffer.level }

  /// Whether the timestamp goes with those before it, by its transit.
  func fits(_ timestamp: RTPTimestamp, arrival: Instant) -> Bool {
    let transit = (arrival - .zero) - Interval(units: timestamps.extended(timestamp), rate: format.clockRate)
    let shift = transit - lastTransit
    return shift < .seconds(5) && shift > .seconds(-5)
  }

  /// Tells what a jump to `number` is: the media time must fit, and the stream's packets a second must explain the
  /// numbers jumped over.
  func jump(to number: SequenceNumber, timestamp: RTPTimestamp, arrival: Instant) -> SequenceValidator.Jump {
    guard fits(timestamp, arrival: arrival) else { return .restart }
    let ahead = validator.distanceAhead(of: number)
    let elapsed = timestamps.extended(timestamp) - timestamps.last
    let span = Double(max(timestamps.last - runStart.timestamp, 1))
    let rate = Double(max(validator.highest - runStart.sequence, 1)) / span
    let explained = rate * Double(abs(elapsed))
    let margin = Double(SequenceValidator.maxMisorder)
    if elapsed > 0 { return Double(ahead) <= 4 * explained + margin ? .dropout : .restart }
    let behind = Double((1 << 16) - ahead)
    return abs(behind - explained) <= explained / 2 + margin ? .stale : .restart
  }

  /// The sender has begun anew: timestamps stand in no relation to those before.
  mutating func restartTimeline(at timestamp: RTPTimestamp, sequence: Int64) {
    if let numbers = statistics.numbers { sending.restart(numbers: numbers, lost: statistics.lostInRun) }
    senderOrigin = nil
    statistics.restart()
    recorder.restart()
    timeline?.restart()
    mediaJitter?.restart()
    buffer.restart(at: sequence)
    track?.restart(from: sequence - JitterBuffer.restartMargin + 1)
    recording?.restart()
    timestamps = TimestampExtender(first: timestamp)
    runStart = (sequence, timestamps.last)
    log?.recordRestart(at: sequence)
  }

  /// Takes in what the sender says of itself, in the compound packet with this number.
  mutating func take(_ report: SenderReport, number: Int, arrival: Instant) {
    senderReport = (report.ntp.middle, arrival)
    sent = (report.packetCount, report.octetCount)
    let counts = sending.report(
      packets: report.packetCount, time: report.ntp.rawValue, numbers: statistics.numbers,
      isAdjacent: statistics.isAdjacent(report.rtpTimestamp))
    reportNumber = counts ? number : -1
    guard counts, report.ntp.rawValue != 0 else { return }
    let media = Interval(units: timestamps.extended(report.rtpTimestamp), rate: format.clockRate)
    senderOrigin = Interval(nanoseconds: report.ntp.unixNanoseconds) - media
  }

  /// The sender said goodbye in the compound packet with this number; a report in the same one has the final count.
  mutating func takeGoodbye(number: Int) {
    if reportNumber == number { sending.close() }
  }

  /// Takes in a packet that plainly goes on where the stream is; its extended number, and its fate as of `receive`.
  ///
  /// Nil when there is more to think of, and nothing has happened: most packets never get there.
  mutating func goOn(
    with packet: RTPPacket, of datagram: RawSpan, from peer: Peer, at arrival: Instant, index: UInt64
  ) -> (extended: Int64, fate: DatagramFate.Fate?)? {
    guard case .active = phase, peer == self.peer, held.isEmpty,
      let extended = validator.goOn(to: packet.header.sequenceNumber)
    else { return nil }
    return (extended, receive(packet, of: datagram, extended: extended, arrival: arrival, index: index))
  }

  /// Takes in a packet whose extended number is known; its fate, or nil while it waits in the buffer.
  mutating func receive(
    _ packet: RTPPacket, of datagram: RawSpan, extended: Int64, arrival: Instant, index: UInt64
  ) -> DatagramFate.Fate? {
    let (reception, fate) = take(packet, of: datagram, extended: extended, arrival: arrival, index: index)
    timeline?.record(
      StreamTimeline.Packet(
        sequence: extended, transit: lastTransit, arrival: arrival, bytes: datagram.byteCount, reception: reception,
        fate: fate == nil ? .inTime : fate == .late ? .late : .discarded, jitter: statistics.jitter.last))
    return fate
  }

  private mutating func take(
    _ packet: RTPPacket, of datagram: RawSpan, extended: Int64, arrival: Instant, index: UInt64
  ) -> (reception: Reception, fate: DatagramFate.Fate?) {
    lastArrival = max(lastArrival, arrival)
    let header = packet.header
    var isTimed = true
    if header.payloadType != payloadType {
      // Until now both were the same.
      if mediaJitter == nil { mediaJitter = statistics.jitter }
      // The packets of an event all bear the time of its beginning (RFC 4733 section 2.2.1).
      isTimed = lastEvent?.type != header.payloadType || lastEvent?.timestamp != header.timestamp
      lastEvent = (header.payloadType, header.timestamp)
    } else if mediaJitter != nil {
      mediaJitter?.record(timestamp: header.timestamp, arrival: arrival)
    }
    let reception = statistics.record(
      sequence: extended, timestamp: header.timestamp, arrival: arrival, bytes: datagram.byteCount,
      isTimed: isTimed)
    if isReported, reception != .tooOld {
      recorder.record(
        extended, header: header, isDuplicate: reception.isDuplicate, arrival: arrival, clockRate: format.clockRate)
    }
    guard reception.isUnique else {
      if log != nil, reception == .duplicate { keepCopy(extended, header.timestamp, arrival: arrival) }
      return (reception, reception == .tooOld ? .discarded(.outOfRange) : .duplicate)
    }
    let timestamp = timestamps.extend(header.timestamp)
    lastTransit = (arrival - .zero) - Interval(units: timestamp, rate: format.clockRate)
    let payload = datagram.extracting(packet.payload)
    var description = BufferedPacket(
      sequence: extended, timestamp: timestamp, duration: 0, arrival: arrival, tag: index)
    if header.payloadType != payloadType {
      log?.record(description, kind: .unfit)
      return (reception, discard(.wrongPayloadType, sequence: extended))
    }
    if isOpus {
      guard let opus = OpusPacket(parsing: payload) else {
        log?.record(description, kind: .unfit)
        return (reception, discard(.invalidPayload, sequence: extended))
      }
      description.duration = Int64(opus.duration)
      description.isSilence = opus.isDTX
      description.carriesFEC = opus.carriesFEC(in: payload)
    } else if track != nil {
      guard place(&description, payload: payload, endsFrame: header.marker) else {
        log?.record(description, kind: .unfit)
        return (reception, discard(.invalidPayload, sequence: extended))
      }
    }
    recording?.insert(description, payload: payload)
    // Without a continuous timeline only a packet that was overtaken can be late.
    let lateness = isOpus || track != nil || reception == .reordered ? buffer.latenessInPlace(of: description) : nil
    log?.record(description, kind: .offered)
    let insertion = buffer.insert(description, payload: payload)
    if track != nil { note(payload, of: description, timestamp: timestamp, header: header, insertion: insertion) }
    switch insertion {
    case .stored:
      latenessCounts.record(lateness ?? .nanoseconds(-1))
      return (reception, nil)
    case .late:
      latenessCounts.record(lateness ?? .nanoseconds(-1))
      statistics.noteUseless(sequence: extended)
      late += 1
      return (reception, .late)
    case .misplaced: return (reception, discard(.outOfRange, sequence: extended))
    case .improved, .duplicate, .full: return (reception, discard(.bufferFull, sequence: extended))
    }
  }

  /// Looks at the buffer when something is played.
  mutating func recordLevel(at now: Instant) {
    let held = buffer.levelInPlace()
    level.record(held.milliseconds)
    timeline?.recordPlayout(level: held, target: buffer.target, base: buffer.baseTransit, at: now)
  }

  /// Counts a packet that the buffer gave up.
  mutating func noteStale(sequence: Int64) {
    _ = discard(.stale, sequence: sequence)
    timeline?.recordStale(sequence: sequence)
  }

  private mutating func keepCopy(_ sequence: Int64, _ timestamp: RTPTimestamp, arrival: Instant) {
    log?.record(
      BufferedPacket(
        sequence: sequence, timestamp: timestamps.extended(timestamp), duration: 0, arrival: arrival), kind: .copy)
  }

  private mutating func discard(_ reason: DiscardReason, sequence: Int64) -> DatagramFate.Fate {
    statistics.noteUseless(sequence: sequence)
    discarded[reason] += 1
    return .discarded(reason)
  }
}
