import Packets
import Testing

@Suite struct `Transport streams` {
  @Test func `reads a packet's header, clock and payload`() throws {
    let bytes = TransportFixture.packet(
      pid: 0x100, counter: 5, startsUnit: true, clock: 123_456_789, flags: 0x40, payload: [1, 2, 3])
    let packet = try #require(TransportFixture.parsed(bytes))
    #expect(packet.pid == 0x100 && packet.continuity == 5 && packet.startsUnit && !packet.hasError)
    #expect(packet.isRandomAccess && !packet.isDiscontinuous && !packet.isScrambled)
    #expect(packet.clock == 123_456_789)
    #expect(Array(bytes[packet.payload]) == [1, 2, 3])
  }

  @Test func `reads the highest clock there is`() throws {
    let last = TransportPacket.clockModulus - 1
    let bytes = TransportFixture.packet(pid: 1, counter: 0, clock: last, payload: [0])
    #expect(TransportFixture.parsed(bytes)?.clock == last)
  }

  @Test func `refuses packets whose lengths don't fit`() {
    let whole = TransportFixture.packet(pid: 1, counter: 0, clock: 1, payload: [0])
    for length in 0..<188 { #expect(TransportFixture.parsed(Array(whole.prefix(length))) == nil) }
    func parsed(_ change: (inout [UInt8]) -> Void) -> TransportPacket? {
      var bytes = whole
      change(&bytes)
      return TransportFixture.parsed(bytes)
    }
    #expect(parsed { $0[0] = 0x48 } == nil)
    #expect(parsed { $0[4] = 183 } == nil)
    #expect(parsed { $0[4] = 6 } == nil)
    #expect(parsed { $0[4] = 7 }?.payload == 12..<188)
    #expect(parsed { $0[4] = 0 }?.clock == nil)
    // Without a payload the field may fill all of the packet.
    #expect(parsed { ($0[3], $0[4]) = (0x20, 183) }?.payload.isEmpty == true)
    #expect(parsed { ($0[3], $0[4]) = (0x20, 184) } == nil)
  }

  @Test(arguments: [(188, 1), (1315, 6), (1316, 7), (1400, 7)])
  func `puts whole packets into payloads and takes them out`(limit: Int, packets: Int) {
    let stream = TransportFixture.stream(pictures: 3)
    var packetizer = TransportPacketizer(payloadLimit: limit)
    #expect(packetizer.packetsPerPayload == packets)
    let expected = (stream.count / 188 + packets - 1) / packets
    let planned = packetizer.count(of: stream.span.bytes)
    #expect(planned == expected)
    var again: [UInt8] = []
    var count = 0
    repeat {
      // A cut packet at the end is left out.
      let source = stream + [0x47]
      let payload = Vectors.written(capacity: 1500) { packetizer.next(of: source.span.bytes, into: &$0) }
      let piece = TransportDepacketizer.append(payload.span.bytes, to: &again)
      #expect(piece?.beginsFrame == true)
      count += 1
    } while !packetizer.isAtEnd && count <= expected
    #expect(again == stream && count == expected)
  }

  @Test func `writes no payload without a whole packet or room for one`() {
    var packetizer = TransportPacketizer(payloadLimit: 187)
    let stream = TransportFixture.stream(pictures: 1)
    let planned = packetizer.count(of: stream.span.bytes)
    #expect(planned == 0)
    #expect(Vectors.written(capacity: 1500) { packetizer.next(of: stream.span.bytes, into: &$0) }.isEmpty)
    packetizer = TransportPacketizer(payloadLimit: 1400)
    #expect(Vectors.written(capacity: 187) { packetizer.next(of: stream.span.bytes, into: &$0) }.isEmpty)
    let cut: [UInt8] = [0x47]
    #expect(Vectors.written(capacity: 1500) { packetizer.next(of: cut.span.bytes, into: &$0) }.isEmpty)
    #expect(packetizer.isAtEnd)
  }

  @Test func `refuses payloads that aren't whole packets, at every length and with every bit of a sync byte changed`() {
    let whole = Array(TransportFixture.stream(pictures: 1).prefix(3 * 188))
    for length in 0...whole.count {
      let payload = Array(whole.prefix(length))
      let isAccepted = TransportDepacketizer.piece(of: payload.span.bytes) != nil
      #expect(isAccepted == (length > 0 && length % 188 == 0))
    }
    for (index, changed) in Vectors.flips(of: whole).enumerated() {
      var frame: [UInt8] = []
      let piece = TransportDepacketizer.append(changed.span.bytes, to: &frame)
      #expect((piece == nil) == (index / 8 % 188 == 0))
      #expect(frame == (piece == nil ? [] : changed))
    }
  }

  @Test func `calls a datagram a key only where a picture begins that is one`() {
    func isKey(_ stream: UInt8, startsUnit: Bool = true, flags: UInt8 = 0x40) -> Bool? {
      let packet = TransportFixture.packet(
        pid: 0x100, counter: 0, startsUnit: startsUnit, flags: flags, payload: [0, 0, 1, stream])
      return TransportDepacketizer.piece(of: packet.span.bytes)?.isKey
    }
    #expect(isKey(0xe0) == true)
    #expect(isKey(0xef) == true)
    #expect(isKey(0xc0) == false)
    #expect(isKey(0xe0, startsUnit: false) == false)
    #expect(isKey(0xe0, flags: 0x80) == false)
  }

  @Test func `follows the pictures of the video`() {
    var monitor = TransportStreamMonitor()
    let frames = TransportFixture.frames(of: TransportFixture.stream(pictures: 5), in: &monitor)
    #expect(monitor.videoPID == 0x100)
    #expect(frames.map(\.isKey) == [true, false, false, false, true])
    #expect(frames.map(\.isDamaged) == [false, false, false, false, false])
    #expect(frames.map(\.presentation) == [7_200, 10_800, 14_400, 18_000, 21_600])
    #expect(frames.map(\.decode) == [3_600, 7_200, 10_800, 14_400, 18_000])
    #expect(frames.allSatisfy { $0.packets == TransportFixture.packetsPerPicture && $0.bytes > 500 })
    #expect(monitor.continuityErrors == 0 && monitor.invalidCount == 0)
    #expect(monitor.packetCount == TransportFixture.stream(pictures: 5).count / 188)
  }

  @Test func `each missing packet of video damages the picture that it belongs to, and no other`() throws {
    let whole = TransportFixture.stream(pictures: 4)
    var damaged = 0
    for missing in 0..<(whole.count / 188) {
      var stream = whole
      let range = (missing * 188)..<((missing + 1) * 188)
      let packet = try #require(TransportFixture.parsed(Array(whole[range])))
      stream.removeSubrange(range)
      var monitor = TransportStreamMonitor()
      let frames = TransportFixture.frames(of: stream, in: &monitor)
      guard packet.pid == 0x100 else {
        #expect(frames.allSatisfy { !$0.isDamaged })
        continue
      }
      let picture = TransportFixture.picture(ofPacket: missing)
      let isLast = missing == whole.count / 188 - 1
      let isFirst = picture == 0 && packet.startsUnit
      #expect(monitor.continuityErrors == (isLast || isFirst ? 0 : 1))
      // Where a picture's own beginning is missing it is taken for a part of the one before.
      let expected = isLast || isFirst ? [] : [packet.startsUnit ? picture - 1 : picture]
      #expect(frames.indices.filter { frames[$0].isDamaged } == expected)
      #expect(frames.count == (packet.startsUnit ? 3 : 4))
      damaged += expected.count
    }
    #expect(damaged == 4 * TransportFixture.packetsPerPicture - 2)
  }

  @Test func `a gap of fifteen or sixteen packets is a damage that no counter shows`() {
    let stream = TransportFixture.stream(pictures: 3, size: 188 * 30)
    let kept = 10 * 188
    for (gap, isTold, isDamaged) in [(16, true, true), (16, false, false), (15, true, true), (14, false, true)] {
      var monitor = TransportStreamMonitor()
      var frames = TransportFixture.frames(of: Array(stream.prefix(kept)), in: &monitor, isFinished: false)
      if isTold { monitor.noteGap(packets: gap) }
      frames += TransportFixture.frames(of: Array(stream.dropFirst(kept + gap * 188)), in: &monitor)
      #expect(frames.map(\.isDamaged) == [isDamaged, false, false])
    }
  }

  @Test func `counts repeated packets once, and packets known to be wrong as none`() {
    let stream = TransportFixture.stream(pictures: 2)
    let video = 2 * 188
    var monitor = TransportStreamMonitor()
    let twice = Array(stream.prefix(video + 188)) + Array(stream.dropFirst(video))
    #expect(TransportFixture.frames(of: twice, in: &monitor).allSatisfy { !$0.isDamaged && $0.packets < 10 })
    #expect(monitor.continuityErrors == 0)
    // A third time is a mistake.
    monitor = TransportStreamMonitor()
    let thrice = Array(stream.prefix(video + 188)) + Array(stream[video..<(video + 188)]) + stream.dropFirst(video)
    _ = TransportFixture.frames(of: thrice, in: &monitor)
    #expect(monitor.continuityErrors == 1)
    monitor = TransportStreamMonitor()
    var wrong = stream
    wrong[video + 188 + 1] |= 0x80
    #expect(TransportFixture.frames(of: wrong, in: &monitor).map(\.isDamaged) == [true, false])
    #expect(monitor.invalidCount == 1)
  }

  @Test func `finds key pictures by what is inside`() {
    for (type, unit, isKey) in [
      (0x1b, 0x65, true), (0x1b, 0x67, true), (0x1b, 0x41, false), (0x24, 0x26, true), (0x24, 0x42, true),
      (0x24, 0x02, false), (0x02, 0xb3, true), (0x02, 0x00, false), (0x42, 0x65, false),
    ] as [(UInt8, UInt8, Bool)] {
      var monitor = TransportStreamMonitor()
      let elementary: [UInt8] = [0, 0, 0, 1, 0x46, 0x10, 0, 0, 1, unit, 0, 0, 1, 0x65]
      let frames = TransportFixture.frames(
        of: TransportFixture.tables(type: type)
          + TransportFixture.packet(
            pid: 0x100, counter: 0, startsUnit: true, payload: TransportFixture.pes(0) + elementary), in: &monitor)
      #expect(frames.map(\.isKey) == [isKey], "stream type \(type), unit \(unit)")
    }
  }

  @Test func `each change of one bit leaves a count that closes`() {
    let whole = TransportFixture.stream(pictures: 1, size: 300)
    for changed in Vectors.flips(of: whole) {
      var monitor = TransportStreamMonitor()
      let frames = TransportFixture.frames(of: changed, in: &monitor)
      #expect(monitor.packetCount == whole.count / 188)
      #expect(frames.reduce(0) { $0 + $1.packets } <= monitor.packetCount - monitor.invalidCount)
    }
  }

  @Test func `a stream can end before each packet with which a picture begins, wherever it is cut into datagrams`() {
    let stream = TransportFixture.stream(pictures: 4)
    // Two packets of tables, and four of each picture.
    let starts = (0..<4).map { 2 + $0 * TransportFixture.packetsPerPicture }
    for perDatagram in 1...9 {
      var ending = TransportEnding()
      var found: [Int] = []
      for offset in stride(from: 0, to: stream.count, by: perDatagram * 188) {
        let datagram = Array(stream[offset..<min(offset + perDatagram * 188, stream.count)])
        let isExpected = starts.contains { $0 * 188 >= offset && $0 * 188 < offset + datagram.count }
        let begun = ending.hasPicture
        let start = ending.take(datagram.span.bytes)
        #expect((start != nil) == isExpected)
        #expect(ending.hasPicture == (begun || isExpected))
        if let start { found.append((offset + start) / 188) }
      }
      // The first in each datagram.
      #expect(found.allSatisfy { starts.contains($0) })
      #expect(perDatagram > TransportFixture.packetsPerPicture || found == starts)
    }
  }

  @Test func `a stream without tables, or whose packets are known to be wrong, has no place to end`() {
    var ending = TransportEnding()
    let pictures = Array(TransportFixture.stream(pictures: 3).dropFirst(2 * 188))
    #expect(ending.take(pictures.span.bytes) == nil)
    _ = ending.take(TransportFixture.tables().span.bytes)
    var wrong = Array(pictures.prefix(188))
    wrong[1] |= 0x80
    #expect(ending.take(wrong.span.bytes) == nil)
    #expect(!ending.hasPicture)
    // Audio's beginnings are none of a picture.
    let other = TransportFixture.packet(
      pid: 0x101, counter: 0, startsUnit: true, payload: TransportFixture.pes(0))
    #expect(ending.take(other.span.bytes) == nil)
    #expect(ending.take(pictures.span.bytes) == 0)
    #expect(ending.hasPicture)
  }

  @Test func `each length and each change of one bit leaves a place to end within the packets`() {
    let whole = TransportFixture.stream(pictures: 1, size: 300)
    for bytes in Vectors.flips(of: whole) + (0...whole.count).map({ Array(whole.prefix($0)) }) {
      var ending = TransportEnding()
      let start = ending.take(bytes.span.bytes)
      #expect(start.map { $0 % 188 == 0 && $0 + 188 <= bytes.count } ?? true)
      #expect(ending.hasPicture == (start != nil))
    }
  }
}
