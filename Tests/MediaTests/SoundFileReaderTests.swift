import Foundation
import Testing
import Timeline

@testable import Media

@Suite struct SoundFileReaderTests {
  private let folder = TemporaryFolder()

  private func wav(
    rate: Int = 44_100, channels: Int = 2, frames: Int = 44_100, _ encoding: RawPCMFormat.Encoding = .s16le
  ) -> String {
    let tone = WAVFixture.tone(rate: rate, channels: channels, frames: frames)
    return folder.file(
      "tone\(rate)-\(channels).wav", holding: WAVFixture.file(tone, encoding, rate: rate, channels: channels))
  }

  @Test(arguments: [1, 2], [8_000, 44_100, 47_999, 192_000])
  func `a WAV gives its samples, rate and length`(channels: Int, rate: Int) throws {
    let path = wav(rate: rate, channels: channels, frames: 5_000)
    let input = try MediaInput(path: path)
    let (format, isSeekable) = (input.format, input.isSeekable)
    #expect(format == .wave)
    #expect(isSeekable)
    var source = try input.audioSource()
    let described = (source.sampleRate, source.channels, source.frames, source.liveDescriptor)
    #expect(described == (rate, channels, 5_000, nil))
    let samples = try Inputs.samples(&source)
    let tone = WAVFixture.tone(rate: rate, channels: channels, frames: 5_000)
    #expect(samples.count == tone.count)
    #expect(Inputs.difference(samples, tone) < 1e-4)
    var rest: [Float] = []
    #expect(try source.read(frames: 10, into: &rest) == 0, "the end stays the end")
  }

  @Test(.enabled(if: Tool.ffmpeg), arguments: ["flac", "aiff", "mp3", "ogg", "au"])
  func `other formats give the same tone`(suffix: String) throws {
    let path = folder.file("tone." + suffix)
    let codec = suffix == "ogg" ? ["-c:a", "libvorbis"] : []
    _ = try Tool.run("ffmpeg", ["-v", "error", "-i", wav()] + codec + [path])
    let input = try MediaInput(path: path)
    let format = input.format
    #expect(format == .other)
    var source = try input.audioSource()
    let (rate, channels, frames) = (source.sampleRate, source.channels, source.frames ?? 0)
    #expect(rate == 44_100)
    #expect(channels == 2)
    #expect(abs(frames - 44_100) < 3_000)
    let samples = try Inputs.samples(&source)
    #expect(abs(Int64(samples.count / 2) - frames) < 1_200)
    let middle = samples[20_000..<60_000]
    let power = middle.reduce(0) { $0 + $1 * $1 } / Float(middle.count)
    #expect(abs(power - 0.125) < 0.02, "half of full scale, which LAME makes a little less")
  }

  @Test(.enabled(if: Tool.opus))
  func `Ogg Opus is told apart, and its packets are read`() throws {
    let path = folder.file("tone.opus")
    _ = try Tool.run("opusenc", ["--quiet", wav(), path])
    let input = try MediaInput(path: path)
    let format = input.format
    #expect(format == .oggOpus)
    for isPipe in [false, true] {
      let input = isPipe ? try Inputs.pipe(contents(path)) : try MediaInput(path: path)
      var reader = try input.oggOpusReader()
      var payload: [UInt8] = []
      var duration = 0
      while let packet = try reader.next(into: &payload) { duration += packet.duration }
      #expect(duration >= 48_000)
    }
  }

  @Test func `a start is found by jumping`() throws {
    let tone = WAVFixture.tone(rate: 8_000, channels: 1, frames: 16_000)
    let path = folder.file("tone.wav", holding: WAVFixture.file(tone, .f32le, rate: 8_000, channels: 1))
    var source = try MediaInput(path: path).audioSource()
    let duration = source.duration
    #expect(duration == .seconds(2))
    #expect(try source.skip(.milliseconds(500)) == .milliseconds(500))
    #expect(try Inputs.samples(&source) == Array(tone[4_000...]))
    source = try MediaInput(path: path).audioSource()
    #expect(try source.skip(.seconds(9)) == .seconds(2))
    #expect(try Inputs.samples(&source).isEmpty)
  }

  @Test(arguments: 3...8)
  func `more than two channels are mixed without clipping`(channels: Int) throws {
    let path = wav(channels: channels, frames: 4_410)
    var source = try MediaInput(path: path).audioSource()
    let mixed = source.channels
    #expect(mixed == 2)
    let samples = try Inputs.samples(&source)
    #expect(samples.count == 8_820)
    #expect(samples.allSatisfy { abs($0) < 0.51 })
    #expect(samples.contains { $0 > 0.25 })
  }

