import Packets

/// What the frames of a capture begin with (tcpdump.org/linktypes.html).
public enum LinkLayer: Equatable, Sendable {
  /// Ethernet, with VLAN tags (802.1Q, 802.1ad), PPPoE and MPLS.
  case ethernet
  /// An IPv4 or IPv6 header.
  case raw
  /// BSD loopback: an address family in the byte order of the machine that captured, or in network order.
  case loopback
  /// Linux "cooked" version 1, what `tcpdump -i any` writes.
  case cooked
  /// Linux "cooked" version 2.
  case cooked2
  /// PPP, with or without HDLC's address and control bytes.
  case ppp

  /// The link layer of a capture whose files, or whose live handle, name this type; nil for one that isn't read.
  public init?(type: Int) {
    switch type {
    case 1: self = .ethernet
    case 0, 108: self = .loopback
    case 9, 50: self = .ppp
    case 12, 14, 101, 228, 229: self = .raw
    case 113: self = .cooked
    case 276: self = .cooked2
    default: return nil
    }
  }

  /// For people: those that are read.
  public static let known = "Ethernet, Linux cooked (v1, v2), raw IP, BSD loopback and PPP"

  /// Where the network layer begins in a frame, and its Ethernet type; nil when the frame is too short or isn't IP.
  func network(in frame: RawSpan) -> (offset: Int, type: UInt16)? {
    switch self {
    case .ethernet: return Self.unwrap(frame, typeAt: 12)
    case .cooked: return Self.unwrap(frame, typeAt: 14)
    case .cooked2:
      guard frame.byteCount >= 20 else { return nil }
      return Self.unwrap(frame, type: frame.bigEndian(at: 0, as: UInt16.self), offset: 20)
    case .raw: return Self.byVersion(frame, offset: 0)
    case .loopback:
      guard frame.byteCount >= 4 else { return nil }
      let family = frame.bigEndian(at: 0, as: UInt32.self)
      switch family < 0x1_0000 ? family : family.byteSwapped {
      case 2: return (4, EtherType.ipv4)
      // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS.
      case 10, 24, 28, 30: return (4, EtherType.ipv6)
      default: return nil
      }
    case .ppp:
      let hasControl = frame.byteCount >= 2 && frame.bigEndian(at: 0, as: UInt16.self) == 0xff03
      return Self.ppp(frame, at: hasControl ? 2 : 0)
    }
  }

  private static func unwrap(_ frame: RawSpan, typeAt offset: Int) -> (offset: Int, type: UInt16)? {
    guard frame.byteCount >= offset + 2 else { return nil }
    return unwrap(frame, type: frame.bigEndian(at: offset, as: UInt16.self), offset: offset + 2)
  }

  /// Takes off VLAN tags, PPPoE and MPLS.
  private static func unwrap(_ frame: RawSpan, type: UInt16, offset: Int) -> (offset: Int, type: UInt16)? {
    if type == EtherType.ipv4 || type == EtherType.ipv6 { return (offset, type) }
    var type = type
    var offset = offset
    for _ in 0..<tagLimit {
      switch type {
      case EtherType.ipv4, EtherType.ipv6: return (offset, type)
      case 0x8100, 0x88a8, 0x9100, 0x9200:
        guard frame.byteCount >= offset + 4 else { return nil }
        type = frame.bigEndian(at: offset + 2, as: UInt16.self)
        offset += 4
      case 0x8864: return ppp(frame, at: offset + 6)
      case 0x8847, 0x8848:
        guard frame.byteCount >= offset + 4 else { return nil }
        let isBottom = frame.byte(at: offset + 2) & 1 == 1
        offset += 4
        if isBottom { return byVersion(frame, offset: offset) }
      default: return nil
      }
    }
    return nil
  }

  private static func byVersion(_ frame: RawSpan, offset: Int) -> (offset: Int, type: UInt16)? {
    guard frame.byteCount > offset else { return nil }
    switch frame.byte(at: offset) >> 4 {
    case 4: return (offset, EtherType.ipv4)
    case 6: return (offset, EtherType.ipv6)
    default: return nil
    }
  }

  /// The protocol field may be compressed to one byte, which is odd (RFC 1661 section 2).
  private static func ppp(_ frame: RawSpan, at offset: Int) -> (offset: Int, type: UInt16)? {
    guard frame.byteCount >= offset + 2 else { return nil }
    let first = frame.byte(at: offset)
    let isShort = first & 1 == 1
    switch isShort ? UInt16(first) : frame.bigEndian(at: offset, as: UInt16.self) {
    case 0x21: return (offset + (isShort ? 1 : 2), EtherType.ipv4)
    case 0x57: return (offset + (isShort ? 1 : 2), EtherType.ipv6)
    default: return nil
    }
  }

  /// The most tags and labels that are taken off.
  private static let tagLimit = 8
}

/// The types of network layers.
enum EtherType {
  static let ipv4: UInt16 = 0x0800
  static let ipv6: UInt16 = 0x86dd
}
