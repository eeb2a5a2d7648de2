/// What was found broken in an Ogg Opus file while its whole packets were read.
public struct OggDamage: Equatable, Sendable {
  /// Pages of the stream that are missing or whose checksum is wrong, by the jumps of the page numbers.
  public internal(set) var damagedPages = 0
  /// Bytes that belong to no whole page.
  public internal(set) var skippedBytes: Int64 = 0
  /// Where in the file the first trouble is, in bytes.
  public internal(set) var firstOffset: Int64?
  /// Packets that are no Opus packets by RFC 6716 section 3, or longer than 61,440 bytes; they were left out.
  public internal(set) var invalidPackets = 0
  /// Where the page begins that the end of the file cuts off.
  public internal(set) var unfinishedOffset: Int64?
  /// The file ends between two pages of one packet.
  public internal(set) var endsInsidePacket = false

  /// Whether nothing at all was wrong.
  public var isEmpty: Bool { self == OggDamage() }

  /// What is wrong, as part of a sentence about the file.
  var detail: String {
    var parts: [String] = []
    if damagedPages > 0 {
      parts.append("\(damagedPages) of its Ogg pages \(damagedPages == 1 ? "is" : "are") broken or missing")
    } else if skippedBytes > 0 {
      parts.append("\(skippedBytes) bytes in it belong to no Ogg page")
    }
    if let firstOffset, !parts.isEmpty { parts[0] += ", the first near byte \(firstOffset)" }
    if invalidPackets > 0 {
      parts.append("\(invalidPackets) of its packets \(invalidPackets == 1 ? "is not" : "are not") valid Opus")
    }
    if let unfinishedOffset {
      parts.append("it ends inside an Ogg page that begins at byte \(unfinishedOffset)")
    } else if endsInsidePacket {
      parts.append("it ends inside a packet")
    }
    return parts.joined(separator: "; ")
  }
}
