import Glibc
import Packets
import Testing

@testable import Media

@Suite struct `Transport stream files` {
  @Test(arguments: [1, 3, 7, 10]) func `times each datagram between the clock references around it`(period: Int) throws
  {
    let stream = TransportFixture.stream(packets: 70, period: period, start: 5_000_000)
    let input = try Inputs.pipe(stream)
    let format = input.format
    #expect(format == .transportStream)
    var source = try input.videoSource()
    let described = (source.encoding, source.liveDescriptor != nil)
    #expect(described == (.mpegTS, true))
    let frames = try VideoFixture.frames(of: &source)
    let isSame = frames.flatMap(\.bytes) == stream
    #expect(isSame)
    #expect(frames.count == 10 && frames.allSatisfy { $0.bytes.count == 7 * 188 })
    #expect(frames.map(\.decode) == (0..<10).map { Int64($0) * 630 })
    #expect(frames.allSatisfy { $0.presentation == $0.decode && $0.duration == 630 })
  }

  @Test func `gives fewer packets a datagram where that is asked for`() throws {
    let stream = TransportFixture.stream(packets: 8, period: 2)
    var source = try Inputs.pipe(stream).videoSource(packetsPerFrame: 3)
    let frames = try VideoFixture.frames(of: &source)
    #expect(frames.map { $0.bytes.count / 188 } == [3, 3, 2])
    #expect(frames.map(\.decode) == [0, 270, 540])
  }

  @Test func `the packets of a datagram may be changed once the input lies open`() throws {
    let stream = TransportFixture.stream(packets: 8, period: 2)
    for (asked, counts) in [(3, [3, 3, 2]), (0, [1, 1, 1, 1, 1, 1, 1, 1]), (1_000, [8])] {
      var source = try Inputs.pipe(stream).videoSource()
      source.setPacketsPerFrame(asked)
      let frames = try VideoFixture.frames(of: &source)
      #expect(frames.map { $0.bytes.count / 188 } == counts)
    }
  }

  @Test func `a clock that goes round is no leap, one that is set anew goes on at the rate before`() throws {
    let round = TransportFixture.stream(packets: 70, period: 5, start: TransportPacket.clockModulus - 27_000 * 30)
    var source = try Inputs.pipe(round).videoSource()
    #expect(try VideoFixture.frames(of: &source).map(\.decode) == (0..<10).map { Int64($0) * 630 })
    for (first, second) in [(0, 27_000_000 * 11), (27_000_000 * 60, 0)] as [(Int64, Int64)] {
      let stream =
        TransportFixture.stream(packets: 35, period: 5, start: first)
        + TransportFixture.stream(packets: 35, period: 5, start: second)
      var source = try Inputs.pipe(stream).videoSource()
      #expect(try VideoFixture.frames(of: &source).map(\.decode) == (0..<10).map { Int64($0) * 630 })
    }
  }

  @Test func `follows one program's clock`() throws {
    var stream: [UInt8] = []
    for number in 0..<28 {
      let isOurs = number % 2 == 0
      let time = Int64(number) * (isOurs ? 27_000 : 99_000_000)
      stream += TransportFixture.packet(number, clock: time, pid: isOurs ? 0x100 : 0x200)
    }
    var source = try Inputs.pipe(stream).videoSource()
    #expect(try VideoFixture.frames(of: &source).map(\.decode) == [0, 630, 1_260, 1_890])
  }

  @Test func `finds the packets again behind what is none`() throws {
    let stream = TransportFixture.stream(packets: 21, period: 3)
    // Something before, something in the middle, and a cut packet at the end.
    var dirty: [UInt8] = [1, 0x47, 3]
    dirty += stream.prefix(188 * 10)
    dirty += [UInt8](repeating: 9, count: 100)
    dirty += stream.dropFirst(188 * 10)
    dirty += [0x47, 0, 0]
    var source = try Inputs.pipe(dirty).videoSource(as: .mpegTS)
    let frames = try VideoFixture.frames(of: &source)
    let isSame = frames.flatMap(\.bytes) == stream
    #expect(isSame)
    let leftOut = source.leftOut
    #expect(leftOut == "106 of its bytes were left out: they belong to no packet of the transport stream")
  }

