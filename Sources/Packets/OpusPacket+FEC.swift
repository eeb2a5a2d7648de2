extension OpusPacket {
  /// Whether a packet carries a low-bitrate copy of the audio before it, for in-band FEC (RFC 6716 section 2.1.7).
  ///
  /// The SILK layer begins with one voice activity bit for each of its 20 ms frames (one for 10 ms), then the LBRR flag;
  /// in stereo the side channel's follow (sections 4.2.3 and 4.2.4). All have even odds, so the range coder puts them in
  /// the first bits of the first frame as they are. False for malformed packets.
  public static func carriesFEC(_ bytes: RawSpan) -> Bool { OpusPacket(parsing: bytes)?.carriesFEC(in: bytes) ?? false }

  /// As ``carriesFEC(_:)``, of the bytes that this was parsed from.
  public func carriesFEC(in bytes: RawSpan) -> Bool {
    guard mode != .celt, !isDTX, let offset = Self.firstFrameOffset(of: self, in: bytes), offset < bytes.byteCount
    else { return false }
    let flags = bytes.byte(at: offset)
    let silkFrames = max(1, frameDuration / 960)
    let middle = flags >> (7 - UInt8(silkFrames)) & 1
    guard isStereo else { return middle != 0 }
    return middle != 0 || flags >> (6 - 2 * UInt8(silkFrames)) & 1 != 0
  }

  /// Where the first frame's bytes begin; nil when that frame is empty.
  private static func firstFrameOffset(of packet: OpusPacket, in bytes: RawSpan) -> Int? {
    switch packet.tableOfContents & 3 {
    case 0, 1: return 1
    case 2:
      guard let first = length(in: bytes, at: 1, end: bytes.byteCount), first.length > 0 else { return nil }
      return 1 + first.bytes
    default:
      let head = bytes.byte(at: 1)
      var offset = 2
      if head & 0x40 != 0 {
        while offset < bytes.byteCount, bytes.byte(at: offset) == 255 { offset += 1 }
        offset += 1
      }
      guard head & 0x80 != 0 else { return offset }
      var firstLength = 1
      for index in 1..<max(packet.frameCount, 2) where index < packet.frameCount {
        guard let next = length(in: bytes, at: offset, end: bytes.byteCount) else { return nil }
        if index == 1 { firstLength = next.length }
        offset += next.bytes
      }
      return firstLength > 0 ? offset : nil
    }
  }
}