  @Test func `each channel is heard on its side`() {
    let places = StereoDownmix.defaultPlaces(channels: 6) ?? []
    let downmix = StereoDownmix(places)
    func heard(_ channel: Int) -> [Float] {
      var output: [Float] = []
      let frame = (0..<6).map { Float($0 == channel ? 1 : 0) }
      downmix.mix(frame[...], appendingTo: &output)
      return output
    }
    #expect(heard(0)[0] > 0.4 && heard(0)[1] == 0)
    #expect(heard(1)[0] == 0 && heard(1)[1] > 0.4)
    #expect(heard(2)[0] == heard(2)[1] && heard(2)[0] > 0.2)
    #expect(heard(3) == [0, 0])
    #expect(heard(4)[0] > 0.2 && heard(4)[1] == 0)
    #expect(heard(5)[0] == 0 && heard(5)[1] > 0.2)
  }

  @Test func `bad inputs get their errors`() throws {
    #expect(
      Inputs.error(path: folder.file("none.wav"))
        == .cannotOpen(path: folder.file("none.wav"), reason: "No such file or directory"))
    #expect(Inputs.error(path: folder.path) == .isDirectory(path: folder.path))
    let empty = folder.file("empty.wav", holding: [])
    #expect(Inputs.error(path: empty) == .empty(path: empty))
    let text = folder.file("text.wav", holding: Array("Dear Sir or Madam, this is a letter.".utf8))
    #expect(Inputs.error(path: text) == .notAudio(path: text, detail: ""))
    let zeros = folder.file("zeros", holding: [UInt8](repeating: 0, count: 10_000))
    #expect(Inputs.error(path: zeros) == .notAudio(path: zeros, detail: ""))
  }

  @Test func `a file that may not be read says so`() throws {
    let path = wav()
    _ = chmod(path, 0)
    // The superuser may read everything: there it opens.
    #expect(
      Inputs.error(path: path)
        == (geteuid() == 0 ? nil : .cannotOpen(path: path, reason: "Permission denied")))
  }

  @Test func `a sample rate that can't be converted is refused with the rate`() {
    let slow = wav(rate: 500, frames: 100)
    #expect(
      Inputs.error(path: slow)
        == .unsupported(path: slow, detail: "its sample rate is 500 Hz, and 1000 to 768000 Hz is what can be converted")
    )
    var bytes = WAVFixture.file([0, 0, 0], .s16le, rate: 0, channels: 1)
    let zero = folder.file("zero.wav", holding: bytes)
    #expect(Inputs.error(path: zero)?.description.contains("zero.wav") == true)
    bytes = WAVFixture.file([Float](repeating: 0, count: 18), .s16le, rate: 8_000, channels: 9)
    let wide = folder.file("wide.wav", holding: bytes)
    #expect(
      Inputs.error(path: wide) == .unsupported(path: wide, detail: "it has 9 channels, and 1 to 8 can be played"))
  }

  @Test(.enabled(if: Tool.ffmpeg))
  func `a FLAC cut short gives what is whole and then says that it is damaged`() throws {
    let path = folder.file("tone.flac")
    _ = try Tool.run("ffmpeg", ["-v", "error", "-i", wav(frames: 441_000), path])
    let bytes = contents(path)
    let cut = folder.file("cut.flac", holding: Array(bytes[..<(bytes.count / 2)]))
    var source = try MediaInput(path: cut).audioSource()
    var samples: [Float] = []
    var failure: MediaError?
    do throws(MediaError) {
      while try source.read(frames: 960, into: &samples) > 0 {}
    } catch {
      failure = error
    }
    #expect(samples.count > 100_000)
    guard case .damaged(cut, _) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(try source.read(frames: 960, into: &samples) == 0, "it is said once")
  }

  // Without Vorbis: of a broken one libsndfile 1.2.0 leaks the headers, which the address sanitizer holds against us.
  @Test(.enabled(if: Tool.ffmpeg), arguments: ["wav", "flac", "mp3"])
  func `no cut and no wrong byte does worse than an error`(suffix: String) throws {
    let path = folder.file("short." + suffix)
    _ = try Tool.run("ffmpeg", ["-v", "error", "-i", wav(frames: 4_410), path])
    let bytes = contents(path)
    var generator = SeededGenerator(seed: 3)
    for length in stride(from: 0, to: min(bytes.count, 3_000), by: 41) {
      _ = Inputs.error(path: folder.file("cut", holding: Array(bytes[..<length])))
      var wrong = bytes
      wrong[min(length, bytes.count - 1)] ^= UInt8(truncatingIfNeeded: generator.next() | 1)
      _ = Inputs.error(path: folder.file("wrong", holding: wrong))
    }
    #expect(Inputs.error(path: path) == nil)
  }
}
