import Impairment
import Packets
import Racing
import Sockets
import Timeline

/// What carries the packets of one lane from the sender's side to the receiver's; it never blocks.
///
/// It belongs to the thread of the race.
protocol RaceCarrier: AnyObject {
  /// What the loop watches: descriptors, and whether for writing, too.
  var watched: [(descriptor: CInt, read: Bool, write: Bool)] { get }
  /// When `advance` has something to do; nil when nothing waits for time.
  var nextInstant: Instant? { get }
  /// Why it can't go on.
  var failure: String? { get }
  /// Sends packet `index`.
  func send(_ packet: RawSpan, index: Int, at now: Instant)
  /// Does what is due.
  func advance(at now: Instant)
  /// Takes what has arrived.
  func receive(_ take: (RawSpan, Instant) -> Void)
  /// How many packets the sender's side couldn't hand over, because its own buffers were full.
  var refused: Int { get }
  /// Whether something of what was sent may still be on its way.
  var isPending: Bool { get }
}

/// What never came about: it takes packets and delivers none.
final class FailedCarrier: RaceCarrier {
  let failure: String?
  let watched: [(descriptor: CInt, read: Bool, write: Bool)] = []
  let nextInstant: Instant? = nil
  let refused = 0
  let isPending = false

  /// Says why.
  init(_ failure: String) { self.failure = failure }

  func send(_ packet: RawSpan, index: Int, at now: Instant) {}
  func advance(at now: Instant) {}
  func receive(_ take: (RawSpan, Instant) -> Void) {}
}

/// Datagrams: UDP, with the link inside the process (`link`) or between the sockets; or Unix, beside any link.
final class DatagramCarrier: RaceCarrier {
  private let inlet: Inlet
  private let outlet: Inlet
  private var batch: ReceiveBatch
  private var link: Link<Int>?
  private let stream: RaceStream
  private var scratch: [UInt8] = []
  private(set) var failure: String?
  private(set) var refused = 0
  /// What the link inside the process decided of each packet.
  private(set) var fates: [LinkFate] = []
  /// When the last packet was sent, and how long it may take.
  private var lastSent: Instant?
  private let patience: Interval

  /// A socket in a class, because it can't be copied.
  final class Inlet {
    let socket: DatagramSocket
    init(_ socket: consuming DatagramSocket) { self.socket = socket }
  }

  /// Joins a bound socket and one that is connected to it.
  init(
    _ stream: RaceStream, from outlet: Inlet, to inlet: Inlet, link: LinkSpec?, patience: Interval
  ) throws(SocketError) {
    self.stream = stream
    self.inlet = inlet
    self.outlet = outlet
    self.link = link.map { Link($0, stream: 0) }
    self.patience = patience
    batch = try ReceiveBatch(capacity: 32)
  }

  /// UDP over loopback.
  convenience init(_ stream: RaceStream, loopbackWith link: LinkSpec) throws(SocketError) {
    let inlet = Inlet(try DatagramSocket(listeningOn: .ipv4(.loopback, port: 0)))
    let outlet = Inlet(try DatagramSocket(sendingTo: inlet.socket.localAddress))
    try self.init(stream, from: outlet, to: inlet, link: link, patience: .milliseconds(50))
  }

  /// A Unix socket, beside any link.
  convenience init(_ stream: RaceStream, unixAt path: String) throws(SocketError) {
    let inlet = Inlet(try DatagramSocket(listeningOn: .unix(path: path)))
    let outlet = Inlet(try DatagramSocket(sendingTo: .unix(path: path)))
    try self.init(stream, from: outlet, to: inlet, link: nil, patience: .milliseconds(50))
  }

  /// Says when the race begins, before it does.
  func begin(at start: Instant) { link?.beginOutages(at: start) }

  /// What the link inside the process has done; nil where there is none.
  var linkRecord: LinkRecord? { link?.record }

  /// What the receiving socket dropped.
  var socketDrops: Int { (try? inlet.socket.droppedDatagrams()).map(Int.init) ?? 0 }

  var watched: [(descriptor: CInt, read: Bool, write: Bool)] { [(inlet.socket.descriptor, true, false)] }

  var nextInstant: Instant? { link?.nextDelivery }

  var isPending: Bool {
    guard failure == nil else { return false }
    if link?.nextDelivery != nil { return true }
    return lastSent.map { MonotonicClock.now() < $0 + patience } ?? false
  }

  func send(_ packet: RawSpan, index: Int, at now: Instant) {
    lastSent = now
    guard let fate = link?.send(index, bytes: packet.byteCount + VirtualLane.headers, at: now) else {
      return transmit(packet)
    }
    fates.append(fate)
    advance(at: now)
  }

  func advance(at now: Instant) {
    while let delivery = link?.receive(at: now) {
      stream.write(delivery.payload, into: &scratch)
      delivery.corrupt(&scratch)
      lastSent = now
      let bytes = scratch
      transmit(bytes.span.bytes)
    }
  }

  private func transmit(_ packet: RawSpan) {
    do throws(SocketError) {
      if try outlet.socket.send(packet) != .sent { refused += 1 }
    } catch { failure = failure ?? error.description }
  }

  func receive(_ take: (RawSpan, Instant) -> Void) {
    for _ in 0..<64 {
      let outcome: ReceiveOutcome
      do throws(SocketError) { outcome = try batch.receive(from: inlet.socket) } catch {
        failure = failure ?? error.description
        return
      }
      switch outcome {
      case .datagrams(let count):
        for index in 0..<count {
          let arrival = batch.datagram(at: index).arrival
          batch.withBytes(at: index) { take($0, arrival) }
        }
        if count < batch.capacity { return }
      case .empty: return
      case .trouble: continue
      }
    }
  }
}
