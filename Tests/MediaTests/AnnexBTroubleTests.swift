import Glibc
import Packets
import TestSupport
import Testing

@testable import Media

@Suite struct AnnexBTroubleTests {
  private typealias Reading = AnnexBReaderTests.Reading

  private static let whole = H264Maker.annexB(AnnexBReaderTests.sets + AnnexBReaderTests.group(0))
  /// The same without what lies behind the headers.
  private static let short = H264Maker.annexB(
    AnnexBReaderTests.sets + AnnexBReaderTests.group(0).map { Array($0.dropLast(17)) })

  private static func detail(_ error: MediaError?) -> String? {
    switch error {
    case .notVideo(_, let detail), .damaged(_, let detail): detail
    default: nil
    }
  }

  @Test func `what is no H264 is said to be none, in a sentence that names what to give`() throws {
    let none = Reading(Array(repeating: [7, 8, 9], count: 1_000).flatMap { $0 })
    #expect(Self.detail(none.error) == "no picture of H.264 is in it")
    let error = try #require(none.error)
    #expect(error.description.contains("is not video that can be sent (no picture of H.264 is in it); give H.264 with"))
    let long = Reading([UInt8](repeating: 0xff, count: 2 << 20))
    #expect(Self.detail(long.error) == "no start code is in its first MiB")
    #expect(Self.detail(Reading(H264Maker.annexB(AnnexBReaderTests.sets)).error) == "no picture of H.264 is in it")
  }

