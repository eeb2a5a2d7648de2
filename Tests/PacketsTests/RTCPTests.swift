import Packets
import Testing
import Timeline

@Suite struct `RTCP packets` {
  @Test func `reads a sender report with two blocks and an extension`() throws {
    let datagram = Vectors.senderReport
    let report = try SenderReport(parsing: Self.first(datagram), in: datagram.span.bytes)
    #expect(report.ssrc == 0x1122_3344)
    #expect(report.ntp.rawValue == 0xe800_0001_8000_0000)
    #expect(report.rtpTimestamp == RTPTimestamp(0xbeef))
    #expect(report.packetCount == 100)
    #expect(report.octetCount == 16_000)
    #expect(report.reportCount == 2)
    #expect(report.profileExtension == 76..<80)
    #expect(report.block(0, in: datagram.span.bytes) == Self.block(lost: -2))
    #expect(report.block(1, in: datagram.span.bytes)?.cumulativeLost == 3)
    #expect(report.block(2, in: datagram.span.bytes) == nil)
    #expect(report.block(-1, in: datagram.span.bytes) == nil)
  }

  @Test func `reads a receiver report`() throws {
    let datagram = Vectors.receiverReport
    let report = try ReceiverReport(parsing: Self.first(datagram), in: datagram.span.bytes)
    #expect(report.ssrc == 0x1122_3344)
    #expect(report.block(0, in: datagram.span.bytes) == Self.block(lost: 0x7f_ffff))
    #expect(report.profileExtension.isEmpty)
  }

  @Test func `clamps the cumulative loss to 24 bits`() {
    for (lost, written) in [(Int32.max, 0x7f_ffff), (.min, -0x80_0000), (-1, -1), (5, 5)] as [(Int32, Int32)] {
      let bytes = Vectors.written(capacity: 24) { Self.block(lost: lost).write(into: &$0, at: 0) ? 24 : nil }
      #expect(ReportBlock(parsing: bytes.span.bytes, at: 0) == Self.block(lost: written))
    }
  }

  @Test func `walks the items of all chunks`() throws {
    let datagram = Vectors.sourceDescription
    let description = try SourceDescription(
      parsing: Self.first(datagram, reducedSize: true), in: datagram.span.bytes)
    var items = description.items
    var found: [String] = []
    while let item = items.next(in: datagram.span.bytes) {
      found.append("\(item.ssrc) \(item.type) \(String(decoding: datagram[item.text], as: UTF8.self))")
    }
    #expect(found == ["287454020 1 a@b", "287454020 6 jb", "1432778632 1 "])
    let cname = description.text(of: SourceDescription.ItemType.cname, ssrc: 0x1122_3344, in: datagram.span.bytes)
    #expect(cname == 10..<13)
  }

  @Test func `reads the sources and the reason of a goodbye`() throws {
    let datagram = Vectors.goodbye
    let goodbye = try Goodbye(parsing: Self.first(datagram, reducedSize: true), in: datagram.span.bytes)
    #expect(goodbye.sourceCount == 2)
    #expect(goodbye.source(1, in: datagram.span.bytes) == 0x5566_7788)
    #expect(goodbye.source(2, in: datagram.span.bytes) == nil)
    #expect(goodbye.reason == 13..<16)
  }

  @Test func `reads and writes an application-defined packet`() throws {
    let datagram = Vectors.application
    let packet = try ApplicationPacket(parsing: Self.first(datagram, reducedSize: true), in: datagram.span.bytes)
    #expect(packet.ssrc == 0x1122_3344)
    #expect(packet.name == ApplicationPacket.name("name"))
    #expect(packet.subtype == 0)
    #expect(packet.data == 12..<16)
    #expect(ApplicationPacket.name("four!") == nil)
    let data: [UInt8] = [0, 0, 0, 1]
    func written(subtype: Int, data: [UInt8], capacity: Int = 32) -> [UInt8] {
      Vectors.written(capacity: capacity) { bytes in
        var writer = CompoundWriter(reducedSize: true)
        let isDone = writer.application(
          ssrc: packet.ssrc, name: packet.name, subtype: subtype, data: data.span.bytes, into: &bytes)
        return isDone ? writer.count : nil
      }
    }
    #expect(written(subtype: 0, data: data) == datagram)
    #expect(written(subtype: 31, data: []).first == 0x9f)
    #expect(written(subtype: 32, data: data).isEmpty)
    #expect(written(subtype: 0, data: [1]).isEmpty)
    #expect(written(subtype: 0, data: data, capacity: 15).isEmpty)
  }

  @Test func `walks a compound in order`() throws {
    let whole = Vectors.compound
    let source = whole.span.bytes
    var cursor = try CompoundCursor(validating: source)
    var types: [UInt8] = []
    while let part = cursor.next(in: source) { types.append(part.type) }
    #expect(types == [200, 201, 202, 204, 207, 203])
    #expect(Vectors.rewrittenRTCP(Vectors.compound, reducedSize: false) == Vectors.compound)
  }

