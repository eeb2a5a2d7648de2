import Packets

/// Packets written by hand from the diagrams of the RFCs, and what the sweeps do with them.
enum Vectors {
  /// RFC 3550 5.1: marker, type 111, two CSRCs, an extension of one word, payload, padding.
  static let rtp = bytes(
    """
    b2 ef 12 34 00 01 02 03 de ad be ef
    00 00 00 01 00 00 00 02
    be de 00 01 10 aa 00 00
    61 62 63
    00 00 00 00 05
    """)
  /// RFC 3550 6.4.1 with two blocks and a profile-specific extension of one word.
  static let senderReport = bytes(
    """
    82 c8 00 13 11 22 33 44
    e8 00 00 01 80 00 00 00 00 00 be ef 00 00 00 64 00 00 3e 80
    aa aa aa aa 40 ff ff fe 00 01 00 05 00 00 00 07 00 01 80 00 00 00 40 00
    bb bb bb bb 00 00 00 03 00 00 00 09 00 00 00 08 00 00 00 00 00 00 00 00
    01 02 03 04
    """)
  /// RFC 3550 6.4.2 with one block.
  static let receiverReport = bytes(
    """
    81 c9 00 07 11 22 33 44
    aa aa aa aa 40 7f ff ff 00 01 00 05 00 00 00 07 00 01 80 00 00 00 40 00
    """)
  /// RFC 3550 6.5: two chunks; the first has CNAME "a@b" and TOOL "jb", the second an empty CNAME.
  static let sourceDescription = bytes(
    """
    82 ca 00 06
    11 22 33 44 01 03 61 40 62 06 02 6a 62 00 00 00
    55 66 77 88 01 00 00 00
    """)
  /// RFC 3550 6.6: two sources, the reason "bye", and four bytes of padding.
  static let goodbye = bytes("a2 cb 00 04 11 22 33 44 55 66 77 88 03 62 79 65 00 00 00 04")
  /// RFC 3550 6.7: subtype 0, the name "name" and one word of data.
  static let application = bytes("80 cc 00 03 11 22 33 44 6e 61 6d 65 00 00 00 01")
  /// RFC 3611: a block of each type, one whose type isn't known, and one whose length doesn't suit its type.
  static let extendedReport = bytes(
    """
    80 cf 00 30 11 22 33 44
    01 00 00 03 aa aa aa aa ff f0 00 05 40 06 87 65
    02 02 00 04 aa aa aa aa 00 03 00 14 40 02 00 01 40 01 00 00
    03 01 00 04 aa aa aa aa 00 07 00 0c 00 00 10 00 00 00 20 00
    04 00 00 02 e8 00 00 01 80 00 00 00
    05 00 00 06 01 01 01 01 02 02 02 02 03 03 03 03 04 04 04 04 05 05 05 05 06 06 06 06
    06 e0 00 09 aa aa aa aa 00 05 00 09 00 00 00 01 00 00 00 02
    00 00 00 03 00 00 00 04 00 00 00 05 00 00 00 06 00 00 00 00
    07 00 00 08 aa aa aa aa 0c 03 40 05 01 90 0b b8 00 1c 00 3c 7f 7f 7f 10 7f 7f 29 2a e0 00 00 3c 00 50 00 64
    2a 07 00 01 de ad be ef
    06 e0 00 01 00 00 00 00
    """)
  /// RFC 4585 6.3.1.
  static let pictureLoss = bytes("81 ce 00 02 11 22 33 44 aa aa aa aa")
  /// RFC 5104 4.3.1, of two sources.
  static let fullIntraRequest = bytes(
    "84 ce 00 06 11 22 33 44 00 00 00 00 aa aa aa aa 07 00 00 00 bb bb bb bb 08 00 00 00")
  /// Everything in one compound.
  static let compound =
    senderReport + receiverReport + sourceDescription + application + extendedReport + goodbye

  static func bytes(_ hex: String) -> [UInt8] {
    hex.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
  }

  /// What `RTPPacket` writes for a datagram, or nil when it doesn't parse.
  static func rewrittenRTP(_ datagram: [UInt8]) -> [UInt8]? {
    guard let packet = try? RTPPacket(parsing: datagram.span.bytes) else { return nil }
    return written(capacity: datagram.count) { packet.write(from: datagram.span.bytes, into: &$0) }
  }

  /// What the packet types write, one after the other, or nil when the compound or one of them doesn't parse.
  static func rewrittenRTCP(_ datagram: [UInt8], reducedSize: Bool = true) -> [UInt8]? {
    let source = datagram.span.bytes
    guard var cursor = try? CompoundCursor(validating: source, reducedSize: reducedSize) else { return nil }
    var result: [UInt8] = []
    while let part = cursor.next(in: source) {
      guard let packet = try? RTCPPacket(parsing: part, in: source) else { return nil }
      result += written(capacity: part.range.count) { packet.write(from: datagram.span.bytes, into: &$0) }
    }
    return result
  }

  /// The bytes that `body` writes into a buffer of `capacity`, none when it refuses.
  static func written(capacity: Int, _ body: (inout MutableSpan<UInt8>) -> Int?) -> [UInt8] {
    var buffer = [UInt8](repeating: 0xee, count: capacity)
    var span = buffer.mutableSpan
    guard let count = body(&span) else { return [] }
    return Array(buffer.prefix(count))
  }

  /// Every datagram that differs from `datagram` in one bit.
  static func flips(of datagram: [UInt8]) -> [[UInt8]] {
    (0..<(datagram.count * 8)).map { bit in
      var changed = datagram
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      return changed
    }
  }
}
