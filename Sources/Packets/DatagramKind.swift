/// What a datagram on a port that carries both RTP and RTCP is (RFC 5761 section 4).
public enum DatagramKind: Equatable, Sendable {
  /// RTP, as far as version, length and payload type tell.
  case rtp
  /// RTCP, as far as version, length and packet type tell.
  case rtcp
  /// Neither: another version (STUN, DTLS, noise), or too short.
  case other

  /// Tells them apart: payload types 64 to 95 (RTCP packet types 192 to 223) are RTCP.
  public static func classify(_ datagram: RawSpan) -> DatagramKind {
    guard datagram.byteCount >= RTCPHeader.size, datagram.byte(at: 0) >> 6 == 2 else { return .other }
    if (64...95).contains(datagram.byte(at: 1) & 0x7f) { return .rtcp }
    return datagram.byteCount >= RTPHeader.size ? .rtp : .other
  }
}
