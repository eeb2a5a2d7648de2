import Sockets
import Testing
import Timeline

// What the tests of sockets share: everything happens on loopback, on ports that the system chooses.

let loopback4 = SocketAddress.ipv4(.loopback, port: 0)
/// One for each IP version that this host has; containers often lack IPv6.
let loopbacks: [SocketAddress] = {
  let loopback6 = SocketAddress.ipv6(.loopback, port: 0, scope: 0)
  return failure { () throws(SocketError) in _ = try DatagramSocket(listeningOn: loopback6) } == nil
    ? [loopback4, loopback6] : [loopback4]
}()

/// Waits until a descriptor is ready, at most ten seconds, and tells whether it became so.
func isReady(_ descriptor: CInt, read: Bool = false, write: Bool = false) throws -> Bool {
  var loop = try EventLoop()
  try loop.add(descriptor, token: 1, read: read, write: write)
  var events: [ReadyEvent] = []
  try loop.wait(until: MonotonicClock.now() + .seconds(10), into: &events)
  return !events.isEmpty
}

/// A datagram with what is known of it.
struct Heard {
  var bytes: [UInt8]
  var about: ReceivedDatagram
}

/// Reads datagrams until there are `count` of them.
func hear(_ count: Int, from socket: borrowing DatagramSocket) throws -> [Heard] {
  var batch = try ReceiveBatch(capacity: 8)
  var heard: [Heard] = []
  while heard.count < count, try isReady(socket.descriptor, read: true) {
    guard case .datagrams(let more) = try batch.receive(from: socket) else { continue }
    for index in 0..<more {
      heard.append(Heard(bytes: batch.withBytes(at: index, copy), about: batch.datagram(at: index)))
    }
  }
  return heard
}

/// The bytes of a span.
func copy(_ span: RawSpan) -> [UInt8] { span.withUnsafeBytes { [UInt8]($0) } }

extension DatagramSocket {
  /// Sends an array.
  func send(_ bytes: [UInt8], to destination: SocketAddress? = nil) throws -> SendOutcome {
    try send(bytes.span.bytes, to: destination)
  }
}

/// What a throwing call of ours throws, or nil.
func failure(_ body: () throws(SocketError) -> Void) -> SocketError? {
  do throws(SocketError) {
    try body()
    return nil
  } catch {
    return error
  }
}
