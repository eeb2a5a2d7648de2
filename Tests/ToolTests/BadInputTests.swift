import Foundation
import Testing

/// Files that can't be played, or not whole: one sentence each, status 1, and the others still play.
@Suite(.fewAtOnce) struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The file's name, and what it holds; nil for one that isn't there.
    let name: String
    let bytes: [UInt8]?
    /// What is said, after the program's name and the file's.
    let sentence: String

    init(_ description: String, _ name: String, _ bytes: [UInt8]?, says sentence: String) {
      testDescription = description
      self.name = name
      self.bytes = bytes
      self.sentence = sentence
    }
  }

  static let cases = [
    Case("text", "notes.txt", Array("Not a song at all.\n".utf8), says: "is not audio that can be read; \(accepted)"),
    Case("noise", "noise.mp3", noise, says: "is not audio that can be read; \(accepted)"),
    Case(
      "a container", "film.MP4", noise,
      says: "is a film in a container that isn't read; take its video out with ffmpeg -i INPUT -an -c:v copy"),
    Case("nothing", "empty.opus", [], says: "is empty; \(accepted)"),
    Case("a folder", "folder", nil, says: "is a directory; name a file inside it"),
    Case(
      "a missing file", "missing.opus", nil,
      says: "No such file or directory; name a file that exists and that you may read, or - for standard input"),
    Case(
      "a page cut short", "cut.opus", Array(Made.opus(packets: 50).dropLast(700)),
      says: "is damaged: it ends inside an Ogg page that begins at byte 1643; \(rest)"),
    Case(
      "a broken checksum", "flipped.opus", flipped,
      says: "is damaged: 1 of its Ogg pages is broken or missing, the first near byte 91; \(rest)"),
    Case(
      "an Ogg header alone", "header.opus", Array(Made.opus(packets: 5).prefix(47)),
      says: "is damaged: it ends before its audio begins; \(rest)"),
    Case(
      "six channels", "surround.opus", surround,
      says: "cannot be played: it is surround Opus (mapping family 1) with 6 channels and at most 2"),
    Case(
      "a rate of 0", "zero.wav", wav(rate: 0),
      says: "is damaged: its header gives no possible sample rate or number of channels; \(rest)"),
    Case(
      "a rate of 3 GHz", "fast.wav", wav(rate: 3_000_000_000),
      says: "is damaged: its header gives no possible sample rate or number of channels; \(rest)"),
    Case(
      "a rate of 1 MHz", "megahertz.wav", wav(rate: 1_000_000), says: "cannot be played: its sample rate is 1000000 Hz"),
    Case(
      "a WAV header alone", "header.wav", Array(Made.wav(seconds: 0.1).prefix(30)),
      says: "is not audio that can be read (WAV file. No 'data' chunk marker); \(accepted)"),
  ]

  @Test(arguments: cases)
  func `a bad file gets one sentence and status 1, and the good one after it plays whole`(bad: Case) async throws {
    let folder = try TemporaryFolder()
    let path = folder.file(bad.name)
    if let bytes = bad.bytes { _ = folder.file(bad.name, holding: bytes) }
    if bad.name == "folder" { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    let good = folder.file("good.opus", holding: Made.opus(packets: 25, from: 1_000, serial: 9))
    let output = folder.file("out.opus")
    let receiver = try Jitterbug(["receive", "--output", output, "--buffer", "5s", "tcp://127.0.0.1:\(Exchange.ports)"])
    let sender = try Jitterbug(["send", "--speed", "max", path, good, try await receiver.address()])
    #expect(try await sender.end() == 1)
    #expect(sender.errors.split(separator: "\n").count == 1, "\(sender.errors)")
    #expect(sender.errors.hasPrefix("jitterbug: "))
    #expect(sender.errors.contains("“\(path)”"))
    #expect(sender.errors.contains(bad.sentence), "\(sender.errors)")
    #expect(try await receiver.end() == 0)
    let heard = try OggPackets(contents(output)).payloads
    #expect(Array(heard.suffix(25)) == (1_000..<1_025).map { Made.packet($0) })
  }

  @Test(.enabled(if: getuid() == 0 && isExecutable("/usr/bin/setpriv"), "needs root, to become somebody else"))
  func `a file that may not be read gets a sentence and status 1`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("secret.opus", holding: Made.opus(packets: 10))
    chmod(path, 0o600)
    let run = try await Jitterbug.run(
      ["send", "--speed", "max", path, "127.0.0.1:20998"],
      wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    #expect(run.status == 1)
    #expect(
      run.errors
        == "jitterbug: cannot read “\(path)”: Permission denied; name a file that exists and that you may read, or - for "
        + "standard input\n")
  }

  @Test(arguments: [[], Array("no audio".utf8), Array(Made.wav(seconds: 0.1).prefix(20))])
  func `bad standard input gets one sentence and status 1`(bytes: [UInt8]) async throws {
    let run = try await Jitterbug.run(["send", "-", "--speed", "max", "127.0.0.1:20998"], input: .pipe(bytes))
    #expect(run.status == 1)
    #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
    #expect(run.errors.contains(" standard input (-) ") || run.errors.contains("read standard input (-)"))
  }

  @Test(
    arguments: [
      ("empty.h264", []), ("empty.264", []), ("empty.ivf", []), ("empty.ts", []), ("noise.h264", noise),
      ("noise.ivf", noise), ("noise.ts", noise),
    ] as [(String, [UInt8])])
  func `what is called video and is none is told which video can be sent`(name: String, bytes: [UInt8]) async throws {
    let folder = try TemporaryFolder()
    let path = folder.file(name, holding: bytes)
    let run = try await Jitterbug.run(["send", "--speed", "max", path, "127.0.0.1:20998"])
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("jitterbug: “\(path)” is not video that can be sent ("), "\(run.errors)")
    #expect(run.errors.hasSuffix("); \(Self.acceptedVideo)\n"), "\(run.errors)")
    #expect(!run.errors.contains("without clock references"), "\(run.errors)")
  }

  @Test func `standard input that --format calls video is no audio when it is empty`() async throws {
    let run = try await Jitterbug.run(
      ["send", "-", "--format", "h264", "--speed", "max", "127.0.0.1:20998"], input: .pipe([]))
    #expect(run.status == 1)
    let what = "standard input (-) is not video that can be sent (it is empty)"
    #expect(run.errors == "jitterbug: \(what); \(Self.acceptedVideo)\n")
  }

  private static let acceptedVideo =
    "give H.264 with start codes as ffmpeg -i INPUT -an -c:v libx264 OUTPUT.h264 makes it, VP8 in IVF, or an MPEG "
    + "transport stream"
  private static let accepted = "give an Ogg Opus, Ogg Vorbis, WAV, FLAC or MP3 file"
  private static let rest = "what is whole was used, make or fetch the file again for the rest"
  private static let noise = (0..<5_000).map { Made.packet($0, size: 2)[1] }

  private static let flipped: [UInt8] = {
    var bytes = Made.opus(packets: 50)
    bytes[bytes.count / 4] ^= 0x10
    return bytes
  }()

  private static let surround: [UInt8] = {
    var pages = OggPages()
    return pages.headers(channels: 6, mapping: [1, 4, 2, 0, 4, 1, 2, 3, 5])
      + pages.page([Made.packet(0)], granule: 960, flags: 4)
  }()

  private static func wav(rate: Int) -> [UInt8] {
    var bytes = Made.wav(seconds: 0.1)
    bytes.replaceSubrange(24..<28, with: Made.little(rate, 4))
    return bytes
  }

  private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }
}
