import Foundation
import Testing

/// Others' video into our receiver, and ours through a bad network: what is written decodes to the pictures of the file.
@Suite(.serialized, .enabled(if: Program.areInstalled("ffmpeg"), "needs ffmpeg"))
struct `video received` {
  let folder = try? Folder()

  /// Video of this kind: the clip, or what ffmpeg makes of it.
  private func media(_ kind: String) async throws -> String {
    guard kind != "h264" else { return VideoPictures.clip }
    let path = try #require(folder).file("clip.\(kind)")
    let encoder =
      kind == "ivf" ? ["libvpx", "-deadline", "realtime", "-b:v", "1M"] : ["libx264", "-bf", "2", "-preset", "fast"]
    try await Program.run(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "4", "-threads", "1", "-g", "25",
        "-c:v",
      ] + encoder + [path])
    return path
  }

  @Test(arguments: ["mp4", "ivf", "ts"])
  func `what ffmpeg sends is written with the pictures of the file`(kind: String) async throws {
    let folder = try #require(folder)
    let media = try await media(kind)
    let seen = folder.file(kind == "mp4" ? "seen.h264" : "seen.\(kind)")
    let port = try Ports.pair()
    let description = folder.file("theirs.sdp")
    let words = ["-v", "error", "-re", "-i", media, "-c", "copy", "-f"]
    let format = kind == "ts" ? ["rtp_mpegts"] : ["rtp", "-rtpflags", "send_bye"]
    let place = "rtp://127.0.0.1:\(port)"
    var options = ["--output", seen, "--idle-timeout", kind == "ts" ? "5s" : "60s"]
    if kind == "mp4" {
      // A moment to nobody, for the description: the parameter sets of an MP4 file are nowhere else.
      try await Program.run("ffmpeg", ["-t", "0.1"] + words + format + ["-sdp_file", description, place])
      options += ["--sdp", description]
    }
    let receiver = try await Receiver.start(in: folder, options, port: port)
    try await Program.run("ffmpeg", words + format + [place])
    // As a transport stream it says no goodbye, so only silence says that it is over.
    let stream = try await receiver.heard()["streams"][0]
    let (expected, got) = (try await VideoPictures.of(media, in: folder), try await VideoPictures.of(seen, in: folder))
    // ffmpeg keeps the last packets of a transport stream that don't fill a datagram.
    let whole = expected.sums.count - (kind == "ts" ? 1 : 0)
    #expect(got.sums.prefix(whole) == expected.sums.prefix(whole))
    #expect(got.sums.count == expected.sums.count)
    #expect(stream["media"]["kind"].string == "video")
    #expect(stream["packets"]["lost"].int == 0)
    #expect(stream["media"]["frames"]["shown"].int == expected.sums.count)
  }

  @Test(arguments: [[], ["--buffer", "adaptive"]])
  func `the usual buffer is enough for ffmpeg's transport stream with B-frames`(options: [String]) async throws {
    let folder = try #require(folder)
    let media = try await media("ts")
    var shown: [Int?] = []
    // A busy machine may hold a packet up for longer than the buffer is: one of three times it won't. With timestamps
    // taken for times of sending, one picture in a hundred could be shown.
    while shown.count < 3, shown.last != 100 {
      let port = try Ports.pair()
      let receiver = try await Receiver.start(
        in: folder, ["--output", folder.file("usual.ts"), "--idle-timeout", "5s"] + options, port: port,
        hasUsualBuffer: true)
      try await Program.run(
        "ffmpeg", ["-v", "error", "-re", "-i", media, "-c", "copy", "-f", "rtp_mpegts", "rtp://127.0.0.1:\(port)"])
      let stream = try await receiver.heard()["streams"][0]
      #expect(stream["packets"]["lost"].int == 0)
      #expect(stream["media"]["frames"]["expected"].int == 100)
      shown.append(stream["media"]["frames"]["shown"].int)
    }
    #expect(shown.last == 100, "\(shown)")
  }

  @Test(.enabled(if: Program.areInstalled("gst-launch-1.0"), "needs GStreamer's tools"))
  func `what GStreamer's rtph264pay sends is written with the pictures of the file`() async throws {
    let folder = try #require(folder)
    let seen = folder.file("seen.h264")
    // It sends no RTCP, so only silence says that it is over.
    let receiver = try await Receiver.start(in: folder, ["--output", seen, "--idle-timeout", "2s"])
    let pipeline = """
      -q filesrc location=\(VideoPictures.clip) ! h264parse ! rtph264pay config-interval=-1 mtu=1200 !
      udpsink host=127.0.0.1 port=\(receiver.port) sync=false
      """
    try await Program.run("gst-launch-1.0", pipeline.split(whereSeparator: \.isWhitespace).map(String.init))
    let stream = try await receiver.heard()["streams"][0]
    #expect(try await VideoPictures.of(seen, in: folder).sums == VideoPictures.of(VideoPictures.clip, in: folder).sums)
    #expect(stream["packets"]["lost"].int == 0)
    // Its parser makes up no times for a bare stream.
    #expect(stream["media"]["untimed_frames"].int == 150)
  }

  @Test(arguments: ["h264", "ivf", "ts"])
  func `what we send ourselves is written with the pictures of the file`(kind: String) async throws {
    let folder = try #require(folder)
    let media = try await media(kind)
    let seen = folder.file("seen.\(kind)")
    let receiver = try await Receiver.start(in: folder, ["--output", seen])
    _ = try await send(in: folder, [media, "rtp://127.0.0.1:\(receiver.port)"])
    let stream = try await receiver.heard()["streams"][0]
    let (expected, got) = (try await VideoPictures.of(media, in: folder), try await VideoPictures.of(seen, in: folder))
    #expect(got.sums == expected.sums)
    #expect(stream["media"]["frames"]["shown"].int == expected.sums.count)
    #expect(stream["media"]["frames"]["complete"].int == stream["media"]["frames"]["expected"].int)
  }

  @Test(arguments: ["h264", "ivf", "ts"], ["1%", "5%"])
  func `through losses just the frames that could be shown are written, and ffmpeg has nothing to complain of`(
    kind: String, loss: String
  ) async throws {
    let folder = try #require(folder)
    let media = try await media(kind)
    let seen = folder.file("seen.\(kind)")
    let receiver = try await Receiver.start(in: folder, ["--output", seen, "--link", "loss=\(loss),seed=3"])
    _ = try await send(in: folder, [media, "--seed", "1", "rtp://127.0.0.1:\(receiver.port)"])
    let stream = try await receiver.heard()["streams"][0]
    let got = try await VideoPictures.of(seen, in: folder)
    #expect(got.complaints.isEmpty)
    #expect(got.sums.count == stream["media"]["frames"]["shown"].int)
    #expect(Set(got.sums).isSubset(of: Set(try await VideoPictures.of(media, in: folder).sums)))
  }
}
