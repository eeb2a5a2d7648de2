import Packets
import Testing

@Suite struct `VP8 payloads` {
  /// A key frame of 320 by 240 whose bytes are all told apart, and a frame that isn't one.
  static let keyFrame: [UInt8] =
    [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00] + (0..<190).map { UInt8($0) }
  static let otherFrame: [UInt8] = [0x11, 0x02, 0x00] + (0..<60).map { UInt8($0) }

  @Test func `reads a descriptor with every field`() throws {
    let payload = Vectors.bytes("b3 f0 92 34 56 a5 10")
    let (descriptor, size) = try #require(Self.descriptor(payload))
    #expect(size == 6)
    #expect(descriptor.isNonReference && descriptor.startsPartition && descriptor.partition == 3)
    #expect(!descriptor.beginsFrame)
    #expect(descriptor.pictureID == 0x1234 && descriptor.pictureIDBits == 15)
    #expect(descriptor.baseLayerIndex == 0x56)
    #expect(descriptor.temporalLayer == 2 && descriptor.isLayerSync)
    #expect(descriptor.keyIndex == 5)
  }

  @Test(
    arguments: [
      ("10 00", 1, nil), ("90 00 00", 2, nil), ("90 80 7f 00", 3, 127), ("90 80 ff ff 00", 4, 0x7fff),
      ("90 40 01 00", 3, nil), ("90 20 c0 00", 3, nil), ("90 10 1f 00", 3, nil), ("90 c0 01 02 00", 4, 1),
    ] as [(String, Int, Int?)])
  func `reads each optional field by itself`(hex: String, size: Int, number: Int?) throws {
    let payload = Vectors.bytes(hex)
    let parsed = try #require(Self.descriptor(payload))
    #expect(parsed.size == size)
    #expect(parsed.descriptor.pictureID == number)
    #expect(parsed.descriptor.beginsFrame)
  }

  @Test func `writes what it reads, and refuses what is cut, at every length`() throws {
    for hex in ["b3 f0 92 34 56 a5", "93 f0 12 56 a5", "a0 90 81 00 05", "90 60 07 c0", "30", "87 00"] {
      let whole = Vectors.bytes(hex)
      let (descriptor, size) = try #require(Self.descriptor(whole))
      #expect(size == whole.count)
      // An extension without any field is written without it.
      let expected = hex == "87 00" ? [0x07] : whole
      #expect(descriptor.size == expected.count)
      #expect(Vectors.written(capacity: expected.count) { descriptor.write(into: &$0) } == expected)
      #expect(Vectors.written(capacity: expected.count - 1) { descriptor.write(into: &$0) }.isEmpty)
      for length in 0..<whole.count {
        let cut = Array(whole.prefix(length))
        #expect(Self.descriptor(cut) == nil)
      }
    }
  }

  @Test func `reads the beginning of a frame`() throws {
    let key = try #require(Self.header(Self.keyFrame))
    #expect(key.isKey && key.isShown && key.width == 320 && key.height == 240 && key.version == 0)
    #expect(key.firstPartitionSize == 16)
    let other = try #require(Self.header(Self.otherFrame))
    #expect(!other.isKey && other.isShown && other.width == 0)
    for length in 0..<VP8FrameHeader.keySize {
      #expect(Self.header(Array(Self.keyFrame.prefix(length))) == nil)
    }
    // No start code, and no width.
    for (index, byte) in [(3, 0x9e), (4, 0x00), (5, 0x2b)] as [(Int, UInt8)] {
      var frame = Self.keyFrame
      frame[index] = byte
      #expect(Self.header(frame) == nil)
    }
    var flat = Self.keyFrame
    (flat[6], flat[7]) = (0, 0xc0)
    #expect(Self.header(flat) == nil)
  }

  @Test(arguments: [5, 6, 17, 64, 203, 204, 205, 1200])
  func `cuts frames so that they come together again`(limit: Int) throws {
    var packetizer = VP8Packetizer(payloadLimit: limit, pictureID: 0x7fff)
    var depacketizer = VP8Depacketizer()
    for (index, frame) in [Self.keyFrame, Self.otherFrame, [0x11], Self.otherFrame].enumerated() {
      let payloads = Self.payloads(of: frame, &packetizer)
      let count = packetizer.count(of: frame.span.bytes)
      #expect(payloads.count == count)
      #expect(payloads.dropLast().allSatisfy { $0.count == limit })
      #expect(payloads.allSatisfy { $0.count <= limit })
      var again: [UInt8] = []
      for (number, payload) in payloads.enumerated() {
        let appended = depacketizer.append(payload.span.bytes, to: &again)
        let piece = try #require(appended)
        #expect(piece.beginsFrame == (number == 0))
        #expect(piece.isKey == (index == 0 && number == 0))
        #expect(piece.isReference)
        // The number goes around: 32767, 0, 1, ...
        #expect(piece.pictureID?.value == (index + 0x7fff) & 0x7fff && piece.pictureID?.bits == 15)
      }
      #expect(again == frame)
      depacketizer.endFrame()
    }
  }

  @Test func `writes nothing where there is no room, or no frame`() {
    var packetizer = VP8Packetizer(payloadLimit: 4)
    #expect(Self.payloads(of: Self.keyFrame, &packetizer).isEmpty)
    let count = packetizer.count(of: Self.keyFrame.span.bytes)
    #expect(count == 0)
    packetizer = VP8Packetizer(payloadLimit: 1200)
    #expect(Self.payloads(of: [], &packetizer).isEmpty)
    let frame = Self.keyFrame
    #expect(Vectors.written(capacity: 4) { packetizer.next(of: frame.span.bytes, into: &$0) }.isEmpty)
    #expect(packetizer.isAtEnd)
  }

