import Foundation

@testable import Media

/// A folder that goes when it is no longer needed.
final class TemporaryFolder {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "jitterbug-media-" + UUID().uuidString
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func file(_ name: String, holding bytes: [UInt8]) -> String {
    let path = file(name)
    _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    return path
  }
}

/// What a file holds; without Foundation, whose reading of empty files leaks.
func contents(_ path: String) -> [UInt8] {
  let descriptor = open(path, O_RDONLY)
  guard descriptor >= 0 else { return [] }
  defer { close(descriptor) }
  return drain(descriptor)
}

/// All that comes out of a descriptor.
func drain(_ descriptor: Int32) -> [UInt8] {
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(descriptor, &block, block.count)
    guard count > 0 else { return bytes }
    bytes += block[..<count]
  }
}

/// Other people's programs, which judge our files.
enum Tool {
  static func isInstalled(_ name: String) -> Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + name) }

  static let opus = isInstalled("opusenc") && isInstalled("opusdec") && isInstalled("opusinfo")
  static let ffmpeg = isInstalled("ffmpeg") && isInstalled("ffprobe")
  static let sox = isInstalled("soxi")

  /// Runs a program; its exit status, and what it said on standard output and then on standard error.
  ///
  /// By `posix_spawn`, because Foundation's `Process` leaks, which the address sanitizer reports.
  static func run(_ name: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let folder = TemporaryFolder()
    let (out, error) = (folder.file("out", holding: []), folder.file("error", holding: []))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, error, O_WRONLY, 0)
    let path = "/usr/bin/" + name
    var words = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, path, &actions, nil, &words, environ)
    guard code == 0 else { throw MediaError.cannotOpen(path: path, reason: systemReason(code)) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return (
      status & 0x7F == 0 ? status >> 8 & 0xFF : -1, String(decoding: contents(out) + contents(error), as: UTF8.self)
    )
  }

  /// The duration in seconds by ffprobe.
  static func probedDuration(_ path: String) throws -> Double? {
    let arguments = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]
    return Double(try run("ffprobe", arguments).output.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}

/// Ogg pages made without libogg, so that reader and writer don't judge themselves.
struct PageMaker {
  var serial: UInt32 = 7
  var sequence: UInt32 = 0

  static let first: UInt8 = 2
  static let last: UInt8 = 4

  /// A page of whole packets.
  mutating func page(_ packets: [[UInt8]], granule: Int64, flags: UInt8 = 0) -> [UInt8] {
    let lengths = packets.flatMap { [UInt8](repeating: 255, count: $0.count / 255) + [UInt8($0.count % 255)] }
    return page(lengths: lengths, body: packets.flatMap { $0 }, granule: granule, flags: flags)
  }

  mutating func page(lengths: [UInt8], body: [UInt8], granule: Int64, flags: UInt8 = 0) -> [UInt8] {
    func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
    var page = Array("OggS".utf8) + [0, flags] + bytes(UInt64(bitPattern: granule), 8)
    page += bytes(UInt64(serial), 4) + bytes(UInt64(sequence), 4) + [0, 0, 0, 0, UInt8(lengths.count)] + lengths + body
    var sum: UInt32 = 0
    for byte in page {
      sum ^= UInt32(byte) << 24
      for _ in 0..<8 { sum = sum & 0x8000_0000 != 0 ? sum << 1 ^ 0x04C1_1DB7 : sum << 1 }
    }
    page.replaceSubrange(22..<26, with: bytes(UInt64(sum), 4))
    sequence &+= 1
    return page
  }

  /// The two header pages.
  mutating func headers(head: [UInt8]? = nil, tags: [UInt8] = Array("OpusTags".utf8) + [0, 0, 0, 0, 0, 0, 0, 0])
    -> [UInt8]
  {
    page([head ?? Self.head()], granule: 0, flags: Self.first) + page([tags], granule: 0)
  }

  static func head(version: UInt8 = 1, channels: UInt8 = 2, preSkip: UInt8 = 100, mapping: [UInt8] = [0]) -> [UInt8] {
    Array("OpusHead".utf8) + [version, channels, preSkip, 1, 0x80, 0xBB, 0, 0, 0, 0xFF] + mapping
  }

  /// A packet of 20 ms (CELT, full band, stereo) that differs from others by `number`.
  static func packet(_ number: Int, size: Int = 40) -> [UInt8] {
    [0xFC] + (1..<size).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0 &* 7) }
  }
}

/// All that came out of a file.
struct Reading {
  var head: OpusHead?
  var payloads: [[UInt8]] = []
  var packets: [OggOpusPacket] = []
  var error: MediaError?
  var damage = OggDamage()
  var hasEndMark = false

  init(path: String) {
    do throws(MediaError) {
      var reader = try OggOpusReader(path: path)
      head = reader.head
      finish(&reader)
    } catch {
      self.error = error
    }
  }

  private mutating func finish(_ reader: inout OggOpusReader) {
    var payload: [UInt8] = []
    do throws(MediaError) {
      while let packet = try reader.next(into: &payload) {
        packets.append(packet)
        payloads.append(payload)
      }
    } catch {
      self.error = error
    }
    damage = reader.damage
    hasEndMark = reader.hasEndMark
  }

  init(bytes: [UInt8]) {
    let folder = TemporaryFolder()
    self.init(path: folder.file("a.opus", holding: bytes))
  }
}

/// Real Opus audio, made by opusenc.
enum Encoded {
  /// Silence with a tone of 0.1 s at every second, encoded.
  static func tones(_ folder: TemporaryFolder, seconds: Int, arguments: [String] = []) throws -> String {
    let samples = (0..<(seconds * 48_000)).map { index -> Int16 in
      let time = Double(index % 48_000) / 48_000
      return time < 0.1 ? Int16(12_000 * sin(time * 1_000 * 2 * .pi)) : 0
    }
    let wav = folder.file("tones.wav")
    var writer = try WAVWriter(output: OutputFile(path: wav), sampleRate: 48_000, channels: 1)
    try writer.write(samples.span)
    try writer.finish()
    let opus = folder.file("tones\(seconds).opus")
    let result = try Tool.run("opusenc", ["--quiet"] + arguments + [wav, opus])
    guard result.status == 0 else { throw MediaError.cannotWrite(path: opus, reason: result.output) }
    return opus
  }
}
