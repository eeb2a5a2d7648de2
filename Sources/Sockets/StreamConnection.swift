import Glibc

/// What a read from a connection gave.
public enum StreamReadOutcome: Hashable, Sendable {
  /// So many bytes, at least one.
  case bytes(Int)
  /// Nothing is there yet.
  case wouldBlock
  /// The peer has said that nothing more comes; whether it was in the middle of a frame is for the caller to know.
  case closed
  /// The connection broke.
  case failed(SocketError)
}

/// What became of bytes that were to be written.
public enum StreamWriteOutcome: Hashable, Sendable {
  /// All of them are with the kernel or wait in the connection's buffer.
  case taken
  /// None of them was taken: too many wait already.
  case full
  /// The connection broke.
  case failed(SocketError)
}

/// A TCP connection that never blocks, with a bounded buffer for what the kernel doesn't take at once.
///
/// A class, because a program keeps many in a dictionary, where a value that can't be copied doesn't go. It belongs to
/// the thread of its loop. Remove its descriptor from the loop before closing it.
public final class StreamConnection {
  /// For `EventLoop.add`: watch for writing while `pendingBytes` isn't 0.
  public let descriptor: CInt
  /// Who is at the other end.
  public let peer: SocketAddress
  /// The most bytes that wait in the buffer.
  public let pendingLimit: Int
  private var pending: [UInt8] = []
  /// What of `pending` the kernel has taken already.
  private var taken = 0
  private var isOpen = true

  init(owning descriptor: consuming Descriptor, peer: SocketAddress, pendingLimit: Int) {
    self.descriptor = descriptor.release()
    self.peer = peer
    self.pendingLimit = pendingLimit
  }

  deinit { close() }

  /// Bytes that wait for the kernel to take them.
  public var pendingBytes: Int { pending.count - taken }

  /// Reads what is there, at most as much as `buffer` holds.
  public func read(into buffer: inout MutableRawSpan) -> StreamReadOutcome {
    buffer.withUnsafeMutableBytes { read(into: $0) }
  }

  /// Reads what is there, at most `limit` bytes, and appends it.
  public func read(appendingTo buffer: inout [UInt8], limit: Int = 65_536) -> StreamReadOutcome {
    withUnsafeTemporaryAllocation(byteCount: max(1, min(limit, 65_536)), alignment: 1) { bytes in
      let outcome = read(into: bytes)
      if case .bytes(let count) = outcome { buffer.append(contentsOf: bytes[..<count]) }
      return outcome
    }
  }

  /// Writes all of `bytes` or nothing, so that a frame is never cut by a full buffer.
  ///
  /// What the kernel doesn't take waits in the buffer, up to `pendingLimit`; while nothing waits, bytes of any number
  /// are taken.
  public func write(_ bytes: RawSpan) -> StreamWriteOutcome {
    guard isOpen else { return .failed(.system(.send, code: EPIPE, address: peer)) }
    if pendingBytes > 0 {
      // The sum can't overflow: both are sizes of memory.
      guard pendingBytes + bytes.byteCount <= pendingLimit else { return .full }
      bytes.withUnsafeBytes { pending.append(contentsOf: $0) }
      return flush()
    }
    return bytes.withUnsafeBytes { buffer in
      let sent = transmit(buffer)
      guard sent >= 0 else { return .failed(.system(.send, code: Int32(-sent), address: peer)) }
      pending.append(contentsOf: buffer[sent...])
      return .taken
    }
  }

  /// Hands over what waits, as far as the kernel takes it; for when the loop says that it can be written.
  ///
  /// Gives `.taken` even when some still waits; `pendingBytes` tells.
  public func flush() -> StreamWriteOutcome {
    guard isOpen else { return .failed(.system(.send, code: EPIPE, address: peer)) }
    guard pendingBytes > 0 else { return .taken }
    let sent = pending.withUnsafeBytes { transmit(UnsafeRawBufferPointer(rebasing: $0[taken...])) }
    guard sent >= 0 else { return .failed(.system(.send, code: Int32(-sent), address: peer)) }
    taken += sent
    if taken == pending.count {
      pending.removeAll(keepingCapacity: true)
      taken = 0
    } else if taken > pendingLimit / 2 {
      pending.removeFirst(taken)
      taken = 0
    }
    return .taken
  }

  /// Tells the peer that nothing more comes, after what waits has been flushed; reading goes on.
  public func finishWriting() { if isOpen { shutdown(descriptor, CInt(SHUT_WR)) } }

  /// Ends the connection and frees the descriptor; what waits is lost.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    Glibc.close(descriptor)
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamReadOutcome {
    guard isOpen else { return .closed }
    precondition(!buffer.isEmpty, "reading nothing would look like the end")
    let result = checkedTransfer { recv(descriptor, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT)) }
    switch result {
    case 1...: return .bytes(result)
    case 0: return .closed
    case -Int(EAGAIN): return .wouldBlock
    default: return .failed(.system(.receive, code: Int32(-result), address: peer))
    }
  }

  /// How many bytes the kernel took, or a negative errno.
  private func transmit(_ bytes: UnsafeRawBufferPointer) -> Int {
    var sent = 0
    while sent < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
      let flags = CInt(MSG_NOSIGNAL | MSG_DONTWAIT)
      let result = checkedTransfer { send(descriptor, rest.baseAddress, rest.count, flags) }
      if result == -Int(EAGAIN) || result == -Int(ENOBUFS) { break }
      if result < 0 { return result }
      sent += result
    }
    return sent
  }
}
