import Packets
import Testing

@Suite struct `Framing on streams` {
  private static let datagrams: [[UInt8]] = [[1], [2, 2], [UInt8](repeating: 3, count: 300), [4, 4, 4]]
  private static let stream: [UInt8] = framed([datagrams[0], datagrams[1], [], datagrams[2], [], datagrams[3]])

  private static func framed(_ datagrams: [[UInt8]]) -> [UInt8] {
    datagrams.flatMap { datagram in
      Vectors.written(capacity: 2) { StreamFraming.writeLength(datagram.count, into: &$0) } + datagram
    }
  }

  private static func deframed(_ pieces: [[UInt8]]) -> (datagrams: [[UInt8]], inside: Bool) {
    var deframer = StreamDeframer()
    var found: [[UInt8]] = []
    for piece in pieces {
      deframer.feed(piece.span.bytes) { datagram in
        found.append((0..<datagram.byteCount).map { datagram.unsafeLoad(fromByteOffset: $0, as: UInt8.self) })
      }
    }
    return (found, deframer.isInsideFrame)
  }

  @Test func `writes lengths from 0 to 65535 in network order`() {
    #expect(Vectors.written(capacity: 2) { StreamFraming.writeLength(0x1234, into: &$0) } == [0x12, 0x34])
    #expect(Vectors.written(capacity: 2) { StreamFraming.writeLength(65_535, into: &$0) } == [0xff, 0xff])
    #expect(Vectors.written(capacity: 2) { StreamFraming.writeLength(65_536, into: &$0) } == [])
    #expect(Vectors.written(capacity: 2) { StreamFraming.writeLength(-1, into: &$0) } == [])
    #expect(Vectors.written(capacity: 1) { StreamFraming.writeLength(1, into: &$0) } == [])
  }

  @Test func `finds the same datagrams however the stream is cut into pieces of one size`() {
    for size in 1...Self.stream.count {
      let pieces = stride(from: 0, to: Self.stream.count, by: size).map {
        Array(Self.stream[$0..<min($0 + size, Self.stream.count)])
      }
      let result = Self.deframed(pieces)
      #expect(result.datagrams == Self.datagrams)
      #expect(!result.inside)
    }
  }

  @Test func `finds the same datagrams with a cut at every place, and with two`() {
    for first in 0...Self.stream.count {
      for second in stride(from: first, through: Self.stream.count, by: 7) {
        let pieces = [
          Array(Self.stream[..<first]), Array(Self.stream[first..<second]), Array(Self.stream[second...]),
        ]
        #expect(Self.deframed(pieces).datagrams == Self.datagrams)
      }
    }
  }

  @Test func `tells an end inside a frame from one between frames`() {
    var boundaries: Set<Int> = [0]
    var end = 0
    for length in [1, 2, 0, 300, 0, 3] {
      end += 2 + length
      boundaries.insert(end)
    }
    for length in 0...Self.stream.count {
      #expect(Self.deframed([Array(Self.stream.prefix(length))]).inside == !boundaries.contains(length))
    }
  }

  @Test func `a frame of 65535 bytes passes, in one piece and byte by byte`() {
    let datagram = (0..<65_535).map { UInt8(truncatingIfNeeded: $0) }
    let stream = Self.framed([datagram])
    #expect(Self.deframed([stream]).datagrams == [datagram])
    #expect(Self.deframed(stream.map { [$0] }).datagrams == [datagram])
  }

  @Test func `pulling one datagram at a time gives them in place or gathered`() {
    var deframer = StreamDeframer()
    let first = Array(Self.stream.prefix(9))
    var offset = 0
    #expect(deframer.next(in: first.span.bytes, from: &offset) == .inPlace(2..<3))
    #expect(deframer.next(in: first.span.bytes, from: &offset) == .inPlace(5..<7))
    #expect(deframer.next(in: first.span.bytes, from: &offset) == nil)
    #expect(offset == 9)
    let rest = Array(Self.stream[9...].prefix(302))
    offset = 0
    #expect(deframer.next(in: rest.span.bytes, from: &offset) == .inPlace(2..<302))
    var split = StreamDeframer()
    offset = 0
    let head: [UInt8] = [0, 2, 7]
    #expect(split.next(in: head.span.bytes, from: &offset) == nil)
    offset = 0
    let tail: [UInt8] = [8]
    #expect(split.next(in: tail.span.bytes, from: &offset) == .gathered)
    #expect(split.withGathered { $0.byteCount } == 2)
  }
}
