import Packets
import Receiving
import Sockets
import Timeline

/// One RTP session of a receiver: its sockets, and what makes streams of their datagrams.
///
/// Audio and video come as a session each (RFC 3550 section 5.2), on ports of their own.
final class ReceiveMedia {
  /// Its number among the receiver's sessions.
  let index: Int
  var inlet: ReceiveInlet
  var session: ReceiveSession
  /// H.264's parameter sets that were told beforehand, by payload type.
  let parameterSets: [UInt8: [[UInt8]]]
  /// Up to here everything that arrived has been handed on.
  var handledUpTo: Instant
  /// Senders whose connection has ended, while the link may still hold what they sent.
  var closed: [Peer] = []
  /// Senders of streams that have ended since the last report, which is also for them.
  var ended: [Peer] = []
  private var drops = SocketDropCount()
  private var scratch = [UInt8](repeating: 0, count: 1500)

  /// The most sessions of one receiver.
  static let limit = 16

  init(
    _ place: ReceivePlace, index: Int, session: ReceiveSession.Configuration, options: ReceiveOptions, at now: Instant
  ) throws(CommandError) {
    self.index = index
    self.session = ReceiveSession(session)
    parameterSets = place.formats.parameterSets
    handledUpTo = now
    inlet = try ReceiveInlet(place, options)
  }

  // MARK: Tokens

  /// What an event loop calls its sockets.
  enum Socket: UInt64 {
    case media, control, listener, connection
  }

  /// Its sockets' tokens begin here; those of its connections, of which there may be many, far beyond.
  private static let firstToken: UInt64 = 1 << 16

  private var tokens: UInt64 { Self.firstToken + UInt64(index) * 4 }
  private var firstConnection: UInt64 { UInt64(index + 1) << 32 }

  /// Whose socket a token names, and which; nil when it is of no session.
  static func socket(of token: UInt64) -> (index: Int, socket: Socket)? {
    if token >= 1 << 32 { return (Int(token >> 32) - 1, .connection) }
    guard token >= firstToken, let socket = Socket(rawValue: (token - firstToken) % 4) else { return nil }
    return (Int((token - firstToken) / 4), socket)
  }

  /// Has the loop watch its sockets.
  func register(in loop: borrowing EventLoop) throws(CommandError) {
    try inlet.register(
      in: loop, media: tokens + Socket.media.rawValue, control: tokens + Socket.control.rawValue,
      listener: tokens + Socket.listener.rawValue)
  }

  /// Takes in connections.
  func accept(in loop: borrowing EventLoop) throws(CommandError) {
    try inlet.accept(in: loop, firstToken: firstConnection)
  }

  // MARK: Senders

  /// The number of a sender in the receiver's link, where all sessions share a network.
  func tag(of peer: Peer) -> UInt32 { UInt32(index) << 16 | UInt32(UInt16(clamping: peer.id)) }

  /// Which session and sender a tag names.
  static func sender(of tag: UInt32) -> (index: Int, peer: Peer) {
    let number = tag & 0xFFFF
    return (Int(tag >> 16), Peer(id: number == 0xFFFF ? .max : number))
  }

  /// A sender's report says by its source whose reports come from this address; ports alone can't, where several
  /// senders share a host.
  func noteReports(_ bytes: RawSpan, from address: SocketAddress) {
    guard let ssrc = SenderReport.source(of: bytes),
      let place = session.streams.indices.last(where: { session.streams[$0].ssrc == ssrc })
    else { return }
    inlet.noteReports(of: session.streams[place].peer, from: address)
  }

  /// What the socket dropped since this was asked last, by its count of all drops.
  func newDrops(upTo count: UInt32) -> Int { drops.new(upTo: count) }

  /// Its part of a report.
  var part: ReceiveReport.Part {
    var part = ReceiveReport.Part(session)
    for stream in session.streams {
      part.sources[stream.peer] = inlet.name(of: stream.peer)
      if inlet.isLocal(stream.peer) { part.localPeers.insert(stream.peer) }
    }
    return part
  }

  // MARK: Reports

  /// Sends the reports that are due.
  func sendReports(at now: Instant, toAll: Bool = false) {
    var isSent = false
    while true {
      var span = scratch.mutableSpan
      guard let size = session.pollReport(into: &span, at: now) else { break }
      isSent = true
      let report = scratch
      let peers = session.streams.filter { toAll || $0.isOpen }.map(\.peer)
      inlet.sendControl(report.span.bytes.extracting(first: size), to: peers + ended)
    }
    if isSent { ended = [] }
  }

  /// Says goodbye, or begins to: when the next attempt is due.
  func leave() {
    session.leave(at: MonotonicClock.now())
    sendReports(at: MonotonicClock.now(), toAll: true)
  }

  /// The connections that have ended are over for the session too.
  func handleClosed() {
    for peer in closed { session.handleClose(of: peer) }
    closed = []
  }
}

/// Where one session listens, and what its payload types stand for.
struct ReceivePlace: Sendable {
  var source: Endpoint
  /// Whether RTCP comes on the port of RTP.
  var isMuxed: Bool
  var formats: FormatTable
}

/// The kernel's count of datagrams that a socket dropped, which is modulo 2^32.
struct SocketDropCount {
  private var last: UInt32 = 0

  /// What was dropped since this was asked last.
  mutating func new(upTo count: UInt32) -> Int {
    let step = Int32(bitPattern: count &- last)
    guard step > 0 else { return 0 }
    last = count
    return Int(step)
  }
}
