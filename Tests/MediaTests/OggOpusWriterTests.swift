import Foundation
import Packets
import Testing

@testable import Media

@Suite struct OggOpusWriterTests {
  @Test func `what is written is read back byte for byte, and any length of packet is laced right`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a.opus")
    // Around the multiples of 255, and one code 3 packet with padding that needs two pages.
    var packets = [2, 253, 254, 255, 256, 509, 510, 511, 1_276].map { PageMaker.packet($0, size: $0) }
    packets.append([0xFF, 0x41] + Array(repeating: 255, count: 260) + [0] + Array(repeating: 0, count: 260 * 254))
    packets.append(PageMaker.packet(1))
    let head = OpusHead(channels: 2, preSkip: 3_840, inputSampleRate: 44_100, outputGain: -3)
    var writer = try OggOpusWriter(output: OutputFile(path: path), head: head, serial: 0xFFFF_FFFF)
    for (index, packet) in packets.enumerated() {
      let outcome = try writer.write(packet.span.bytes, at: 1_000_000 + Int64(index) * 960)
      #expect(outcome == .written(filled: 0))
    }
    try writer.finish()
    let reading = Reading(path: path)
    #expect(reading.head == head)
    // The reader leaves out the one above 61,440 bytes, but only that one.
    #expect(packets[9].count > 65_025)
    #expect(reading.payloads == Array(packets[..<9] + packets[10...]))
    #expect(reading.damage.invalidPackets == 1 && reading.damage.damagedPages == 0)
    #expect(reading.packets.last?.granulePosition == Int64(10_560))
    #expect(reading.packets.last?.isLast == true && reading.hasEndMark)
  }

  @Test func `late packets, duplicates and garbage are left out`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a.opus")
    var writer = try OggOpusWriter(output: OutputFile(path: path), head: OpusHead(channels: 1), serial: 1)
    var outcomes: [OggOpusWriter.Outcome] = []
    for time: Int64 in [5_000, 5_960, 5_960, 5_000, 6_920, .min, 7_880] {
      outcomes.append(try writer.write(PageMaker.packet(0).span.bytes, at: time))
    }
    outcomes.append(try writer.write([0xFF, 0].span.bytes, at: 8_840))
    try writer.finish()
    let w = OggOpusWriter.Outcome.written(filled: 0)
    #expect(outcomes == [w, w, .late, .late, w, .late, w, .invalid])
    #expect(Reading(path: path).packets.count == 4)
  }

  @Test func `a page is written before it gets longer than half a second`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a.opus")
    var writer = try OggOpusWriter(output: OutputFile(path: path), head: OpusHead(channels: 1), serial: 1)
    for index in 0..<500 {
      let outcome = try writer.write(PageMaker.packet(index).span.bytes, at: Int64(index) * 960)
      #expect(outcome == .written(filled: 0))
      // A copy of the file as SIGKILL would leave it now.
      let killed = Reading(path: path)
      #expect(killed.error == nil)
      #expect(killed.payloads == (0..<killed.payloads.count).map { PageMaker.packet($0) })
      #expect(killed.payloads.count >= index + 1 - 26)
    }
    try writer.finish()
    #expect(Reading(path: path).payloads.count == 500)
  }

  struct Gap: Sendable {
    /// The packet before: its first byte and its number of frames.
    let first: UInt8
    var frames: UInt8 = 1
    let gap: Int64
    /// What is expected.
    let tables: [UInt8]
    let durations: [Int]
  }

  static let gaps: [Gap] = [
    Gap(first: 0xFC, gap: 2_880, tables: [0xFC, 0xFC, 0xFC], durations: [960, 960, 960]),
    // RFC 7845's example: 95 ms behind SILK wideband of 20 ms: 4 × 20, 10 of SILK, 5 of CELT wideband.
    Gap(first: 72, gap: 4_560, tables: [72, 72, 72, 72, 64, 168], durations: [960, 960, 960, 960, 480, 240]),
    // Medium band becomes wideband in CELT; 7.5 ms are 5 and 2.5; below 2.5 ms nothing fits.
    Gap(first: 40, gap: 360 + 119, tables: [168, 160], durations: [240, 120]),
    // Hybrid, super wide band, 20 ms; 15 ms are 10 of hybrid and 5 of CELT of the same band.
    Gap(first: 108, gap: 720, tables: [100, 204], durations: [480, 240]),
    // Three frames of 20 ms a packet stay three while they fit, then two.
    Gap(first: 0xFB, frames: 3, gap: 4_800, tables: [0xFB, 0xF9], durations: [2_880, 1_920]),
  ]

  @Test(arguments: gaps)
  func `gaps are filled as RFC 7845 section 4.1 says`(gap: Gap) throws {
    let bytes = gap.frames == 1 ? [gap.first] : [gap.first, gap.frames]
    let parsed = OpusPacket(parsing: bytes.span.bytes)
    let previous = try #require(parsed)
    var filler = OggGapFiller(gap: gap.gap, after: previous)
    var packets: [OggGapFiller.Packet] = []
    while let packet = filler.next() { packets.append(packet) }
    #expect(packets.map(\.tableOfContents) == gap.tables)
    #expect(packets.map(\.duration) == gap.durations)
    #expect(filler.remaining == gap.gap - gap.durations.reduce(0) { $0 + Int64($1) })
    for packet in packets {
      let bytes = [packet.tableOfContents] + (packet.frameCount.map { [$0] } ?? [])
      let duration = OpusPacket.duration(of: bytes.span.bytes)
      #expect(duration == packet.duration)
    }
  }

  @Test func `a gap of a day costs an hour of concealment`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("a.opus")
    var writer = try OggOpusWriter(output: OutputFile(path: path), head: OpusHead(channels: 1), serial: 1)
    let day: Int64 = 48_000 * 86_400
    _ = try writer.write(PageMaker.packet(0).span.bytes, at: 0)
    let outcome = try writer.write(PageMaker.packet(1).span.bytes, at: day)
    let next = try writer.write(PageMaker.packet(2).span.bytes, at: day + 960)
    let omitted = writer.omitted
    try writer.finish()
    #expect(outcome == .written(filled: OggOpusWriter.longestGap) && next == .written(filled: 0))
    #expect(omitted == day - 960 - OggOpusWriter.longestGap)
    #expect(Reading(path: path).packets.last?.granulePosition == OggOpusWriter.longestGap + 3 * 960)
  }

  @Test func `the end is trimmed, at most by the last page`() throws {
    let folder = TemporaryFolder()
    for (discard, expected) in [(0, 0), (100, 100), (2_000, 2_000), (9_999_999, 4_800), (-1, 0)] {
      let path = folder.file("a.opus")
      var writer = try OggOpusWriter(output: OutputFile(path: path), head: OpusHead(channels: 1), serial: 1)
      for index in 0..<30 { _ = try writer.write(PageMaker.packet(index).span.bytes, at: Int64(index) * 960) }
      try writer.finish(discardAtEnd: discard)
      let reading = Reading(path: path)
      #expect(reading.packets.map(\.discardAtEnd).reduce(0, +) == expected)
      #expect(reading.packets.count == 30 && reading.error == nil)
    }
  }

  @Test func `a full non-blocking pipe is waited for`() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    let writing = ends[1]
    let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    Thread.detachNewThread { try? OutputFile(descriptor: writing, name: "-", closes: true).write(bytes.span.bytes) }
    let read = drain(ends[0])
    close(ends[0])
    #expect(read == bytes)
  }

  @Test func `a closed pipe, a full disk and a missing directory are errors, not signals`() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let output = OutputFile(descriptor: ends[1], name: "-", closes: true)
    let isSeekable = output.isSeekable
    #expect(!isSeekable)
    close(ends[0])
    #expect(throws: MediaError.cannotWrite(path: "-", reason: "Broken pipe")) { try output.write([1, 2].span.bytes) }
    let folder = TemporaryFolder()
    #expect(throws: MediaError.isDirectory(path: folder.path)) { _ = try OutputFile(path: folder.path) }
    #expect(throws: MediaError.cannotWrite(path: folder.file("x/y"), reason: "No such file or directory")) {
      _ = try OutputFile(path: folder.file("x/y"))
    }
    #expect(throws: MediaError.cannotWrite(path: "/dev/full", reason: "No space left on device")) {
      try OutputFile(path: "/dev/full").write([1].span.bytes)
    }
    let file = folder.file("a", holding: [1])
    try FileManager.default.createSymbolicLink(atPath: folder.file("b"), withDestinationPath: file)
    #expect(OutputFile.isSameFile(file, folder.file("b")) && !OutputFile.isSameFile(file, folder.file("c")))
  }
}

