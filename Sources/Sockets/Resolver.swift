import Glibc

/// What kind of socket an address is wanted for.
public enum SocketKind: Hashable, Sendable {
  /// UDP, or Unix datagrams.
  case datagram
  /// TCP.
  case stream
}

/// Names to addresses, by the system's resolver.
public enum Resolver {
  /// Every address of `host`, in the order in which the system advises to try them (RFC 6724).
  ///
  /// Blocks while the name is looked up; numeric addresses take no time. An empty host means every address of this
  /// host, IPv6 first.
  /// - Throws: `SocketError.unresolved` when the name leads nowhere.
  public static func resolve(
    host: String, port: UInt16, family: AddressFamily? = nil, kind: SocketKind
  ) throws(SocketError) -> [SocketAddress] {
    if host.isEmpty {
      let all: [SocketAddress] = [.ipv6(.any, port: port, scope: 0), .ipv4(.any, port: port)]
      return all.filter { family == nil || $0.family == family }
    }
    if let numeric = SocketAddress(host: host, port: port) {
      guard family == nil || numeric.family == family else {
        throw .unresolved(host: host, reason: "it isn't an \(family == .ipv4 ? "IPv4" : "IPv6") address")
      }
      return [numeric]
    }
    // The C string would end at a zero byte, and another name would be looked up.
    guard !host.utf8.contains(0) else { throw .unresolved(host: host, reason: "it isn't a host name") }

    var hints = addrinfo()
    hints.ai_family = family?.kernelForm ?? AF_UNSPEC
    hints.ai_socktype = kind == .datagram ? CInt(SOCK_DGRAM.rawValue) : CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    let reason = code == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(code))
    guard code == 0 else { throw .unresolved(host: host, reason: reason) }
    defer { freeaddrinfo(list) }

    var found: [SocketAddress] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ai_next
      let bytes = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
      guard let address = SocketAddress(kernelForm: bytes)?.with(port: port), !found.contains(address) else { continue }
      found.append(address)
    }
    guard !found.isEmpty else { throw .unresolved(host: host, reason: "it has no address") }
    return found
  }
}