  @Test func `a file without a key frame is refused, also when it never ends`() {
    let pictures = (1...2_000).map { AnnexBReaderTests.slice(at: $0, frameNumber: $0) }
    let few = Reading(H264Maker.annexB(AnnexBReaderTests.sets + pictures[..<7]))
    #expect(Self.detail(few.error) == "there is no key frame among its 7 pictures")
    let many = Reading(H264Maker.annexB(AnnexBReaderTests.sets + pictures))
    #expect(Self.detail(many.error) == "there is no key frame among its first 1500 pictures")
    let bare = Reading(H264Maker.annexB(AnnexBReaderTests.group(0)))
    #expect(
      Self.detail(bare.error)
        == "no parameter set (SPS) that can be read is in it, without which no picture can be decoded")
    let one = Reading(H264Maker.annexB(AnnexBReaderTests.sets + pictures[..<1]))
    #expect(Self.detail(one.error) == "its one picture is no key frame")
  }

  @Test func `a slice beyond the limit is left out with its picture, and what follows is read`() {
    let picture = AnnexBReaderTests.slice(at: 1, frameNumber: 1)
    let long = H264Maker.annexB([picture + [UInt8](repeating: 1, count: 9 << 20)])
    let rest = (8..<11).map { AnnexBReaderTests.slice(at: $0, frameNumber: 3) }
    let reading = Reading(Self.whole + long + H264Maker.annexB(rest))
    #expect(reading.order == [0, 3, 1, 2, 6, 4, 5, 8, 9, 10])
    #expect(reading.frames.suffix(3).map(\.bytes) == rest.map { H264Maker.annexB([$0]) })
    #expect(reading.damage.longUnits == 1 && reading.damage.longPictures == 1)
    #expect(
      Self.detail(reading.error)
        == "1 of its NAL units was left out: longer than 8 MiB, the first at byte \(Self.whole.count + 4); 1 of its "
        + "pictures was left out: with them")
    #expect(reading.error?.description.contains("what is whole was used") == true)
    // At the very end nothing follows.
    #expect(Reading(Self.whole + long).frames.count == 7)
  }

  @Test func `a first picture beyond the limit is left out, and the next key frame is the first`() {
    let key = AnnexBReaderTests.group(0)[0]
    let long = H264Maker.annexB([key + [UInt8](repeating: 1, count: 9 << 20)])
    let group = H264Maker.annexB(AnnexBReaderTests.group(0))
    let reading = Reading(H264Maker.annexB(AnnexBReaderTests.sets) + long + group)
    #expect(reading.order == [0, 3, 1, 2, 6, 4, 5])
    #expect(reading.frames.first?.bytes == H264Maker.annexB(AnnexBReaderTests.sets + [key]))
    #expect(reading.damage.longPictures == 1 && reading.damage.skippedPictures == 0)
    let alone = Reading(H264Maker.annexB(AnnexBReaderTests.sets) + long)
    #expect(alone.frames.isEmpty)
    #expect(Self.detail(alone.error)?.hasPrefix("1 of its NAL units was left out: longer than 8 MiB") == true)
    #expect(alone.error?.description.contains("what is whole was used") == false)
  }

  @Test func `a supplement beyond the limit is left out, and its picture is not`() {
    let supplement = H264Maker.supplement + [UInt8](repeating: 1, count: 9 << 20)
    let picture = AnnexBReaderTests.slice(at: 7, frameNumber: 3)
    let reading = Reading(Self.whole + H264Maker.annexB([supplement, picture]))
    #expect(reading.order == [0, 3, 1, 2, 6, 4, 5, 7])
    #expect(reading.frames.last?.bytes == H264Maker.annexB([picture]))
    #expect(
      Self.detail(reading.error)
        == "1 of its NAL units was left out: longer than 8 MiB, the first at byte \(Self.whole.count + 4)")
  }

  @Test func `a picture beyond the limit in sum is left out alone`() {
    let filler = [0x0c] + [UInt8](repeating: 1, count: 3 << 20)
    let rest = (7..<9).map { AnnexBReaderTests.slice(at: $0, frameNumber: 3) }
    let reading = Reading(Self.whole + H264Maker.annexB([filler, filler, filler] + rest))
    #expect(reading.order == [0, 3, 1, 2, 6, 4, 7, 8])
    #expect(Self.detail(reading.error) == "1 of its pictures was left out: longer than 8 MiB")
  }

  @Test func `the scanner passes what is too long without holding it, but not for ever`() throws {
    let unit = [UInt8](repeating: 0x65, count: 300_000)
    // Each way in which a start code can lie across two reads.
    for length in 300_000..<300_008 {
      let bytes = H264Maker.annexB([Array(unit.prefix(5)), [UInt8](repeating: 7, count: length), [9, 8, 7]])
      let folder = TemporaryFolder()
      let input = try InputDescriptor(path: folder.file("input.h264", holding: bytes))
      var scanner = AnnexBScanner(InputBytes(input, name: "-", prefix: []), unitLimit: 20_000)
      var units: [(bytes: [UInt8], cut: Int64?)] = []
      var most = 0
      while let range = try scanner.next() {
        units.append((Array(scanner.bytes[range]), scanner.cutPlace))
        most = max(most, scanner.bytes.count)
      }
      #expect(units.map(\.bytes.count) == [5, AnnexBScanner.headLength, 3])
      #expect(units.map(\.cut) == [nil, 13, nil])
      #expect(units.last?.bytes == [9, 8, 7])
      #expect(most < 60_000)
    }
    let folder = TemporaryFolder()
    let input = try InputDescriptor(path: folder.file("input.h264", holding: H264Maker.annexB([unit])))
    var scanner = AnnexBScanner(InputBytes(input, name: "-", prefix: []), unitLimit: 20_000, passedLimit: 100_000)
    #expect(throws: MediaError.self) { while try scanner.next() != nil {} }
  }

  @Test func `empty NAL units, forbidden bits and unknown types are left out, counted and told at the end`() {
    let bad: [UInt8] = [0, 0, 1, 0, 0, 0, 1, 0xe5, 1, 2, 0, 0, 1, 0x7c, 3, 0, 0, 1]
    let reading = Reading(Self.whole + bad + H264Maker.annexB([AnnexBReaderTests.slice(at: 7, frameNumber: 3)]))
    #expect(reading.order == [0, 3, 1, 2, 6, 4, 5, 7])
    #expect(reading.damage.invalidUnits == 4 && reading.damage.firstOffset == Int64(Self.whole.count + 3))
    #expect(
      Self.detail(reading.error)
        == "4 of its NAL units were left out: 1 with the forbidden bit set and 3 empty or of no valid type, the first at "
        + "byte \(Self.whole.count + 3)")
    #expect(reading.damage.forbiddenUnits == 1)
  }

  @Test func `what was broken so far is known before the end`() throws {
    let pictures = (7..<12).map { AnnexBReaderTests.slice(at: $0, frameNumber: 3) }
    let bytes = Self.whole + [0, 0, 1, 0xe5, 1, 2] + H264Maker.annexB(pictures)
    var source = try Inputs.pipe(bytes).videoSource(as: .h264)
    let before = source.brokenSoFar
    #expect(before == nil)
    for _ in 0..<9 { _ = try source.next() }
    let broken = source.brokenSoFar
    #expect(
      Self.detail(broken)
        == "1 of its NAL units was left out: the forbidden bit is set, the first at byte \(Self.whole.count + 3)")
  }

  @Test func `each length of a file gives the pictures that begin in it, or a sentence`() {
    let complete = Reading(Self.whole)
    for length in 0..<Self.whole.count {
      let reading = Reading(Array(Self.whole[..<length]))
      #expect(reading.frames.count <= complete.frames.count)
      #expect(!reading.frames.isEmpty || reading.error != nil)
      for (cut, frame) in zip(reading.frames.dropLast(), complete.frames) { #expect(cut == frame) }
    }
  }

  @Test func `each changed bit of a file is read or refused, and time stays within reason`() {
    for bit in 0..<(Self.short.count * 8) {
      var bytes = Self.short
      bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      let reading = Reading(bytes)
      #expect(!reading.frames.isEmpty || reading.error != nil)
      var decode: Int64 = -1
      for frame in reading.frames {
        #expect(frame.decode > decode && frame.presentation >= 0 && frame.duration > 0)
        #expect(frame.presentation <= 90_000 * 60 * 20)
        decode = frame.decode
      }
    }
  }

  @Test func `a live pipe gives each picture as soon as the next one begins`() throws {
    var ends: [CInt] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { close(ends[1]) }
    func put(_ units: [[UInt8]]) {
      let bytes = H264Maker.annexB(units)
      #expect(write(ends[1], bytes, bytes.count) == bytes.count)
    }
    let group = AnnexBReaderTests.group(0)
    // Of the second picture no more than the beginning is there.
    let begun = Array(H264Maker.annexB(AnnexBReaderTests.sets + [group[0], group[1]]).dropLast(18))
    #expect(write(ends[1], begun, begun.count) == begun.count)
    let input = InputBytes(InputDescriptor(ends[0]), name: "-", prefix: Array(H264Maker.annexB([H264Maker.delimiter])))
    var reader = try AnnexBReader(input)
    let first = try reader.next()
    #expect(first?.bytes == H264Maker.annexB([H264Maker.delimiter] + AnnexBReaderTests.sets + [group[0]]))
    let rest = Array(group[1].suffix(18))
    #expect(write(ends[1], rest, rest.count) == rest.count)
    put([group[2]])
    let second = try reader.next()
    #expect(second?.bytes == H264Maker.annexB([group[1]]))
  }

  @Test func `the first bytes tell H264 from other things`() {
    #expect(AnnexBReader.recognizes(Self.whole))
    #expect(AnnexBReader.recognizes(H264Maker.annexB([H264Maker.delimiter], isShort: true)))
    #expect(AnnexBReader.recognizes(H264Maker.annexB([H264Maker.supplement])))
    #expect(!AnnexBReader.recognizes([]))
    #expect(!AnnexBReader.recognizes([0, 0, 0, 1]))
    // MPEG-2's sequence header and program stream, H.265's video parameter set, and bytes before the start code.
    for other in [[0, 0, 1, 0xb3], [0, 0, 1, 0xba], [0, 0, 0, 1, 0x40, 1], [9, 0, 0, 1, 0x67]] as [[UInt8]] {
      #expect(!AnnexBReader.recognizes(other))
    }
  }

  @Test func `what is written is a file at every moment`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("seen.h264")
    var writer = AnnexBWriter(output: try OutputFile(path: path))
    for (index, unit) in AnnexBReaderTests.group(0).enumerated() {
      let frame = H264Maker.annexB(index == 0 ? AnnexBReaderTests.sets + [unit] : [unit])
      try writer.append(frame.span.bytes)
      #expect(Reading(contents(path)).frames.count == index + 1)
    }
    #expect(writer.frameCount == 7 && writer.byteCount == Int64(Self.whole.count))
    try writer.finish()
    #expect(contents(path) == Self.whole)
  }
}
