internal import CLinux
import Glibc

/// Memory for sending many datagrams by one system call (sendmmsg), used again and again.
///
/// Fill it with `append`, then call `send` until it is empty. What the socket doesn't take now stays in the batch.
public struct SendBatch: ~Copyable {
  private let memory: OpaquePointer
  private let family: AddressFamily
  /// How many datagrams the batch holds at most.
  public let capacity: Int
  /// The most bytes of a datagram.
  public let datagramBytes: Int
  private var first = 0
  private var end = 0

  /// Makes room for `capacity` (1 to 1024) datagrams of at most `datagramBytes` for sockets of a family.
  public init(capacity: Int = 32, datagramBytes: Int = 2048, family: AddressFamily) throws(SocketError) {
    precondition((1...1024).contains(capacity), "the kernel takes at most 1024 datagrams a call")
    precondition((1...65_536).contains(datagramBytes), "no datagram is longer than 65,536 bytes")
    guard let memory = clinux_send_batch_create(CInt(capacity), CInt(datagramBytes)) else { throw .noMemory }
    self.memory = memory
    self.family = family
    self.capacity = capacity
    self.datagramBytes = datagramBytes
  }

  deinit { clinux_send_batch_destroy(memory) }

  /// Datagrams that wait to be sent.
  public var count: Int { end - first }
  /// Whether `append` takes nothing more until the batch has been sent.
  public var isFull: Bool { end == capacity }

  /// Adds a datagram, to the peer of a connected socket or to `destination`.
  ///
  /// Gives false when the batch is full or the datagram is too long for it; nothing is added then.
  public mutating func append(_ bytes: RawSpan, to destination: SocketAddress? = nil) -> Bool {
    guard end < capacity, bytes.byteCount <= datagramBytes else { return false }
    let slot = CInt(end)
    bytes.withUnsafeBytes { buffer in
      let size = UInt32(buffer.count)
      guard let destination else {
        clinux_send_batch_set(memory, slot, buffer.baseAddress, size, nil, 0)
        return
      }
      destination.withKernelForm(for: family) { raw, length in
        clinux_send_batch_set(memory, slot, buffer.baseAddress, size, raw, length)
      }
    }
    end += 1
    return true
  }

  /// Sends in order until the batch is empty, the socket is full, or a datagram meets trouble.
  ///
  /// `sent` counts the datagrams that went. With `.wouldBlock` the rest stays for the next call; with `.trouble` the
  /// datagram that met it is dropped and the rest stays; with `.sent` the batch is empty.
  /// - Throws: `SocketError` only when the socket can't be used any more.
  public mutating func send(
    on socket: borrowing DatagramSocket
  ) throws(SocketError) -> (sent: Int, outcome: SendOutcome) {
    var sent = 0
    while first < end {
      let result = clinux_send_batch_write(memory, socket.descriptor, CInt(first), CInt(end - first))
      if result > 0 {
        first += Int(result)
        sent += Int(result)
        continue
      }
      // The kernel reports an error only when the first datagram of a call meets it.
      let outcome = try SendOutcome(code: result == 0 ? EAGAIN : -result, address: socket.peer)
      if case .trouble = outcome { first += 1 }
      if first == end { removeAll() }
      return (sent, outcome)
    }
    removeAll()
    return (sent, .sent)
  }

  /// Forgets what hasn't been sent.
  public mutating func removeAll() {
    first = 0
    end = 0
  }
}
