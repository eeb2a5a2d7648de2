import Packets
import TestSupport
import Testing
import Timeline

@Suite struct `H264 payloads` {
  /// All payloads of an access unit, and whether each was the last.
  static func payloads(_ accessUnit: [UInt8], limit: Int) -> [(bytes: [UInt8], isLast: Bool)] {
    var packetizer = H264Packetizer(payloadLimit: limit)
    var result: [(bytes: [UInt8], isLast: Bool)] = []
    var buffer = [UInt8](repeating: 0xaa, count: limit)
    repeat {
      var span = buffer.mutableSpan
      guard let length = packetizer.next(of: accessUnit.span.bytes, into: &span) else { break }
      result.append((Array(buffer[..<length]), packetizer.isAtEnd))
    } while !packetizer.isAtEnd
    #expect(packetizer.count(of: accessUnit.span.bytes) == result.count)
    return result
  }

  /// NAL units of these sizes, each of another type and content.
  static func units(_ sizes: [Int]) -> [[UInt8]] {
    sizes.enumerated().map { index, size in
      [UInt8(0x20 * (index % 4) + 1 + index % 23)] + (1..<size).map { UInt8(1 + (index + $0 * 3) % 255) }
    }
  }

  /// What comes out of payloads, all of which are taken.
  static func assembled(_ payloads: [[UInt8]]) -> [UInt8] {
    var depacketizer = H264Depacketizer()
    var frame: [UInt8] = []
    for payload in payloads {
      let piece = depacketizer.append(payload.span.bytes, to: &frame)
      #expect(piece != nil)
    }
    depacketizer.endFrame(in: &frame)
    return frame
  }

  @Test func `a NAL unit that fits goes as it is`() {
    let unit: [UInt8] = [0x65, 0x88, 1, 2, 3]
    let payloads = Self.payloads([0, 0, 0, 1] + unit, limit: 5)
    #expect(payloads.map(\.bytes) == [unit])
    #expect(payloads.map(\.isLast) == [true])
  }

  @Test func `small ones share a STAP-A of section 5 point 7 point 1, with the greatest nal_ref_idc`() {
    let accessUnit: [UInt8] = [0, 0, 0, 1, 0x06, 5, 0, 0, 1, 0x67, 7, 0, 0, 0, 0, 1, 0x41, 8, 9]
    let whole: [UInt8] = [0x78, 0, 2, 0x06, 5, 0, 2, 0x67, 7, 0, 3, 0x41, 8, 9]
    #expect(Self.payloads(accessUnit, limit: 14).map(\.bytes) == [whole])
    let parts = Self.payloads(accessUnit, limit: 13)
    #expect(parts.map(\.bytes) == [[0x78, 0, 2, 0x06, 5, 0, 2, 0x67, 7], [0x41, 8, 9]])
    #expect(parts.map(\.isLast) == [false, true])
  }

  @Test func `parameter sets that are repeated between slices stand before the first one alone`() {
    let (sequence, picture, changed): ([UInt8], [UInt8], [UInt8]) = ([0x67, 1, 2], [0x68, 3], [0x68, 4])
    let slices: [[UInt8]] = [[0x65, 0x88, 5], [0x65, 0x48, 6], [0x65, 0x28, 7]]
    let fragments: [[UInt8]] = [[0x7c, 0x85, 0x18], [0x7c, 0x45, 8]]
    let together: [UInt8] = [0x78, 0, 3] + sequence + [0, 2] + picture
    // As GStreamer's payloader does it, by themselves and together; before the first slice nothing is left out.
    let frame = Self.assembled(
      [sequence, picture, picture, slices[0], sequence, picture, slices[1], together, slices[2], changed]
        + [fragments[0], fragments[1], sequence, picture])
    // Behind another one they count again.
    let rest: [[UInt8]] = [changed, [0x65, 0x18, 8], sequence, picture]
    #expect(frame == H264NAL.annexB([sequence, picture, picture] + slices + rest))
    // Each frame has its own.
    #expect(Self.assembled([sequence, slices[0]]) == H264NAL.annexB([sequence, slices[0]]))
    var depacketizer = H264Depacketizer()
    for _ in 0..<2 {
      var next: [UInt8] = []
      for payload in [sequence, slices[0], sequence] { _ = depacketizer.append(payload.span.bytes, to: &next) }
      depacketizer.endFrame(in: &next)
      #expect(next == H264NAL.annexB([sequence, slices[0]]))
    }
  }

