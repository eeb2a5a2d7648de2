import Packets
import Timeline

/// A source in a flow that may be an RTP stream: its packets are kept until it is known.
///
/// One packet says little: a quarter of all random bytes have RTP's version. Three with one SSRC whose numbers and
/// timestamps go on plausibly are no accident (RFC 3550 A.1 is content with two).
struct Candidate: Sendable {
  /// A packet of a candidate.
  struct Held: Sendable {
    var bytes: [UInt8]
    var arrival: Instant
    var isControl: Bool
  }

  /// What a candidate's packets say.
  enum Verdict: Equatable {
    case undecided
    case isStream
  }

  /// The most packets kept: enough to measure the clock of an unknown encoding to a few percent.
  static let packetLimit = 64
  /// The most RTCP packets kept.
  static let controlLimit = 4
  /// The steps from packet to packet that make a stream, and those for a header that is unlikely.
  static let enough = 2
  static let enoughForUnlikely = 5

  let ssrc: UInt32
  /// The number of its first packet in the capture.
  private(set) var first: Int
  private(set) var held: [Held] = []
  /// The RTP packets kept.
  private(set) var packets = 0
  private var controls = 0
  private(set) var payloadType: UInt8
  private var samples: [ClockEstimate.Sample] = []
  private var highest: SequenceNumber
  private var lastTimestamp: RTPTimestamp
  private var lastArrival: Instant
  private var steps = 0
  private var firstArrival: Instant

  init(_ header: RTPHeader, bytes: RawSpan, at arrival: Instant, number: Int) {
    ssrc = header.ssrc
    first = number
    payloadType = header.payloadType
    highest = header.sequenceNumber
    lastTimestamp = header.timestamp
    lastArrival = arrival
    firstArrival = arrival
    keep(header, bytes, at: arrival)
  }

  /// The bytes that are kept.
  var byteCount: Int { held.reduce(0) { $0 + $1.bytes.count } }

  /// Takes in a packet; the numbers and the timestamps of one that follows none of those before begin anew.
  ///
  /// Returns how many packets were given up for it.
  mutating func receive(_ header: RTPHeader, bytes: RawSpan, at arrival: Instant, number: Int) -> Int {
    let before = packets
    let step = highest.distance(to: header.sequenceNumber)
    let isPlausible =
      step > -Self.maxMisorder && step < Self.maxDropout
      && Self.isPlausible(
        lastTimestamp.distance(to: header.timestamp), within: arrival - lastArrival)
    if !isPlausible {
      steps = 0
      packets = 0
      first = number
      held.removeAll()
      controls = 0
      samples.removeAll()
      payloadType = header.payloadType
      highest = header.sequenceNumber
      firstArrival = arrival
    } else if step != 0 {
      steps += 1
    }
    if step > 0 { highest = header.sequenceNumber }
    lastTimestamp = header.timestamp
    lastArrival = arrival
    if packets >= Self.packetLimit, let oldest = held.firstIndex(where: { !$0.isControl }) {
      held.remove(at: oldest)
      packets -= 1
    }
    keep(header, bytes, at: arrival)
    return before + 1 - packets
  }

  /// Keeps an RTCP packet that came while nothing was decided.
  mutating func receiveControl(_ bytes: RawSpan, at arrival: Instant) {
    guard controls < Self.controlLimit else { return }
    controls += 1
    held.append(Held(bytes: Self.copy(bytes), arrival: arrival, isControl: true))
  }

  /// Whether it is a stream; with `isClockKnown` false, packets are gathered until its clock can be measured.
  func verdict(isClockKnown: Bool, isNamed: Bool) -> Verdict {
    let needed = isNamed ? 1 : isLikely ? Self.enough : Self.enoughForUnlikely
    guard steps >= needed else { return .undecided }
    if isClockKnown || packets >= Self.packetLimit || lastArrival - firstArrival > .seconds(2) { return .isStream }
    return .undecided
  }

  /// The clock rate that its timestamps show; nil when they don't.
  var clockRate: UInt32? { ClockEstimate.rate(of: samples) }

  /// Whether its packets look like Opus: timestamps advance by the duration in the table of contents.
  var looksLikeOpus: Bool { ClockEstimate.isOpus(samples) }

  /// Whether its first packet looks like what most senders send: no padding, no contributing sources, a known type.
  var isPlain: Bool {
    guard let first = held.first(where: { !$0.isControl })?.bytes.first else { return false }
    return first & 0x2f == 0 && isLikely
  }

  /// Types that nobody assigns by RFC 3551 and sources without a random number are possible, but unlikely.
  private var isLikely: Bool {
    ssrc != 0 && (payloadType >= 96 || PayloadFormat.staticType(payloadType) != nil)
  }

  private mutating func keep(_ header: RTPHeader, _ bytes: RawSpan, at arrival: Instant) {
    packets += 1
    held.append(Held(bytes: Self.copy(bytes), arrival: arrival, isControl: false))
    guard header.payloadType == payloadType, samples.count < Self.packetLimit,
      let packet = try? RTPPacket(parsing: bytes)
    else { return }
    samples.append(
      ClockEstimate.Sample(
        sequence: header.sequenceNumber, timestamp: header.timestamp, arrival: arrival,
        opusDuration: OpusPacket.duration(of: bytes.extracting(packet.payload))))
  }

  private static func copy(_ bytes: RawSpan) -> [UInt8] {
    unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
  }

  /// The fastest clock in use is 192 kHz; five seconds more allow for pauses of a capture with bad stamps.
  private static func isPlausible(_ units: Int64, within elapsed: Interval) -> Bool {
    let limit = (Swift.max(elapsed, .zero) + .seconds(5)).units(rate: 200_000)
    return abs(units) < limit
  }

  /// Gaps as RFC 3550 A.1 takes them for loss and reordering.
  private static let maxDropout = 3000
  private static let maxMisorder = 100
}
