import Glibc

/// Opens a listening socket on the first free port of a range, on the first address of a host that can be had.
///
/// Every address of this host (`""` or `::`) means both IP versions by one IPv6 socket, or IPv4 alone where the host
/// has no IPv6.
func listenOnFirstFree<Socket: ~Copyable>(
  host: String, ports: ClosedRange<UInt16>, kind: SocketKind,
  open: (SocketAddress) throws(SocketError) -> Socket
) throws(SocketError) -> Socket {
  let everywhere = host.isEmpty || host == "::"
  let addresses = try Resolver.resolve(host: everywhere ? "" : host, port: ports.lowerBound, kind: kind)
  var last = SocketError.noFreePort(host: host, ports: ports)
  for port in ports {
    for address in addresses {
      do throws(SocketError) {
        return try open(address.with(port: port))
      } catch {
        last = error
        // The next address is for a host that lacks this one; a port that is taken is taken on the other as well.
        if error.code != EAFNOSUPPORT && error.code != EADDRNOTAVAIL { break }
      }
    }
    guard last.code == EADDRINUSE else { throw last }
  }
  throw ports.count == 1 ? last : .noFreePort(host: host, ports: ports)
}

extension DatagramSocket {
  /// Listens on the first free port of a range; `localAddress` says which it is.
  ///
  /// An empty host or `::` means both IP versions. A name is resolved, which may take a while.
  public static func listening(
    host: String, ports: ClosedRange<UInt16>, options: DatagramOptions = DatagramOptions()
  ) throws(SocketError) -> DatagramSocket {
    try listenOnFirstFree(host: host, ports: ports, kind: .datagram) { (address) throws(SocketError) in
      try DatagramSocket(listeningOn: address, options: options)
    }
  }
}

extension StreamListener {
  /// Listens on the first free port of a range; `localAddress` says which it is.
  ///
  /// An empty host or `::` means both IP versions. A name is resolved, which may take a while.
  public static func listening(
    host: String, ports: ClosedRange<UInt16>, options: StreamOptions = StreamOptions()
  ) throws(SocketError) -> StreamListener {
    try listenOnFirstFree(host: host, ports: ports, kind: .stream) { (address) throws(SocketError) in
      try StreamListener(on: address, options: options)
    }
  }
}