@Suite(.enabled(if: Tool.opus && Tool.ffmpeg, "opus-tools or ffmpeg is not installed")) struct OggOpusInteropTests {
  /// Copies a file packet by packet; `keeps` says which packets arrive.
  static func copy(_ source: String, to path: String, keeps: (Int) -> Bool = { _ in true }) throws {
    var reader = try OggOpusReader(path: source)
    var writer = try OggOpusWriter(output: OutputFile(path: path), head: reader.head, serial: 42)
    var payload: [UInt8] = []
    var index = 0
    var trim = 0
    while let packet = try reader.next(into: &payload) {
      if keeps(index) { _ = try writer.write(payload.span.bytes, at: packet.start) }
      trim = packet.discardAtEnd
      index += 1
    }
    try writer.finish(discardAtEnd: trim)
  }

  /// What `opusdec` or `ffmpeg` makes of a file: the length in samples and where tones begin.
  static func decode(_ path: String, with tool: String, _ folder: TemporaryFolder) throws -> (Int, [Int]) {
    let raw = folder.file("decoded.raw")
    let arguments =
      tool == "opusdec"
      ? ["--quiet", "--no-dither", "--rate", "48000", "--force-stereo", path, folder.file("d.wav")]
      : ["-v", "error", "-y", "-i", path, "-ac", "2", "-ar", "48000", folder.file("d.wav")]
    #expect(try Tool.run(tool, arguments).status == 0)
    _ = try Tool.run("ffmpeg", ["-v", "error", "-y", "-i", folder.file("d.wav"), "-f", "s16le", "-ac", "1", raw])
    let bytes = contents(raw)
    let loud = stride(from: 0, to: bytes.count - 1, by: 2).filter {
      abs(Int(Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8))) > 3_000
    }.map { $0 / 2 }
    let onsets = loud.indices.filter { $0 == 0 || loud[$0] - loud[$0 - 1] > 24_000 }.map { loud[$0] }
    return (bytes.count / 2, onsets)
  }

  @Test(arguments: ["2.5", "10", "20", "60"])
  func `a copy of a real file has the same packets, and the same duration by ffprobe and opusinfo`(
    frame: String
  ) throws {
    let folder = TemporaryFolder()
    let source = try Encoded.tones(folder, seconds: 3, arguments: ["--framesize", frame])
    try Self.copy(source, to: folder.file("copy.opus"))
    let (before, after) = (Reading(path: source), Reading(path: folder.file("copy.opus")))
    #expect(before.payloads.count > 10 && before.error == nil)
    #expect(before.payloads == after.payloads)
    #expect(before.packets == after.packets && before.head == after.head)
    #expect(try Tool.probedDuration(source) == Tool.probedDuration(folder.file("copy.opus")))
    let information = try Tool.run("opusinfo", [folder.file("copy.opus")])
    #expect(information.status == 0 && !information.output.contains("WARNING"), "\(information.output)")
    #expect(information.output.contains("Playback length: 0m:03.000s"), "\(information.output)")
  }

  @Test(arguments: ["opusdec", "ffmpeg"], ["--music", "--speech"])
  func `what follows a gap is played at the right time`(tool: String, kind: String) throws {
    let folder = TemporaryFolder()
    let source = try Encoded.tones(folder, seconds: 5, arguments: [kind, "--bitrate", "24"])
    // 1.3 to 2.7 s and a single packet are lost.
    try Self.copy(source, to: folder.file("gap.opus")) { !(65..<135).contains($0) && $0 != 180 }
    let (wholeLength, wholeTones) = try Self.decode(source, with: tool, folder)
    let (length, tones) = try Self.decode(folder.file("gap.opus"), with: tool, folder)
    #expect(wholeLength == 240_000 && length == wholeLength)
    #expect(wholeTones.count == 5)
    #expect(tones.count == 4)
    for (tone, expected) in zip(tones, [wholeTones[0], wholeTones[1]] + wholeTones[3...]) {
      #expect(abs(tone - expected) <= 48, "\(tone) instead of \(expected)")
    }
    #expect(try Tool.probedDuration(source) == Tool.probedDuration(folder.file("gap.opus")))
  }

  @Test(arguments: ["opusdec", "ffmpeg"])
  func `a jump of the granule position alone is played too short`(tool: String) throws {
    let folder = TemporaryFolder()
    let source = Reading(path: try Encoded.tones(folder, seconds: 5))
    var pages = PageMaker()
    var bytes = pages.headers(head: PageMaker.head(channels: 1, preSkip: 56))
    for (packet, payload) in zip(source.packets, source.payloads) where !(65..<135).contains(Int(packet.start / 960)) {
      bytes += pages.page([payload], granule: packet.granulePosition, flags: packet.isLast ? PageMaker.last : 0)
    }
    let (length, _) = try Self.decode(folder.file("jump.opus", holding: bytes), with: tool, folder)
    #expect(length < 240_000 - 60_000)
  }

  @Test func `ffprobe opens the file at every moment of its growth`() throws {
    let folder = TemporaryFolder()
    let path = folder.file("growing.opus")
    let source = Reading(path: try Encoded.tones(folder, seconds: 4))
    var writer = try OggOpusWriter(output: OutputFile(path: path), head: OpusHead(channels: 1), serial: 1)
    for (packet, payload) in zip(source.packets, source.payloads) {
      _ = try writer.write(payload.span.bytes, at: packet.start)
      guard packet.start > 48_000, packet.start / 960 % 17 == 0 else { continue }
      let killed = folder.file("killed.opus", holding: contents(path))
      let duration = try #require(try Tool.probedDuration(killed))
      #expect(duration > Double(packet.granulePosition) / 48_000 - 1)
    }
    try writer.finish()
  }

  @Test func `opusenc files in a chain are read through`() throws {
    let folder = TemporaryFolder()
    let (one, two) = (try Encoded.tones(folder, seconds: 1), try Encoded.tones(folder, seconds: 2))
    let chain = Reading(path: folder.file("chain.opus", holding: contents(one) + contents(two)))
    let parts = [Reading(path: one), Reading(path: two)]
    #expect(chain.error == nil)
    #expect(chain.payloads == parts.flatMap(\.payloads))
    #expect(chain.packets.filter(\.startsNewChain).count == 1)
    #expect(chain.packets.filter(\.isLast).count == 2)
  }

  @Test func `a real file cut at every 97th byte keeps all whole pages`() throws {
    let folder = TemporaryFolder()
    let whole = contents(try Encoded.tones(folder, seconds: 2))
    let all = Reading(bytes: whole)
    for size in stride(from: 0, to: whole.count, by: 97) {
      let reading = Reading(bytes: Array(whole[..<size]))
      #expect(reading.payloads == Array(all.payloads[..<reading.payloads.count]))
      #expect(!reading.hasEndMark)
    }
  }
}
