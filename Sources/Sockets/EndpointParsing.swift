/// Why a text isn't an endpoint; its description is a sentence for people.
public enum EndpointError: Error, Hashable, Sendable {
  /// There is nothing.
  case empty
  /// The scheme isn't one of ours.
  case unknownScheme(String, in: String)
  /// The port isn't a number from 1 to 65535, or a range of such.
  case badPort(String, in: String)
  /// A text without a scheme has no port either, so it may be anything.
  case missingPort(in: String)
  /// A bracket is missing, or stands in the wrong place.
  case badBrackets(in: String)
  /// What stands in brackets isn't an IPv6 address.
  case badIPv6(String, in: String)
  /// The host has a character that no name has, or is longer than 255.
  case badHost(String, in: String)
  /// Something follows the port.
  case trailing(String, in: String)
  /// There is no path after `unix:`, or one with a zero byte, or one that is a host.
  case badPath(in: String)
  /// The path is longer than the kernel takes.
  case pathTooLong(bytes: Int, in: String)
}

extension Endpoint {
  /// Reads a URI, or a bare `host:port`.
  public init(_ text: String) throws(EndpointError) {
    guard !text.isEmpty else { throw .empty }
    if text.prefix(5).lowercased() == "unix:" {
      self = .unix(path: try unixPath(text.dropFirst(5), in: text))
      return
    }
    guard let separator = text.firstRange(of: "://") else {
      let (host, ports) = try authority(text[...], in: text)
      guard let ports else { throw .missingPort(in: text) }
      self = .rtp(host: host, ports: ports)
      return
    }
    let scheme = text[..<separator.lowerBound].lowercased()
    guard scheme == "rtp" || scheme == "tcp" else { throw .unknownScheme(scheme, in: text) }
    var rest = text[separator.upperBound...]
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    // VLC writes `rtp://@group:port` where it listens.
    if rest.hasPrefix("@") { rest = rest.dropFirst() }
    let (host, found) = try authority(rest, in: text)
    let ports = found ?? Endpoint.defaultPort...Endpoint.defaultPort
    self = scheme == "rtp" ? .rtp(host: host, ports: ports) : .tcp(host: host, ports: ports)
  }
}

private func unixPath(_ rest: Substring, in text: String) throws(EndpointError) -> String {
  var path = rest
  if path.hasPrefix("//") {
    // `unix:///path` has an empty host; `unix://name/path` would name one.
    path = path.drop { $0 == "/" }
    guard rest.hasPrefix("///"), !path.isEmpty else { throw .badPath(in: text) }
    path = rest.suffix(path.count + 1)
  }
  guard !path.isEmpty, !path.utf8.contains(0) else { throw .badPath(in: text) }
  guard path.utf8.count <= SocketAddress.longestPath else { throw .pathTooLong(bytes: path.utf8.count, in: text) }
  return String(path)
}

private func authority(
  _ rest: Substring, in text: String
) throws(EndpointError) -> (host: String, ports: ClosedRange<UInt16>?) {
  if let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" || $0 == "#" }) {
    throw .trailing(String(rest[end...]), in: text)
  }
  if rest.first == "[" {
    guard let close = rest.firstIndex(of: "]") else { throw .badBrackets(in: text) }
    let host = rest[rest.index(after: rest.startIndex)..<close]
    let after = rest[rest.index(after: close)...]
    guard isIPv6(host) else { throw .badIPv6(String(host), in: text) }
    if after.isEmpty { return (String(host), nil) }
    guard after.first == ":" else { throw .badBrackets(in: text) }
    return (String(host), try portRange(after.dropFirst(), in: text))
  }
  let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
  guard parts.count <= 2, !rest.contains("["), !rest.contains("]") else { throw .badBrackets(in: text) }
  let host = parts.first ?? ""
  guard host.utf8.count <= 255, host.unicodeScalars.allSatisfy(isNameScalar) else {
    throw .badHost(String(host), in: text)
  }
  return (String(host), parts.count == 2 ? try portRange(parts[1], in: text) : nil)
}

private func portRange(_ digits: Substring, in text: String) throws(EndpointError) -> ClosedRange<UInt16> {
  let bounds = digits.split(separator: "-", omittingEmptySubsequences: false)
  let numbers = bounds.compactMap(portNumber)
  guard (1...2).contains(bounds.count), numbers.count == bounds.count, let first = numbers.first,
    let last = numbers.last, first <= last
  else { throw .badPort(String(digits), in: text) }
  return first...last
}

private func portNumber(_ digits: Substring) -> UInt16? {
  // UInt16 alone would also take a sign.
  guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(digits), number > 0 else { return nil }
  return number
}

private func isIPv6(_ host: Substring) -> Bool {
  let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
  guard let address = parts.first, IPv6Address(String(address)) != nil else { return false }
  guard parts.count == 2 else { return true }
  return !parts[1].isEmpty && parts[1].utf8.count <= 15 && parts[1].unicodeScalars.allSatisfy(isNameScalar)
}

private func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar {
  case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
  default: false
  }
}

extension EndpointError: CustomStringConvertible {
  /// One sentence that names what was given, what is accepted and what to do.
  public var description: String {
    switch self {
    case .empty:
      "the address is empty: write rtp://host:port, tcp://host:port or unix:/path"
    case .unknownScheme(let scheme, let text):
      "\"\(text)\" has the unknown scheme \"\(scheme)\": write rtp://host:port (UDP), tcp://host:port or unix:/path"
    case .badPort(let port, let text):
      "\"\(text)\" has the port \"\(port)\": write a number from 1 to 65535, or a range to listen on such as 9000-9999"
    case .missingPort(let text):
      "\"\(text)\" has neither a scheme nor a port: write rtp://\(text) or \(text):\(Endpoint.defaultPort) for a "
        + "network address"
    case .badBrackets(let text):
      "\"\(text)\" isn't host:port: an IPv6 address stands in one pair of brackets, such as rtp://[::1]:5004"
    case .badIPv6(let host, let text):
      "\"\(text)\" has \"\(host)\" in brackets, which isn't an IPv6 address: write one such as rtp://[::1]:5004, and "
        + "names without brackets"
    case .badHost(let host, let text):
      "\"\(text)\" has the host \"\(host)\": a name has letters, digits, dots and hyphens, at most 255 of them"
    case .trailing(let rest, let text):
      "\"\(text)\" has \"\(rest)\" after the port, which means nothing here: leave it out, and give settings as options"
    case .badPath(let text):
      "\"\(text)\" names no path: write unix:/path"
    case .pathTooLong(let bytes, let text):
      "\"\(text)\" has a path of \(bytes) bytes and Linux takes at most \(SocketAddress.longestPath): choose a shorter "
        + "one"
    }
  }
}
