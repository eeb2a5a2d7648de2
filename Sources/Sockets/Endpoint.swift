/// Where to send to or listen on, as people write it in a URI.
///
/// `rtp://host:port` is UDP, `tcp://host:port` is TCP, `unix:/path` is a Unix datagram socket; `host:port` alone means
/// `rtp://`. An IPv6 address stands in brackets. For listening the host may be empty, which means every address of this
/// host, and the port may be a range such as `9000-9999`, which means its first free port. The description is a URI
/// that reads back as the same endpoint.
public enum Endpoint: Hashable, Sendable {
  /// Datagrams over UDP; the host is a name or a numeric address without brackets.
  case rtp(host: String, ports: ClosedRange<UInt16>)
  /// A byte stream over TCP.
  case tcp(host: String, ports: ClosedRange<UInt16>)
  /// Datagrams by a socket file on this machine.
  case unix(path: String)

  /// The port of a URI that names none (RFC 3551 section 8).
  public static let defaultPort: UInt16 = 5004

  /// The host, or nil for a path; empty for every address of this host.
  public var host: String? {
    switch self {
    case .rtp(let host, _), .tcp(let host, _): host
    case .unix: nil
    }
  }

  /// The ports, one or a range, or nil for a path.
  public var ports: ClosedRange<UInt16>? {
    switch self {
    case .rtp(_, let ports), .tcp(_, let ports): ports
    case .unix: nil
    }
  }

  /// The port, when there is exactly one: a destination needs one.
  public var port: UInt16? {
    guard let ports, ports.count == 1 else { return nil }
    return ports.lowerBound
  }
}

extension Endpoint: CustomStringConvertible {
  /// The URI.
  public var description: String {
    switch self {
    case .rtp(let host, let ports): "rtp://" + authority(host, ports)
    case .tcp(let host, let ports): "tcp://" + authority(host, ports)
    case .unix(let path): "unix:" + path
    }
  }

  private func authority(_ host: String, _ ports: ClosedRange<UInt16>) -> String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return ports.count == 1 ? "\(shown):\(ports.lowerBound)" : "\(shown):\(ports.lowerBound)-\(ports.upperBound)"
  }
}
