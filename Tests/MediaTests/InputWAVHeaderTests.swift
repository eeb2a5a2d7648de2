import Testing

@testable import Media

@Suite struct InputWAVHeaderTests {
  private static let header = Array(
    WAVFixture.file(
      [0.1, 0.2], .s24le, rate: 44_100, channels: 2, isExtensible: true,
      chunks: Array("LIST".utf8) + [5, 0, 0, 0, 1, 2, 3, 4, 5, 0]))

  @Test func `every length up to the first sample asks for more, and then there is one answer`() {
    let whole = Self.header
    let start = whole.count - 6
    let expected = WAVStreamHeader(
      format: RawPCMFormat(encoding: .s24le, rate: 44_100, channels: 2), headerBytes: start, dataBytes: 6)
    for length in 0...whole.count {
      switch WAVStreamHeader.parse(Array(whole[..<length])) {
      case .complete(let header):
        #expect(length >= start)
        #expect(header == expected)
      case .needsMore(let total):
        #expect(length < start)
        #expect(total > length && total <= start)
      case let other: Issue.record("\(other) at \(length)")
      }
    }
  }

  @Test func `no bit changed traps or makes a header that contradicts itself`() {
    var complete = 0
    for bit in 0..<(Self.header.count * 8) {
      var bytes = Self.header
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      switch WAVStreamHeader.parse(bytes) {
      case .complete(let header):
        complete += 1
        #expect(header.headerBytes <= bytes.count)
        #expect((header.dataBytes ?? 1) > 0)
        #expect(header.format.channels > 0 && header.format.rate > 0)
      case .needsMore(let total): #expect(total > bytes.count && total <= WAVStreamHeader.longest + 8)
      case .otherEncoding, .damaged: break
      }
    }
    #expect(complete > 100, "changes of sizes and of what is passed over do no harm")
  }

  @Test func `a header without end is given up`() {
    let endless = Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WAVEjunk".utf8) + [0, 0, 0x20, 0]
    #expect(WAVStreamHeader.parse(endless) == .damaged("its samples don't begin within its first MiB"))
    let empty = Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WAVE".utf8)
    let many = empty + (0..<140_000).flatMap { _ in Array("junk".utf8) + [0, 0, 0, 0] }
    #expect(WAVStreamHeader.parse(many) == .damaged("its samples don't begin within its first MiB"))
  }

  @Test func `samples before their description are damage`() {
    let bytes = Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WAVEdata".utf8) + [4, 0, 0, 0, 1, 2, 3, 4]
    #expect(WAVStreamHeader.parse(bytes) == .damaged("its samples come before their description"))
  }

  @Test(arguments: [
    (20, [6, 0] as [UInt8]),  // A-law
    (34, [20, 0]),  // 20 bits
    (34, [8, 0]),  // unsigned bytes
  ])
  func `other encodings are left to libsndfile`(offset: Int, bytes: [UInt8]) {
    var header = WAVFixture.file([0], .s16le, rate: 8_000, channels: 1)
    header.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    #expect(WAVStreamHeader.parse(header) == .otherEncoding)
  }
}
