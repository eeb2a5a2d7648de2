import Glibc
import Testing
import Timeline

@testable import Media

/// Inputs that come by a pipe, as from `arecord | jitterbug send -`.
@Suite struct InputPipeTests {
  @Test(arguments: RawPCMFormat.Encoding.allCases, [1, 2])
  func `a WAV of whole samples is read as it comes`(encoding: RawPCMFormat.Encoding, channels: Int) throws {
    let tone = WAVFixture.tone(rate: 44_100, channels: channels, frames: 10_000)
    for isExtensible in [false, true] {
      let bytes = WAVFixture.file(tone, encoding, rate: 44_100, channels: channels, isExtensible: isExtensible)
      let input = try Inputs.pipe(bytes)
      let (format, isSeekable) = (input.format, input.isSeekable)
      #expect(format == .wave)
      #expect(!isSeekable)
      var source = try input.audioSource()
      let described = (source.sampleRate, source.channels, source.frames, source.liveDescriptor != nil)
      #expect(described == (44_100, channels, 10_000, true))
      let samples = try Inputs.samples(&source)
      #expect(samples.count == tone.count)
      #expect(Inputs.difference(samples, tone) < 1e-4)
    }
  }

  @Test(arguments: [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0x7FFF_F000] as [UInt32])
  func `a WAV that doesn't know its length goes on to the end`(size: UInt32) throws {
    let tone = WAVFixture.tone(rate: 8_000, channels: 1, frames: 5_000)
    let input = try Inputs.pipe(WAVFixture.file(tone, .s16le, rate: 8_000, channels: 1, dataSize: size))
    var source = try input.audioSource()
    let frames = source.frames
    #expect(frames == nil)
    #expect(try Inputs.samples(&source).count == 5_000)
  }

  @Test func `what follows the samples isn't played, and half a frame at the end is dropped`() throws {
    let tone = WAVFixture.tone(rate: 8_000, channels: 2, frames: 1_000)
    let whole = WAVFixture.file(tone, .s16le, rate: 8_000, channels: 2)
    var source = try Inputs.pipe(whole + Array("LIST".utf8) + [4, 0, 0, 0, 1, 2, 3, 4]).audioSource()
    #expect(try Inputs.samples(&source).count == 2_000)
    source = try Inputs.pipe(whole.dropLast(3)).audioSource()
    #expect(try Inputs.samples(&source).count == 1_998)
  }

  @Test func `chunks before the samples are passed over, also an odd and a long one`() throws {
    let tone = WAVFixture.tone(rate: 8_000, channels: 1, frames: 100)
    let odd = Array("bext".utf8) + WAVFixture.little(3, 4) + [1, 2, 3, 0]
    let long = Array("id3 ".utf8) + WAVFixture.little(100_000, 4) + [UInt8](repeating: 9, count: 100_000)
    let bytes = WAVFixture.file(tone, .s16le, rate: 8_000, channels: 1, chunks: odd + long)
    var source = try Inputs.pipe(bytes).audioSource()
    #expect(try Inputs.samples(&source).count == 100)
  }

  @Test func `samples of a live pipe are there before the pipe ends`() throws {
    var ends: [CInt] = [0, 0]
    _ = Glibc.pipe(&ends)
    let tone = WAVFixture.tone(rate: 8_000, channels: 1, frames: 400)
    let bytes = WAVFixture.file(tone, .s16le, rate: 8_000, channels: 1, dataSize: 0xFFFF_FFFF)
    _ = write(ends[1], bytes, bytes.count)
    var source = try MediaInput(InputDescriptor(ends[0]), name: "-").audioSource()
    var samples: [Float] = []
    while samples.count < 400 { _ = try source.read(frames: 960, into: &samples) }
    #expect(samples.count == 400)
    let more = WAVFixture.store(Array(tone[..<80]), .s16le)
    _ = write(ends[1], more, more.count)
    #expect(try source.read(frames: 960, into: &samples) == 80)
    _ = close(ends[1])
    #expect(try source.read(frames: 960, into: &samples) == 0)
  }

  @Test func `six channels by a pipe are mixed to two`() throws {
    let tone = WAVFixture.tone(rate: 8_000, channels: 6, frames: 1_000)
    var source = try Inputs.pipe(WAVFixture.file(tone, .s16le, rate: 8_000, channels: 6)).audioSource()
    let channels = source.channels
    #expect(channels == 2)
    let samples = try Inputs.samples(&source)
    #expect(samples.count == 2_000)
    #expect(samples.allSatisfy { abs($0) < 0.51 })
    #expect(samples.contains { $0 > 0.45 }, "alike on all channels, it is as loud as before")
  }

  @Test func `a start within a pipe is found by reading`() throws {
    let tone = WAVFixture.tone(rate: 8_000, channels: 1, frames: 8_000)
    let bytes = WAVFixture.file(tone, .f32le, rate: 8_000, channels: 1)
    var source = try Inputs.pipe(bytes).audioSource()
    #expect(try source.skip(.milliseconds(250)) == .milliseconds(250))
    #expect(try Inputs.samples(&source) == Array(tone[2_000...]))
    source = try Inputs.pipe(bytes).audioSource()
    #expect(try source.skip(.seconds(5)) == .seconds(1))
    #expect(try Inputs.samples(&source).isEmpty)
  }

