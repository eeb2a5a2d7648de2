public import Buffering
import Packets
public import Receiving
public import Timeline

/// Finds the RTP streams in captured frames and hands each to a receiving session of its own: the numbers are those of
/// `jitterbug receive`, by the same code.
///
/// - Inputs: `handle`, in order of capture; `finish` at the end.
/// - Outputs: `sources`, each with its session; playout decisions go to `perform` as they fall.
/// - Queries: `counts`, `shortStreams`.
///
/// A source is an SSRC in a flow (addresses and ports), so that a stream that crosses the capture twice, before and
/// behind a relay, is counted twice and not as duplicates. Times are nanoseconds since 1970, as instants.
public struct CaptureAnalysis: Sendable {
  /// What an analysis is set up with.
  public struct Configuration: Sendable {
    /// What payload types stand for, as far as it is known before; descriptions in the capture come first.
    public var formats = FormatTable()
    /// The jitter buffer's fixed delay.
    public var target = Interval.milliseconds(60)
    /// How the delay follows the network; nil keeps it at `target`.
    public var adaptation: JitterBuffer.Adaptation?
    /// Ports on which everything that can be RTP is taken for it.
    public var ports: [UInt16] = []
    /// The only source that is followed; nil follows all.
    public var ssrc: UInt32?
    /// Whether each stream keeps a `StreamTimeline`, for reports that show what happened when.
    public var keepsTimelines = false
    /// How many arrivals of each stream are kept for replays.
    public var arrivalLimit = 0
    /// Whether somebody plays what the streams carry, and wants payloads with decisions.
    public var keepsPayloads = false
    /// Seeds the flow table's hash and the sessions.
    public var seed: UInt64

    /// An analysis with the usual limits.
    public init(seed: UInt64) { self.seed = seed }
  }

  /// Frames by what they held; each is in exactly one class.
  public struct Counts: Equatable, Sendable {
    /// Frames handed in.
    public internal(set) var frames = 0
    /// Datagrams that were taken for RTP.
    public internal(set) var rtp = 0
    /// Valid compound RTCP packets.
    public internal(set) var rtcp = 0
    /// STUN messages.
    public internal(set) var stun = 0
    /// DTLS records.
    public internal(set) var dtls = 0
    /// UDP datagrams that are none of these, those of sources that were no streams among them.
    public internal(set) var other = 0
    /// TCP segments with bytes in them.
    public internal(set) var segments = 0
    /// Later fragments of IP packets.
    public internal(set) var fragments = 0
    /// Frames of other protocols.
    public internal(set) var foreign = 0
    /// Frames of a link layer that isn't read.
    public internal(set) var unreadable = 0
    /// Frames whose headers are cut or contradict each other.
    public internal(set) var malformed = 0
    /// RTP datagrams of which the capture, or the first fragment, holds only the beginning; counted in `rtp` too.
    public internal(set) var cut = 0
    /// Frames with an earlier time than the one before; counted in their class too.
    public internal(set) var backwards = 0
    /// RTP datagrams of more sources than are followed, or of others than the one asked for.
    public internal(set) var unfollowed = 0
    /// Session descriptions read.
    public internal(set) var descriptions = 0
  }

  /// One source of RTP in one flow.
  public struct Source: Sendable {
    /// Who sent it to whom.
    public let flow: Flow
    /// Whether the other direction of the same conversation was seen first.
    public let isReverse: Bool
    /// Its synchronisation source.
    public let ssrc: UInt32
    /// The number of its first packet in the capture, from 1.
    public let firstFrame: Int
    /// Whether DTLS was seen between the same ends: the payload is most likely encrypted (RFC 5764).
    public internal(set) var isEncrypted = false
    /// Everything that is known of its stream, or streams when it ended and began anew.
    public internal(set) var session: ReceiveSession
    /// Up to here everything was handed in.
    var now: Instant
    /// What is added to the capture's stamps since its clock was set back.
    var offset = Interval.zero

