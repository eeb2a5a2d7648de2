import Glibc

/// Trouble that a stream of datagrams survives: it is counted, and the next datagram is tried as if nothing happened.
public enum SocketTrouble: Hashable, Sendable, CaseIterable {
  /// Nobody listens at the destination; an earlier datagram came back with ICMP "port unreachable".
  case connectionRefused
  /// The kernel or the device has no room for the datagram.
  case noBuffers
  /// There is no way to the destination at present.
  case unreachable
  /// A firewall or a policy forbids the datagram.
  case notPermitted
  /// The datagram is bigger than the path or the socket takes.
  case tooLarge
  /// The receiver at a Unix path has gone.
  case peerGone

  /// The class of an errno, or nil when the socket can't be used any more.
  init?(code: Int32) {
    switch code {
    case ECONNREFUSED: self = .connectionRefused
    case ENOBUFS, ENOMEM: self = .noBuffers
    // What ICMP and the routing table can say of a path (net/ipv4/icmp.c, icmp_err_convert).
    case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, ENONET, ENODEV, EADDRNOTAVAIL, ENOPROTOOPT, EOPNOTSUPP, EPROTO:
      self = .unreachable
    case EPERM, EACCES: self = .notPermitted
    case EMSGSIZE: self = .tooLarge
    case ENOENT, ECONNRESET, ENOTCONN, EPIPE, EPROTOTYPE: self = .peerGone
    default: return nil
    }
  }
}

extension SocketTrouble: CustomStringConvertible {
  /// What happened, in words.
  public var description: String {
    switch self {
    case .connectionRefused: "nobody listens at the destination"
    case .noBuffers: "no buffer space in the kernel or the device"
    case .unreachable: "the destination is unreachable"
    case .notPermitted: "sending isn't permitted (firewall or policy)"
    case .tooLarge: "the datagram is too large for the path"
    case .peerGone: "the receiver has gone"
    }
  }
}
