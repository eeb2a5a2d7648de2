import Packets
import Testing
import Timeline

@Suite struct `Writing compounds` {
  private static let report = SenderReport(
    ssrc: 0x1122_3344, ntp: NTPTimestamp(rawValue: 0xe800_0001_8000_0000), rtpTimestamp: RTPTimestamp(0xbeef),
    packetCount: 100, octetCount: 16_000)

  @Test func `writes the bytes of RFC 3550 section 6`() {
    let blocks = [`RTCP packets`.block(lost: -2)]
    let written = Vectors.written(capacity: 200) { buffer in
      var writer = CompoundWriter()
      guard writer.senderReport(Self.report, blocks: blocks.span, into: &buffer),
        writer.receiverReport(ssrc: 0x1122_3344, blocks: blocks.span, into: &buffer),
        writer.sourceDescription(ssrc: 0x1122_3344, cname: "a@b".utf8, tool: "jb".utf8, into: &buffer),
        writer.goodbye(ssrc: 0x1122_3344, reason: "bye".utf8, into: &buffer),
        writer.goodbye(ssrc: 0x1122_3344, into: &buffer)
      else { return nil }
      return writer.count
    }
    let expected = Vectors.bytes(
      """
      81 c8 00 0c 11 22 33 44
      e8 00 00 01 80 00 00 00 00 00 be ef 00 00 00 64 00 00 3e 80
      aa aa aa aa 40 ff ff fe 00 01 00 05 00 00 00 07 00 01 80 00 00 00 40 00
      81 c9 00 07 11 22 33 44
      aa aa aa aa 40 ff ff fe 00 01 00 05 00 00 00 07 00 01 80 00 00 00 40 00
      81 ca 00 04 11 22 33 44 01 03 61 40 62 06 02 6a 62 00 00 00
      81 cb 00 02 11 22 33 44 03 62 79 65
      81 cb 00 01 11 22 33 44
      """)
    #expect(written == expected)
    #expect(Vectors.rewrittenRTCP(written, reducedSize: false) == written)
  }

  @Test func `writes nothing when a packet doesn't fit, at every size of the buffer`() {
    for capacity in 0...64 {
      let blocks = [`RTCP packets`.block(lost: 1)]
      var counts: [Int] = []
      let written = Vectors.written(capacity: capacity) { buffer in
        var writer = CompoundWriter()
        _ = writer.receiverReport(ssrc: 1, blocks: blocks.span, into: &buffer)
        counts.append(writer.count)
        _ = writer.sourceDescription(ssrc: 1, cname: "name".utf8, into: &buffer)
        counts.append(writer.count)
        return writer.count
      }
      #expect(counts == (capacity < 32 ? [0, 0] : capacity < 48 ? [32, 32] : [32, 48]))
      if !written.isEmpty { #expect(Vectors.rewrittenRTCP(written, reducedSize: false) == written) }
    }
  }

  @Test func `a text of each length comes back, and 256 bytes are refused`() throws {
    for length in 0...256 {
      let text = [UInt8](repeating: 0x78, count: length)
      let written = Vectors.written(capacity: 2_000) { buffer in
        var writer = CompoundWriter()
        guard writer.receiverReport(ssrc: 1, into: &buffer),
          writer.sourceDescription(ssrc: 1, cname: text, into: &buffer),
          writer.goodbye(ssrc: 1, reason: text, into: &buffer)
        else { return nil }
        return writer.count
      }
      guard length < 256 else {
        #expect(written == [])
        continue
      }
      var cursor = try CompoundCursor(validating: written.span.bytes)
      _ = cursor.next(in: written.span.bytes)
      let next = cursor.next(in: written.span.bytes)
      let second = try #require(next)
      let last = cursor.next(in: written.span.bytes)
      let third = try #require(last)
      let description = try SourceDescription(parsing: second, in: written.span.bytes)
      let found = description.text(of: 1, ssrc: 1, in: written.span.bytes)
      let cname = try #require(found)
      let goodbye = try Goodbye(parsing: third, in: written.span.bytes)
      let reason = try #require(goodbye.reason)
      #expect(Array(written[cname]) == text)
      #expect(Array(written[reason]) == text)
    }
  }

  @Test func `takes 31 blocks and refuses 32`() {
    for (count, expected) in [(31, 8 + 31 * 24), (32, 0)] {
      let blocks = [ReportBlock](repeating: `RTCP packets`.block(lost: 0), count: count)
      let written = Vectors.written(capacity: 2_000) { buffer in
        var writer = CompoundWriter()
        return writer.receiverReport(ssrc: 1, blocks: blocks.span, into: &buffer) ? writer.count : nil
      }
      #expect(written.count == expected)
    }
  }

  @Test func `a compound begins with a report unless it has reduced size`() {
    for reduced in [false, true] {
      let written = Vectors.written(capacity: 100) { buffer in
        var writer = CompoundWriter(reducedSize: reduced)
        return writer.goodbye(ssrc: 1, into: &buffer) ? writer.count : nil
      }
      #expect(written.count == (reduced ? 8 : 0))
    }
  }
}