    /// The session's time at a stamp of the capture: stamps may run backwards, a session's clock doesn't.
    mutating func advance(to stamp: Instant) -> Instant {
      // Sums of instants near their limits would be clamped, and time would stand still.
      let time = min(max(stamp, .zero), CaptureAnalysis.latest)
      let step = time + offset - now
      // Packets overtake each other by far less before they are stamped: somebody set the clock, or one stamp is wrong.
      if step < CaptureAnalysis.clockStep { offset = now - time }
      if step > .zero { now = time + offset }
      return now
    }

    /// What has happened to it elsewhere.
    mutating func takeBack(_ other: Source) {
      session = other.session
      now = other.now
      offset = other.offset
    }
  }

  /// A source with too few packets to be called a stream.
  public struct ShortStream: Equatable, Sendable {
    /// Who sent it to whom.
    public var flow: Flow
    /// Its synchronisation source.
    public var ssrc: UInt32
    /// Its payload type.
    public var payloadType: UInt8
    /// Its packets.
    public var packets: Int
    /// The number of its first packet in the capture, from 1.
    public var firstFrame: Int
  }

  /// What is known of a flow that has carried something like RTP.
  struct FlowState: Sendable {
    var isReverse: Bool
    var isNamed: Bool
    var datagrams = 0
    var alike = 0
    var hasDTLS = false
    /// The source that sent last, and its place in `sources`.
    var lastSSRC: UInt32 = 0
    var lastSource = -1
    var sources: [Int] = []
    var candidates: [Candidate] = []

    /// Counts a datagram that looks like RTP, when it is of the source that sent last: that source's place.
    mutating func noteNext(of ssrc: UInt32) -> Int? {
      guard lastSSRC == ssrc, lastSource >= 0 else { return nil }
      datagrams += 1
      alike += 1
      return lastSource
    }
  }

  /// Hears each playout decision: the source's place, the stream in its session, and the session for the payload.
  ///
  /// It returns by how many units the player made a packet longer; nil when nobody plays.
  public typealias Performer = (_ source: Int, _ stream: Int, PlayoutDecision, borrowing ReceiveSession) -> Int64?

  /// The most sources followed.
  public static let sourceLimit = 1024
  /// The most flows remembered; those without a stream are forgotten when there are more.
  static let flowLimit = 65_536
  /// The most sources in a flow that are neither streams nor given up.
  static let candidateLimit = 16
  /// The most bytes kept of such sources.
  static let heldLimit = 8 << 20
  /// The most short streams listed.
  static let shortLimit = 64
  /// The latest stamp that is believed: in the year 2116, after the last that a pcap file can hold.
  static let latest = Instant(nanoseconds: 1 << 62)
  /// A step back of the stamps by more than this is another clock.
  static let clockStep = Interval.seconds(-10)
  /// A stream that is silent for this long has ended.
  static let idleTimeout = Interval.seconds(3600)

  /// The sources found, in order of appearance.
  public internal(set) var sources: [Source] = []
  /// Sources with too few packets, as many as are listed; complete after `finish`.
  public internal(set) var shortStreams: [ShortStream] = []
  /// All sources with too few packets.
  public internal(set) var shortCount = 0
  /// What the frames held.
  public internal(set) var counts = Counts()
  /// The link type of the first frame that couldn't be read.
  public private(set) var unreadableType: Int?
  /// The earliest and the latest time of a frame.
  public internal(set) var span: (first: Instant, last: Instant)?

  let configuration: Configuration
  var table: FlowTable
  var states: [FlowState] = []
  var texts = SessionTexts()
  var heldBytes = 0
  /// What is left to sessions that are elsewhere; nil while they are here.
  var work: CaptureWork?
  /// The places in `sources` of each SSRC.
  var places: [UInt32: [Int]] = [:]
  private var scratch: [UInt8] = []
  private var previous = Instant.zero

