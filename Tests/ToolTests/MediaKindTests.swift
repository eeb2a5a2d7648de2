import Glibc
import Testing

/// Every kind of media that can be sent, and what may be asked of it.
@Suite(.fewAtOnce) struct MediaKindTests {
  @Test(arguments: [(44_100, 1), (44_100, 2), (8_000, 1), (96_000, 2)])
  func `a WAV of any rate is resampled, encoded and heard at its length`(rate: Int, channels: Int) async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: ["--speed", "max", folder.file("in.wav", holding: Made.wav(seconds: 1, rate: rate, channels: channels))],
      receive: Exchange.patient + ["--output", folder.file("out.wav")])
    #expect(run.packets["lost"].int == 0)
    #expect(run.packets["concealed"].int == 0)
    let wav = try WAVFile(contents(folder.file("out.wav")))
    // Whole frames, and the encoder's lookahead in front.
    #expect((48_000...50_000).contains(wav.frames))
    try Self.expectTone(wav)
  }

  @Test(
    .enabled(if: access("/usr/bin/ffmpeg", X_OK) == 0, "needs ffmpeg, to make the files"),
    arguments: ["flac", "mp3", "ogg", "opus"])
  func `a file of another kind is heard at its length`(suffix: String) async throws {
    let folder = try TemporaryFolder()
    let (wav, file) = (folder.file("in.wav", holding: Made.wav(seconds: 1)), folder.file("in.\(suffix)"))
    let codec = suffix == "ogg" ? ["-c:a", "libvorbis"] : []
    let made = try Jitterbug(["-v", "error", "-i", wav] + codec + [file], of: "/usr/bin/ffmpeg")
    try #require(try await made.end() == 0)
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", file],
      receive: Exchange.patient + ["--output", folder.file("out.wav")])
    #expect(run.packets["lost"].int == 0)
    let heard = try WAVFile(contents(folder.file("out.wav")))
    #expect((48_000...52_000).contains(heard.frames))
    try Self.expectTone(heard)
  }

  @Test func `standard input takes Ogg Opus, and its packets arrive as they were`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", "-"], input: .pipe(Made.opus(packets: 50)),
      receive: Exchange.patient + ["--output", folder.file("out.opus")])
    #expect(run.packets["unique"].int == 50)
    #expect(try OggPackets(contents(folder.file("out.opus"))).payloads == (0..<50).map { Made.packet($0) })
  }

  @Test func `standard input takes WAV and raw samples`() async throws {
    let inputs: [(options: [String], bytes: [UInt8])] = [
      ([], Made.wav(seconds: 1)), (["--raw", "s16le,48000,2"], Made.raw(seconds: 1, rate: 48_000, channels: 2)),
      (["--raw", "s16le,16000,1"], Made.raw(seconds: 1, rate: 16_000, channels: 1)),
    ]
    for (options, bytes) in inputs {
      let folder = try TemporaryFolder()
      let run = try await Exchange.run(
        in: folder, send: ["--speed", "max", "-"] + options, input: .pipe(bytes),
        receive: Exchange.patient + ["--output", folder.file("out.wav")])
      #expect(run.packets["lost"].int == 0)
      let wav = try WAVFile(contents(folder.file("out.wav")))
      #expect((48_000...50_000).contains(wav.frames))
      try Self.expectTone(wav)
    }
  }

  @Test func `--start leaves out the beginning and --duration the end, of Ogg Opus and of WAV`() async throws {
    let folder = try TemporaryFolder()
    let cut = ["--start", "0.4s", "--duration", "0.6s", "--speed", "max"]
    let run = try await Exchange.run(
      in: folder, send: cut + [folder.file("in.opus", holding: Made.opus(packets: 100))],
      receive: Exchange.patient + ["--output", folder.file("out.opus")])
    #expect(run.packets["unique"].int == 30)
    #expect(try OggPackets(contents(folder.file("out.opus"))).payloads == (20..<50).map { Made.packet($0) })
    let other = try await Exchange.run(
      in: folder, send: cut + [folder.file("in.wav", holding: Made.wav(seconds: 2))], receive: Exchange.patient)
    #expect(other.packets["unique"].int == 30)
  }

  @Test func `--loop begins again without a gap until --duration`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: [
        "--loop", "--duration", "1.5s", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 20)),
      ],
      receive: Exchange.patient + ["--output", folder.file("out.opus"), "--trace", folder.file("t.csv")])
    #expect(run.packets["unique"].int == 75)
    #expect(
      try OggPackets(contents(folder.file("out.opus"))).payloads == (0..<75).map { Made.packet($0 % 20) })
    try Self.expectContinuous(folder.file("t.csv"), step: 960)
  }

  @Test func `several files and a chained one are one timeline`() async throws {
    let folder = try TemporaryFolder()
    let chained = Made.opus(packets: 20) + Made.opus(packets: 20, from: 20, serial: 8)
    let files = [
      folder.file("a.opus", holding: chained), folder.file("b.opus", holding: Made.opus(packets: 20, from: 40)),
    ]
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max"] + files,
      receive: Exchange.patient + ["--output", folder.file("out.opus"), "--trace", folder.file("t.csv")])
    #expect(run.packets["unique"].int == 60)
    #expect(run.packets["concealed"].int == 0)
    #expect(try OggPackets(contents(folder.file("out.opus"))).payloads == (0..<60).map { Made.packet($0) })
    try Self.expectContinuous(folder.file("t.csv"), step: 960)
  }

  @Test(arguments: [("2.5ms", 120), ("5ms", 240), ("10ms", 480), ("20ms", 960), ("40ms", 1_920), ("60ms", 2_880)])
  func `a frame of any length is a step of the timestamp`(frame: String, step: Int) async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: ["--frame", frame, "--speed", "max", folder.file("in.wav", holding: Made.wav(seconds: 0.6, channels: 1))],
      receive: Exchange.patient + ["--output", folder.file("out.wav"), "--trace", folder.file("t.csv")])
    #expect(run.packets["lost"].int == 0)
    #expect(run.packets["concealed"].int == 0)
    try Self.expectContinuous(folder.file("t.csv"), step: step)
    let frames = try WAVFile(contents(folder.file("out.wav"))).frames
    #expect((28_800...32_000).contains(frames))
  }

  @Test func `with --dtx a pause is silence, not loss`() async throws {
    let folder = try TemporaryFolder()
    let file = Made.wav(seconds: 2, channels: 1, silentFrom: 0.5, silentTo: 1.5)
    let run = try await Exchange.run(
      in: folder,
      send: [
        "--dtx", "--application", "voip", "--bitrate", "16k", "--speed", "max", folder.file("in.wav", holding: file),
      ],
      receive: Exchange.patient + ["--output", folder.file("out.wav")])
    #expect(run.packets["lost"].int == 0)
    #expect(run.stream["media"]["concealed_ms"].double == 0)
    #expect(try #require(run.stream["media"]["silence_ms"].double) >= 400)
    #expect(try #require(run.packets["expected"].int) < 90)
    #expect((96_000...98_000).contains(try WAVFile(contents(folder.file("out.wav"))).frames))
  }

  @Test func `with --fec lost packets are rebuilt from those that follow`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: [
        "--fec", "20%", "--application", "voip", "--bitrate", "24k", "--link", "loss=10%,seed=3", "--speed", "max",
        "--raw", "s16le,16000,1", folder.file("in.raw", holding: Made.voice(seconds: 3)),
      ],
      receive: ["--buffer", "200ms", "--idle-timeout", "2s", "--output", folder.file("out.wav")])
    #expect(try #require(run.packets["recovered"].int) > 3)
    #expect(try #require(run.stream["media"]["recovered_ms"].double) > 60)
  }

  @Test func `lost packets leave a gap in the Ogg Opus output's positions`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: [
        "--link", "loss=20%,seed=3", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 100)),
      ],
      receive: ["--buffer", "200ms", "--idle-timeout", "2s", "--output", folder.file("out.opus")])
    let copy = try OggPackets(contents(folder.file("out.opus")))
    // In the place of a lost packet lies one of its length without sound, for players that don't look at positions.
    let played = copy.payloads.filter { $0.count > 2 }
    #expect(run.packets["played"].int == played.count)
    #expect(run.packets["lost"].int == copy.payloads.count - played.count)
    #expect(copy.end == Int64(try #require(run.packets["expected"].int) * 960))
  }

  /// The first 0.5 s after the start have the tone of the fixtures: about 440 upward crossings of zero a second.
  private static func expectTone(_ wav: WAVFile) throws {
    let left = stride(from: 0, to: wav.samples.count, by: wav.channels).map { wav.samples[$0] }
    try #require(left.count >= 28_800)
    let part = left[4_800..<28_800]
    let crossings = zip(part, part.dropFirst()).count { $0 < 0 && $1 >= 0 }
    #expect((215...225).contains(crossings))
  }

  /// Timestamps and sequence numbers grow by even steps.
  private static func expectContinuous(_ path: String, step: Int) throws {
    let trace = try Table(path: path)
    let timestamps = try trace.numbers("timestamp").map { UInt32(truncatingIfNeeded: $0) }
    #expect(zip(timestamps, timestamps.dropFirst()).allSatisfy { $1 &- $0 == UInt32(step) })
    let numbers = try trace.numbers("extended_sequence")
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 - $0 == 1 })
    #expect(numbers.count > 5)
  }
}
