import Glibc

extension AddressFamily {
  var kernelForm: CInt {
    switch self {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix: AF_UNIX
    }
  }
}

/// Between addresses and the `sockaddr` structures of the kernel.
extension SocketAddress {
  /// Lends the address as a `sockaddr` for a socket of `family`: an IPv6 socket reaches IPv4 by mapped addresses.
  func withKernelForm<R>(for family: AddressFamily, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    switch self {
    case .ipv4(let address, let port):
      if family == .ipv6 {
        let mapped = IPv6Address(high: 0, low: 0xffff_0000_0000 | UInt64(address.bits))
        return lend(SocketAddress.kernelForm(mapped, port: port, scope: 0), body)
      }
      var raw = sockaddr_in()
      raw.sin_family = sa_family_t(AF_INET)
      raw.sin_port = port.bigEndian
      raw.sin_addr.s_addr = address.bits.bigEndian
      return lend(raw, body)
    case .ipv6(let address, let port, let scope):
      return lend(SocketAddress.kernelForm(address, port: port, scope: scope), body)
    case .unix(let path):
      var raw = sockaddr_un()
      raw.sun_family = sa_family_t(AF_UNIX)
      // Paths that are too long are refused before a socket is opened; the cut here only keeps memory safe.
      withUnsafeMutableBytes(of: &raw.sun_path) { $0.copyBytes(from: path.utf8.prefix(SocketAddress.longestPath)) }
      return lend(raw, body)
    }
  }

  /// Reads what the kernel wrote; nil for a family that isn't ours.
  init?(kernelForm bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= MemoryLayout<sa_family_t>.size else {
      // A Unix socket without a name has no address at all.
      self = .unix(path: "")
      return
    }
    switch CInt(bytes.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
      let raw = bytes.loadUnaligned(as: sockaddr_in.self)
      self = .ipv4(IPv4Address(bits: UInt32(bigEndian: raw.sin_addr.s_addr)), port: UInt16(bigEndian: raw.sin_port))
    case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
      let raw = bytes.loadUnaligned(as: sockaddr_in6.self)
      let address = IPv6Address(raw.sin6_addr)
      let port = UInt16(bigEndian: raw.sin6_port)
      if let mapped = address.mapped {
        self = .ipv4(mapped, port: port)
      } else {
        self = .ipv6(address, port: port, scope: raw.sin6_scope_id)
      }
    case AF_UNIX:
      let path = bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
      self = .unix(path: String(decoding: path, as: UTF8.self))
    default:
      return nil
    }
  }

  /// The address that a socket is bound to.
  init(boundTo descriptor: CInt) throws(SocketError) {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        checked { getsockname(descriptor, address, &size) }
      }
    }
    guard result >= 0 else { throw .system(.inspect, code: -result, address: nil) }
    let known = withUnsafeBytes(of: storage) { bytes in
      SocketAddress(kernelForm: UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(size))))
    }
    guard let known else { throw .system(.inspect, code: EAFNOSUPPORT, address: nil) }
    self = known
  }

  private static func kernelForm(_ address: IPv6Address, port: UInt16, scope: UInt32) -> sockaddr_in6 {
    var raw = sockaddr_in6()
    raw.sin6_family = sa_family_t(AF_INET6)
    raw.sin6_port = port.bigEndian
    raw.sin6_addr = address.kernelForm
    raw.sin6_scope_id = scope
    return raw
  }
}

private func lend<Raw, R>(_ raw: Raw, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
  withUnsafePointer(to: raw) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Raw>.size)) }
  }
}
