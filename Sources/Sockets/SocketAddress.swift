import Glibc

/// Which kind of network an address belongs to.
public enum AddressFamily: Hashable, Sendable, CaseIterable {
  /// IP version 4.
  case ipv4
  /// IP version 6.
  case ipv6
  /// Sockets named by a path on this machine.
  case unix
}

/// The address of a socket.
///
/// For the internet cases neither making nor hashing nor comparing one allocates, so it serves as the key of a table
/// of senders. An IPv4 address that the kernel wraps into IPv6 (on a socket that hears both) is shown as IPv4.
public enum SocketAddress: Hashable, Sendable {
  /// An IPv4 address and a port.
  case ipv4(IPv4Address, port: UInt16)
  /// An IPv6 address, a port, and the index of the interface for link-local addresses (else 0).
  case ipv6(IPv6Address, port: UInt16, scope: UInt32)
  /// A path; empty for a sender that has none.
  case unix(path: String)

  /// The longest path in bytes that the kernel takes (`sun_path` with its closing zero is 108).
  public static let longestPath = 107

  /// Reads a numeric address without a port, with a scope where it has one: `10.0.0.1`, `::1`, `fe80::1%eth0`.
  ///
  /// Gives nil for names; those are for `Resolver`.
  public init?(host: String, port: UInt16) {
    if let address = IPv4Address(host) {
      self = .ipv4(address, port: port)
      return
    }
    let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPv6Address(String(first)) else { return nil }
    if let mapped = address.mapped, parts.count == 1 {
      self = .ipv4(mapped, port: port)
      return
    }
    var scope: UInt32 = 0
    if parts.count == 2 {
      let name = String(parts[1])
      scope = UInt32(name) ?? (name.utf8.contains(0) ? 0 : if_nametoindex(name))
      guard scope != 0 else { return nil }
    }
    self = .ipv6(address, port: port, scope: scope)
  }

  /// Which kind of network it belongs to.
  public var family: AddressFamily {
    switch self {
    case .ipv4: .ipv4
    case .ipv6: .ipv6
    case .unix: .unix
    }
  }

  /// The port, or nil for a path.
  public var port: UInt16? {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port, _): port
    case .unix: nil
    }
  }

  /// The same host with another port; a path stays as it is.
  public func with(port: UInt16) -> SocketAddress {
    switch self {
    case .ipv4(let address, _): .ipv4(address, port: port)
    case .ipv6(let address, _, let scope): .ipv6(address, port: port, scope: scope)
    case .unix: self
    }
  }

  /// Whether it names a group of receivers.
  public var isMulticast: Bool {
    switch self {
    case .ipv4(let address, _): address.isMulticast
    case .ipv6(let address, _, _): address.mapped?.isMulticast ?? address.isMulticast
    case .unix: false
    }
  }

  /// Whether it stands for every address of this host.
  public var isAny: Bool {
    switch self {
    case .ipv4(let address, _): address == .any
    case .ipv6(let address, _, _): address == .any
    case .unix: false
    }
  }

  /// The host alone, without brackets: `10.0.0.1`, `fe80::1%eth0`, or the path.
  public var host: String {
    switch self {
    case .ipv4(let address, _): address.description
    case .ipv6(let address, _, let scope):
      if let mapped = address.mapped {
        mapped.description
      } else {
        scope == 0 ? address.description : "\(address)%\(interfaceName(scope))"
      }
    case .unix(let path): path
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  /// As people write it: `127.0.0.1:5004`, `[::1]:5004`, `unix:/path`.
  public var description: String {
    switch self {
    case .ipv4(let address, let port): "\(address):\(port)"
    case .ipv6(let address, let port, _): address.mapped.map { "\($0):\(port)" } ?? "[\(host)]:\(port)"
    case .unix(let path): path.isEmpty ? "unix:(unnamed)" : "unix:\(path)"
    }
  }
}

private func interfaceName(_ index: UInt32) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { text in
    guard let base = text.baseAddress, if_indextoname(index, base) != nil else { return "\(index)" }
    return String(cString: base)
  }
}
