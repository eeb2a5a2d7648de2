internal import CLinux
import Glibc

/// What came of taking a connection.
public enum AcceptOutcome {
  /// Somebody has connected.
  case connection(StreamConnection)
  /// Nobody waits.
  case empty
  /// Somebody has connected and was sent away, because too many files are open.
  case turnedAway
}

/// Waits for TCP connections; never blocks.
///
/// SO_REUSEADDR is set: for TCP it only lets a port be taken again while connections of a former run linger, not while
/// another program listens on it.
public struct StreamListener: ~Copyable {
  private let owned: Descriptor
  private let options: StreamOptions
  /// A descriptor in reserve.
  ///
  /// When no more can be opened, it makes room to take a connection and close it. Otherwise the connection would wait
  /// and wake the loop without end.
  private var reserve: Descriptor?
  /// The address that it listens on; its port is what the system chose where 0 was asked for.
  public let localAddress: SocketAddress

  /// Listens on an address; `::` hears both IP versions.
  ///
  /// The options apply to the connections.
  public init(on address: SocketAddress, options: StreamOptions = StreamOptions()) throws(SocketError) {
    let address = try address.scoped(to: options.interface)
    let descriptor = try openSocket(address.family, .stream, for: address)
    let setter = OptionSetter(descriptor: descriptor.raw, family: address.family)
    try setter.set(SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", to: 1)
    try setter.setBuffers(receive: options.receiveBufferBytes, send: options.sendBufferBytes)
    if let interface = options.interface { try setter.bind(toInterface: interface) }
    if address.family == .ipv6 && address.isAny {
      try setter.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, "IPV6_V6ONLY", to: 0)
    }
    try bindSocket(descriptor.raw, to: address)
    let result = checked { listen(descriptor.raw, 64) }
    guard result >= 0 else { throw .system(.listen, code: -result, address: address) }
    localAddress = try SocketAddress(boundTo: descriptor.raw)
    self.options = options
    reserve = openReserve()
    owned = descriptor
  }

  /// For `EventLoop.add`: readable when somebody waits.
  public var descriptor: CInt { owned.raw }

  /// Takes the next connection that waits.
  /// - Throws: `SocketError` only when the listener can't be used any more.
  public mutating func accept() throws(SocketError) -> AcceptOutcome {
    while true {
      let (result, peer) = acceptOnce()
      if result >= 0 {
        let connection = StreamConnection(
          owning: Descriptor(owning: result), peer: peer, pendingLimit: options.pendingLimit)
        // A connection that can't be set up has died already; its first read tells so.
        try? OptionSetter(descriptor: result, family: localAddress.family).configure(stream: options)
        return .connection(connection)
      }
      switch -result {
      case EAGAIN: return .empty
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: return turnAway()
      // The connection died while it waited, or the network told of trouble with it (accept(2)).
      case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM:
        continue
      default: throw .system(.accept, code: -result, address: localAddress)
      }
    }
  }

  private func acceptOnce() -> (CInt, SocketAddress) {
    var storage = sockaddr_storage()
    var size = UInt32(MemoryLayout<sockaddr_storage>.size)
    let result = clinux_accept(owned.raw, &storage, &size)
    let peer = withUnsafeBytes(of: storage) { bytes in
      SocketAddress(kernelForm: UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(size))))
    }
    return (result, peer ?? .unix(path: ""))
  }

  private mutating func turnAway() -> AcceptOutcome {
    reserve = nil
    let (result, _) = acceptOnce()
    if result >= 0 { close(result) }
    reserve = openReserve()
    // The kernel looks for a free descriptor before it looks for a connection, so there may have been none.
    return result >= 0 ? .turnedAway : .empty
  }
}

private func openReserve() -> Descriptor? {
  let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
  return descriptor < 0 ? nil : Descriptor(owning: descriptor)
}
