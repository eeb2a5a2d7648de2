import Packets
import Testing
import Timeline

@Suite struct `RTP packets` {
  private let whole = Vectors.rtp

  @Test func `reads every field and part of a packet with all of them`() throws {
    let packet = try RTPPacket(parsing: whole.span.bytes)
    #expect(
      packet.header
        == RTPHeader(
          marker: true, payloadType: 111, sequenceNumber: SequenceNumber(0x1234),
          timestamp: RTPTimestamp(0x0001_0203), ssrc: 0xdead_beef))
    #expect(packet.csrcs == 12..<20)
    #expect(packet.csrc(1, in: whole.span.bytes) == 2)
    #expect(packet.csrc(2, in: whole.span.bytes) == nil)
    #expect(packet.headerExtension == 20..<28)
    #expect(packet.payload == 28..<31)
    #expect(packet.padding == 31..<36)
  }

  @Test func `writes the fixed header of RFC 3550 section 5 point 1`() {
    let header = RTPHeader(
      marker: true, payloadType: 111, sequenceNumber: SequenceNumber(0x1234), timestamp: RTPTimestamp(0x0001_0203),
      ssrc: 0xdead_beef)
    let expected = Vectors.bytes("80 ef 12 34 00 01 02 03 de ad be ef")
    #expect(Vectors.written(capacity: 12) { header.write(into: &$0) } == expected)
    #expect(Vectors.written(capacity: 11) { header.write(into: &$0) } == [])
  }

  @Test func `a packet may be nothing but its header`() throws {
    let datagram = Vectors.bytes("80 6f 00 00 00 00 00 00 00 00 00 00")
    #expect(try RTPPacket(parsing: datagram.span.bytes).payload == 12..<12)
    #expect(Vectors.rewrittenRTP(datagram) == datagram)
  }

  @Test func `each length from nothing to the whole packet is refused or written back`() {
    let parsed = (0...Vectors.rtp.count).filter { length in
      let datagram = Array(Vectors.rtp.prefix(length))
      guard let again = Vectors.rewrittenRTP(datagram) else { return false }
      #expect(again == datagram)
      return true
    }
    // A cut packet may parse when its last byte can be a padding count; 'c' (99) and 0 can't be, 5 is.
    #expect(parsed == [Vectors.rtp.count])
    let unpadded = [Vectors.rtp[0] & ~0x20] + Vectors.rtp.dropFirst()
    for length in 0...unpadded.count {
      let datagram = Array(unpadded.prefix(length))
      #expect(Vectors.rewrittenRTP(datagram) == (length >= 28 ? datagram : nil))
    }
  }

  @Test func `each change of one bit is refused or written back`() {
    var parsed = 0
    for datagram in Vectors.flips(of: Vectors.rtp) {
      guard let again = Vectors.rewrittenRTP(datagram) else { continue }
      parsed += 1
      #expect(again == datagram)
    }
    // Of 36 bytes, those of the fields, CSRCs, payload and padding may have any value: 11 + 8 + 2 + 4 + 3 + 4.
    #expect(parsed >= 8 * 32)
  }

  @Test func `a buffer one byte too short is left alone`() throws {
    let packet = try RTPPacket(parsing: whole.span.bytes)
    #expect(Vectors.written(capacity: 35) { packet.write(from: whole.span.bytes, into: &$0) } == [])
    let shorter = Array(Vectors.rtp.dropLast())
    #expect(Vectors.written(capacity: 36) { packet.write(from: shorter.span.bytes, into: &$0) } == [])
  }

  @Test(arguments: [
    ("", PacketParseError.truncated(needed: 12, available: 0)),
    ("40 6f 00 00 00 00 00 00 00 00 00 00", .wrongVersion(1)),
    ("8f 6f 00 00 00 00 00 00 00 00 00 00", .truncated(needed: 72, available: 12)),
    ("90 6f 00 00 00 00 00 00 00 00 00 00 be de", .truncated(needed: 16, available: 14)),
    ("90 6f 00 00 00 00 00 00 00 00 00 00 be de ff ff", .truncated(needed: 262_156, available: 16)),
    ("a0 6f 00 00 00 00 00 00 00 00 00 00 00", .badPadding(0)),
    ("a0 6f 00 00 00 00 00 00 00 00 00 00 02", .badPadding(2)),
    ("a0 6f 00 00 00 00 00 00 00 00 00 01", .badPadding(1)),
  ])
  func `says what is wrong`(hex: String, error: PacketParseError) {
    let datagram = Vectors.bytes(hex)
    #expect(throws: error) { try RTPPacket(parsing: datagram.span.bytes) }
  }

  @Test func `payload types 64 to 95 are RTCP, the others RTP`() {
    for second in UInt8.min...UInt8.max {
      let datagram = [0x80, second] + [UInt8](repeating: 0, count: 10)
      let expected: DatagramKind = (64...95).contains(second & 0x7f) ? .rtcp : .rtp
      #expect(DatagramKind.classify(datagram.span.bytes) == expected)
    }
    #expect(DatagramKind.classify(Vectors.bytes("00 01 00 00 21 12 a4 42").span.bytes) == .other)
    #expect(DatagramKind.classify(Vectors.bytes("80 6f 00").span.bytes) == .other)
    #expect(DatagramKind.classify([UInt8]().span.bytes) == .other)
  }
}
