/// Puts the packets of a transport stream into RTP payloads (RFC 2250 section 2): as many whole ones as fit.
///
/// Its shape is that of the other packetizers. The marker bit isn't set at the end of anything: here it would say that
/// the timestamps jump.
public struct TransportPacketizer: Sendable {
  /// The packets in a payload where nothing else is asked for: what fits in an Ethernet frame.
  public static let usualPackets = 7

  /// The packets that a payload may have: 0 when the limit leaves no room for one.
  public let packetsPerPayload: Int
  private var offset = 0

  /// Starts before the first packet; `payloadLimit` is the most bytes that an RTP payload may have.
  public init(payloadLimit: Int) { packetsPerPayload = max(payloadLimit, 0) / TransportPacket.size }

  /// Whether nothing has been begun or the last payload of some packets was written.
  public var isAtEnd: Bool { offset == 0 }

  /// How many payloads some packets become.
  public func count(of packets: RawSpan) -> Int {
    guard packetsPerPayload > 0 else { return 0 }
    return (packets.byteCount / TransportPacket.size + packetsPerPayload - 1) / packetsPerPayload
  }

  /// Writes the next payload and returns its length: whole packets, as many as fit.
  ///
  /// Nil when there is no whole packet, and when `bytes` or the limit leaves no room for one. A cut packet at the end is
  /// left out.
  public mutating func next(of packets: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    let whole = packets.byteCount / TransportPacket.size * TransportPacket.size
    let room = min(packetsPerPayload, bytes.count / TransportPacket.size) * TransportPacket.size
    guard room > 0, offset < whole else {
      offset = 0
      return nil
    }
    let end = min(offset + room, whole)
    let length = bytes.copy(offset..<end, of: packets, at: 0)
    offset = end < whole ? end : 0
    return length
  }
}

/// Takes the packets of a transport stream out of RTP payloads (RFC 2250 section 2).
///
/// A payload stands for itself: each begins what is called a frame elsewhere, and a gap breaks none.
/// ``TransportStreamMonitor`` says what became of the pictures inside.
public enum TransportDepacketizer {
  /// Appends the packets of a payload.
  ///
  /// Nil when it is invalid and nothing was appended: empty, not a whole number of packets, or one of them doesn't begin
  /// with the sync byte.
  public static func append(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    guard let piece = piece(of: payload) else { return nil }
    frame.append(0..<payload.byteCount, of: payload)
    return piece
  }

  /// What a payload says of itself; nil when it isn't whole packets.
  public static func piece(of payload: RawSpan) -> VideoPiece? {
    let size = TransportPacket.size
    guard payload.byteCount > 0, payload.byteCount % size == 0 else { return nil }
    var piece = VideoPiece()
    piece.beginsFrame = true
    piece.isReference = true
    for offset in stride(from: 0, to: payload.byteCount, by: size) {
      let bytes = payload.extracting(offset..<(offset + size))
      guard bytes.byte(at: 0) == TransportPacket.syncByte else { return nil }
      if !piece.isKey { piece.isKey = isVideoKey(bytes) }
    }
    return piece
  }

  /// Whether a picture begins in the packet with which decoding can begin: audio says as much of each of its own.
  private static func isVideoKey(_ bytes: RawSpan) -> Bool {
    guard let packet = TransportPacket(parsing: bytes), packet.isRandomAccess, packet.startsUnit,
      packet.payload.count >= 4
    else { return false }
    return bytes.bigEndian(at: packet.payload.lowerBound, as: UInt32.self) & 0xffff_fff0 == 0x1e0
  }
}
