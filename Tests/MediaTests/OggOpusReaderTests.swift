import Foundation
import Testing
import Timeline

@testable import Media

@Suite struct OggOpusReaderTests {
  /// Three pages of two packets each, ended, the last one trimmed by 100 samples.
  static func small() -> [UInt8] {
    var pages = PageMaker()
    var bytes = pages.headers()
    for page in 0..<3 {
      let packets = [PageMaker.packet(2 * page), PageMaker.packet(2 * page + 1)]
      let end = Int64(page + 1) * 1_920
      bytes += pages.page(packets, granule: page == 2 ? end - 100 : end, flags: page == 2 ? PageMaker.last : 0)
    }
    return bytes
  }

  @Test func `gives every packet with its place in time`() {
    let reading = Reading(bytes: Self.small())
    #expect(reading.error == nil)
    #expect(
      reading.head
        == OpusHead(channels: 2, preSkip: 356, inputSampleRate: 48_000, outputGain: -256, mappingFamily: 0))
    #expect(reading.payloads == (0..<6).map { PageMaker.packet($0) })
    #expect(reading.packets.map(\.granulePosition) == (1...6).map { Int64($0) * 960 })
    #expect(reading.packets.map(\.duration) == Array(repeating: 960, count: 6))
    #expect(reading.packets.map(\.isLast) == [false, false, false, false, false, true])
    #expect(reading.packets.map(\.discardAtEnd) == [0, 0, 0, 0, 0, 100])
    #expect(reading.hasEndMark && reading.damage.isEmpty)
  }

  @Test func `end trimming may reach over several packets`() {
    var pages = PageMaker()
    let packets = (0..<3).map { PageMaker.packet($0) }
    let reading = Reading(bytes: pages.headers() + pages.page(packets, granule: 1_000, flags: PageMaker.last))
    #expect(reading.packets.map(\.start) == [0, 960, 1_920])
    #expect(reading.packets.map(\.discardAtEnd) == [0, 920, 960])
  }

  @Test func `a live capture begins at a position above zero`() {
    var pages = PageMaker()
    let audio = pages.headers() + pages.page([PageMaker.packet(0), PageMaker.packet(1)], granule: 480_000)
    let reading = Reading(bytes: audio)
    #expect(reading.packets.map(\.start) == [478_080, 479_040])
    #expect(reading.packets.map(\.gapBefore) == [0, 0])
    #expect(!reading.hasEndMark && reading.error == nil)
  }

  @Test func `a jump of the granule position is a gap and a fall is not believed`() {
    var pages = PageMaker()
    var bytes = pages.headers() + pages.page([PageMaker.packet(0)], granule: 960)
    bytes += pages.page([PageMaker.packet(1)], granule: 4_800)
    bytes += pages.page([PageMaker.packet(2)], granule: 100)
    bytes += pages.page([PageMaker.packet(3)], granule: Int64.max)
    bytes += pages.page([PageMaker.packet(4)], granule: -5)
    let reading = Reading(bytes: bytes)
    #expect(reading.packets.map(\.start) == [0, 3_840, 4_800, 5_760, 6_720])
    #expect(reading.packets.map(\.gapBefore) == [0, 2_880, 0, 0, 0])
  }

  @Test func `a packet over several pages comes out whole`() {
    var pages = PageMaker()
    var bytes = pages.headers()
    // 48 frames of 1,275 bytes: a packet of 61,202 bytes, valid and near the limit.
    let long = [0xE3, 48] + (0..<(48 * 1_275)).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    bytes += pages.page(lengths: Array(repeating: 255, count: 100), body: Array(long[..<25_500]), granule: -1)
    bytes += pages.page(
      lengths: Array(repeating: 255, count: 100), body: Array(long[25_500..<51_000]), granule: -1, flags: 1)
    let rest = Array(long[51_000...]) + PageMaker.packet(1)
    let lengths = Array(repeating: UInt8(255), count: 40) + [UInt8(long.count % 255), 40]
    bytes += pages.page(lengths: lengths, body: rest, granule: 5_760 + 960, flags: 1 | PageMaker.last)
    let reading = Reading(bytes: bytes)
    #expect(reading.error == nil)
    #expect(reading.payloads == [long, PageMaker.packet(1)])
    #expect(reading.packets.map(\.duration) == [5_760, 960])
  }

  @Test func `packets that are not Opus are left out, counted and reported at the end`() {
    var pages = PageMaker()
    // Empty; 63 frames; 70,000 bytes.
    let bad: [[UInt8]] = [[], [0xFF, 63], Array(repeating: 0xFC, count: 62_000)]
    let bytes = pages.headers() + pages.page([PageMaker.packet(0)] + bad + [PageMaker.packet(1)], granule: 1_920)
    let reading = Reading(bytes: bytes)
    #expect(reading.payloads == [PageMaker.packet(0), PageMaker.packet(1)])
    #expect(reading.packets.map(\.precededByDamage) == [false, true])
    #expect(reading.damage.invalidPackets == 3)
    #expect(reading.error?.description.contains("3 of its packets are not valid Opus") == true)
  }

  @Test func `streams beside the Opus stream are passed over`() {
    var opus = PageMaker()
    var other = PageMaker(serial: 99)
    var late = PageMaker(serial: 5)
    var bytes = other.page([Array("\u{1}vorbis".utf8)], granule: 0, flags: PageMaker.first)
    bytes += opus.page([PageMaker.head()], granule: 0, flags: PageMaker.first)
    bytes += other.page([[1, 2, 3]], granule: 0)
    bytes += opus.page([Array("OpusTags".utf8)], granule: 0)
    bytes += other.page([[4, 5]], granule: 55)
    bytes += opus.page([PageMaker.packet(0)], granule: 960)
    // Against the rules, but no reason to lose the Opus stream.
    bytes += late.page([Array("fishead".utf8)], granule: 0, flags: PageMaker.first)
    bytes += other.page([[6]], granule: 99, flags: PageMaker.last)
    bytes += opus.page([PageMaker.packet(1)], granule: 1_920, flags: PageMaker.last)
    let reading = Reading(bytes: bytes)
    #expect(reading.error == nil)
    #expect(reading.payloads == [PageMaker.packet(0), PageMaker.packet(1)])
  }

  @Test func `a chained file is read link by link, even with the same serial number`() {
    let reading = Reading(bytes: Self.small() + Self.small())
    #expect(reading.error == nil)
    #expect(reading.payloads == (0..<12).map { PageMaker.packet($0 % 6) })
    #expect(reading.packets.indices.filter { reading.packets[$0].startsNewChain } == [6])
    #expect(reading.packets[6].start == 0 && reading.packets[11].isLast)
  }

  @Test func `a comment header of 2 MB is passed over`() {
    var pages = PageMaker()
    let tags = Array("OpusTags".utf8) + Array(repeating: UInt8(3), count: 2_000_000)
    var bytes = pages.page([PageMaker.head()], granule: 0, flags: PageMaker.first)
    for start in stride(from: 0, to: tags.count, by: 65_025) {
      let body = Array(tags[start..<min(tags.count, start + 65_025)])
      let isLast = start + 65_025 >= tags.count
      let lengths = [UInt8](repeating: 255, count: body.count / 255) + (isLast ? [UInt8(body.count % 255)] : [])
      bytes += pages.page(lengths: lengths, body: body, granule: isLast ? 0 : -1, flags: start > 0 ? 1 : 0)
    }
    let reading = Reading(bytes: bytes + pages.page([PageMaker.packet(0)], granule: 960))
    #expect(reading.error == nil)
    #expect(reading.payloads == [PageMaker.packet(0)])
  }

  @Test(arguments: [
    (PageMaker.head(version: 16), "version 16"),
    (PageMaker.head(channels: 0), "0 channels"),
    (PageMaker.head(channels: 3), "3 channels where mapping family 0"),
    (PageMaker.head(channels: 6, mapping: [1, 4, 2, 0, 4, 1, 2, 3, 5]), "6 channels and at most 2"),
    (PageMaker.head(channels: 2, mapping: [1, 2, 0, 0, 1]), "mapped to 2 Opus streams"),
    (PageMaker.head(channels: 2, mapping: [1, 1, 1]), "ends before the channel mapping table"),
    (PageMaker.head(channels: 2, mapping: [255, 1, 1, 0, 1]), "mapping family 255"),
    (Array("OpusHead".utf8) + [1, 2], "cut short at 10 bytes"),
  ])
  func `refuses a header with a sentence`(head: [UInt8], words: String) {
    var pages = PageMaker()
    let reading = Reading(bytes: pages.headers(head: head) + pages.page([PageMaker.packet(0)], granule: 960))
    #expect(reading.payloads.isEmpty)
    #expect(reading.error?.description.contains(words) == true, "\(String(describing: reading.error))")
  }

  @Test func `mapping family 1 with one stream is played`() {
    var pages = PageMaker()
    let head = PageMaker.head(channels: 2, mapping: [1, 1, 1, 0, 1])
    let reading = Reading(bytes: pages.headers(head: head) + pages.page([PageMaker.packet(0)], granule: 960))
    #expect(reading.error == nil && reading.payloads.count == 1 && reading.head?.mappingFamily == 1)
  }

  @Test func `says what is wrong with what is no Ogg Opus file`() {
    let folder = TemporaryFolder()
    var vorbis = PageMaker()
    let other = vorbis.page([Array("\u{1}vorbis".utf8)], granule: 0, flags: 2) + vorbis.page([[3]], granule: 0)
    var tagless = PageMaker()
    let noTags = tagless.headers(tags: [1, 2, 3])
    #expect(Reading(path: folder.path).error == .isDirectory(path: folder.path))
    #expect(
      Reading(path: folder.file("none")).error
        == .cannotOpen(path: folder.file("none"), reason: "No such file or directory"))
    let empty = folder.file("empty", holding: [])
    #expect(Reading(path: empty).error == .empty(path: empty))
    let text = folder.file("text", holding: Array("hello, world".utf8))
    #expect(Reading(path: text).error == .notAudio(path: text, detail: "it does not begin as an Ogg file does"))
    let zeros = folder.file("zeros", holding: Array(repeating: 0, count: 1_000_000))
    guard case .notAudio = Reading(path: zeros).error else { Issue.record("zeros were taken for Ogg"); return }
    let foreign = folder.file("foreign", holding: other)
    #expect(Reading(path: foreign).error == .notAudio(path: foreign, detail: "an Ogg file without an Opus stream"))
    let untagged = folder.file("untagged", holding: noTags)
    #expect(
      Reading(path: untagged).error == .damaged(path: untagged, detail: "its comment header, OpusTags, is missing"))
  }

  @Test func `reads a pipe byte by byte behind what was read from it before`() throws {
    let bytes = Self.small()
    for taken in [0, 4, 100, bytes.count] {
      var ends: [Int32] = [0, 0]
      #expect(pipe(&ends) == 0)
      let writing = ends[1]
      Thread.detachNewThread {
        for byte in bytes[taken...] { _ = withUnsafeBytes(of: byte) { write(writing, $0.baseAddress, 1) } }
        close(writing)
      }
      var reader = try OggOpusReader(descriptor: ends[0], name: "-", prefix: Array(bytes[..<taken]))
      var payload: [UInt8] = []
      var payloads: [[UInt8]] = []
      while try reader.next(into: &payload) != nil { payloads.append(payload) }
      #expect(payloads == (0..<6).map { PageMaker.packet($0) })
    }
  }

  @Test func `a file of headers alone opens and holds nothing`() {
    var pages = PageMaker()
    let head = pages.page([PageMaker.head()], granule: 0, flags: PageMaker.first)
    let reading = Reading(bytes: head + pages.page([Array("OpusTags".utf8)], granule: 0, flags: PageMaker.last))
    #expect(reading.error == nil && reading.payloads.isEmpty && reading.hasEndMark)
  }

  @Test func `recognizes Ogg Opus by its beginning`() {
    #expect(OggOpusReader.recognizes(Self.small()))
    #expect(OggOpusReader.recognizes(Array(Self.small()[..<36])))
    #expect(!OggOpusReader.recognizes(Array("RIFFxxxxWAVE".utf8)))
    #expect(!OggOpusReader.recognizes([]))
  }
}

