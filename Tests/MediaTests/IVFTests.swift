import Glibc
import Packets
import Testing

@testable import Media

@Suite struct `IVF` {
  @Test func `reads frames with their times in 90 kHz`() throws {
    let input = try Inputs.pipe(IVFFixture.file(frames: 4))
    let format = input.format
    #expect(format == .ivf)
    var source = try input.videoSource()
    let described = (source.encoding, source.liveDescriptor != nil, source.name)
    #expect(described == (.vp8, true, "-"))
    let frames = try VideoFixture.frames(of: &source)
    #expect(frames.map(\.presentation) == [0, 3_600, 7_200, 10_800])
    #expect(frames.map(\.decode) == frames.map(\.presentation))
    #expect(frames.allSatisfy { $0.duration == 3_600 })
    #expect(frames.map(\.isKey) == [true, false, false, true])
    #expect(frames.map(\.bytes) == (0..<4).map(IVFFixture.frame))
    let leftOut = source.leftOut
    #expect(leftOut == nil)
  }

  @Test func `takes a frame rate that is given instead of the file's times`() throws {
    let input = try Inputs.pipe(IVFFixture.file(frames: 4, rate: 0))
    var source = try input.videoSource(frameRate: (30_000, 1_001))
    let frames = try VideoFixture.frames(of: &source)
    #expect(frames.map(\.presentation) == [0, 3_003, 6_006, 9_009])
  }

  @Test(
    arguments: [
      ([0, 1, 1, 2], [0, 3_600, 3_601, 7_201]), ([5, 6, 3, 4], [0, 3_600, 7_200, 10_800]),
      ([0, 2, 4, 6], [0, 7_200, 14_400, 21_600]), ([7, 8, 1 << 62, (1 << 62) + 1], [0, 3_600, 7_200, 10_800]),
      ([Int64.max, Int64.min, 0, 1], [0, 3_600, 7_200, 10_800]),
      ([0, 100_000, 100_001, 100_002], [0, 3_600, 7_200, 10_800]),
    ] as [([Int64], [Int64])])
  func `times always grow, and by no more than an hour`(stamps: [Int64], times: [Int64]) throws {
    let input = try Inputs.pipe(IVFFixture.file(frames: 4, stamps: stamps))
    var source = try input.videoSource()
    #expect(try VideoFixture.frames(of: &source).map(\.presentation) == times)
  }

  @Test func `leaves out what lies before the first key frame, and empty frames`() throws {
    let bytes =
      IVFFixture.header() + IVFFixture.framed(IVFFixture.frame(1), 0) + IVFFixture.framed(IVFFixture.frame(0), 1)
      + IVFFixture.framed([], 2) + IVFFixture.framed(IVFFixture.frame(2), 3)
    var source = try Inputs.pipe(bytes).videoSource()
    let frames = try VideoFixture.frames(of: &source)
    #expect(frames.map(\.presentation) == [0, 7_200])
    let leftOut = source.leftOut
    #expect(leftOut == "2 of its frames were left out: before the first key frame, or empty")
  }

