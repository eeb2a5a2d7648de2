import Packets
import Testing

@testable import Media

/// VP8 and transport streams as ffmpeg makes them: what went through our payloads is the same, and our times and the
/// pictures that we find are those that ffprobe finds.
@Suite(.enabled(if: Tool.ffmpeg, "ffmpeg isn't installed")) struct VideoFFmpegTests {
  struct Clip: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var options: [String] = []
    var picture = "testsrc2=size=160x120:rate=25"
  }

  @Test(arguments: [
    Clip(testDescription: "usual", options: ["-g", "20"]),
    Clip(testDescription: "frames that are never shown", options: ["-auto-alt-ref", "1", "-lag-in-frames", "16"]),
    Clip(testDescription: "partitions", options: ["-slices", "4", "-error-resilient", "partitions"]),
    Clip(testDescription: "29.97 frames a second", picture: "testsrc2=rate=30000/1001:size=160x120"),
    Clip(
      testDescription: "odd size, large key frames", options: ["-crf", "4"], picture: "testsrc2=size=641x359:rate=25"),
  ]) func `VP8 is the same behind our payloads, at the file's times`(clip: Clip) throws {
    let folder = TemporaryFolder()
    let (path, seen) = (folder.file("clip.ivf"), folder.file("seen.ivf"))
    try Self.encode(clip, ["-c:v", "libvpx", "-b:v", "400k"], to: path)
    for limit in [1_160, 100] {
      var source = try MediaInput(path: path).videoSource()
      var writer = IVFWriter(output: try OutputFile(path: seen))
      let packetizer = VideoPacketizer.vp8(VP8Packetizer(payloadLimit: limit, pictureID: 0x7ffe))
      let frames = try PayloadPassage.frames(of: &source, through: packetizer) { frame, bytes in
        try writer.append(bytes.span.bytes, at: frame.presentation)
      }
      try writer.finish()
      #expect(try PayloadPassage.checksums(seen) == PayloadPassage.checksums(path))
      let packets = try Self.packets(path)
      #expect(frames.map(\.isKey) == packets.map(\.isKey))
      #expect(frames.map(\.presentation) == packets.map(\.time))
      #expect(try Self.packets(seen).map(\.time) == packets.map(\.time))
    }
  }

  @Test func `ffprobe finds the duration of what we write as IVF`() throws {
    let folder = TemporaryFolder()
    let (path, seen) = (folder.file("clip.ivf"), folder.file("seen.ivf"))
    try Self.encode(Clip(testDescription: "usual"), ["-c:v", "libvpx", "-b:v", "400k"], to: path)
    var source = try MediaInput(path: path).videoSource()
    var writer = IVFWriter(output: try OutputFile(path: seen))
    var count = 0
    while let frame = try source.next() {
      try writer.append(frame.bytes.span.bytes, at: frame.presentation)
      count += 1
    }
    try writer.finish()
    let arguments = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", seen]
    let line = try #require(try Tool.run("ffprobe", arguments).output.split(separator: "\n").first)
    let duration = try #require(Double(line))
    #expect(abs(duration - Double(count) / 25) < 0.001, "\(duration) s of \(count) frames")
  }

  @Test(arguments: [
    Clip(testDescription: "H.264 with B-frames", options: ["-c:v", "libx264", "-bf", "2", "-g", "20"]),
    Clip(testDescription: "constant rate", options: ["-c:v", "libx264", "-g", "20", "-muxrate", "2M"]),
    Clip(testDescription: "MPEG-2", options: ["-c:v", "mpeg2video", "-b:v", "1M", "-bf", "2"]),
    Clip(testDescription: "a clock every 20 ms", options: ["-c:v", "libx264", "-pcr_period", "20"]),
  ]) func `a transport stream is the same behind our payloads, and its pictures are found`(clip: Clip) throws {
    let folder = TemporaryFolder()
    let (path, seen) = (folder.file("clip.ts"), folder.file("seen.ts"))
    try Self.encode(clip, ["-f", "lavfi", "-i", "sine=440", "-shortest", "-c:a", "aac"], to: path)
    var source = try MediaInput(path: path).videoSource()
    var writer = TransportStreamWriter(output: try OutputFile(path: seen))
    var monitor = TransportStreamMonitor()
    var pictures: [TransportStreamMonitor.Frame] = []
    let frames = try PayloadPassage.frames(of: &source, through: VideoPacketizer(.mpegTS, payloadLimit: 1_316)) {
      try writer.append($1.span.bytes)
      pictures += TransportFixture.pictures(in: $1, &monitor)
    }
    for (earlier, later) in zip(frames, frames.dropFirst()) { #expect(earlier.decode <= later.decode) }
    try writer.finish()
    if let picture = monitor.finish() { pictures.append(picture) }
    let isSame = contents(seen) == contents(path)
    #expect(isSame)
    let packets = try Self.packets(path)
    #expect(pictures.map(\.isKey) == packets.map(\.isKey))
    #expect(pictures.compactMap(\.presentation).map { $0 - (pictures[0].presentation ?? 0) } == packets.map(\.time))
    #expect(pictures.allSatisfy { !$0.isDamaged } && monitor.continuityErrors == 0)
    // Two seconds of media are sent in two seconds, give or take what a multiplexer sends ahead.
    #expect((150_000...220_000).contains(frames.last?.decode ?? 0))
  }

  @Test func `a transport stream of a disc is refused with what converts it`() throws {
    let folder = TemporaryFolder()
    let (path, converted) = (folder.file("clip.m2ts"), folder.file("clip.ts"))
    try Self.encode(
      Clip(testDescription: ""), ["-c:v", "libx264", "-mpegts_m2ts_mode", "1", "-f", "mpegts"], to: path)
    let result = VideoFixture.read(Array(contents(path).prefix(100_000)))
    #expect(result.error?.description.contains("packets of 192 bytes") == true)
    let convert = ["-v", "error", "-nostdin", "-y", "-i", path, "-map", "0", "-c", "copy", "-f", "mpegts", converted]
    try #require(Tool.run("ffmpeg", convert).status == 0)
    let format = try MediaInput(path: converted).format
    #expect(format == .transportStream)
  }

  private static func encode(_ clip: Clip, _ options: [String], to path: String) throws {
    let input = ["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", clip.picture]
    // Options of the encoder stand behind all inputs.
    try #require(Tool.run("ffmpeg", input + options + clip.options + ["-threads", "1", "-t", "2", path]).status == 0)
  }

  /// A file's pictures in decoding order: when each is shown, in 1/90000 s since the first of them is, and whether it
  /// is a key.
  private static func packets(_ path: String) throws -> [(time: Int64, isKey: Bool)] {
    func probe(_ entry: String) throws -> [[Substring]] {
      let arguments = ["-v", "error", "-select_streams", "v", "-show_entries", entry, "-of", "csv=p=0", path]
      return try Tool.run("ffprobe", arguments).output.split(separator: "\n").map { $0.split { ",/".contains($0) } }
    }
    let base = try probe("stream=time_base").last ?? []
    let (scale, rate) = try (#require(Int64(base.first ?? "")), #require(Int64(base.last ?? "")))
    let lines = try probe("packet=pts,flags")
    let first = try #require(Int64(lines.first?.first ?? ""))
    return lines.compactMap { line in
      guard let time = Int64(line.first ?? "") else { return nil }
      return ((time - first) * 90_000 * scale / rate, line.contains { $0.hasPrefix("K") })
    }
  }
}
