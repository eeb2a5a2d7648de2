import Testing
import Timeline

@testable import Dissection

@Suite struct `A capture is read` {
  private struct Seen: Equatable {
    var bytes: [UInt8]
    var frame: CaptureParser.Frame
  }

  /// Reads a capture in pieces, as a shell does: what isn't consumed comes again.
  private func read(_ bytes: [UInt8], pieces: Int = .max) -> (seen: [Seen], failure: CaptureParser.Failure?) {
    var parser = CaptureParser()
    var seen: [Seen] = []
    var waiting: [UInt8] = []
    var offset = 0
    do throws(CaptureParser.Failure) {
      while true {
        let isLast = offset == bytes.count
        let end = min(bytes.count, pieces == .max ? bytes.count : offset + pieces)
        waiting += bytes[offset..<end]
        offset = end
        let done = try parser.parse(waiting.span.bytes, isLast: isLast) { (span, frame) in
          seen.append(Seen(bytes: span.withUnsafeBytes { Array($0) }, frame: frame))
        }
        waiting.removeFirst(done)
        if isLast, done == 0 { break }
      }
    } catch { return (seen, error) }
    #expect(parser.frames == seen.count && parser.position == bytes.count)
    return (seen, nil)
  }

  private let frames = (0..<60).map { Frames.frame(Frames.rtp($0, payload: [UInt8](repeating: 1, count: $0))) }

  @Test(arguments: [false, true], [false, true])
  func `in pcap, whatever the byte order and the resolution`(isBigEndian: Bool, isNanosecond: Bool) {
    let (seen, failure) = read(CaptureBytes.pcap(frames, isBigEndian: isBigEndian, isNanosecond: isNanosecond))
    #expect(failure == nil)
    #expect(seen.map(\.bytes) == frames)
    #expect(seen.allSatisfy { $0.frame.linkType == 1 && $0.frame.length == $0.bytes.count })
    for (index, entry) in seen.enumerated() {
      #expect(entry.frame.time == Instant(nanoseconds: 1_704_067_200_000_000_000 + Int64(index) * 20_000_000))
    }
  }

  @Test(arguments: [false, true])
  func `in pcapng, whatever the byte order`(isBigEndian: Bool) {
    let (seen, failure) = read(CaptureBytes.pcapng(frames, isBigEndian: isBigEndian))
    #expect(failure == nil)
    #expect(seen.map(\.bytes) == frames)
    #expect(seen.last?.frame.time == Instant(nanoseconds: 1_704_067_200_000_000_000 + 59 * 20_000_000))
  }

  @Test func `in pcapng with several interfaces, resolutions, offsets, sections and blocks that say nothing`() {
    let frame = frames[3]
    var bytes = CaptureBytes.section(isBigEndian: false)
    bytes += CaptureBytes.interface(linkType: 1, options: [9, 0, 1, 0, 9, 0, 0, 0], isBigEndian: false)
    bytes += CaptureBytes.interface(
      linkType: 276, options: [9, 0, 1, 0, 0x80 | 10, 0, 0, 0, 14, 0, 8, 0, 100, 0, 0, 0, 0, 0, 0, 0],
      isBigEndian: false)
    bytes += CaptureBytes.packet(frame, interface: 0, ticks: 7, isBigEndian: false)
    bytes += CaptureBytes.block(5, [1, 2, 3, 4], isBigEndian: false)
    bytes += CaptureBytes.packet(frame, interface: 1, ticks: 1536, isBigEndian: false)
    bytes += CaptureBytes.section(isBigEndian: true)
    bytes += CaptureBytes.interface(linkType: 101, isBigEndian: true)
    bytes += CaptureBytes.packet(frame, ticks: 2_000_001, isBigEndian: true)
    let (seen, failure) = read(bytes)
    #expect(failure == nil)
    #expect(seen.map { $0.frame.linkType } == [1, 276, 101])
    #expect(seen.map { $0.frame.time.nanoseconds } == [7, 101_500_000_000, 2_000_001_000])
  }

  @Test func `of a simple packet block without a stamp`() {
    var bytes = CaptureBytes.section(isBigEndian: false) + CaptureBytes.interface(linkType: 1, isBigEndian: false)
    bytes += CaptureBytes.block(
      3, CaptureBytes.number(UInt32(5), isBigEndian: false) + [1, 2, 3, 4, 5], isBigEndian: false)
    let (seen, failure) = read(bytes)
    #expect(failure == nil)
    #expect(seen == [Seen(bytes: [1, 2, 3, 4, 5], frame: CaptureParser.Frame(linkType: 1, length: 5, time: .zero))])
  }