  @Test func `raw samples are read as the person says`() throws {
    let tone = WAVFixture.tone(rate: 16_000, channels: 2, frames: 3_000)
    for encoding in RawPCMFormat.Encoding.allCases {
      let format = try RawPCMFormat(parsing: "\(encoding.rawValue),16000,2")
      var source = try Inputs.pipe(WAVFixture.store(tone, encoding) + [1]).rawSource(format)
      let described = (source.sampleRate, source.channels, source.frames)
      #expect(described == (16_000, 2, nil))
      let samples = try Inputs.samples(&source, step: 77)
      #expect(samples.count == 6_000)
      #expect(Inputs.difference(samples, tone) < 1e-4)
    }
  }

  @Test func `floats that aren't numbers become silence`() throws {
    let format = try RawPCMFormat(parsing: "f32le,48000,1")
    var source = try Inputs.pipe(WAVFixture.store([.nan, .infinity, 0.25], .f32le)).rawSource(format)
    #expect(try Inputs.samples(&source) == [0, 0, 0.25])
  }

  @Test func `what can't be read as it comes goes through a file, up to a limit`() throws {
    let tone = WAVFixture.tone(rate: 8_000, channels: 1, frames: 20_000)
    var bytes = WAVFixture.file(tone, .s16le, rate: 8_000, channels: 1)
    // A WAV of unsigned bytes is left to libsndfile.
    bytes.replaceSubrange(32..<36, with: [1, 0, 8, 0])
    var source = try Inputs.pipe(bytes).audioSource()
    let live = source.liveDescriptor
    #expect(live == nil)
    #expect(try Inputs.samples(&source).count == 40_000)
    #expect(
      throws: MediaError.unsupported(
        path: "-", detail: "more than 0 MiB came by the pipe, and only WAV and Ogg Opus can be read as they come")
    ) {
      _ = try Inputs.pipe(bytes).audioSource(spoolLimit: 20_000)
    }
  }

  @Test(.enabled(if: Tool.ffmpeg), arguments: ["flac", "mp3", "ogg"])
  func `compressed audio comes through a pipe whole`(suffix: String) throws {
    let folder = TemporaryFolder()
    let wav = folder.file(
      "tone.wav",
      holding: WAVFixture.file(
        WAVFixture.tone(rate: 44_100, channels: 2, frames: 88_200), .s16le, rate: 44_100, channels: 2))
    let path = folder.file("tone." + suffix)
    let codec = suffix == "ogg" ? ["-c:a", "libvorbis"] : []
    _ = try Tool.run("ffmpeg", ["-v", "error", "-i", wav] + codec + [path])
    let direct = try Inputs.samples(path: path)
    #expect(abs(direct.count / 2 - 88_200) < 3_000)
    var source = try Inputs.pipe(contents(path)).audioSource()
    #expect(try Inputs.samples(&source) == direct)
  }

  @Test func `standard input is a pipe to be read once, or a file to be read from its offset`() async {
    await #expect(processExitsWith: .success) {
      let tone = WAVFixture.tone(rate: 8_000, channels: 1, frames: 1_000)
      let bytes = WAVFixture.file(tone, .s16le, rate: 8_000, channels: 1)
      var ends: [CInt] = [0, 0]
      try #require(Glibc.pipe(&ends) == 0)
      try #require(write(ends[1], bytes, bytes.count) == bytes.count)
      _ = close(ends[1])
      try #require(dup2(ends[0], STDIN_FILENO) == 0)
      #expect(try Inputs.samples(path: "-").count == 1_000)

      let folder = TemporaryFolder()
      let file = open(folder.file("behind", holding: [1, 2, 3] + bytes), O_RDONLY)
      try #require(dup2(file, STDIN_FILENO) == 0)
      _ = lseek(STDIN_FILENO, 3, SEEK_SET)
      let input = try MediaInput(path: "-")
      let isSeekable = input.isSeekable
      #expect(isSeekable)
      var source = try input.audioSource()
      #expect(try Inputs.samples(&source).count == 1_000)
    }
  }

  @Test func `bad pipes get their errors`() {
    #expect(Inputs.error(pipe: []) == .empty(path: "-"))
    #expect(Inputs.error(pipe: Array("not audio at all".utf8)) == .notAudio(path: "-", detail: ""))
    let wav = WAVFixture.file([0, 0, 0], .s16le, rate: 8_000, channels: 1)
    #expect(Inputs.error(pipe: Array(wav[..<30])) == .damaged(path: "-", detail: "it ends inside its WAV header"))
    let fast = WAVFixture.file([0], .s16le, rate: 900_000, channels: 1)
    #expect(
      Inputs.error(pipe: fast)
        == .unsupported(
          path: "-", detail: "its sample rate is 900000 Hz, and 1000 to 768000 Hz is what can be converted"))
    let wide = WAVFixture.file([Float](repeating: 0, count: 9), .s16le, rate: 8_000, channels: 9)
    #expect(
      Inputs.error(pipe: wide)
        == .unsupported(path: "-", detail: "it has 9 channels, and 1 to 8 can be played"))
  }
}
