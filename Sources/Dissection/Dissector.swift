import Packets

/// What a captured frame holds.
public enum Dissected: Equatable, Sendable {
  /// A UDP datagram, or the first fragment of one.
  case datagram(Datagram)
  /// A TCP segment with something in it: where the bytes lie in the frame.
  case segment(Range<Int>)
  /// A later fragment of an IP packet: its ports are in the first.
  case fragment
  /// Another protocol.
  case other
  /// Cut before its headers end, or with lengths that contradict each other.
  case malformed
}

/// A UDP datagram within a frame.
public struct Datagram: Equatable, Sendable {
  /// Who sent it to whom.
  public var flow: Flow
  /// Where the bytes of its payload lie in the frame, as many as were captured.
  public var payload: Range<Int>
  /// The length of its payload on the wire.
  public var length: Int

  /// Describes a datagram.
  public init(flow: Flow, payload: Range<Int>, length: Int) {
    self.flow = flow
    self.payload = payload
    self.length = length
  }

  /// Whether the capture, or the fragment, holds less than was sent.
  public var isCut: Bool { payload.count < length }
}

/// Finds the UDP datagram in a frame: link layer, IPv4 and IPv6 with options, extension headers and fragments, UDP.
public enum Dissector {
  private enum Transport {
    static let ipv4: UInt8 = 4
    static let tcp: UInt8 = 6
    static let udp: UInt8 = 17
    static let ipv6: UInt8 = 41
  }

  /// An IP packet as far as its header tells.
  private struct Network {
    var transport: UInt8
    /// Where the transport's header begins.
    var offset: Int
    /// Where the packet ends by its own length, which may be beyond the captured bytes.
    var end: Int
    var isFirstFragment = false
    var source: (high: UInt64, low: UInt64)
    var destination: (high: UInt64, low: UInt64)
  }

  /// The most IP headers inside each other (RFC 2003, RFC 4213).
  private static let tunnelLimit = 4
  /// The most extension headers of an IPv6 packet.
  private static let extensionLimit = 16

  /// The datagram in a frame of the most usual kind, Ethernet without tags and IPv4 without options and fragments; nil
  /// for any other frame, and for one that may be malformed.
  @inline(__always) static func usual(_ frame: RawSpan, link: LinkLayer) -> Datagram? {
    guard link == .ethernet, frame.byteCount >= 42, frame.bigEndian(at: 12, as: UInt16.self) == EtherType.ipv4,
      frame.byte(at: 14) == 0x45, frame.bigEndian(at: 20, as: UInt16.self) & 0x3fff == 0,
      frame.byte(at: 23) == Transport.udp
    else { return nil }
    let total = Int(frame.bigEndian(at: 16, as: UInt16.self))
    let length = Int(frame.bigEndian(at: 38, as: UInt16.self))
    guard length >= 8, length + 20 <= total else { return nil }
    let flow = Flow(
      source: NetworkEndpoint(
        high: 0, low: mapped(frame, at: 26), port: frame.bigEndian(at: 34, as: UInt16.self)),
      destination: NetworkEndpoint(
        high: 0, low: mapped(frame, at: 30), port: frame.bigEndian(at: 36, as: UInt16.self)))
    return Datagram(flow: flow, payload: 42..<min(34 + length, frame.byteCount), length: length - 8)
  }

  /// Takes a frame apart; no bytes make it trap.
  public static func dissect(_ frame: RawSpan, link: LinkLayer) -> Dissected {
    guard var (offset, type) = link.network(in: frame) else { return .other }
    for _ in 0..<tunnelLimit {
      let network: Network
      if type == EtherType.ipv4 {
        guard let found = ipv4(frame, at: offset) else { return .malformed }
        network = found
      } else {
        guard let found = ipv6(frame, at: offset) else { return .malformed }
        network = found
      }
      switch network.transport {
      case Transport.udp: return udp(frame, network)
      case Transport.tcp: return tcp(frame, network)
      case Transport.ipv4: type = EtherType.ipv4
      case Transport.ipv6: type = EtherType.ipv6
      case laterFragment: return .fragment
      default: return .other
      }
      offset = network.offset
    }
    return .other
  }

  /// Stands for the transport of a fragment that doesn't begin with its header; IANA reserves the number.
  private static let laterFragment: UInt8 = 255