@Suite struct OggDamageTests {
  @Test func `cut off anywhere, every whole packet comes out and the cut is reported`() {
    let folder = TemporaryFolder()
    let whole = OggOpusReaderTests.small()
    let starts = whole.indices.filter { whole[$0...].starts(with: Array("OggS".utf8)) } + [whole.count]
    for size in 0..<whole.count {
      let reading = Reading(path: folder.file("cut", holding: Array(whole[..<size])))
      let wholePages = starts.filter { $0 <= size }.count - 1
      let packets = max(0, wholePages - 2) * 2
      #expect(reading.payloads == (0..<packets).map { PageMaker.packet($0) }, "cut at \(size)")
      let isBetweenPages = starts.contains(size) && wholePages >= 2
      #expect((reading.error == nil) == isBetweenPages, "cut at \(size): \(String(describing: reading.error))")
      if wholePages >= 2 && !isBetweenPages {
        let start = starts[wholePages]
        #expect(
          reading.error
            == .damaged(
              path: folder.file("cut"), detail: "it ends inside an Ogg page that begins at byte \(start)"))
      }
      #expect(!reading.hasEndMark)
    }
  }

  @Test func `with any bit flipped, the other pages' packets come out and the damage is reported`() {
    let folder = TemporaryFolder()
    let whole = OggOpusReaderTests.small()
    let starts = whole.indices.filter { whole[$0...].starts(with: Array("OggS".utf8)) }
    for bit in 0..<(whole.count * 8) {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let reading = Reading(path: folder.file("flipped", holding: bytes))
      let page = starts.lastIndex { $0 <= bit / 8 } ?? 0
      #expect(reading.error != nil, "bit \(bit)")
      switch page {
      case 0: #expect(reading.payloads.isEmpty, "bit \(bit)")
      case 1: #expect(reading.payloads == (0..<6).map { PageMaker.packet($0) }, "bit \(bit)")
      default:
        let lost = [2 * (page - 2), 2 * (page - 2) + 1]
        let kept = (0..<6).filter { !lost.contains($0) }
        #expect(reading.payloads == kept.map { PageMaker.packet($0) }, "bit \(bit)")
        // The positions of what follows are right again, except that behind a hole the trimming of the last page
        // can't be told from loss.
        let last: Int64 = page == 3 ? 3_740 : 3_840
        let starts = kept.map { $0 < 4 ? Int64($0) * 960 : last + Int64($0 - 4) * 960 }
        #expect(reading.packets.map(\.start) == starts, "bit \(bit)")
      }
    }
  }

  @Test func `a page lost in the middle is an event on the next packet, with the size of the gap`() {
    var pages = PageMaker()
    var bytes = pages.headers() + pages.page([PageMaker.packet(0)], granule: 960)
    _ = pages.page([PageMaker.packet(1), PageMaker.packet(2)], granule: 2_880)
    bytes += pages.page([PageMaker.packet(3)], granule: 3_840)
    let reading = Reading(bytes: bytes)
    #expect(reading.packets.map(\.precededByDamage) == [false, true])
    #expect(reading.packets.map(\.gapBefore) == [0, 1_920])
    #expect(reading.damage.damagedPages == 1)
    #expect(reading.error?.description.contains("1 of its Ogg pages is broken or missing") == true)
  }

  @Test func `bytes between pages are passed over and reported`() {
    var pages = PageMaker()
    var bytes = pages.headers() + pages.page([PageMaker.packet(0)], granule: 960)
    let offset = bytes.count
    bytes += Array("OggSOgg junk".utf8) + pages.page([PageMaker.packet(1)], granule: 1_920)
    let reading = Reading(bytes: bytes)
    #expect(reading.payloads.count == 2)
    #expect(reading.damage.skippedBytes == 12 && reading.damage.firstOffset == Int64(offset))
  }

  @Test func `random bytes behind a valid beginning never trap`() {
    let folder = TemporaryFolder()
    var generator = SeededGenerator(seed: 7845)
    for round in 0..<100 {
      var pages = PageMaker()
      var bytes = pages.headers()
      for _ in 0..<4 {
        let lengths = (0..<Int.random(in: 0...255, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
        let body = (0..<lengths.reduce(0) { $0 + Int($1) }).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let granule = Int64.random(in: .min ... .max, using: &generator)
        pages.sequence = Bool.random(using: &generator) ? pages.sequence : .random(in: 0...9, using: &generator)
        bytes += pages.page(
          lengths: lengths, body: body, granule: granule, flags: UInt8.random(in: 0...7, using: &generator))
      }
      let reading = Reading(path: folder.file("random", holding: bytes))
      for (before, after) in zip(reading.packets, reading.packets.dropFirst()) where !after.startsNewChain {
        #expect(after.start >= before.granulePosition, "round \(round)")
      }
    }
  }
}
