import Packets

/// What shares a port with RTP, told apart by the first bytes (RFC 7983 section 7, RFC 5761 section 4).
enum PayloadKind: Equatable, Sendable {
  /// RTP, as far as the version, the payload type and the lengths in the header tell.
  case rtp
  /// RTCP, as far as the version and the packet type tell.
  case rtcp
  /// STUN (RFC 8489).
  case stun
  /// TURN channel data (RFC 8656 section 12.4): four bytes, then what the channel carries.
  case channel
  /// DTLS (RFC 9147).
  case dtls
  /// A line of text that may carry a session description: SIP, SAP.
  case text
  /// Anything else.
  case other

  /// Judges a UDP payload, of which `bytes` were captured and `length` were sent.
  @inline(__always) static func classify(_ bytes: RawSpan, length: Int) -> PayloadKind {
    guard bytes.byteCount >= 8 else { return .other }
    let first = bytes.byte(at: 0)
    switch first {
    case 128...191:
      if (64...95).contains(bytes.byte(at: 1) & 0x7f) { return .rtcp }
      return isRTP(bytes, first: first, length: length) ? .rtp : .other
    case 0...3:
      let isSTUN = bytes.bigEndian(at: 4, as: UInt32.self) == 0x2112_a442
      return isSTUN ? .stun : .other
    case 20...63:
      // SAP's first byte is 0x20 and more; DTLS has a version 0xfe.. behind its type.
      if bytes.byte(at: 1) == 0xfe { return .dtls }
      return first & 0xe0 == 0x20 ? .text : .other
    case 64...79:
      let inner = Int(bytes.bigEndian(at: 2, as: UInt16.self))
      if inner >= RTPHeader.size, inner + 4 <= length, length <= inner + 7, bytes.byteCount >= 4 + RTPHeader.size {
        return .channel
      }
      return isUppercase(first) && isUppercase(bytes.byte(at: 1)) ? .text : .other
    case 80...90: return isUppercase(bytes.byte(at: 1)) ? .text : .other
    default: return .other
    }
  }

  /// Whether the parts that the header announces fit into the datagram.
  @inline(__always) private static func isRTP(_ bytes: RawSpan, first: UInt8, length: Int) -> Bool {
    guard bytes.byteCount >= RTPHeader.size else { return false }
    if first == 0x80 { return true }
    var size = RTPHeader.size + 4 * Int(first & 0xf)
    if first & 0x10 != 0 {
      guard bytes.byteCount >= size + 4 else { return bytes.byteCount < length }
      size += 4 + 4 * Int(bytes.bigEndian(at: size + 2, as: UInt16.self))
    }
    guard size <= length else { return false }
    guard first & 0x20 != 0, bytes.byteCount == length else { return true }
    let padding = Int(bytes.byte(at: length - 1))
    return padding > 0 && size + padding <= length
  }

  private static func isUppercase(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }
}
