import Foundation
import Testing

@Suite(.enabled(if: Program.areInstalled("gst-launch-1.0", "opusenc"), "needs GStreamer's tools and opusenc"))
struct `GStreamer` {
  let folder = try? Folder()

  private static let caps = "application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111"

  /// The words of a pipeline, as a shell would split them.
  private static func pipeline(_ text: String) -> [String] {
    ["-q"] + text.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  @Test func `sends and every packet arrives as it was in the file`() async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let copy = folder.file("copy.opus")
    // It sends no RTCP, so only silence says that it is over.
    let receiver = try await Receiver.start(in: folder, ["--output", copy, "--idle-timeout", "2s"])
    try await Program.run(
      "gst-launch-1.0",
      Self.pipeline(
        """
        filesrc location=\(chirp.opus) ! oggdemux ! opusparse ! rtpopuspay ! udpsink host=127.0.0.1 port=\(receiver.port)
        """))
    let stream = try await receiver.heard()["streams"][0]

    let packets = try opusPackets(chirp.opus)
    #expect(stream["payload_type"].int == 96)
    #expect(stream["packets"]["received"].int == packets.count)
    #expect(stream["packets"]["played"].int == packets.count)
    #expect(stream["packets"]["lost"].int == 0)
    #expect(try opusPackets(copy) == packets)
  }

  @Test func `encodes and sends with RTCP and takes our reports`() async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let heard = folder.file("heard.wav")
    let receiver = try await Receiver.start(in: folder, ["--output", heard, "--channels", "1"])
    let own = try Ports.pair()
    let gstreamer = try Program(
      "gst-launch-1.0",
      Self.pipeline(
        """
        -v rtpbin name=b filesrc location=\(chirp.wav) ! wavparse ! audioconvert ! audioresample !
        opusenc bitrate=64000 ! rtpopuspay ! b.send_rtp_sink_0
        b.send_rtp_src_0 ! udpsink host=127.0.0.1 port=\(receiver.port) bind-port=\(own)
        b.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=\(receiver.port + 1) sync=false async=false
        """))
    // Its goodbye has come; gst-launch itself sometimes doesn't end behind rtpbin on a busy machine, and needn't.
    let stream = try await receiver.heard()["streams"][0]
    withExtendedLifetime(gstreamer) {}

    let packets = try #require(stream["packets"]["received"].int)
    #expect((150...152).contains(packets))
    #expect(stream["packets"]["lost"].int == 0)
    #expect(stream["packets"]["concealed"].int == 0)
    #expect(stream["encoding"].string == "opus/48000/2")
    #expect(stream["cname"].string?.isEmpty == false)
    #expect(stream["sender"]["packets"].int == packets)
    #expect(stream["ended"].string == "the sender said goodbye")
    #expect(try chirp.match(WAV(path: heard).samples[0]).misplaced == 0)
  }

  @Test(arguments: ["127.0.0.1", "::1"], ["chirp.opus", "chirp.wav"])
  func `plays what is sent to it, in place`(host: String, media: String) async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let port = try Ports.pair()
    let heard = folder.file("heard.wav")
    // It ends after as many packets as there are; one lost, and it would not end.
    let count = try opusPackets(chirp.opus).count
    let gstreamer = try Program(
      "gst-launch-1.0",
      Self.pipeline(
        """
        udpsrc address=\(host) port=\(port) num-buffers=\(count) caps=\(Self.caps) ! rtpjitterbuffer latency=500 !
        rtpopusdepay ! opusdec plc=true ! audioconvert ! wavenc ! filesink location=\(heard)
        """))
    try await gstreamer.listens(on: port)
    let place = host.contains(":") ? "[\(host)]" : host
    let sent = try await send(in: folder, ["--seed", "1", folder.file(media), "rtp://\(place):\(port)"])
    #expect(sent["sending"]["packets"].int == count)
    #expect(try await gstreamer.end() == 0)

    let wav = try WAV(path: heard)
    #expect(wav.samples[0].count == count * 960)
    let match = try chirp.match(wav.samples[0])
    #expect(match.lag == 312, "the encoder's pre-skip, which no RTP receiver can know")
    #expect(match.misplaced == 0)
  }

  @Test func `says how it received`() async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let (port, own) = (try Ports.pair(), try Ports.pair())
    let gstreamer = try Program(
      "gst-launch-1.0",
      Self.pipeline(
        """
        rtpbin name=b udpsrc port=\(port) caps=\(Self.caps) ! b.recv_rtp_sink_0
        b. ! rtpopusdepay ! opusdec ! fakesink
        udpsrc port=\(port + 1) ! b.recv_rtcp_sink_0
        b.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=\(own + 1) sync=false async=false
        """))
    try await gstreamer.listens(on: port)
    let sent = try await send(
      in: folder, ["--source-port", "\(own)", "--loop", "--duration", "12s", chirp.opus, "rtp://127.0.0.1:\(port)"])
    try await gstreamer.interrupt()

    let far = sent["sending"]["far_ends"][0]
    #expect((far["reports"].int ?? 0) > 0)
    #expect(far["cname"].string?.isEmpty == false)
    #expect(far["round_trip_ms"]["max"].double.map { $0 < 1000 } == true)
    #expect(far["xr"]["covered"].int == nil, "it sends no extended reports")
    // Its first report, made before its source is validated, counts the packet on probation twice.
    #expect((-1...0).contains(far["cumulative_lost"].int ?? 99))
  }

  @Test func `reports on a probe, whose report says that its figures are those of receiver reports`() async throws {
    let folder = try #require(folder)
    let (port, own) = (try Ports.pair(), try Ports.pair())
    let gstreamer = try Program(
      "gst-launch-1.0",
      Self.pipeline(
        """
        rtpbin name=b udpsrc port=\(port) caps=\(Self.caps) ! b.recv_rtp_sink_0
        udpsrc port=\(port + 1) ! b.recv_rtcp_sink_0 b. ! rtpopusdepay ! opusdec ! fakesink
        b.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=\(own + 1) sync=false async=false
        """))
    try await gstreamer.listens(on: port)
    let report = folder.file("probe.json")
    try await Program.run(
      Program.jitterbug,
      [
        "probe", "--source-port", "\(own)", "--duration", "8s", "--link", "loss=20%,seed=5", "--report", report,
        "rtp://127.0.0.1:\(port)",
      ])
    // gst-launch itself sometimes doesn't end behind rtpbin on a busy machine, and needn't.
    withExtendedLifetime(gstreamer) {}

    let probe = try Report(path: report)
    let up = probe["streams"][0]
    #expect(up["known_by"].string == "rr")
    #expect(up["packets"]["sent"].int == 400)
    // No more was lost than the link has dropped, and nearly as much by the time of its last report.
    let dropped = try #require(probe["link_record"]["lost"].int)
    #expect((1...dropped).contains(up["packets"]["lost"].int ?? 0))
    #expect(probe["verdict"]["up"]["known_by"].string == "rr")
    #expect(probe["verdict"]["text"].string?.contains("counts by sums, RFC 3550 A.3") == true)
  }
}