  @Test func `of rtpdump, packet lengths and ends included`() {
    let packet = Frames.rtp(1)
    var bytes = Array("#!rtpplay1.0 10.0.0.2/5000\n".utf8)
    bytes += Frames.big(UInt32(100)) + Frames.big(UInt32(500_000)) + [10, 0, 0, 1] + Frames.big(UInt16(4000)) + [0, 0]
    bytes +=
      Frames.big(UInt16(packet.count + 8)) + Frames.big(UInt16(packet.count + 30)) + Frames.big(UInt32(250)) + packet
    var parser = CaptureParser()
    var frames: [CaptureParser.Frame] = []
    let header = try? parser.parse(bytes.span.bytes, isLast: false) { (_, _) in }
    #expect(parser.recordedFlow == Frames.flow)
    _ = try? parser.parse(bytes.span.bytes.extracting((header ?? 0)...), isLast: true) { (_, frame) in
      frames.append(frame)
    }
    #expect(
      frames == [
        CaptureParser.Frame(
          linkType: nil, length: packet.count + 30, time: Instant(nanoseconds: 100_750_000_000))
      ])
    #expect(read(bytes).failure == nil)
  }

  @Test(arguments: [1, 7, 100, 1000])
  func `the same whatever the pieces that it comes in`(size: Int) {
    let pcap = CaptureBytes.pcap(frames)
    #expect(read(pcap, pieces: size).seen == read(pcap).seen)
    let pcapng = CaptureBytes.pcapng(frames)
    #expect(read(pcapng, pieces: size).seen == read(pcapng).seen)
  }

  @Test(arguments: [false, true])
  func `as far as it goes when it is cut at any length`(isNextGeneration: Bool) {
    let few = Array(frames[..<3])
    let whole = isNextGeneration ? CaptureBytes.pcapng(few) : CaptureBytes.pcap(few)
    let all = read(whole).seen
    for length in 0..<whole.count {
      let (seen, failure) = read(Array(whole[..<length]))
      #expect(Array(all[..<seen.count]) == seen)
      // Without a failure nothing of a packet is missing: the cut is between two, or before the first byte.
      let isBetween = failure == nil
      #expect(isBetween == isEnd(length, of: whole, isNextGeneration: isNextGeneration), "\(length)")
    }
  }

  private func isEnd(_ length: Int, of whole: [UInt8], isNextGeneration: Bool) -> Bool {
    var offset = isNextGeneration ? 0 : 24
    if length == 0 || length == offset { return true }
    while offset < length {
      let place = isNextGeneration ? offset + 4 : offset + 8
      guard place + 4 <= whole.count else { return false }
      let size = whole[place..<(place + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
      offset += isNextGeneration ? size : size + 16
    }
    return offset == length
  }

  @Test func `without a trap or a hang when any bit is changed`() {
    let few = Array(frames[..<3])
    for whole in [CaptureBytes.pcap(few), CaptureBytes.pcapng(few, isBigEndian: true), CaptureBytes.pcapng(few)] {
      for bit in 0..<(whole.count * 8) {
        var changed = whole
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        // A length that shrank can make more packets of the same bytes, but only so many.
        #expect(read(changed).seen.count <= whole.count / 12)
      }
    }
  }

  @Test func `not when it is something else, or claims what can't be`() {
    #expect(read(Array("GIF89a".utf8)).failure == .unknownFormat)
    #expect(read([0xa1]).failure == .unknownFormat)
    #expect(read(Array("#!rtpplay2.0 x\n".utf8) + [UInt8](repeating: 0, count: 300)).failure == .unknownFormat)
    var pcap = CaptureBytes.pcap([frames[0]])
    pcap[24 + 8 + 3] = 0x7f
    #expect(read(pcap).failure == .oversized(bytes: 0x7f00_0000 + frames[0].count))
    let section = CaptureBytes.section(isBigEndian: false)
    #expect(read(section + CaptureBytes.packet([1], ticks: 0, isBigEndian: false)).failure == .unknownInterface(0))
    #expect(
      read(section + CaptureBytes.number(UInt32(7), isBigEndian: false) + [5, 0, 0, 0, 0, 0, 0, 0]).failure
        == .badLength(5))
  }

  @Test func `past a block that is longer than anything that is kept`() {
    let frame = frames[2]
    var bytes = CaptureBytes.section(isBigEndian: false) + CaptureBytes.interface(linkType: 1, isBigEndian: false)
    bytes += CaptureBytes.block(0xa, [UInt8](repeating: 7, count: CaptureParser.blockLimit + 100), isBigEndian: false)
    bytes += CaptureBytes.packet(frame, ticks: 1, isBigEndian: false)
    let (seen, failure) = read(bytes, pieces: 100_000)
    #expect(failure == nil)
    #expect(seen.map(\.bytes) == [frame])
  }
}
