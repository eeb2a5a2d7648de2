internal import CLinux
import Glibc
public import Timeline

/// What a socket for datagrams is set to; what is left nil stays as the system has it.
public struct DatagramOptions: Hashable, Sendable {
  /// Bytes of receive buffer to ask for; the kernel doubles it for its own needs and may grant less.
  public var receiveBufferBytes: Int?
  /// Bytes of send buffer to ask for.
  public var sendBufferBytes: Int?
  /// The Differentiated Services code point, 0 to 63 (RFC 2474): 46 is expedited forwarding.
  public var dscp: UInt8?
  /// The time to live, or hop limit, for single receivers and for groups.
  public var ttl: UInt8?
  /// The port that a sending socket sends from.
  public var sourcePort: UInt16?
  /// The name of the interface to send and receive by.
  public var interface: String?
  /// Whether datagrams that the path can't take whole are refused instead of cut up.
  public var forbidsFragments = false
  /// Whether a batch may leave this host's stack in runs that the device cuts apart (UDP GSO), where that can be done.
  ///
  /// A capture on this host sees such a run as one long datagram.
  public var sendsRuns = true

  /// Makes options that leave everything as the system has it.
  public init() {}
}

/// What a TCP socket is set to; what is left nil stays as the system has it.
public struct StreamOptions: Hashable, Sendable {
  /// Sends small writes at once instead of gathering them (TCP_NODELAY).
  public var noDelay = true
  /// How long a silent connection lives before its peer is asked for a sign of life (TCP_KEEPIDLE), in whole seconds.
  public var keepAliveAfter: Interval?
  /// How long sent data may stay unacknowledged before the connection is given up (TCP_USER_TIMEOUT), in milliseconds.
  public var userTimeout: Interval?
  /// Bytes of receive buffer to ask for.
  public var receiveBufferBytes: Int?
  /// Bytes of send buffer to ask for.
  public var sendBufferBytes: Int?
  /// The Differentiated Services code point, 0 to 63 (RFC 2474).
  public var dscp: UInt8?
  /// The time to live, or hop limit.
  public var ttl: UInt8?
  /// The port that a connecting socket connects from.
  public var sourcePort: UInt16?
  /// The name of the interface to use.
  public var interface: String?
  /// How the connection reacts to loss (TCP_CONGESTION): a name that the kernel knows, such as "cubic".
  public var congestionControl: String?
  /// The most bytes that wait in the program for the kernel to take them.
  public var pendingLimit = 1 << 20

  /// Makes options for media: without delay, the rest as the system has it.
  public init() {}
}

/// Sets options on a descriptor that somebody else owns.
struct OptionSetter {
  let descriptor: CInt
  let family: AddressFamily

  func set(_ level: CInt, _ option: CInt, _ name: String, to value: CInt) throws(SocketError) {
    var value = value
    let result = checked {
      setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }
    guard result >= 0 else { throw .system(.set(name), code: -result, address: nil) }
  }

  func get(_ level: CInt, _ option: CInt) -> CInt {
    var value: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    let result = checked { getsockopt(descriptor, level, option, &value, &size) }
    return result < 0 ? result : value
  }

