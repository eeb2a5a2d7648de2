import Glibc

/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
  /// The address as a number: 127.0.0.1 is 0x7f000001.
  public var bits: UInt32

  /// Makes an address from its number.
  public init(bits: UInt32) { self.bits = bits }

  /// Reads four decimal numbers with dots; nothing else is an address.
  public init?(_ text: String) {
    var raw = in_addr()
    guard !text.utf8.contains(0), inet_pton(AF_INET, text, &raw) == 1 else { return nil }
    bits = UInt32(bigEndian: raw.s_addr)
  }

  /// Every address of this host: 0.0.0.0.
  public static let any = IPv4Address(bits: 0)
  /// This host alone: 127.0.0.1.
  public static let loopback = IPv4Address(bits: 0x7f00_0001)

  /// Whether it names a group (224.0.0.0/4).
  public var isMulticast: Bool { bits >> 28 == 0xe }

  /// Four decimal numbers with dots.
  public var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }
}

/// An IPv6 address, without its scope.
public struct IPv6Address: Hashable, Sendable, CustomStringConvertible {
  /// The first 64 bits as a number.
  public var high: UInt64
  /// The last 64 bits as a number.
  public var low: UInt64

  /// Makes an address from its two halves.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads the textual form of RFC 4291 section 2.2, without brackets and without a scope.
  public init?(_ text: String) {
    var raw = in6_addr()
    guard !text.utf8.contains(0), inet_pton(AF_INET6, text, &raw) == 1 else { return nil }
    self.init(raw)
  }

  /// Every address of this host: `::`.
  public static let any = IPv6Address(high: 0, low: 0)
  /// This host alone: `::1`.
  public static let loopback = IPv6Address(high: 0, low: 1)

  /// Whether it names a group (ff00::/8).
  public var isMulticast: Bool { high >> 56 == 0xff }
  /// Whether it means something only together with an interface (fe80::/10, ff02::/16, ff01::/16).
  public var isLinkLocal: Bool { high >> 54 == 0x3fa || high >> 48 & 0xff0f == 0xff02 || high >> 48 & 0xff0f == 0xff01 }
  /// The IPv4 address that it stands for (::ffff:0:0/96, RFC 4291 section 2.5.5.2), if it does.
  public var mapped: IPv4Address? {
    high == 0 && low >> 32 == 0xffff ? IPv4Address(bits: UInt32(truncatingIfNeeded: low)) : nil
  }

  /// The short form that RFC 5952 recommends.
  public var description: String {
    var raw = kernelForm
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      guard let base = text.baseAddress, inet_ntop(AF_INET6, &raw, base, socklen_t(text.count)) != nil else {
        return "?"
      }
      return String(cString: base)
    }
  }

  init(_ raw: in6_addr) {
    (high, low) = withUnsafeBytes(of: raw) { bytes in
      (
        UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  var kernelForm: in6_addr {
    var raw = in6_addr()
    withUnsafeMutableBytes(of: &raw) { bytes in
      bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
      bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return raw
  }
}
