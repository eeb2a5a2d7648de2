/// Finds where a transport stream can end without leaving half a picture at the receiver.
///
/// Nothing in a stream says that its last picture is over but the beginning of the next one, or the end of the stream.
/// So a stream is ended right before the packet with which the next picture begins.
public struct TransportEnding: Sendable {
  /// Whether a picture has begun.
  public private(set) var hasPicture = false

  private var program = TransportProgram()

  /// Starts before a stream's first packet.
  public init() {}

  /// Takes the next packets of the stream, and says how many bytes of them come before the first with which a picture
  /// begins; nil when none begins in them.
  public mutating func take(_ packets: RawSpan) -> Int? {
    var start: Int?
    for offset in stride(from: 0, through: packets.byteCount - TransportPacket.size, by: TransportPacket.size) {
      let bytes = packets.extracting(offset..<(offset + TransportPacket.size))
      guard let packet = TransportPacket(parsing: bytes), !packet.hasError, !packet.payload.isEmpty else { continue }
      guard packet.pid == program.videoPID else {
        program.append(packet, bytes.extracting(packet.payload))
        continue
      }
      if packet.startsUnit, start == nil { start = offset }
    }
    if start != nil { hasPicture = true }
    return start
  }
}