  @Test func `one that doesn't fit goes in fragments of section 5 point 8`() {
    let accessUnit: [UInt8] = [0, 0, 1, 0x65, 1, 2, 3, 4, 5, 6, 7]
    #expect(
      Self.payloads(accessUnit, limit: 5).map(\.bytes)
        == [[0x7c, 0x85, 1, 2, 3], [0x7c, 0x05, 4, 5, 6], [0x7c, 0x45, 7]])
    #expect(Self.payloads(accessUnit, limit: 7).map(\.bytes) == [[0x7c, 0x85, 1, 2, 3, 4, 5], [0x7c, 0x45, 6, 7]])
    #expect(Self.payloads(accessUnit, limit: 8).map(\.bytes) == [[0x65, 1, 2, 3, 4, 5, 6, 7]])
  }

  @Test func `what RTP has no name for is left out`() {
    let unsendable: [[UInt8]] = [[], [0x00, 1], [0x98, 1], [0x78, 1, 2], [0x7c, 1, 2], [0x1f], [0xe5, 1]]
    let units = unsendable + [[0x65, 1]] + unsendable
    #expect(Self.payloads(H264Maker.annexB(units), limit: 100).map(\.bytes) == [[0x65, 1]])
    #expect(Self.payloads(H264Maker.annexB(unsendable), limit: 100).isEmpty)
    for nothing in [[], [0], [0, 0, 1], [1, 2, 3, 4]] as [[UInt8]] {
      #expect(Self.payloads(nothing, limit: 100).isEmpty)
    }
  }

  @Test func `any sizes and any limit come together again, in payloads within the limit`() {
    for limit in [3, 4, 5, 17, 100, 1_160] {
      for (first, second) in [(1, 1), (2, 900), (limit, limit), (limit + 1, 1), (5 * limit, 3), (1, 7 * limit - 2)] {
        let units = Self.units([first, second, 3, 1, limit - 2])
        let payloads = Self.payloads(H264Maker.annexB(units, isShort: true), limit: limit)
        #expect(payloads.allSatisfy { (1...limit).contains($0.bytes.count) })
        #expect(payloads.map(\.isLast) == payloads.indices.map { $0 == payloads.count - 1 })
        #expect(Self.assembled(payloads.map(\.bytes)) == H264Maker.annexB(units))
        for payload in payloads where payload.bytes[0] & 0x1f == 28 && payload.bytes[1] & 0x40 == 0 {
          #expect(payload.bytes.count == limit, "all fragments but the last are full")
        }
      }
    }
  }

  private static let malformed: [(payload: [UInt8], fault: H264Payload.Fault)] = [
    ([], .empty), ([0xe5, 1], .forbiddenBit), ([0x60, 1], .unsupportedType(0)), ([0x79, 1, 2], .unsupportedType(25)),
    ([0x7e], .unsupportedType(30)), ([0x7f], .unsupportedType(31)), ([0x7d, 0x85, 0, 0, 1], .unsupportedType(29)),
    ([0x78], .overrun), ([0x78, 0], .overrun), ([0x78, 0, 3, 0x65, 1], .overrun), ([0x78, 0, 1, 0x65, 0], .overrun),
    ([0x78, 0, 0], .empty), ([0x78, 0, 2, 0x65, 1, 0, 0], .empty), ([0x78, 0, 1, 0xe5], .forbiddenBit),
    ([0x78, 0, 1, 0x78], .unsupportedType(24)), ([0x7c], .overrun), ([0x7c, 0xc5, 1], .startAndEnd),
    ([0x7c, 0x9c, 1], .unsupportedType(28)), ([0x7c, 0x80, 1], .unsupportedType(0)), ([0x7c, 0x05, 1], .noStart),
    ([0x7c, 0x45, 1], .noStart),
  ]

  @Test func `what is malformed is refused with the reason, and nothing is appended`() {
    for (payload, fault) in Self.malformed {
      var depacketizer = H264Depacketizer()
      var frame: [UInt8] = []
      let slice: [UInt8] = [0x41, 0x9a]
      _ = depacketizer.append(slice.span.bytes, to: &frame)
      #expect(depacketizer.fault == nil)
      let before = frame
      let piece = depacketizer.append(payload.span.bytes, to: &frame)
      #expect(piece == nil)
      #expect(depacketizer.fault == fault, "\(payload)")
      #expect(frame == before)
      _ = depacketizer.append(slice.span.bytes, to: &frame)
      #expect(depacketizer.fault == nil && frame == before + before)
    }
  }

  @Test func `whatever is lost, a frame holds the NAL units that came whole and nothing else`() {
    let units = Self.units([30, 3, 3, 25, 12, 41])
    // Which NAL units each payload carries: 12 bytes hold the small ones and fragments of ten.
    let payloads = Self.payloads(H264Maker.annexB(units), limit: 12).map(\.bytes)
    let carried = Self.carried(payloads)
    #expect(payloads.count == 12)
    for lost in 0..<(1 << payloads.count) {
      var depacketizer = H264Depacketizer()
      var frame: [UInt8] = []
      var missing: Set<Int> = []
      for (index, payload) in payloads.enumerated() {
        guard lost & 1 << index == 0 else {
          missing.formUnion(carried[index])
          continue
        }
        if index > 0, lost & 1 << (index - 1) != 0 { depacketizer.noteGap(in: &frame) }
        guard depacketizer.append(payload.span.bytes, to: &frame) != nil else {
          Issue.record("payload \(index) is refused when those of \(lost) are lost")
          return
        }
      }
      depacketizer.endFrame(in: &frame)
      let whole = units.indices.filter { !missing.contains($0) }.map { units[$0] }
      if frame != H264Maker.annexB(whole) { Issue.record("another frame when those of \(lost) are lost") }
    }
  }

  /// The places of the NAL units in each payload, by counting the beginnings.
  private static func carried(_ payloads: [[UInt8]]) -> [[Int]] {
    var next = 0
    return payloads.map { payload in
      switch payload[0] & 0x1f {
      case 24:
        var offset = 1
        var places: [Int] = []
        while offset < payload.count {
          places.append(next)
          next += 1
          offset += 2 + Int(payload[offset]) << 8 + Int(payload[offset + 1])
        }
        return places
      case 28:
        if payload[1] & 0x80 != 0 { next += 1 }
        return [next - 1]
      default:
        next += 1
        return [next - 1]
      }
    }
  }

  @Test func `a fragment that never ends is cut off by the next NAL unit, the next start and the end`() {
    let start: [UInt8] = [0x7c, 0x85, 1, 2]
    for next in [[0x41, 7], [0x78, 0, 2, 0x41, 7]] as [[UInt8]] {
      #expect(Self.assembled([start, next]) == [0, 0, 0, 1, 0x41, 7])
    }
    #expect(Self.assembled([start, [0x7c, 0x85, 3], [0x7c, 0x45, 4]]) == [0, 0, 0, 1, 0x65, 3, 4])
    #expect(Self.assembled([[0x41, 7], start]) == [0, 0, 0, 1, 0x41, 7])
    #expect(Self.assembled([start]).isEmpty)
  }

  @Test func `the end of a frame tells whether something that came isn't in it`() {
    func isCut(_ payloads: [[UInt8]]) -> Bool {
      var depacketizer = H264Depacketizer()
      var frame: [UInt8] = []
      for payload in payloads { _ = depacketizer.append(payload.span.bytes, to: &frame) }
      let isCut = depacketizer.endFrame(in: &frame)
      let isCutAgain = depacketizer.endFrame(in: &frame)
      #expect(!isCutAgain, "the next frame begins anew")
      return isCut
    }
    let (start, end): ([UInt8], [UInt8]) = ([0x7c, 0x85, 1, 2], [0x7c, 0x45, 4])
    #expect(!isCut([start, end]))
    #expect(!isCut([[0x41, 7]]))
    #expect(isCut([start]))
    #expect(isCut([start, start, end]))
    #expect(isCut([start, [0x41, 7]]))
    #expect(isCut([start, [0x78, 0, 2, 0x41, 7]]))
    #expect(isCut([end]), "its beginning is missing")
  }

  @Test func `a frame never grows beyond its limit`() {
    var depacketizer = H264Depacketizer()
    var frame: [UInt8] = []
    let block = [0x41] + [UInt8](repeating: 1, count: 65_000)
    var taken = 0
    while taken < 1_000, depacketizer.append(block.span.bytes, to: &frame) != nil { taken += 1 }
    #expect(depacketizer.fault == .tooLong)
    #expect(frame.count <= VideoEncoding.frameLimit)
    #expect(frame.count + 65_005 > VideoEncoding.frameLimit)
    frame = []
    _ = depacketizer.append(([0x7c, 0x85] + block).span.bytes, to: &frame)
    taken = 0
    while taken < 1_000, depacketizer.append(([0x7c, 0x05] + block).span.bytes, to: &frame) != nil { taken += 1 }
    #expect(depacketizer.fault == .tooLong && taken == 128)
    #expect(frame.isEmpty, "the NAL unit that is too long is cut off")
  }

  @Test func `each length and each changed bit of payloads is refused or leaves a frame of whole NAL units`() {
    let units = Self.units([40, 2, 3, 17])
    let payloads = Self.payloads(H264Maker.annexB(units), limit: 20).map(\.bytes)
    for (index, payload) in payloads.enumerated() {
      let cut = (0..<payload.count).map { Array(payload[..<$0]) }
      let changed = (0..<(payload.count * 8)).map { bit in
        var other = payload
        other[bit / 8] ^= 0x80 >> UInt8(bit % 8)
        return other
      }
      for other in cut + changed {
        var depacketizer = H264Depacketizer()
        var frame: [UInt8] = []
        for (place, payload) in payloads.enumerated() {
          let count = frame.count
          let piece = depacketizer.append((place == index ? other : payload).span.bytes, to: &frame)
          #expect((piece == nil) == (depacketizer.fault != nil))
          if piece == nil { #expect(frame.count <= count) }
        }
        depacketizer.endFrame(in: &frame)
        #expect(frame.isEmpty || frame.starts(with: [0, 0, 0, 1]))
        #expect(frame.count <= H264Maker.annexB(units).count + 4 * 4)
      }
    }
  }
}