  @Test func `keeps the beginning of a frame up to a gap`() throws {
    var packetizer = VP8Packetizer(payloadLimit: 54)
    let payloads = Self.payloads(of: Self.keyFrame, &packetizer)
    try #require(payloads.count == 4)
    var depacketizer = VP8Depacketizer()
    var frame: [UInt8] = []
    for index in [0, 1, 3] {
      if index == 3 { depacketizer.noteGap() }
      let payload = payloads[index]
      let piece = depacketizer.append(payload.span.bytes, to: &frame)
      #expect(piece != nil)
    }
    #expect(frame == Array(Self.keyFrame.prefix(100)))
  }

  @Test func `leaves out a frame whose beginning is missing, and begins with the next`() throws {
    var packetizer = VP8Packetizer(payloadLimit: 54)
    let payloads = Self.payloads(of: Self.keyFrame, &packetizer)
    var depacketizer = VP8Depacketizer()
    var frame: [UInt8] = []
    depacketizer.noteGap()
    for payload in payloads.dropFirst() {
      let appended = depacketizer.append(payload.span.bytes, to: &frame)
      let piece = try #require(appended)
      #expect(!piece.beginsFrame && !piece.isKey)
      #expect(frame.isEmpty)
    }
    let isCut = depacketizer.endFrame()
    #expect(isCut)
    depacketizer.noteGap()
    let next = Self.payloads(of: Self.otherFrame, &packetizer)
    for payload in next { _ = depacketizer.append(payload.span.bytes, to: &frame) }
    #expect(frame == Self.otherFrame)
    let isNextCut = depacketizer.endFrame()
    #expect(!isNextCut)
  }

  @Test func `a payload alone says what it is, and without its start code no frame is a key frame`() {
    func piece(_ hex: String) -> VideoPiece? {
      let payload = Vectors.bytes(hex)
      return VP8Depacketizer.piece(of: payload.span.bytes)
    }
    #expect(piece("10 10 02 00 9d 01 2a 40 01 f0 00")?.isKey == true)
    #expect(piece("10 10 02 00 9d 01 2b 40 01 f0 00")?.isKey == false)
    #expect(piece("10 10 02")?.isKey == true, "the start code isn't there yet")
    #expect(piece("11 10 02 00 9d 01 2a")?.isKey == false, "another partition")
    #expect(piece("30 11")?.isReference == false)
    #expect(piece("90 80 07 11")?.pictureID?.value == 7)
    #expect(piece("10") == nil)
  }

  @Test func `refuses payloads without content, and frames without end`() {
    var depacketizer = VP8Depacketizer()
    var frame: [UInt8] = []
    for hex in ["", "10", "90", "90 80", "90 80 80", "90 80 80 01", "90 f0 01 02 03"] {
      let payload = Vectors.bytes(hex)
      let piece = depacketizer.append(payload.span.bytes, to: &frame)
      #expect(piece == nil && frame.isEmpty)
    }
    frame = [UInt8](repeating: 1, count: VideoEncoding.frameLimit - 1)
    let two: [UInt8] = [0x00, 1, 2]
    let one: [UInt8] = [0x00, 1]
    let tooMuch = depacketizer.append(two.span.bytes, to: &frame)
    #expect(tooMuch == nil && frame.count == VideoEncoding.frameLimit - 1)
    let enough = depacketizer.append(one.span.bytes, to: &frame)
    #expect(enough != nil && frame.count == VideoEncoding.frameLimit)
  }

  @Test func `each length and each change of one bit of a payload is refused or appended`() throws {
    let whole = Vectors.bytes("b0 f0 92 34 56 a5 10 02 00 9d 01 2a 40 01 f0 00 01 02")
    var accepted = 0
    for payload in Vectors.flips(of: whole) + (0...whole.count).map({ Array(whole.prefix($0)) }) {
      var depacketizer = VP8Depacketizer()
      var frame: [UInt8] = []
      guard let piece = depacketizer.append(payload.span.bytes, to: &frame) else {
        #expect(frame.isEmpty)
        continue
      }
      accepted += 1
      let parsed = try #require(Self.descriptor(payload))
      #expect(piece.beginsFrame == parsed.descriptor.beginsFrame)
      #expect(frame == (piece.beginsFrame ? Array(payload[parsed.size...]) : []))
    }
    #expect(accepted == whole.count * 8 + whole.count - 6)
  }

  static func descriptor(_ payload: [UInt8]) -> (descriptor: VP8Descriptor, size: Int)? {
    VP8Descriptor.parse(payload.span.bytes)
  }

  static func header(_ frame: [UInt8]) -> VP8FrameHeader? { VP8FrameHeader(parsing: frame.span.bytes) }

  static func payloads(of frame: [UInt8], _ packetizer: inout VP8Packetizer) -> [[UInt8]] {
    var result: [[UInt8]] = []
    repeat {
      let payload = Vectors.written(capacity: 1500) { packetizer.next(of: frame.span.bytes, into: &$0) }
      if payload.isEmpty { break }
      result.append(payload)
    } while !packetizer.isAtEnd
    return result
  }
}
