import Buffering
import Packets
import Receiving
import Statistics
import Testing
import Timeline

/// A receive session with a record of all that it said.
struct Ear {
  static let ssrc: UInt32 = 0xfeed_0001

  var session: ReceiveSession
  var playout: [(stream: Int, decision: PlayoutDecision)] = []
  var events: [StreamEvent] = []
  var fates: [DatagramFate] = []
  var handedIn = 0
  /// What the player makes of a wish for a length; nil where nobody plays.
  var settle: ((Stretch) -> Int64)?

  init(change: (inout ReceiveSession.Configuration) -> Void = { _ in }) {
    var configuration = ReceiveSession.Configuration(ssrc: 1, cname: "ear", seed: 1)
    configuration.isTracing = true
    change(&configuration)
    session = ReceiveSession(configuration)
  }

  /// An RTP datagram with 20 ms of Opus.
  static func rtp(
    _ sequence: UInt16, ssrc: UInt32 = ssrc, timestamp: UInt32? = nil, type: UInt8 = 111,
    payload: [UInt8] = [0xf8, 1, 2, 3]
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: RTPHeader.size)
    var span = bytes.mutableSpan
    let header = RTPHeader(
      payloadType: type, sequenceNumber: SequenceNumber(sequence),
      timestamp: RTPTimestamp(timestamp ?? UInt32(sequence) * 960), ssrc: ssrc)
    _ = header.write(into: &span)
    return bytes + payload
  }

  /// A sender report with a name, and a goodbye if asked for.
  static func rtcp(
    ssrc: UInt32 = ssrc, packets: UInt32, cname: String = "mouth", isGoodbye: Bool = false, goodbyeOf: UInt32? = nil
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 500)
    var span = bytes.mutableSpan
    var writer = CompoundWriter()
    let report = SenderReport(
      ssrc: ssrc, ntp: NTPTimestamp(rawValue: 1 << 40), rtpTimestamp: RTPTimestamp(0), packetCount: packets,
      octetCount: 0)
    _ = writer.senderReport(report, into: &span)
    _ = writer.sourceDescription(ssrc: ssrc, cname: cname.utf8, into: &span)
    if isGoodbye || goodbyeOf != nil { _ = writer.goodbye(ssrc: goodbyeOf ?? ssrc, into: &span) }
    return Array(bytes[..<writer.count])
  }

  mutating func take(
    _ datagram: [UInt8], at milliseconds: Int64, from peer: UInt32 = 1, droppedBefore drops: Int = 0
  ) {
    let arrival = Instant.zero + .milliseconds(milliseconds)
    drain(at: arrival)
    handedIn += 1
    session.handleRTP(datagram.span.bytes, from: Peer(id: peer), at: arrival, droppedBefore: drops)
    drain(at: arrival)
  }

  mutating func takeRTCP(_ datagram: [UInt8], at milliseconds: Int64) {
    let arrival = Instant.zero + .milliseconds(milliseconds)
    drain(at: arrival)
    session.handleRTCP(datagram.span.bytes, from: Peer(id: 2), at: arrival)
    drain(at: arrival)
  }

  mutating func drain(at now: Instant) {
    while let (stream, decision) = session.pollPlayout(at: now) {
      playout.append((stream, decision))
      guard case .play = decision, let settle else { continue }
      session.settleStretch(of: stream, by: settle(session.stretch(of: stream)))
    }
    while let (_, event) = session.pollEvent() { events.append(event) }
    while let fate = session.pollFate() { fates.append(fate) }
  }

  /// Stops, plays everything and closes the accounts.
  mutating func finish(at milliseconds: Int64 = 1_000_000) {
    session.stop()
    drain(at: .zero + .milliseconds(milliseconds))
    session.close()
    drain(at: .zero + .milliseconds(milliseconds))
  }

  var played: Int { playout.count { if case .play = $0.decision { true } else { false } } }

  /// Whether every datagram is in exactly one class.
  var isClosed: Bool {
    let received = session.streams.reduce(0) { $0 + $1.statistics.received + $1.statistics.tooOld }
    return handedIn == received + session.datagrams.discarded.total + session.datagrams.held
      && (session.datagrams.held > 0 || Set(fates.map(\.index)).count == handedIn && fates.count == handedIn)
  }
}
