/// An IPv4 or IPv6 address with a UDP or TCP port, as it stands in a captured packet.
public struct NetworkEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// The first eight bytes of the IPv6 address; 0 for IPv4.
  public var high: UInt64
  /// The last eight bytes of the IPv6 address; IPv4 is mapped, `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2).
  public var low: UInt64
  /// The port.
  public var port: UInt16

  /// An IPv6 address in two halves.
  public init(high: UInt64, low: UInt64, port: UInt16) {
    self.high = high
    self.low = low
    self.port = port
  }

  /// An IPv4 address.
  public init(ipv4: UInt32, port: UInt16) {
    self.init(high: 0, low: Self.mapped | UInt64(ipv4), port: port)
  }

  /// Whether it is an IPv4 address.
  public var isIPv4: Bool { high == 0 && low >> 32 == Self.mapped >> 32 }

  /// The same address with another port.
  public func with(port: UInt16) -> NetworkEndpoint { NetworkEndpoint(high: high, low: low, port: port) }

  /// The address and the port, such as `192.0.2.1:5004` or `[2001:db8::1]:5004`.
  public var description: String { isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)" }

  /// The address without the port; IPv6 in the form of RFC 5952.
  public var address: String {
    if isIPv4 { return (0..<4).map { String(low >> UInt64(24 - 8 * $0) & 0xff) }.joined(separator: ".") }
    let groups = (0..<8).map { index -> UInt64 in (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)) & 0xffff }
    let gap = Self.longestZeros(in: groups)
    guard gap.count > 1 else { return groups.map { String($0, radix: 16) }.joined(separator: ":") }
    let head = groups[..<gap.lowerBound].map { String($0, radix: 16) }.joined(separator: ":")
    let tail = groups[gap.upperBound...].map { String($0, radix: 16) }.joined(separator: ":")
    return "\(head)::\(tail)"
  }

  private static func longestZeros(in groups: [UInt64]) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for index in 0...groups.count where index == groups.count || groups[index] != 0 {
      if index - start > longest.count { longest = start..<index }
      start = index + 1
    }
    return longest
  }

  private static let mapped: UInt64 = 0xffff_0000_0000
}

/// Who sent a datagram to whom.
public struct Flow: Hashable, Sendable {
  /// Who sent it.
  public var source: NetworkEndpoint
  /// To whom it was sent.
  public var destination: NetworkEndpoint

  /// Makes a flow from its ends.
  public init(source: NetworkEndpoint, destination: NetworkEndpoint) {
    self.source = source
    self.destination = destination
  }

  /// Whether both go from the same host to the same host.
  func isBetweenHosts(of other: Flow) -> Bool {
    source.with(port: 0) == other.source.with(port: 0) && destination.with(port: 0) == other.destination.with(port: 0)
  }

  /// The other direction of the same conversation.
  public var reversed: Flow { Flow(source: destination, destination: source) }
}
