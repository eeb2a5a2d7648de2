internal import CLinux
import Glibc

/// What became of a datagram that was to be sent.
public enum SendOutcome: Hashable, Sendable {
  /// The kernel took it.
  case sent
  /// The socket's buffer is full: try again when the loop says that it can be written, or drop the datagram.
  case wouldBlock
  /// It wasn't sent, and the next one may be.
  case trouble(SocketTrouble)
}

/// A socket for datagrams: UDP over IPv4 or IPv6 or both, or Unix.
///
/// It never blocks.
///
/// UDP sockets leave SO_REUSEADDR off for single addresses: on Linux it would let two receivers take the same port in
/// silence, one of them starving, where people want to hear that the port is taken. (A UDP port is free as soon as its
/// socket is closed, so nothing is lost.) For groups it is on, because several receivers of a group each get a copy.
public struct DatagramSocket: ~Copyable {
  private let owned: Descriptor
  /// The file of a Unix socket of ours, removed after the socket is closed.
  private let file: UnixSocketFile?
  /// Whom the socket is connected to.
  public let peer: SocketAddress?
  /// The address that the socket has on this host; its port is what the system chose where 0 was asked for.
  public let localAddress: SocketAddress
  /// The kind of its addresses; an IPv6 socket that listens on `::` hears IPv4 too.
  public let family: AddressFamily
  /// The size of the receive buffer that the kernel granted, which counts its own overhead: twice what was asked for.
  public let receiveBufferBytes: Int
  /// Whether the kernel cuts runs of datagrams apart (UDP GSO), as far as is known.
  var cutsRuns: Bool

  /// Listens on an address, joining the group where it is a multicast address.
  ///
  /// `::` hears both IP versions. A Unix path is taken over from a receiver that died and refused while one lives.
  public init(
    listeningOn address: SocketAddress, options: DatagramOptions = DatagramOptions()
  ) throws(SocketError) {
    let address = try address.scoped(to: options.interface)
    let descriptor = try openSocket(address.family, .datagram, for: address)
    let setter = OptionSetter(descriptor: descriptor.raw, family: address.family)
    try setter.configure(options, isMulticast: address.isMulticast)
    var file: UnixSocketFile?
    if case .unix(let path) = address {
      file = try UnixSocketFile(binding: descriptor.raw, to: path)
    } else {
      if address.family == .ipv6 && address.isAny {
        try setter.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, "IPV6_V6ONLY", to: 0)
      }
      if address.isMulticast { try setter.set(SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", to: 1) }
      try bindSocket(descriptor.raw, to: address)
      if address.isMulticast { try setter.join(address, interface: options.interface) }
    }
    localAddress = try SocketAddress(boundTo: descriptor.raw)
    receiveBufferBytes = Int(setter.get(SOL_SOCKET, SO_RCVBUF))
    family = address.family
    peer = nil
    cutsRuns = false
    self.file = file
    owned = descriptor
  }

  /// Sends to one destination and hears only from there; ICMP errors of that path come back as trouble.
  public init(sendingTo peer: SocketAddress, options: DatagramOptions = DatagramOptions()) throws(SocketError) {
    if case .unix(let path) = peer, path.utf8.count > SocketAddress.longestPath { throw .pathTooLong(path: path) }
    let peer = try peer.scoped(to: options.interface)
    let descriptor = try openSocket(peer.family, .datagram, for: peer)
    let setter = OptionSetter(descriptor: descriptor.raw, family: peer.family)
    try setter.configure(options, isMulticast: peer.isMulticast)
    if let port = options.sourcePort, peer.family != .unix {
      try bindSocket(descriptor.raw, toPort: port, of: peer.family)
    }
    let result = peer.withKernelForm(for: peer.family) { raw, size in
      checked { connect(descriptor.raw, raw, size) }
    }
    guard result >= 0 else { throw .system(.connect, code: -result, address: peer) }
    localAddress = try SocketAddress(boundTo: descriptor.raw)
    receiveBufferBytes = Int(setter.get(SOL_SOCKET, SO_RCVBUF))
    family = peer.family
    self.peer = peer
    cutsRuns = options.sendsRuns && peer.family != .unix && clinux_cuts_runs(descriptor.raw) != 0
    file = nil
    owned = descriptor
  }

  /// For `EventLoop.add`.
  public var descriptor: CInt { owned.raw }

  /// Sends one datagram, to the peer of a connected socket or to `destination`.
  ///
  /// An IPv6 socket that hears both IP versions also answers IPv4 addresses.
  /// - Throws: `SocketError` only when the socket can't be used any more.
  public func send(_ bytes: RawSpan, to destination: SocketAddress? = nil) throws(SocketError) -> SendOutcome {
    let outcome = try sendOnce(bytes, to: destination)
    // A Unix socket stays connected to the file that was there once. The receiver that took its place is found by
    // connecting anew.
    guard outcome == .trouble(.connectionRefused) || outcome == .trouble(.peerGone),
      destination == nil, family == .unix, let peer
    else { return outcome }
    let result = peer.withKernelForm(for: family) { raw, size in checked { connect(owned.raw, raw, size) } }
    return result < 0 ? outcome : try sendOnce(bytes, to: nil)
  }

  /// How many datagrams the kernel has dropped on their way into the socket, since it was opened.
  ///
  /// Nearly always for want of buffer space; wrong checksums count too. Exact at every moment and taken modulo 2³²,
  /// where `ReceivedDatagram.drops` lags until the next datagram arrives.
  public func droppedDatagrams() throws(SocketError) -> UInt32 {
    var drops: UInt32 = 0
    let result = clinux_socket_drops(owned.raw, &drops)
    guard result >= 0 else { throw .system(.inspect, code: -result, address: nil) }
    return drops
  }

  private func sendOnce(_ bytes: RawSpan, to destination: SocketAddress?) throws(SocketError) -> SendOutcome {
    let descriptor = owned.raw
    let flags = CInt(MSG_NOSIGNAL | MSG_DONTWAIT)
    let result = bytes.withUnsafeBytes { buffer in
      guard let destination else {
        return checkedTransfer { Glibc.send(descriptor, buffer.baseAddress, buffer.count, flags) }
      }
      return destination.withKernelForm(for: family) { raw, size in
        checkedTransfer { sendto(descriptor, buffer.baseAddress, buffer.count, flags, raw, size) }
      }
    }
    if result >= 0 { return .sent }
    return try SendOutcome(code: Int32(-result), address: destination ?? peer)
  }
}

extension SendOutcome {
  init(code: Int32, address: SocketAddress?) throws(SocketError) {
    if code == EAGAIN {
      self = .wouldBlock
    } else if let trouble = SocketTrouble(code: code) {
      self = .trouble(trouble)
    } else {
      throw .system(.send, code: code, address: address)
    }
  }
}

extension OptionSetter {
  fileprivate func configure(_ options: DatagramOptions, isMulticast: Bool) throws(SocketError) {
    try setBuffers(receive: options.receiveBufferBytes, send: options.sendBufferBytes)
    try set(SOL_SOCKET, SO_TIMESTAMPNS, "SO_TIMESTAMPNS", to: 1)
    guard family != .unix else { return }
    try set(SOL_SOCKET, SO_RXQ_OVFL, "SO_RXQ_OVFL", to: 1)
    if let dscp = options.dscp { try setDSCP(dscp) }
    if let ttl = options.ttl { try setTTL(ttl, multicast: true) }
    if options.forbidsFragments { try forbidFragments() }
    guard let name = options.interface else { return }
    if isMulticast {
      try setMulticastInterface(interfaceIndex(name))
    } else {
      try bind(toInterface: name)
    }
  }

