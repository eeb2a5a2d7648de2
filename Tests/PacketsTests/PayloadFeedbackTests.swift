import Packets
import Testing

@Suite struct `Payload feedback` {
  @Test func `reads a picture loss indication`() throws {
    let datagram = Vectors.pictureLoss
    let packet = try PayloadFeedback(
      parsing: `RTCP packets`.first(datagram, reducedSize: true), in: datagram.span.bytes)
    #expect(packet.kind == .pictureLossIndication)
    #expect(packet.ssrc == 0x1122_3344)
    #expect(packet.media == 0xaaaa_aaaa)
    #expect(packet.requestCount == 0)
    #expect(packet.request(0, in: datagram.span.bytes) == nil)
    #expect(Self.asked(by: packet, in: datagram, of: [0xaaaa_aaaa, 0x1122_3344, 0]) == [true, false, false])
  }

  @Test func `reads the list of a full intra request`() throws {
    let datagram = Vectors.fullIntraRequest
    let packet = try PayloadFeedback(
      parsing: `RTCP packets`.first(datagram, reducedSize: true), in: datagram.span.bytes)
    #expect(packet.kind == .fullIntraRequest)
    #expect(packet.requestCount == 2)
    let second = packet.request(1, in: datagram.span.bytes)
    #expect(second?.ssrc == 0xbbbb_bbbb && second?.sequence == 8)
    #expect(packet.request(2, in: datagram.span.bytes) == nil)
    #expect(packet.request(-1, in: datagram.span.bytes) == nil)
    let other: [UInt8] = [1, 2]
    #expect(packet.request(0, in: other.span.bytes) == nil)
    #expect(Self.asked(by: packet, in: datagram, of: [0xaaaa_aaaa, 0xbbbb_bbbb, 0]) == [true, true, false])
  }

  @Test func `asks for nothing with a kind that isn't read`() throws {
    // REMB, RFC 4585's application layer feedback.
    let datagram = Vectors.bytes("8f ce 00 04 11 22 33 44 aa aa aa aa 52 45 4d 42 01 02 03 04")
    let packet = try PayloadFeedback(
      parsing: `RTCP packets`.first(datagram, reducedSize: true), in: datagram.span.bytes)
    #expect(packet.kind == .other(15))
    #expect(Self.asked(by: packet, in: datagram, of: [0xaaaa_aaaa]) == [false])
    #expect(Vectors.rewrittenRTCP(datagram) == datagram)
  }

  @Test func `refuses lists that are empty or cut`() throws {
    for hex in [
      "84 ce 00 02 11 22 33 44 00 00 00 00", "84 ce 00 03 11 22 33 44 00 00 00 00 aa aa aa aa",
      "81 ce 00 01 11 22 33 44",
    ] {
      let datagram = Vectors.bytes(hex)
      let part = try `RTCP packets`.first(datagram, reducedSize: true)
      #expect(throws: PacketParseError.self) { try PayloadFeedback(parsing: part, in: datagram.span.bytes) }
      // As one packet of many it is passed over.
      let packet = try RTCPPacket(parsing: part, in: datagram.span.bytes)
      #expect(packet == .other(part))
      #expect(Vectors.rewrittenRTCP(datagram) == datagram)
    }
  }

  @Test func `writes what it reads`() {
    let indication = Vectors.written(capacity: 12) { bytes in
      var writer = CompoundWriter(reducedSize: true)
      let isDone = writer.pictureLossIndication(sender: 0x1122_3344, media: 0xaaaa_aaaa, into: &bytes)
      return isDone ? writer.count : nil
    }
    #expect(indication == Vectors.pictureLoss)
    let request = Vectors.written(capacity: 20) { bytes in
      var writer = CompoundWriter(reducedSize: true)
      let isDone = writer.fullIntraRequest(sender: 0x1122_3344, media: 0xaaaa_aaaa, sequence: 7, into: &bytes)
      return isDone ? writer.count : nil
    }
    #expect(request == Vectors.bytes("84 ce 00 04 11 22 33 44 00 00 00 00 aa aa aa aa 07 00 00 00"))
  }

  @Test func `writes nothing where it doesn't fit, or where a report must come first`() {
    for (capacity, reducedSize) in [(11, true), (12, false)] {
      let written = Vectors.written(capacity: capacity) { bytes in
        var writer = CompoundWriter(reducedSize: reducedSize)
        return writer.pictureLossIndication(sender: 1, media: 2, into: &bytes) ? writer.count : nil
      }
      #expect(written.isEmpty)
    }
  }

  private static func asked(by packet: PayloadFeedback, in datagram: [UInt8], of sources: [UInt32]) -> [Bool] {
    sources.map { packet.asksForKeyFrame(of: $0, in: datagram.span.bytes) }
  }
}
