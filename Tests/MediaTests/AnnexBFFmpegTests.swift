import Packets
import Testing

@testable import Media

/// Clips that x264 makes, judged by ffmpeg: what went through our payloads decodes to the same pictures, and our times
/// are those of the file from which the clip was taken.
@Suite(.enabled(if: Tool.ffmpeg, "ffmpeg isn't installed")) struct AnnexBFFmpegTests {
  struct Clip: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var options: [String] = []
    var picture = "testsrc2=size=160x120:rate=25"
    var seconds = "2"
  }

  static let clips = [
    Clip(testDescription: "B-frames", options: ["-bf", "3", "-g", "20"]),
    Clip(
      testDescription: "a pyramid of B-frames", options: ["-bf", "8", "-x264-params", "b-pyramid=normal:b-adapt=0"],
      picture: "testsrc2=size=160x120:rate=60"),
    Clip(
      testDescription: "29.97 frames a second", options: ["-g", "15"], picture: "testsrc2=rate=30000/1001:size=160x120"),
    Clip(testDescription: "four slices", options: ["-x264-params", "slices=4", "-g", "25"]),
    Clip(testDescription: "delimiters and slices", options: ["-x264-params", "aud=1:slices=3", "-g", "25"]),
    Clip(testDescription: "open groups", options: ["-x264-params", "open-gop=1", "-g", "20"]),
    Clip(testDescription: "interlaced", options: ["-flags", "+ildct+ilme", "-x264-params", "tff=1"]),
    Clip(testDescription: "baseline", options: ["-profile:v", "baseline", "-g", "25"]),
    Clip(testDescription: "intra refresh", options: ["-tune", "zerolatency", "-x264-params", "intra-refresh=1"]),
    Clip(
      testDescription: "buffering periods and filler",
      options: ["-b:v", "300k", "-maxrate", "300k", "-bufsize", "300k", "-x264-params", "nal-hrd=cbr:filler=1"]),
    Clip(testDescription: "4:4:4 of ten bits", options: ["-pix_fmt", "yuv444p10"]),
    Clip(
      testDescription: "huge key frames", options: ["-qp", "1", "-g", "3", "-vf", "noise=alls=60"],
      picture: "testsrc2=size=1280x720:rate=25", seconds: "0.3"),
  ]

  @Test(arguments: clips) func `pictures are the same behind our payloads, and shown when the file says`(
    clip: Clip
  ) throws {
    let folder = TemporaryFolder()
    let (container, raw, seen) = (folder.file("clip.mp4"), folder.file("clip.h264"), folder.file("seen.h264"))
    let quiet = ["-v", "error", "-nostdin", "-y"]
    let encode = quiet + ["-f", "lavfi", "-i", clip.picture, "-t", clip.seconds, "-c:v", "libx264", "-threads", "1"]
    try #require(Tool.run("ffmpeg", encode + clip.options + [container]).status == 0)
    try #require(Tool.run("ffmpeg", quiet + ["-i", container, "-c", "copy", raw]).status == 0)
    let once = folder.file("once.h264", holding: Self.withoutRepeatedSets(contents(raw)))
    for (source, limit) in [(raw, 1_160), (raw, 90), (once, 1_160)] {
      let frames = try Self.pass(source, to: seen, limit: limit)
      #expect(try PayloadPassage.checksums(seen) == PayloadPassage.checksums(raw))
      #expect(try Self.shown(container) == frames.map(\.presentation))
      for (earlier, later) in zip(frames, frames.dropFirst()) { #expect(earlier.decode < later.decode) }
    }
  }

  /// Reads a file, sends each picture through payloads, and writes what comes out.
  private static func pass(_ path: String, to output: String, limit: Int) throws -> [VideoFrame] {
    var source = try MediaInput(path: path).videoSource()
    var writer = AnnexBWriter(output: try OutputFile(path: output))
    let frames = try PayloadPassage.frames(of: &source, through: VideoPacketizer(.h264, payloadLimit: limit)) {
      try writer.append($1.span.bytes)
    }
    try writer.finish()
    return frames
  }

  /// When a file's pictures are shown, in decoding order, in 1/90000 s since the first of them is.
  private static func shown(_ path: String) throws -> [Int64] {
    func probe(_ entry: String) throws -> [Substring] {
      let arguments = ["-v", "error", "-select_streams", "v", "-show_entries", entry, "-of", "csv=p=0", path]
      return try Tool.run("ffprobe", arguments).output.split { $0 == "\n" || $0 == "," || $0 == "/" }
    }
    let base = try #require(Int64(probe("stream=time_base").last ?? ""))
    let times = try probe("packet=pts").compactMap { Int64($0) }
    let first = try #require(times.first)
    return times.map { ($0 - first) * 90_000 / base }
  }

  /// The same file with its parameter sets at the beginning only.
  private static func withoutRepeatedSets(_ bytes: [UInt8]) -> [UInt8] {
    var cursor = AnnexBCursor()
    var seen: Set<UInt8> = []
    var result: [UInt8] = []
    while let range = cursor.next(in: bytes.span.bytes) {
      let type = H264NAL(header: bytes[range.lowerBound]).type
      if type == 7 || type == 8, !seen.insert(type).inserted { continue }
      result += [0, 0, 0, 1] + bytes[range]
    }
    return result
  }
}
