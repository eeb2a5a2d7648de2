/// One packet of an MPEG transport stream (ISO/IEC 13818-1 section 2.4.3): what its first bytes say.
public struct TransportPacket: Equatable, Sendable {
  /// The length in bytes of every packet.
  public static let size = 188
  /// The byte that every packet begins with.
  public static let syncByte: UInt8 = 0x47
  /// The identifier of packets that only fill up the rate.
  public static let nullPID = 0x1fff
  /// How many ticks a program clock reference counts before it begins again: 2^33 times 300, 26.5 hours at 27 MHz.
  public static let clockModulus: Int64 = (1 << 33) * 300

  /// Whether somebody before us knew that the packet is wrong (transport_error_indicator).
  public let hasError: Bool
  /// Whether a PES packet or a table's section begins in it (payload_unit_start_indicator).
  public let startsUnit: Bool
  /// What the packet belongs to: 0 to 8191.
  public let pid: Int
  /// Whether the payload is encrypted.
  public let isScrambled: Bool
  /// The lower four bits of the count of packets of this kind that have a payload.
  public let continuity: Int
  /// Whether clock and counter may begin anew here (discontinuity_indicator).
  public let isDiscontinuous: Bool
  /// Whether decoding can begin here (random_access_indicator).
  public let isRandomAccess: Bool
  /// The program clock reference in ticks of 27 MHz; nil when it isn't there.
  public let clock: Int64?
  /// Where the payload lies in the packet; empty when there is none.
  public let payload: Range<Int>

  /// Reads a packet of 188 bytes; nil when there are fewer, the sync byte is wrong, or its own lengths don't fit.
  public init?(parsing packet: RawSpan) {
    guard packet.byteCount >= Self.size, packet.byte(at: 0) == Self.syncByte else { return nil }
    let second = packet.byte(at: 1)
    let fourth = packet.byte(at: 3)
    hasError = second & 0x80 != 0
    startsUnit = second & 0x40 != 0
    pid = Int(second & 0x1f) << 8 | Int(packet.byte(at: 2))
    isScrambled = fourth & 0xc0 != 0
    continuity = Int(fourth & 0x0f)
    let hasPayload = fourth & 0x10 != 0
    guard fourth & 0x20 != 0 else {
      (isDiscontinuous, isRandomAccess, clock) = (false, false, nil)
      payload = hasPayload ? 4..<Self.size : 4..<4
      return
    }
    // With a payload the field leaves at least one byte to it; stuffing may make its length 0.
    let length = Int(packet.byte(at: 4))
    guard length <= (hasPayload ? 182 : 183) else { return nil }
    let flags = length > 0 ? packet.byte(at: 5) : 0
    isDiscontinuous = flags & 0x80 != 0
    isRandomAccess = flags & 0x40 != 0
    if flags & 0x10 != 0 {
      guard length >= 7 else { return nil }
      let base = Int64(packet.bigEndian(at: 6, as: UInt32.self)) << 1 | Int64(packet.byte(at: 10) >> 7)
      let remainder = Int64(packet.bigEndian(at: 10, as: UInt16.self) & 0x1ff)
      clock = (base * 300 + remainder) % Self.clockModulus
    } else {
      clock = nil
    }
    payload = hasPayload ? (5 + length)..<Self.size : Self.size..<Self.size
  }
}
