import Packets
import Reporting
import Sockets
import Timeline

/// A TCP connection that carries packets behind their lengths (RFC 4571).
///
/// What the kernel doesn't take waits in a bounded queue of this program, in order; it is counted, and so is what finds
/// that queue full. A packet has arrived when its last byte could be read.
final class StreamCarrier: RaceCarrier {
  private let outlet: StreamConnection
  private let inlet: StreamConnection
  private var deframer = StreamDeframer()
  private var frame: [UInt8] = []
  private var pieces: [UInt8] = []
  private(set) var failure: String?
  private(set) var refused = 0
  private var sent = 0
  private var received = 0
  private var start = Instant.zero
  private var nextSample = Instant.zero
  /// What is known of the connection.
  private(set) var connection: RaceConnection

  /// How often the kernel is asked about the connection.
  private static let sampling = Interval.milliseconds(100)
  /// The most that waits in this program: an hour of speech, or a quarter of a minute of video.
  static let queueLimit = 16 << 20

  /// Takes over both ends of a connection that took `setup` to be made.
  init(from outlet: StreamConnection, to inlet: StreamConnection, setup: Interval) {
    self.outlet = outlet
    self.inlet = inlet
    connection = RaceConnection()
    connection.congestionControl = outlet.congestionControl ?? ""
    connection.setup = setup
  }

  /// Says when the race begins, before it does.
  func begin(at start: Instant) {
    self.start = start
    nextSample = start
  }

  var watched: [(descriptor: CInt, read: Bool, write: Bool)] {
    [(inlet.descriptor, failure == nil, false), (outlet.descriptor, false, outlet.pendingBytes > 0)]
  }

  var nextInstant: Instant? { nextSample }

  var isPending: Bool { failure == nil && received < sent }

  func send(_ packet: RawSpan, index: Int, at now: Instant) {
    guard failure == nil else { return }
    switch outlet.write(framing: packet, in: &frame) {
    case .taken: sent += 1
    case .full: refused += 1
    case .failed(let error): fail(error)
    }
  }

  func advance(at now: Instant) {
    guard failure == nil else { return }
    if outlet.pendingBytes > 0, case .failed(let error) = outlet.flush() { fail(error) }
    guard nextSample <= now else { return }
    nextSample = max(nextSample + Self.sampling, now)
    sample(at: now)
  }

  func receive(_ take: (RawSpan, Instant) -> Void) {
    for _ in 0..<64 where failure == nil {
      pieces.removeAll(keepingCapacity: true)
      switch inlet.read(appendingTo: &pieces) {
      case .bytes:
        let now = MonotonicClock.now()
        let bytes = pieces
        deframer.feed(bytes.span.bytes) { packet in
          received += 1
          take(packet, now)
        }
      case .wouldBlock: return
      case .closed: failure = "the connection was closed"
      case .failed(let error): fail(error)
      }
    }
  }

  /// Asks the kernel a last time.
  func finish(at now: Instant) {
    if failure == nil { sample(at: now) }
  }

  private func sample(at now: Instant) {
    guard let figures = outlet.statistics() else { return }
    var sample = TCPSample(
      time: now - start, roundTrip: figures.roundTrip, congestionWindow: figures.congestionWindow,
      retransmits: figures.retransmits)
    sample.timeout = figures.timeout
    sample.queuedBytes = figures.queuedBytes + outlet.pendingBytes
    connection.samples.append(sample)
    connection.retransmits = figures.retransmits
  }

  private func fail(_ error: SocketError) { failure = failure ?? error.description }
}
