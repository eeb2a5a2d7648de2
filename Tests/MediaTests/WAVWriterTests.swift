import Foundation
import Testing

@testable import Media

@Suite struct WAVWriterTests {
  static func little(_ bytes: [UInt8], at offset: Int) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
  }

  @Test func `the header is right at every moment and never claims what is not there`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a.wav")
    var writer = try WAVWriter(output: OutputFile(path: path), sampleRate: 8_000, channels: 2)
    var expected: [UInt8] = []
    for block in 0..<200 {
      let samples = (0..<320).map { Int16(truncatingIfNeeded: block * 331 + $0 * 57 - 30_000) }
      if block % 5 == 0 { try writer.writeSilence(frames: 160) } else { try writer.write(samples.span) }
      for sample in samples {
        let bits = block % 5 == 0 ? 0 : UInt16(bitPattern: sample)
        expected += [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)]
      }
      // As SIGKILL would leave it now.
      let bytes = contents(path)
      let size = Self.little(bytes, at: 40)
      #expect(size == bytes.count - 44 && Self.little(bytes, at: 4) == size + 36)
      #expect(bytes[44...].elementsEqual(expected[..<size]))
      // Half a second is 16,000 bytes.
      #expect(expected.count - size < 16_000)
    }
    let frames = writer.frames
    #expect(frames == 32_000)
    try writer.finish()
    #expect(contents(path)[44...].elementsEqual(expected))
    #expect(Self.little(contents(path), at: 40) == expected.count)
  }

  @Test func `a pipe gets sizes that mean until the end, and raw samples no header`() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let samples: [Int16] = [1, -2, 0x1234]
    var writer = try WAVWriter(
      output: OutputFile(descriptor: ends[1], name: "-", closes: false), sampleRate: 48_000, channels: 1)
    try writer.write(samples.span)
    try writer.finish()
    var raw = RawWriter(output: OutputFile(descriptor: ends[1], name: "-", closes: true))
    try raw.write(samples.span)
    try raw.writeSilence(samples: 1)
    try raw.finish()
    let bytes = drain(ends[0])
    close(ends[0])
    let body: [UInt8] = [1, 0, 0xFE, 0xFF, 0x34, 0x12]
    #expect(bytes.count == 44 + 6 + 8)
    #expect(Self.little(bytes, at: 4) == 0xFFFF_FFFF && Self.little(bytes, at: 40) == 0xFFFF_FFFF)
    #expect(Array(bytes[44...]) == body + body + [0, 0])
  }

  @Test func `beyond the largest size the header says until the end`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a.wav")
    var writer = try WAVWriter(output: OutputFile(path: path), sampleRate: 8_000, channels: 1, largestData: 10_000)
    try writer.writeSilence(frames: 5_000)
    try writer.flush()
    #expect(Self.little(contents(path), at: 40) == 10_000)
    try writer.writeSilence(frames: 1)
    try writer.finish()
    #expect(Self.little(contents(path), at: 40) == 0xFFFF_FFFF && Self.little(contents(path), at: 4) == 0xFFFF_FFFF)
    #expect(contents(path).count == 44 + 10_002)
  }

  @Test func `standard output that already holds something keeps it`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a", holding: [1, 2, 3])
    let descriptor = open(path, O_WRONLY)
    lseek(descriptor, 0, SEEK_END)
    let output = OutputFile(descriptor: descriptor, name: "-", closes: true)
    let isSeekable = output.isSeekable
    #expect(isSeekable)
    var writer = try WAVWriter(output: output, sampleRate: 8_000, channels: 1)
    try writer.writeSilence(frames: 5_000)
    try writer.finish()
    let bytes = contents(path)
    #expect(Array(bytes[..<7]) == [1, 2, 3] + Array("RIFF".utf8))
    #expect(Self.little(Array(bytes[3...]), at: 40) == 10_000 && bytes.count == 3 + 44 + 10_000)
  }

  @Test func `a file opened for appending is written as a pipe is`() throws {
    let folder = TemporaryFolder()
    let descriptor = open(folder.file("a", holding: [1]), O_WRONLY | O_APPEND)
    let output = OutputFile(descriptor: descriptor, name: "-", closes: true)
    let isSeekable = output.isSeekable
    #expect(!isSeekable)
  }

  @Test(.enabled(if: Tool.ffmpeg && Tool.sox, "ffmpeg or sox is not installed"))
  func `ffprobe and soxi agree with the header of a growing, a finished and a streamed file`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a.wav")
    var writer = try WAVWriter(output: OutputFile(path: path), sampleRate: 48_000, channels: 2)
    try writer.writeSilence(frames: 60_000)
    #expect(try Tool.probedDuration(path) == 1)
    #expect(try Tool.run("soxi", ["-s", path]).output == "48000\n")
    try writer.finish()
    #expect(try Tool.probedDuration(path) == 1.25)
    #expect(try Tool.run("soxi", ["-s", path]).output == "60000\n")
    let streamed = folder.file("streamed.wav")
    let descriptor = open(streamed, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let output = OutputFile(descriptor: descriptor, name: "-", closes: true)
    var stream = try WAVWriter(output: output, sampleRate: 48_000, channels: 2)
    try stream.writeSilence(frames: 60_000)
    try stream.finish()
    _ = try Tool.run("ffmpeg", ["-v", "error", "-i", streamed, "-f", "s16le", folder.file("raw")])
    #expect(contents(folder.file("raw")).count == 240_000)
    _ = try Tool.run("sox", ["--ignore-length", streamed, folder.file("sox.raw")])
    #expect(contents(folder.file("sox.raw")).count == 240_000)
  }
}