  private static func ipv4(_ frame: RawSpan, at offset: Int) -> Network? {
    let available = frame.byteCount - offset
    guard available >= 20 else { return nil }
    let first = frame.byte(at: offset)
    let headerLength = Int(first & 0xf) * 4
    guard first >> 4 == 4, headerLength >= 20, available >= headerLength else { return nil }
    var total = Int(frame.bigEndian(at: offset + 2, as: UInt16.self))
    // Segmentation offload leaves 0: the packet is longer than the field can say, or its length isn't known yet.
    if total == 0 { total = available }
    guard total >= headerLength else { return nil }
    let fragment = frame.bigEndian(at: offset + 6, as: UInt16.self)
    return Network(
      transport: fragment & 0x1fff != 0 ? laterFragment : frame.byte(at: offset + 9), offset: offset + headerLength,
      end: offset + total, isFirstFragment: fragment & 0x2000 != 0, source: (0, mapped(frame, at: offset + 12)),
      destination: (0, mapped(frame, at: offset + 16)))
  }

  @inline(__always) private static func mapped(_ frame: RawSpan, at offset: Int) -> UInt64 {
    0xffff_0000_0000 | UInt64(frame.bigEndian(at: offset, as: UInt32.self))
  }

  private static func ipv6(_ frame: RawSpan, at start: Int) -> Network? {
    guard frame.byteCount - start >= 40, frame.byte(at: start) >> 4 == 6 else { return nil }
    let length = Int(frame.bigEndian(at: start + 4, as: UInt16.self))
    // A length of 0 is a jumbogram (RFC 2675), or offload.
    var network = Network(
      transport: frame.byte(at: start + 6), offset: start + 40,
      end: length == 0 ? frame.byteCount : start + 40 + length, source: address(frame, at: start + 8),
      destination: address(frame, at: start + 24))
    for _ in 0..<extensionLimit {
      let size: Int
      switch network.transport {
      // Hop-by-hop and destination options, routing, mobility, HIP, shim6: RFC 8200 section 4, RFC 7045.
      case 0, 43, 60, 135, 139, 140: size = 8
      case 44, 51: size = 8
      default: return network
      }
      guard frame.byteCount - network.offset >= size else { return nil }
      let kind = network.transport
      let extent = Int(frame.byte(at: network.offset + 1))
      if kind == 44 {
        let fragment = frame.bigEndian(at: network.offset + 2, as: UInt16.self)
        guard fragment & 0xfff8 == 0 else {
          network.transport = laterFragment
          return network
        }
        network.isFirstFragment = fragment & 1 == 1
      }
      network.transport = frame.byte(at: network.offset)
      network.offset += kind == 44 ? 8 : kind == 51 ? (extent + 2) * 4 : (extent + 1) * 8
      guard network.offset <= network.end, network.offset <= frame.byteCount else { return nil }
    }
    return nil
  }

  private static func address(_ frame: RawSpan, at offset: Int) -> (high: UInt64, low: UInt64) {
    (frame.bigEndian(at: offset, as: UInt64.self), frame.bigEndian(at: offset + 8, as: UInt64.self))
  }

  private static func udp(_ frame: RawSpan, _ network: Network) -> Dissected {
    let start = network.offset
    guard frame.byteCount - start >= 8 else { return .malformed }
    var length = Int(frame.bigEndian(at: start + 4, as: UInt16.self))
    if length == 0 { length = network.end - start }
    guard length >= 8, network.isFirstFragment || start + length <= network.end else { return .malformed }
    let end = min(start + length, network.end, frame.byteCount)
    guard end >= start + 8 else { return .malformed }
    let flow = Flow(
      source: NetworkEndpoint(
        high: network.source.high, low: network.source.low, port: frame.bigEndian(at: start, as: UInt16.self)),
      destination: NetworkEndpoint(
        high: network.destination.high, low: network.destination.low,
        port: frame.bigEndian(at: start + 2, as: UInt16.self)))
    return .datagram(Datagram(flow: flow, payload: (start + 8)..<end, length: length - 8))
  }

  private static func tcp(_ frame: RawSpan, _ network: Network) -> Dissected {
    let start = network.offset
    guard frame.byteCount - start >= 20 else { return .malformed }
    let headerLength = Int(frame.byte(at: start + 12) >> 4) * 4
    let end = min(network.end, frame.byteCount)
    guard headerLength >= 20, start + headerLength <= end else { return .malformed }
    return .segment((start + headerLength)..<end)
  }
}
