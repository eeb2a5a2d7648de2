import Glibc

/// What was asked of the kernel when it refused.
public enum SocketOperation: Hashable, Sendable {
  /// Opening a socket or another descriptor.
  case open
  /// Taking an address of our own.
  case bind
  /// Naming the peer, or reaching it.
  case connect
  /// Waiting for connections.
  case listen
  /// Taking a connection.
  case accept
  /// Setting the option that is named.
  case set(String)
  /// Joining a multicast group.
  case join
  /// Reading.
  case receive
  /// Writing.
  case send
  /// Asking for an address or a figure.
  case inspect
  /// Waiting for descriptors, timers or signals.
  case wait
}

/// Why a socket can't be had or can't go on; its description is a sentence for people.
public enum SocketError: Error, Hashable, Sendable {
  /// The kernel refused, with its errno and the address in question.
  case system(SocketOperation, code: Int32, address: SocketAddress?)
  /// No port of the range is free.
  case noFreePort(host: String, ports: ClosedRange<UInt16>)
  /// The name leads to no address; the reason is the resolver's.
  case unresolved(host: String, reason: String)
  /// There is no network interface of this name.
  case noInterface(String)
  /// Something that isn't a socket lies at the path.
  case notASocket(path: String)
  /// The path is longer than the kernel takes.
  case pathTooLong(path: String)
  /// There is no memory for a batch of datagrams.
  case noMemory

  /// The errno, if the kernel gave one.
  public var code: Int32? {
    if case .system(_, let code, _) = self { code } else { nil }
  }
}

extension SocketError: CustomStringConvertible {
  /// One sentence that names what was given, what is wrong and what to do.
  public var description: String {
    switch self {
    case .system(let operation, let code, let address): sentence(operation, code, address)
    case .noFreePort(let host, let ports):
      "every port from \(ports.lowerBound) to \(ports.upperBound) on \(host.isEmpty ? "this host" : host) is already in "
        + "use: choose other ports or stop a program that uses one"
    case .unresolved(let host, let reason):
      "can't find the address of \"\(host)\": \(reason); check the name, or give a numeric address"
    case .noInterface(let name):
      "there is no network interface \"\(name)\": `ip link` lists their names"
    case .notASocket(let path):
      "\(path) exists and isn't a socket: choose another path or remove the file"
    case .pathTooLong(let path):
      "the socket path \(path) has \(path.utf8.count) bytes and \(SocketAddress.longestPath) is the most that Linux takes: "
        + "choose a shorter one"
    case .noMemory:
      "there is no memory left for a batch of datagrams: stop other programs"
    }
  }
}

private func sentence(_ operation: SocketOperation, _ code: Int32, _ address: SocketAddress?) -> String {
  let place = address.map(\.description) ?? "the socket"
  switch (operation, code) {
  case (.bind, EADDRINUSE), (.listen, EADDRINUSE):
    if let address, let port = address.port {
      return "port \(port) on \(address.host) is already in use by another program: choose another port or stop that "
        + "program"
    }
    return "\(place) is already in use by another program: choose another path or stop that program"
  case (.bind, EADDRNOTAVAIL):
    return "\(address?.host ?? "the address") isn't an address of this host: `ip address` lists those it has"
  case (.bind, EACCES):
    return "binding \(place) isn't permitted: choose a port above 1023, or a directory that you may write to"
  case (_, EINVAL) where needsScope(address):
    return "\(place) is an address of one link: name its interface, such as `--interface eth0`, or write %eth0 after "
      + "the address"
  case (.bind, ENOENT), (.bind, ENOTDIR):
    return "there is no directory for \(place): make it first, or choose another path"
  case (.connect, ENOENT):
    return "nobody receives at \(place): start the receiver first"
  case (.connect, ECONNREFUSED):
    return "\(place) refused the connection: start the receiver there first, or check the port"
  case (.connect, ETIMEDOUT):
    return "\(place) didn't answer: check the address, and whether a firewall lies between"
  case (_, ENETUNREACH), (_, EHOSTUNREACH), (.connect, EADDRNOTAVAIL):
    return "there is no route to \(place): check the address and the network"
  case (.join, ENODEV):
    return "no interface leads to the group \(place): name one, such as `--interface eth0`"
  case (.set("SO_BINDTODEVICE"), EPERM):
    return "using a chosen interface isn't permitted here: run as root or grant CAP_NET_RAW, or leave the interface out"
  case (_, EMFILE), (_, ENFILE):
    return "too many files and sockets are open: raise the limit with `ulimit -n`"
  case (_, EAFNOSUPPORT):
    return "this host has no support for the kind of address that \(place) is: use the other IP version"
  default:
    return "\(purpose(operation)) \(place) failed: \(String(cString: strerror(code))) (error \(code))"
  }
}

private func needsScope(_ address: SocketAddress?) -> Bool {
  guard case .ipv6(let address, _, 0) = address else { return false }
  return address.isLinkLocal
}

private func purpose(_ operation: SocketOperation) -> String {
  switch operation {
  case .open: "opening"
  case .bind: "binding"
  case .connect: "connecting to"
  case .listen: "listening on"
  case .accept: "accepting a connection on"
  case .set(let option): "setting \(option) on"
  case .join: "joining the group"
  case .receive: "receiving on"
  case .send: "sending to"
  case .inspect: "inspecting"
  case .wait: "waiting for"
  }
}