  /// Asks for buffers; a privileged program may go beyond the system's limit (net.core.rmem_max).
  func setBuffers(receive: Int?, send: Int?) throws(SocketError) {
    if let receive {
      let bytes = CInt(clamping: receive)
      try set(SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF", to: bytes)
      if get(SOL_SOCKET, SO_RCVBUF) / 2 < bytes { try? set(SOL_SOCKET, SO_RCVBUFFORCE, "SO_RCVBUFFORCE", to: bytes) }
    }
    if let send { try set(SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", to: CInt(clamping: send)) }
  }

  /// Sets the mark of the datagrams; a socket for IPv6 may carry IPv4 as well, so there both are set.
  func setDSCP(_ dscp: UInt8) throws(SocketError) {
    guard dscp < 64 else { throw .system(.set("IP_TOS"), code: EINVAL, address: nil) }
    let value = CInt(dscp) << 2
    if family == .ipv6 { try set(CInt(IPPROTO_IPV6), IPV6_TCLASS, "IPV6_TCLASS", to: value) }
    if family != .unix { try set(CInt(IPPROTO_IP), IP_TOS, "IP_TOS", to: value) }
  }

  func setTTL(_ ttl: UInt8, multicast: Bool) throws(SocketError) {
    let value = CInt(ttl)
    if family == .ipv6 {
      try set(CInt(IPPROTO_IPV6), IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS", to: value)
      if multicast { try set(CInt(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, "IPV6_MULTICAST_HOPS", to: value) }
    }
    if family != .unix {
      try set(CInt(IPPROTO_IP), IP_TTL, "IP_TTL", to: value)
      if multicast { try set(CInt(IPPROTO_IP), IP_MULTICAST_TTL, "IP_MULTICAST_TTL", to: value) }
    }
  }

  /// Ties the socket to an interface, both ways; Linux lets anybody do so since 5.7, once a socket.
  func bind(toInterface name: String) throws(SocketError) {
    _ = try interfaceIndex(name)
    var bytes = Array(name.utf8CString)
    let result = checked {
      setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, &bytes, socklen_t(bytes.count))
    }
    guard result >= 0 else { throw .system(.set("SO_BINDTODEVICE"), code: -result, address: nil) }
  }

  func configure(stream options: StreamOptions) throws(SocketError) {
    try setBuffers(receive: options.receiveBufferBytes, send: options.sendBufferBytes)
    if let dscp = options.dscp { try setDSCP(dscp) }
    if let ttl = options.ttl { try setTTL(ttl, multicast: false) }
    let tcp = CInt(IPPROTO_TCP)
    if let name = options.congestionControl { try setCongestionControl(name) }
    if options.noDelay { try set(tcp, TCP_NODELAY, "TCP_NODELAY", to: 1) }
    if let after = options.keepAliveAfter {
      let seconds = CInt(clamping: max(1, after.nanoseconds / 1_000_000_000))
      try set(SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE", to: 1)
      try set(tcp, TCP_KEEPIDLE, "TCP_KEEPIDLE", to: min(seconds, 32_767))
      try set(tcp, TCP_KEEPINTVL, "TCP_KEEPINTVL", to: min(seconds, 32_767))
    }
    if let timeout = options.userTimeout {
      let milliseconds = CInt(clamping: max(1, timeout.nanoseconds / 1_000_000))
      try set(tcp, TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT", to: milliseconds)
    }
  }
}

/// The kernel's number for an interface.
func interfaceIndex(_ name: String) throws(SocketError) -> UInt32 {
  let index = name.utf8.contains(0) ? 0 : if_nametoindex(name)
  guard index != 0 else { throw .noInterface(name) }
  return index
}

extension SocketAddress {
  /// The same address, with the interface as its scope where a link-local one has none.
  func scoped(to interface: String?) throws(SocketError) -> SocketAddress {
    guard let interface, case .ipv6(let address, let port, 0) = self, address.isLinkLocal else { return self }
    return .ipv6(address, port: port, scope: try interfaceIndex(interface))
  }
}

/// Opens a non-blocking socket that child processes don't inherit.
func openSocket(
  _ family: AddressFamily, _ kind: SocketKind, for address: SocketAddress
) throws(SocketError) -> Descriptor {
  let type = kind == .datagram ? SOCK_DGRAM : SOCK_STREAM
  let result = clinux_socket(family.kernelForm, CInt(type.rawValue), 0)
  guard result >= 0 else { throw .system(.open, code: -result, address: address) }
  return Descriptor(owning: result)
}

/// Gives a socket its own address.
func bindSocket(_ descriptor: CInt, toPort port: UInt16, of family: AddressFamily) throws(SocketError) {
  try bindSocket(descriptor, to: family == .ipv4 ? .ipv4(.any, port: port) : .ipv6(.any, port: port, scope: 0))
}

func bindSocket(_ descriptor: CInt, to address: SocketAddress) throws(SocketError) {
  let result = address.withKernelForm(for: address.family) { raw, size in checked { bind(descriptor, raw, size) } }
  guard result >= 0 else { throw .system(.bind, code: -result, address: address) }
}
