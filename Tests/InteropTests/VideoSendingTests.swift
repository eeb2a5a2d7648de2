import Foundation
import Testing

/// Our video into others' receivers: they decode the very pictures that they decode from the file.
@Suite(.enabled(if: Program.areInstalled("ffmpeg"), "needs ffmpeg"))
struct `video sent` {
  let folder = try? Folder()

  /// Video of this kind: the clip, or what ffmpeg makes of it.
  private func media(_ kind: String) async throws -> String {
    guard kind != "h264" else { return VideoPictures.clip }
    let path = try #require(folder).file("clip.\(kind)")
    let encoder = kind == "ivf" ? ["libvpx", "-deadline", "realtime", "-b:v", "1M", "-g", "25"] : ["mpeg2video"]
    let source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "2"]
    try await Program.run("ffmpeg", ["-v", "error"] + source + ["-threads", "1", "-c:v"] + encoder + [path])
    return path
  }

  @Test(arguments: ["h264", "ivf", "ts"])
  func `ffmpeg decodes the pictures of the file`(kind: String) async throws {
    let folder = try #require(folder)
    let media = try await media(kind)
    let expected = try await VideoPictures.of(media, in: folder).sums
    let port = try Ports.pair()
    let (description, sums) = (folder.file("ours.sdp"), folder.file("heard.md5"))
    let words = ["--seed", "1", "--sdp", description, media, "rtp://127.0.0.1:\(port)"]
    // For the description; nobody listens yet.
    _ = try await send(in: folder, ["--duration", "100ms"] + words)
    // A busy machine may leave ffmpeg's socket unread until its buffer is full; it says so, and is then asked again.
    var isWhole = false
    for _ in 0..<5 where !isWhole {
      let ffmpeg = try Program(
        "ffmpeg",
        [
          "-v", "warning", "-y", "-protocol_whitelist", "file,udp,rtp", "-i", description, "-fps_mode", "passthrough",
          "-f", "framemd5", sums,
        ])
      try await ffmpeg.listens(on: port)
      let sent = try await send(in: folder, words)
      // Our goodbye ends it.
      #expect(try await ffmpeg.end() == 0)
      #expect(sent["sending"]["never_sent"].int == 0)
      isWhole = !ffmpeg.errors.contains("missed")
    }
    #expect(isWhole)
    let heard = try VideoPictures.sums(in: sums)
    if kind == "ts" {
      // Its demuxer waits for the beginning of the next picture to end the last one.
      #expect(heard.count >= expected.count - 1)
      #expect(heard == Array(expected.prefix(heard.count)))
    } else {
      #expect(heard == expected)
    }
  }

  @Test(
    .enabled(if: Program.areInstalled("gst-launch-1.0"), "needs GStreamer's tools"), arguments: ["127.0.0.1", "::1"])
  func `GStreamer's rtph264depay gives what ffmpeg decodes to the pictures of the file`(host: String) async throws {
    let folder = try #require(folder)
    let expected = try await VideoPictures.of(VideoPictures.clip, in: folder).sums
    let port = try Ports.pair()
    let heard = folder.file("heard.h264")
    let place = host.contains(":") ? "[\(host)]" : host
    let words = ["--seed", "1", VideoPictures.clip, "rtp://\(place):\(port)"]
    // It ends after as many packets as there are; one lost, and it would not end.
    let count = try #require(try await send(in: folder, ["--speed", "max"] + words)["sending"]["packets"].int)
    let caps = "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96"
    let pipeline = """
      -q udpsrc address=\(host) port=\(port) num-buffers=\(count) caps=\(caps) ! rtpjitterbuffer latency=500 !
      rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au ! filesink location=\(heard)
      """
    let gstreamer = try Program("gst-launch-1.0", pipeline.split(whereSeparator: \.isWhitespace).map(String.init))
    try await gstreamer.listens(on: port)
    let sent = try await send(in: folder, ["--speed", "0.5"] + words)
    #expect(sent["sending"]["packets"].int == count)
    #expect(try await gstreamer.end() == 0)
    #expect(try await VideoPictures.of(heard, ["-f", "h264"], in: folder).sums == expected)
  }
}