  @Test func `says in one sentence what can't be sent`() {
    let stream = TransportFixture.stream(packets: 20, period: 3)
    func spread(before: Int, behind: Int) -> [UInt8] {
      var result: [UInt8] = []
      for start in stride(from: 0, to: stream.count, by: 188) {
        result += [UInt8](repeating: 1, count: before)
        result += stream[start..<(start + 188)]
        result += [UInt8](repeating: 2, count: behind)
      }
      return result
    }
    let refused: [([UInt8], String)] = [
      (spread(before: 4, behind: 0), "packets of 192 bytes"), (spread(before: 0, behind: 16), "packets of 204 bytes"),
      ((0..<20).flatMap { TransportFixture.packet($0) }, "without clock references"),
      ([UInt8](repeating: 0, count: 100_000), "no packets of 188 bytes"), ([0x47, 1, 2], "no packets of 188 bytes"),
    ]
    for (bytes, words) in refused {
      let result = VideoFixture.read(bytes, as: .mpegTS)
      let count = result.frames.count
      #expect(count == 0)
      #expect(result.error?.description.contains(words) == true, "\(result.error?.description ?? "-") has \(words)")
    }
    // The variants are recognised too, so that nobody is told that they are no audio.
    for bytes in [spread(before: 4, behind: 0), spread(before: 0, behind: 16)] {
      #expect(VideoFixture.error(bytes)?.description.contains("ffmpeg -i INPUT -map 0 -c copy -f mpegts") == true)
    }
  }

  @Test func `each length of a stream gives its whole packets`() {
    let whole = TransportFixture.stream(packets: 4, period: 2)
    for length in 1...whole.count {
      let result = VideoFixture.read(Array(whole.prefix(length)), as: .mpegTS)
      let isWhole = result.frames.flatMap(\.bytes) == Array(whole.prefix(length / 188 * 188))
      #expect(isWhole)
      #expect((result.error != nil) == (length < 188))
    }
  }

  @Test func `each change of one bit of a header is read to an end, at times that never go back`() {
    let whole = TransportFixture.stream(packets: 4, period: 2)
    for bit in 0..<(whole.count * 8) where bit / 8 % 188 < 13 {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let frames = VideoFixture.read(bytes, as: .mpegTS).frames
      let count = frames.reduce(0) { $0 + $1.bytes.count }
      #expect(count <= whole.count)
      #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.decode <= $1.decode && $0.duration >= 0 })
    }
  }

  @Test func `reads a live pipe as far as the next clock reference`() throws {
    var ends: [CInt] = [0, 0]
    try #require(pipe(&ends) == 0)
    let stream = TransportFixture.stream(packets: 15, period: 7)
    // The references are in the packets 0, 7 and 14: with eight packets the first datagram is complete.
    _ = write(ends[1], stream, 8 * 188)
    let input = try MediaInput(InputDescriptor(ends[0]), name: "-")
    var source = try input.videoSource()
    let first = try source.next()
    #expect(first?.bytes == Array(stream.prefix(7 * 188)))
    _ = stream.withUnsafeBytes { write(ends[1], $0.baseAddress.map { $0 + 8 * 188 }, 7 * 188) }
    let second = try source.next()
    #expect(second?.decode == 630)
    _ = close(ends[1])
    let last = try source.next()
    let end = try source.next()
    #expect(last?.bytes.count == 188 && end == nil)
  }

  @Test func `writes packets as they are`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("seen.ts")
    var writer = TransportStreamWriter(output: try OutputFile(path: path))
    let stream = TransportFixture.stream(packets: 14, period: 7)
    for part in [Array(stream.prefix(7 * 188)), Array(stream.dropFirst(7 * 188))] {
      try writer.append(part.span.bytes)
      #expect(contents(path) == Array(stream.prefix(Int(writer.byteCount))))
    }
    try writer.finish()
    var source = try MediaInput(path: path).videoSource()
    let frames = try VideoFixture.frames(of: &source)
    let isSame = frames.flatMap(\.bytes) == stream
    #expect(isSame)
    let live = source.liveDescriptor
    #expect(live == nil)
  }
}