  @Test func `says in one sentence what can't be sent`() {
    for (bytes, words) in [
      (IVFFixture.header(codec: "VP90"), "IVF with VP90"), (IVFFixture.header(), "without a key frame"),
      (IVFFixture.header() + IVFFixture.framed(IVFFixture.frame(1), 0), "without a key frame"),
      (Array(IVFFixture.header().prefix(20)), "inside its IVF header"),
      (IVFFixture.header(rate: 0), "its time base is 1/0"), (IVFFixture.header(length: 16), "16 bytes long"),
      (IVFFixture.header(length: 40), "inside its IVF header"),
      (
        IVFFixture.header() + IVFHeader.little(9_000_000, 4) + IVFHeader.little(0, 8),
        "frame 1 says that it has 9000000 bytes"
      ),
    ] {
      let error = VideoFixture.error(bytes)
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "nothing") has \(words)")
      // Nothing is whole that was used.
      #expect(error?.description.contains("was used") == false)
    }
  }

  @Test func `each length of a file gives the whole frames before its end, and one sentence`() throws {
    let whole = IVFFixture.file(frames: 3)
    let ends = [IVFFixture.end(ofFrame: 0), IVFFixture.end(ofFrame: 1), IVFFixture.end(ofFrame: 2)]
    for length in 1...whole.count {
      let bytes = Array(whole.prefix(length))
      let result = VideoFixture.read(bytes, as: .vp8)
      #expect(result.frames.count == ends.count { $0 <= length })
      #expect((result.error == nil) == ends.contains(length))
    }
  }

  @Test func `each change of one bit is read to an end`() {
    let whole = IVFFixture.file(frames: 2)
    for bit in 0..<(whole.count * 8) {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let frames = VideoFixture.read(bytes, as: .vp8).frames
      #expect(frames.count <= 2)
      #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.presentation < $1.presentation })
    }
  }

  @Test func `writes a file that is valid after every frame`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("seen.ivf")
    var writer = IVFWriter(output: try OutputFile(path: path), rate: 25, scale: 1)
    // Nothing to decode from yet.
    try writer.append(IVFFixture.frame(1).span.bytes, at: 0)
    for number in 0..<4 {
      try writer.append(IVFFixture.frame(number).span.bytes, at: Int64(number))
      let count = number + 1
      #expect(contents(path) == IVFFixture.file(frames: count, rate: 25))
      var source = try MediaInput(path: path).videoSource()
      #expect(try VideoFixture.frames(of: &source).count == count)
    }
    let counts = (writer.frameCount, writer.skippedFrames, Int(writer.byteCount))
    #expect(counts == (4, 1, IVFFixture.file(frames: 4).count))
    // A time that stands still is moved on, for ffmpeg drops frames of equal times.
    try writer.append(IVFFixture.frame(1).span.bytes, at: 3)
    try writer.finish()
    let last = Array(contents(path).dropFirst(IVFFixture.end(ofFrame: 3) + 4).prefix(8))
    #expect(last == IVFHeader.little(4, 8))
  }

  @Test func `the header's length is in ticks up to the end of the last frame, as ffmpeg reads it`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("seen.ivf")
    var writer = IVFWriter(output: try OutputFile(path: path))
    // The film begins at 2 s, and its third frame is missing.
    let times: [Int64] = [180_000, 183_600, 190_800, 194_400, 198_000]
    let lengths: [Int64] = [1, 7_200, 16_200, 19_200, 22_500]
    for (number, time) in times.enumerated() {
      try writer.append(IVFFixture.frame(number).span.bytes, at: time)
      #expect(Array(contents(path)[24..<28]) == IVFHeader.little(lengths[number], 4))
    }
    // What 32 bits can't hold is as long as they can say.
    try writer.append(IVFFixture.frame(5).span.bytes, at: 1 << 40)
    #expect(Array(contents(path)[24..<28]) == [0xff, 0xff, 0xff, 0xff])
    try writer.finish()
  }

  @Test func `writes to a pipe what a reader reads from it`() throws {
    var ends: [CInt] = [0, 0]
    try #require(pipe(&ends) == 0)
    var writer = IVFWriter(output: OutputFile(descriptor: ends[1], name: "-", closes: true))
    for number in 0..<3 { try writer.append(IVFFixture.frame(number).span.bytes, at: Int64(number) * 3_003) }
    try writer.finish()
    let input = try MediaInput(InputDescriptor(ends[0]), name: "-")
    var source = try input.videoSource()
    let frames = try VideoFixture.frames(of: &source)
    #expect(frames.map(\.presentation) == [0, 3_003, 6_006])
    #expect(frames.map(\.bytes) == (0..<3).map(IVFFixture.frame))
  }
}
