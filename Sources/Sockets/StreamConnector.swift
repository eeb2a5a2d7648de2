import Glibc

/// How far connecting has come.
public enum ConnectProgress {
  /// Watch this descriptor for writing, then call `handleReady`. The one named before is closed and has left the loop
  /// by itself, so add this one anew, even if it has the same number.
  case waiting(descriptor: CInt)
  /// It is done; the connection owns the descriptor that was waited for.
  case connected(StreamConnection)
  /// No address answered; one error for each. `start` tries them again.
  case failed([SocketError])
}

/// Connects by TCP to the first of several addresses that answers, trying one after the other without blocking.
///
///     start ──> waiting ──handleReady/giveUp──> waiting (next address) … ──> connected | failed ──start──> …
///
/// When to give up on an address, and when to start again, is for the caller to decide.
public struct StreamConnector: ~Copyable {
  /// The addresses, in the order in which they are tried.
  public let addresses: [SocketAddress]
  private let options: StreamOptions
  private var next = 0
  private var errors: [SocketError] = []
  private var current: Descriptor?

  /// Prepares to connect; `addresses` are those of one host, as `Resolver` gives them.
  public init(addresses: [SocketAddress], options: StreamOptions = StreamOptions()) {
    self.addresses = addresses
    self.options = options
  }

  /// Begins, or begins anew, with the first address.
  public mutating func start() -> ConnectProgress {
    current = nil
    next = 0
    errors = []
    return tryNext()
  }

  /// Looks at the descriptor that the loop found ready.
  public mutating func handleReady() -> ConnectProgress {
    guard let descriptor = current.take() else { return .failed(errors) }
    let address = addresses[next - 1]
    let code = OptionSetter(descriptor: descriptor.raw, family: address.family).get(SOL_SOCKET, SO_ERROR)
    if code == 0 { return finish(descriptor, address) }
    errors.append(.system(.connect, code: code < 0 ? -code : code, address: address))
    return tryNext()
  }

  /// Gives the present address up, for taking too long, and goes on to the next.
  public mutating func giveUp() -> ConnectProgress {
    guard let descriptor = current.take() else { return .failed(errors) }
    // Closed before the next one is opened.
    _ = consume descriptor
    errors.append(.system(.connect, code: ETIMEDOUT, address: addresses[next - 1]))
    return tryNext()
  }

  private mutating func tryNext() -> ConnectProgress {
    while next < addresses.count {
      let address = addresses[next]
      next += 1
      do throws(SocketError) {
        let address = try address.scoped(to: options.interface)
        let descriptor = try openSocket(address.family, .stream, for: address)
        let setter = OptionSetter(descriptor: descriptor.raw, family: address.family)
        try setter.configure(stream: options)
        if let interface = options.interface { try setter.bind(toInterface: interface) }
        if let port = options.sourcePort {
          // A connection that was just closed keeps its port for a minute; another peer may be connected to from it.
          try setter.set(SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", to: 1)
          try bindSocket(descriptor.raw, toPort: port, of: address.family)
        }
        let result = address.withKernelForm(for: address.family) { raw, size in
          checked { connect(descriptor.raw, raw, size) }
        }
        if result == 0 { return finish(descriptor, address) }
        // An interrupted call goes on in the background, like any other.
        guard result == -EINPROGRESS || result == -EINTR else {
          throw SocketError.system(.connect, code: -result, address: address)
        }
        let raw = descriptor.raw
        current = consume descriptor
        return .waiting(descriptor: raw)
      } catch {
        errors.append(error)
      }
    }
    return .failed(errors)
  }

  private mutating func finish(_ descriptor: consuming Descriptor, _ address: SocketAddress) -> ConnectProgress {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let raw = descriptor.raw
    let result = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in checked { getpeername(raw, peer, &size) } }
    }
    if result == -ENOTCONN {
      // Woken too early: it is still under way.
      current = consume descriptor
      return .waiting(descriptor: raw)
    }
    // A port of this host that nobody listens on may be the very one that the system chose for us, and TCP then
    // connects a socket to itself. Nobody is there all the same.
    if let local = try? SocketAddress(boundTo: raw), local == address {
      _ = consume descriptor
      errors.append(.system(.connect, code: ECONNREFUSED, address: address))
      return tryNext()
    }
    return .connected(StreamConnection(owning: descriptor, peer: address, pendingLimit: options.pendingLimit))
  }
}