  /// Begins an analysis that has seen nothing.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    table = FlowTable(seed: configuration.seed)
  }

  // MARK: Inputs

  /// Takes in a frame.
  public mutating func handle(
    _ frame: RawSpan, link: LinkLayer, at time: Instant, perform: Performer? = nil
  ) {
    note(time)
    if let datagram = Dissector.usual(frame, link: link) {
      let payload = frame.extracting(datagram.payload)
      if let place = source(of: payload, length: datagram.length, in: datagram.flow) {
        counts.rtp += 1
        return deliver(payload, to: place, at: time, perform: perform)
      }
      return handle(payload, length: datagram.length, of: datagram.flow, at: time, perform: perform)
    }
    switch Dissector.dissect(frame, link: link) {
    case .datagram(let datagram):
      handle(
        frame.extracting(datagram.payload), length: datagram.length, of: datagram.flow, at: time, perform: perform)
    case .segment(let range):
      guard !range.isEmpty else { return counts.foreign += 1 }
      counts.segments += 1
      readSegment(frame.extracting(range))
    case .fragment: counts.fragments += 1
    case .other: counts.foreign += 1
    case .malformed: counts.malformed += 1
    }
  }

  /// Takes in a frame of a link layer that isn't read.
  public mutating func skip(linkType: Int, at time: Instant) {
    note(time)
    counts.unreadable += 1
    if unreadableType == nil { unreadableType = linkType }
  }

  /// Takes in a datagram without its frame, as a recording by rtpdump has it.
  public mutating func handle(
    datagram: RawSpan, length: Int, of flow: Flow, at time: Instant, perform: Performer? = nil
  ) {
    note(time)
    handle(datagram, length: max(length, datagram.byteCount), of: flow, at: time, perform: perform)
  }

  // MARK: Private

  private mutating func note(_ time: Instant) {
    counts.frames += 1
    guard let known = span else {
      previous = time
      return span = (time, time)
    }
    if time < previous { counts.backwards += 1 }
    previous = time
    span = (min(time, known.first), max(time, known.last))
  }

  /// `length` is what was sent, at least what is there.
  private mutating func handle(
    _ payload: RawSpan, length: Int, of flow: Flow, at time: Instant, perform: Performer?
  ) {
    let kind = PayloadKind.classify(payload, length: length)
    switch kind {
    case .rtp: handleRTP(payload, length: length, of: flow, at: time, perform: perform)
    case .rtcp: handleRTCP(payload, of: flow, at: time, perform: perform)
    case .channel:
      let inner = payload.extracting(4..<min(payload.byteCount, 4 + Int(payload.bigEndian(at: 2, as: UInt16.self))))
      let size = Int(payload.bigEndian(at: 2, as: UInt16.self))
      switch PayloadKind.classify(inner, length: size) {
      case .rtp: handleRTP(inner, length: size, of: flow, at: time, perform: perform)
      case .rtcp: handleRTCP(inner, of: flow, at: time, perform: perform)
      default: pass(flow, as: \.other)
      }
    case .stun: pass(flow, as: \.stun)
    case .dtls:
      pass(flow, as: \.dtls)
      noteEncryption(of: flow)
    case .text:
      pass(flow, as: \.other)
      texts.read(payload)
      counts.descriptions = texts.count
    case .other: pass(flow, as: \.other)
    }
  }

  /// The source of a whole RTP packet, when it is the one that its flow carried last; nil says nothing.
  @inline(__always) private mutating func source(of payload: RawSpan, length: Int, in flow: Flow) -> Int? {
    guard payload.byteCount == length, PayloadKind.classify(payload, length: length) == .rtp else { return nil }
    let ssrc = payload.bigEndian(at: 8, as: UInt32.self)
    guard configuration.ssrc == nil || configuration.ssrc == ssrc, let index = table.find(flow) else { return nil }
    return states[index].noteNext(of: ssrc)
  }

  /// Counts a datagram that isn't RTP.
  private mutating func pass(_ flow: Flow, as count: WritableKeyPath<Counts, Int>) {
    counts[keyPath: count] += 1
    // DTLS, STUN and RTCP beside RTP say nothing against it.
    if count == \.other, let index = table.find(flow) { states[index].datagrams += 1 }
  }

  /// RTSP and SIP over TCP: a description that lies in one segment is found.
  private mutating func readSegment(_ bytes: RawSpan) {
    guard bytes.byteCount >= 64 else { return }
    for offset in 0..<2 where !(0x41...0x5a).contains(bytes.byte(at: offset)) && bytes.byte(at: 0) != 0x76 { return }
    texts.read(bytes)
    counts.descriptions = texts.count
  }

  private mutating func handleRTP(
    _ payload: RawSpan, length: Int, of flow: Flow, at time: Instant, perform: Performer?
  ) {
    let ssrc = payload.bigEndian(at: 8, as: UInt32.self)
    if let wanted = configuration.ssrc, wanted != ssrc {
      counts.unfollowed += 1
      return
    }
    let index = table.find(flow) ?? addFlow(flow)
    let place: Int
    if let last = states[index].noteNext(of: ssrc) {
      place = last
    } else {
      states[index].datagrams += 1
      states[index].alike += 1
      place = source(ssrc, in: index)
    }
    if place < 0 {
      let isCut = payload.byteCount < length
      if isCut { counts.cut += 1 }
      withWhole(payload, length: length) { (analysis, whole) in
        analysis.consider(whole, ssrc: ssrc, in: index, at: time, perform: perform)
      }
      return
    }
    counts.rtp += 1
    guard payload.byteCount < length else { return deliver(payload, to: place, at: time, perform: perform) }
    counts.cut += 1
    withWhole(payload, length: length) { (analysis, whole) in
      analysis.deliver(whole, to: place, at: time, perform: perform)
    }
  }

  /// Runs `body` on a datagram; one that was cut is filled up with zeros to its length, without its padding bit, whose
  /// count is gone.
  private mutating func withWhole(
    _ payload: RawSpan, length: Int, _ body: (inout CaptureAnalysis, RawSpan) -> Void
  ) {
    guard payload.byteCount < length else { return body(&self, payload) }
    var bytes = scratch
    scratch = []
    bytes.removeAll(keepingCapacity: true)
    unsafe payload.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: repeatElement(0, count: length - payload.byteCount))
    bytes[0] &= ~0x20
    body(&self, unsafe bytes.span.bytes)
    scratch = bytes
  }

  private func source(_ ssrc: UInt32, in index: Int) -> Int {
    for place in states[index].sources where sources[place].ssrc == ssrc { return place }
    return -1
  }

  mutating func addFlow(_ flow: Flow) -> Int {
    if table.count >= Self.flowLimit { forgetFlows() }
    let isReverse = table.find(flow.reversed).map { !states[$0].isReverse } ?? false
    let isNamed =
      texts.names(flow) || configuration.ports.contains { $0 == flow.source.port || $0 == flow.destination.port }
    states.append(FlowState(isReverse: isReverse, isNamed: isNamed))
    return table.add(flow)
  }

  /// Hands a datagram to its source's session.
  mutating func deliver(_ datagram: RawSpan, to place: Int, at time: Instant, perform: Performer?) {
    if work != nil { return work?.add(datagram, for: place, isControl: false, at: time) ?? () }
    guard let perform else { return sources[place].take(datagram, at: time) }
    let now = sources[place].advance(to: time)
    play(place, until: now, perform: perform)
    sources[place].session.handleRTP(datagram, from: Peer(id: 0), at: now)
  }

  mutating func play(_ place: Int, until now: Instant, perform: Performer?) {
    if let perform {
      while let (stream, decision) = sources[place].session.pollPlayout(at: now) {
        if let change = perform(place, stream, decision, sources[place].session) {
          sources[place].session.settleStretch(of: stream, by: change)
        }
      }
    } else {
      sources[place].session.playOut(until: now)
    }
    while sources[place].session.pollEvent() != nil {}
  }
}
