internal import CLinux
import Glibc
public import Timeline

/// What a look into a socket found.
public enum ReceiveOutcome: Hashable, Sendable {
  /// So many datagrams are in the batch, at least one. When it is as many as the batch holds, more may wait.
  case datagrams(Int)
  /// Nothing waits.
  case empty
  /// An error came back for a datagram that was sent earlier; the socket goes on.
  case trouble(SocketTrouble)
}

/// What is known of a datagram besides its bytes.
public struct ReceivedDatagram: Hashable, Sendable {
  /// Who sent it; an empty Unix path when the sender has no name.
  public var sender: SocketAddress
  /// When the kernel received it, or when it was read where the kernel's stamp can't be had or trusted.
  public var arrival: Instant
  /// Bytes in the batch.
  public var size: Int
  /// It was longer than the batch's buffers, and its end is lost.
  public var isTruncated: Bool
  /// Whether `arrival` is the kernel's stamp.
  public var isStamped: Bool
  /// Datagrams that had been dropped for want of buffer space before this one was queued, modulo 2³².
  public var drops: UInt32
}

/// Memory for receiving many datagrams by one system call (recvmmsg), used again and again.
///
/// A buffer holds 65,536 bytes, more than UDP can carry, so nothing is ever cut short; untouched pages cost no memory.
/// One batch may serve any number of sockets in turn.
public struct ReceiveBatch: ~Copyable {
  private let memory: OpaquePointer
  /// How many datagrams one call takes at most.
  public let capacity: Int
  /// How many datagrams are in the batch now.
  public private(set) var count = 0
  /// When the batch was read.
  public private(set) var readAt = Instant.zero
  private var offset = ClockOffset.sample()
  /// The time of day was stepped since the last reading: the stamps of this batch may be from before or after.
  private var isStampDoubtful = false

  /// Makes room for `capacity` datagrams, 1 to 1024.
  public init(capacity: Int = 32) throws(SocketError) {
    precondition((1...1024).contains(capacity), "the kernel takes at most 1024 datagrams a call")
    guard let memory = clinux_receive_batch_create(CInt(capacity), 65_536) else { throw .noMemory }
    self.memory = memory
    self.capacity = capacity
  }

  deinit { clinux_receive_batch_destroy(memory) }

  /// Takes what waits in the socket, in place of what the batch held.
  /// - Throws: `SocketError` only when the socket can't be used any more.
  public mutating func receive(from socket: borrowing DatagramSocket) throws(SocketError) -> ReceiveOutcome {
    count = 0
    let result = clinux_receive_batch_read(memory, socket.descriptor)
    if result > 0 {
      readAt = MonotonicClock.now()
      followClocks()
      count = Int(result)
      return .datagrams(count)
    }
    if result == 0 || result == -EAGAIN { return .empty }
    if let trouble = SocketTrouble(code: -result) { return .trouble(trouble) }
    throw .system(.receive, code: -result, address: socket.localAddress)
  }

  /// What is known of the datagram at `index`, without allocating (but for a sender with a long Unix path).
  public func datagram(at index: Int) -> ReceivedDatagram {
    let raw = slot(at: index)
    let address = UnsafeRawBufferPointer(start: raw.address, count: Int(raw.address_size))
    return ReceivedDatagram(
      sender: SocketAddress(kernelForm: address) ?? .unix(path: ""),
      arrival: arrival(of: raw), size: Int(raw.size), isTruncated: raw.truncated != 0, isStamped: isStamped(raw),
      drops: raw.drops)
  }

  /// Lends the bytes of the datagram at `index`.
  public func withBytes<R, E: Error>(at index: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    let raw = slot(at: index)
    return try body(UnsafeRawBufferPointer(start: raw.bytes, count: Int(raw.size)).bytes)
  }

  private func slot(at index: Int) -> clinux_received {
    precondition(index >= 0 && index < count, "there is no such datagram in the batch")
    return clinux_receive_batch_at(memory, CInt(index))
  }

  private func isStamped(_ raw: clinux_received) -> Bool { raw.has_time != 0 && !isStampDoubtful }

  private func arrival(of raw: clinux_received) -> Instant {
    guard isStamped(raw) else { return readAt }
    return min(offset.instant(unixNanoseconds: raw.realtime), readAt)
  }

  /// Keeps the best reading of the offset while the clocks run alike, so that stamps don't inherit its noise.
  private mutating func followClocks() {
    let now = ClockOffset.sample()
    isStampDoubtful = !now.agrees(with: offset)
    if isStampDoubtful || now.uncertainty < offset.uncertainty { offset = now }
  }
}