  @Test(arguments: [
    Vectors.senderReport, Vectors.receiverReport, Vectors.sourceDescription, Vectors.goodbye, Vectors.application,
    Vectors.extendedReport, Vectors.pictureLoss, Vectors.fullIntraRequest,
  ])
  func `each length of each type is refused or written back`(whole: [UInt8]) {
    for length in 0..<whole.count { #expect(Vectors.rewrittenRTCP(Array(whole.prefix(length))) == nil) }
    #expect(Vectors.rewrittenRTCP(whole) == whole)
    // The same with a length field that fits what is left, so that the body itself is what's cut.
    for words in 1...(whole.count / 4) {
      var datagram = Array(whole.prefix(words * 4))
      datagram[3] = UInt8(words - 1)
      for first in [datagram[0] & ~0x20, datagram[0] | 0x20] {
        datagram[0] = first
        if let again = Vectors.rewrittenRTCP(datagram) { #expect(again == datagram) }
      }
    }
  }

  @Test(arguments: [
    Vectors.senderReport, Vectors.receiverReport, Vectors.sourceDescription, Vectors.goodbye, Vectors.application,
    Vectors.extendedReport, Vectors.pictureLoss, Vectors.fullIntraRequest, Vectors.compound,
  ])
  func `each change of one bit is refused or written back`(whole: [UInt8]) {
    var parsed = 0
    for datagram in Vectors.flips(of: whole) {
      if let again = Vectors.rewrittenRTCP(datagram) {
        parsed += 1
        #expect(again == datagram)
      }
      if let again = Vectors.rewrittenRTCP(datagram, reducedSize: false) { #expect(again == datagram) }
    }
    // All but the four bytes of a header, and lengths and padding counts within, may have any value.
    #expect(parsed > whole.count * 4)
  }

  @Test func `each length of a compound ends on a packet or is refused`() {
    let ends = [80, 112, 140, 156, 352, 372]
    for length in 0...Vectors.compound.count {
      let datagram = Array(Vectors.compound.prefix(length))
      #expect(Vectors.rewrittenRTCP(datagram, reducedSize: false) == (ends.contains(length) ? datagram : nil))
    }
  }

  @Test func `refuses what RFC 3550 A point 2 refuses`() {
    func error(_ datagram: [UInt8]) -> PacketParseError? {
      do {
        _ = try CompoundCursor(validating: datagram.span.bytes)
        return nil
      } catch { return error }
    }
    #expect(error([]) == .truncated(needed: 4, available: 0))
    #expect(error(Vectors.goodbye) == .wrongType(203))
    #expect(error(Vectors.receiverReport + [0x40, 0xc9, 0, 0]) == .wrongVersion(1))
    #expect(error(Vectors.receiverReport + [0]) == .truncated(needed: 36, available: 33))
    #expect(error(Vectors.receiverReport + Vectors.goodbye + Vectors.application) == .misplacedPadding(offset: 32))
    #expect(error(Vectors.bytes("a0 c9 00 02 00 00 00 01 00 00 00 03")) == .badPadding(3))
    #expect(error(Vectors.bytes("a0 c9 00 02 00 00 00 01 00 00 00 0c")) == .badPadding(12))
    #expect(error(Vectors.bytes("a0 c9 00 02 00 00 00 01 00 00 00 00")) == .badPadding(0))
  }

  @Test func `refuses bodies that break their own counts`() throws {
    func error(_ hex: String) -> PacketParseError? {
      let datagram = Vectors.bytes(hex)
      do {
        _ = try RTCPPacket(parsing: Self.first(datagram, reducedSize: true), in: datagram.span.bytes)
        return nil
      } catch { return error as? PacketParseError }
    }
    #expect(error("81 c9 00 01 00 00 00 01") == .truncated(needed: 32, available: 8))
    #expect(error("80 c8 00 01 00 00 00 01") == .truncated(needed: 28, available: 8))
    #expect(error("82 cb 00 01 00 00 00 01") == .truncated(needed: 12, available: 8))
    #expect(error("81 cb 00 02 00 00 00 01 04 61 62 63") == .badLength(offset: 8))
    #expect(error("81 ca 00 02 00 00 00 01 01 02 61 62") == .badLength(offset: 12))
    #expect(error("81 ca 00 02 00 00 00 01 01 03 61 62") == .badLength(offset: 9))
    #expect(error("82 ca 00 02 00 00 00 01 00 00 00 00") == .badLength(offset: 12))
  }

  static func first(_ datagram: [UInt8], reducedSize: Bool = false) throws -> CompoundPart {
    var cursor = try CompoundCursor(validating: datagram.span.bytes, reducedSize: reducedSize)
    let part = cursor.next(in: datagram.span.bytes)
    return try #require(part)
  }

  static func block(lost: Int32) -> ReportBlock {
    ReportBlock(
      ssrc: 0xaaaa_aaaa, fractionLost: 0x40, cumulativeLost: lost, highestSequence: 0x0001_0005, jitter: 7,
      lastSenderReport: 0x0001_8000, delaySinceLastSenderReport: 0x4000)
  }
}