  /// What is larger than the path takes is refused (EMSGSIZE), not cut up by IP (RFC 8085 section 3.2).
  private func forbidFragments() throws(SocketError) {
    if family == .ipv6 {
      try set(CInt(IPPROTO_IPV6), IPV6_MTU_DISCOVER, "IPV6_MTU_DISCOVER", to: CInt(IPV6_PMTUDISC_DO))
    } else {
      try set(CInt(IPPROTO_IP), IP_MTU_DISCOVER, "IP_MTU_DISCOVER", to: CInt(IP_PMTUDISC_DO))
    }
  }

  private func setMulticastInterface(_ index: UInt32) throws(SocketError) {
    if family == .ipv6 {
      try set(CInt(IPPROTO_IPV6), IPV6_MULTICAST_IF, "IPV6_MULTICAST_IF", to: CInt(index))
      return
    }
    var request = ip_mreqn()
    request.imr_ifindex = CInt(index)
    let result = checked {
      setsockopt(
        descriptor, CInt(IPPROTO_IP), IP_MULTICAST_IF, &request, socklen_t(MemoryLayout<ip_mreqn>.size))
    }
    guard result >= 0 else { throw .system(.set("IP_MULTICAST_IF"), code: -result, address: nil) }
  }

  /// Joins the group that the socket is bound to, and hears no other that this host has joined.
  fileprivate func join(_ group: SocketAddress, interface: String?) throws(SocketError) {
    var index: UInt32 = 0
    if let interface { index = try interfaceIndex(interface) }
    let result: CInt
    switch group {
    case .ipv4(let address, _):
      try set(CInt(IPPROTO_IP), IP_MULTICAST_ALL, "IP_MULTICAST_ALL", to: 0)
      var request = ip_mreqn()
      request.imr_multiaddr.s_addr = address.bits.bigEndian
      request.imr_ifindex = CInt(index)
      result = checked {
        setsockopt(
          descriptor, CInt(IPPROTO_IP), IP_ADD_MEMBERSHIP, &request, socklen_t(MemoryLayout<ip_mreqn>.size))
      }
    case .ipv6(let address, _, let scope):
      var request = ipv6_mreq()
      request.ipv6mr_multiaddr = address.kernelForm
      request.ipv6mr_interface = index == 0 ? scope : index
      result = checked {
        setsockopt(
          descriptor, CInt(IPPROTO_IPV6), IPV6_JOIN_GROUP, &request,
          socklen_t(MemoryLayout<ipv6_mreq>.size))
      }
    case .unix: return
    }
    guard result >= 0 else { throw .system(.join, code: -result, address: group) }
  }
}
