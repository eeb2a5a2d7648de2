import Foundation
import Glibc
import Testing

/// What `send` makes of video: sessions, timestamps, sizes, answers.
@Suite(.fewAtOnce) struct VideoSendTests {
  /// A packet of RTP, as it came.
  private struct Packet {
    var bytes: [UInt8]
    var type: UInt8 { bytes[1] & 0x7F }
    var marker: Bool { bytes[1] & 0x80 != 0 }
    var timestamp: UInt32 { big(at: 4) }
    var ssrc: UInt32 { big(at: 8) }
    var payload: ArraySlice<UInt8> { bytes[12...] }

    func big(at place: Int) -> UInt32 { bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) } }

    /// Whether it is RTCP (RFC 5761 section 4).
    var isControl: Bool { (192...223).contains(bytes[1]) }
  }

  private static func packets(_ socket: TestSocket) -> [Packet] {
    var packets: [Packet] = []
    while let datagram = socket.read(limit: 70_000) { packets.append(Packet(bytes: datagram)) }
    return packets
  }

  /// Two sockets, the second one two ports above the first.
  private static func pair() throws -> (first: TestSocket, second: TestSocket, port: UInt16) {
    for _ in 0..<100 {
      let first = try TestSocket.datagrams()
      let port = try first.port()
      guard port < 65_000, let second = try? TestSocket.datagrams(port: port + 2) else { continue }
      return (first, second, port)
    }
    throw NoPorts()
  }

  private struct NoPorts: Error {}

  @Test func `audio and video are two sessions with one name, one clock and one description`() async throws {
    let folder = try TemporaryFolder()
    let (audio, video, port) = try Self.pair()
    let (report, description) = (folder.file("sent.json"), folder.file("both.sdp"))
    let sender = try Jitterbug([
      "send", folder.file("in.opus", holding: Made.opus(packets: 40)),
      folder.file("in.ivf", holding: Made.ivf(frames: [Int](repeating: 2_500, count: 20))), "--rtcp-mux", "--no-xr",
      "--sdp", description, "--report", report, "127.0.0.1:\(port)",
    ])
    #expect(try await sender.end() == 0)
    let heard = [Self.packets(audio), Self.packets(video)]
    var origins: [Double] = []
    for (packets, rate) in zip(heard, [48_000.0, 90_000.0]) {
      let media = packets.filter { !$0.isControl }
      let first = try #require(media.first)
      #expect(media.allSatisfy { $0.ssrc == first.ssrc })
      // A sender report's NTP time, taken back to the media's beginning by its RTP time.
      let control = try #require(packets.last { $0.isControl })
      let time = Double(control.big(at: 8)) + Double(control.big(at: 12)) / 4_294_967_296
      origins.append(time - Double(Int32(bitPattern: control.big(at: 16) &- first.timestamp)) / rate)
    }
    #expect((origins[0] - origins[1]).magnitude < 0.001)
    #expect(heard[0].allSatisfy { $0.isControl || $0.type == 111 })
    #expect(heard[1].allSatisfy { $0.isControl || $0.type == 98 })

    let sent = try JSON(path: report)
    #expect(sent["sending"]["media"]["kind"].string == "audio")
    #expect(sent["also_sending"][0]["media"]["kind"].string == "video")
    #expect(sent["also_sending"][0]["media"]["frames"].int == 20)
    #expect(sent["also_sending"][0]["media"]["key_frames"].int == 2)
    let lines = String(decoding: contents(description), as: UTF8.self).components(separatedBy: "\r\n")
    #expect(lines.contains("m=audio \(port) RTP/AVP 111"))
    #expect(lines.contains("m=video \(port + 2) RTP/AVP 98"))
    let names = lines.compactMap { $0.hasPrefix("a=ssrc:") ? $0.split(separator: " ").last : nil }
    #expect(names.count == 2)
    #expect(Set(names).count == 1)
  }

  @Test func `frames are cut to the limit, share a timestamp, and end with the marker`() async throws {
    let folder = try TemporaryFolder()
    let socket = try TestSocket.datagrams()
    let sizes = [10, 967, 968, 969, 5_000, 1_936]
    let sender = try Jitterbug([
      "send", folder.file("in.ivf", holding: Made.ivf(frames: sizes)), "--rtcp-mux", "--mtu", "1012", "--speed", "max",
      "--no-xr", "127.0.0.1:\(try socket.port())",
    ])
    #expect(try await sender.end() == 0)
    let packets = Self.packets(socket).filter { !$0.isControl }
    // 20 bytes of IP, 8 of UDP, 12 of RTP, 4 of VP8's descriptor.
    #expect(packets.allSatisfy { $0.bytes.count <= 1_012 - 28 })
    let first = try #require(packets.first?.timestamp)
    for (number, size) in sizes.enumerated() {
      let frame = packets.filter { $0.timestamp == first &+ UInt32(number * 3_600) }
      #expect(frame.reduce(0) { $0 + $1.payload.count - 4 } == size)
      #expect(frame.count == (size + 967) / 968)
      #expect(frame.map(\.marker) == [Bool](repeating: false, count: frame.count - 1) + [true])
    }
  }

  @Test func `the clip's parameter sets are in its description, and its times are its pictures'`() async throws {
    let folder = try TemporaryFolder()
    let socket = try TestSocket.datagrams()
    let (report, description) = (folder.file("sent.json"), folder.file("clip.sdp"))
    let clip = try ProjectFiles().root.appending(path: "samples/clip.h264").path
    let sender = try Jitterbug(
      [
        "send", "-", "--format", "h264", "--rtcp-mux", "--no-xr", "--speed", "max", "--duration", "0.5s", "--sdp",
        description, "--report", report, "127.0.0.1:\(try socket.port())",
      ], input: .pipe(Array(contents(clip).prefix(900_000))))
    #expect(try await sender.end() == 0)
    let text = String(decoding: contents(description), as: UTF8.self)
    #expect(text.contains("a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id="))
    #expect(text.contains(";sprop-parameter-sets="))
    let packets = Self.packets(socket).filter { !$0.isControl }
    #expect(packets.allSatisfy { $0.type == 96 })
    let frames = try #require(JSON(path: report)["sending"]["media"]["frames"].int)
    #expect(packets.count { $0.marker } == frames)
    // Presentation times: all different, and with B-frames not in order.
    let times = packets.filter(\.marker).map(\.timestamp)
    #expect(Set(times).count == frames)
    let steps = zip(times, times.dropFirst()).map { Int32(bitPattern: $1 &- $0) }
    #expect(steps.contains { $0 < 0 })
  }

  /// Seventy packets of nothing (RFC 2250 doesn't look into them), and a clock now and then.
  static var transportStream: [UInt8] {
    (0..<70).flatMap { number -> [UInt8] in
      var packet = [UInt8](repeating: 0xFF, count: 188)
      packet.replaceSubrange(0..<4, with: [0x47, 0x01, 0x00, 0x10 | UInt8(number & 15)])
      guard number % 10 == 0 else { return packet }
      // PCR of 27 MHz: 90 kHz in 33 bits, then 6 reserved ones and 9 bits.
      let clock = UInt64(number) * 900
      packet[3] = 0x30 | UInt8(number & 15)
      let high = (0..<4).map { UInt8(truncatingIfNeeded: clock >> (25 - 8 * $0)) }
      packet.replaceSubrange(4..<12, with: [7, 0x10] + high + [UInt8(clock & 1) << 7 | 0x7E, 0])
      return packet
    }
  }

  @Test func `a limit without room for a packet of a transport stream is refused`() async throws {
    let folder = try TemporaryFolder()
    let file = folder.file("in.ts", holding: Self.transportStream)
    let words = ["send", file, "--rtcp-mux", "--no-xr", "--speed", "max", "--mtu"]
    // 20 bytes of IP, 8 of UDP, 12 of RTP.
    let refused = try await Jitterbug.run(words + ["227", "127.0.0.1:20997"])
    #expect(refused.status == 1)
    #expect(
      refused.errors
        == "jitterbug: --mtu 227 leaves no room for a packet of a transport stream, which takes 228 bytes with its "
        + "headers: choose 228 to 65000\n")
    let socket = try TestSocket.datagrams()
    let kept = try await Jitterbug.run(words + ["228", "127.0.0.1:\(try socket.port())"])
    #expect(kept.status == 0)
    let packets = Self.packets(socket).filter { !$0.isControl }
    #expect(packets.count == 70)
    #expect(packets.flatMap(\.payload) == Self.transportStream)
  }

  @Test func `a transport stream goes seven packets at a time, or as many as the limit takes`() async throws {
    let folder = try TemporaryFolder()
    let stream = Self.transportStream
    let file = folder.file("in.ts", holding: stream)
    for (options, size) in [([], 1_316), (["--mtu", "1000"], 5 * 188)] {
      let socket = try TestSocket.datagrams()
      let sender = try Jitterbug(
        ["send", file, "--rtcp-mux", "--no-xr", "--speed", "max"] + options + ["127.0.0.1:\(try socket.port())"])
      #expect(try await sender.end() == 0)
      let packets = Self.packets(socket).filter { !$0.isControl }
      #expect(packets.allSatisfy { $0.type == 33 && !$0.marker && $0.payload.count <= size })
      #expect(packets.dropLast().allSatisfy { $0.payload.count == size })
      #expect(packets.flatMap(\.payload) == stream)
    }
  }

  /// Starts a sender and asks it for key frames, a second apart, until `isAnswered` says so of what came; its report.
  private static func ask(
    _ media: [String], in folder: TemporaryFolder, until isAnswered: ([[Packet]]) -> Bool
  ) async throws -> (media: JSON, text: String) {
    let socket = try TestSocket.datagrams()
    let report = folder.file("sent.json")
    let sender = try Jitterbug(
      ["send"] + media + [
        "--duration", "5m", "--rtcp-mux", "--no-xr", "--ssrc", "0x01020304", "--verbose", "--report", report,
        "127.0.0.1:\(try socket.port())",
      ])
    try await sender.says("sending to")
    let source = try #require(sender.errors.firstMatch(of: /from (127\.0\.0\.1:[0-9]+)/)?.1)
    try socket.connectDatagrams(to: String(source))
    var packets: [Packet] = []
    for turn in 0..<1_000 {
      packets += Self.packets(socket).filter { !$0.isControl }
      if isAnswered(Array(Dictionary(grouping: packets, by: \.timestamp).values)) { break }
      // An empty receiver report, then a picture loss indication (RFC 4585 section 6.3.1); after the first frame.
      if turn % 20 == 0, packets.contains(where: \.marker) {
        try socket.send([0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 206, 0, 2, 0, 0, 0, 7, 1, 2, 3, 4])
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    kill(sender.process, SIGINT)
    #expect(try await sender.end() == 0)
    return (try JSON(path: report)["sending"]["media"], sender.text)
  }

  @Test func `a request for a key frame is counted, and the synthetic source answers it by one`() async throws {
    let (media, text) = try await Self.ask(
      ["--synthetic", "fps=30,bitrate=500kbit,gop=100000"], in: TemporaryFolder()
    ) { frames in
      // A key frame has six times the usual two packets.
      frames.count { $0.count > 6 } >= 2
    }
    #expect((media["key_frame_requests"]["picture_loss_indications"].int ?? 0) >= 1)
    #expect((media["key_frame_requests"]["answered"].int ?? 0) >= 1)
    #expect((media["key_frames"].int ?? 0) >= 2)
    #expect(text.contains(/requests? for a key frame, answered/))
  }

  @Test func `a request for a key frame makes a file's parameter sets come before the next frame`() async throws {
    var hasCome = false
    let clip = try ProjectFiles().root.appending(path: "samples/clip.h264").path
    let (media, _) = try await Self.ask([clip, "--loop"], in: TemporaryFolder()) { frames in
      // Of a frame that isn't a key frame: parameter sets (7) first, and no IDR slice (5).
      hasCome = frames.contains { frame in
        let types = frame.map { Self.firstUnit(of: Array($0.payload)) }
        return frame.contains(where: \.marker) && types.contains(7) && !types.contains(5)
      }
      return hasCome
    }
    #expect(hasCome)
    #expect((media["key_frame_requests"]["answered"].int ?? 0) >= 1)
  }

  /// The type of the first NAL unit in a payload, which may be an aggregate (24) or a fragment (28).
  private static func firstUnit(of payload: [UInt8]) -> UInt8 {
    switch payload[0] & 31 {
    case 24: payload[3] & 31
    case 28: payload[1] & 31
    default: payload[0] & 31
    }
  }

  @Test func `what can't be sent gets one sentence`() async throws {
    let folder = try TemporaryFolder()
    let audio = folder.file("in.opus", holding: Made.opus(packets: 5))
    let video = folder.file("in.ivf", holding: Made.ivf(frames: [100, 100]))
    for (words, sentence) in [
      (
        [audio, video, "tcp://127.0.0.1:20997"],
        "tcp://127.0.0.1:20997 takes one stream, and audio and video are two: send them to rtp://HOST:PORT, or each by "
          + "a command of its own"
      ),
      (
        [audio, video, "--ssrc", "7", "127.0.0.1:20997"],
        "--ssrc names something of one stream, and audio and video are two: leave it out, or send each by a command of "
          + "its own"
      ),
    ] {
      let run = try await Jitterbug.run(["send"] + words)
      #expect(run.status == 1)
      #expect(run.errors == "jitterbug: \(sentence)\n")
    }
    // Bytes that are no video at all.
    let run = try await Jitterbug.run(
      ["send", "-", "--format", "h264", "127.0.0.1:20997"], input: .pipe([UInt8](repeating: 7, count: 5_000)))
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("jitterbug: standard input (-) is not video that can be sent"))
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test func `options that contradict the files are wrong usage, told before the first packet`() async throws {
    let folder = try TemporaryFolder()
    let audio = folder.file("in.opus", holding: Made.opus(packets: 5))
    let video = folder.file("in.ivf", holding: Made.ivf(frames: [100, 100]))
    let transport = folder.file("in.ts", holding: Self.transportStream)
    let clip = try ProjectFiles().root.appending(path: "samples/clip.h264").path
    let noVideo = "says how frames of video are cut and sent, and no input holds any: leave it out"
    let noFrames = "--fps tells the frames a second of H.264 or VP8, and no input holds any: leave it out"
    let socket = try TestSocket.datagrams()
    let address = "127.0.0.1:\(try socket.port())"
    for (words, sentence) in [
      ([audio, "--mtu", "500", "--pacing", "0"], "--mtu \(noVideo)"),
      ([audio, "--pacing", "0"], "--pacing \(noVideo)"),
      ([audio, "--fps", "25"], noFrames), ([transport, "--fps", "30"], noFrames),
      (
        [audio, "--format", "h264"], "--format tells what a video is, and every input tells by itself: leave it out"
      ),
      ([video, "--format", "h264"], "\(video) is VP8 by its bytes, and --format says H.264: leave --format out"),
      (
        [video, "--bitrate", "64k", "--dtx"],
        "--bitrate is for audio that is encoded, and video is sent as it is: leave it out"
      ),
      ([video, "--cbr"], "--cbr is for audio that is encoded, and video is sent as it is: leave it out"),
      (
        [video, video, clip],
        "\(video) is VP8 and \(clip) is H.264, and one stream has one of them: send each by a command of its own"
      ),
    ] as [([String], String)] {
      let run = try await Jitterbug.run(["send"] + words + [address])
      #expect(run.status == 2)
      #expect(run.errors == "jitterbug: \(sentence)\n")
    }
    #expect(Self.packets(socket).isEmpty)
    // With audio beside the video the encoder has something to do.
    let both = try await Jitterbug.run(
      ["send", folder.file("in.wav", holding: Made.wav(seconds: 0.1)), video, "--bitrate", "64k", "--speed", "max"]
        + ["--no-xr", address])
    #expect(both.status == 0, "\(both.errors)")
  }

  @Test(arguments: [[], ["--duration", "3s"]])
  func `a NAL unit with the forbidden bit is left out, and told also where the file isn't sent to its end`(
    options: [String]
  ) async throws {
    let folder = try TemporaryFolder()
    let socket = try TestSocket.datagrams()
    var bytes = contents(try ProjectFiles().root.appending(path: "samples/clip.h264").path)
    let codes = bytes.indices.dropLast(3).filter { bytes[$0] == 0 && bytes[$0 + 1] == 0 && bytes[$0 + 2] == 1 }
    let header = codes[40] + 3
    bytes[header] |= 0x80
    let clip = folder.file("broken.h264", holding: bytes)
    let run = try await Jitterbug.run(
      ["send", clip, "--speed", "max", "--quiet", "--no-xr", "--rtcp-mux", "127.0.0.1:\(try socket.port())"] + options)
    #expect(run.status == 1)
    #expect(
      run.errors
        == "jitterbug: “\(clip)” is damaged: 1 of its NAL units was left out: the forbidden bit is set, the first at "
        + "byte \(header); what is whole was used, make or fetch the file again for the rest\n")
  }

  @Test func `several videos are one stream`() async throws {
    let folder = try TemporaryFolder()
    let socket = try TestSocket.datagrams()
    let report = folder.file("sent.json")
    let one = folder.file("one.ivf", holding: Made.ivf(frames: [Int](repeating: 100, count: 10)))
    let sender = try Jitterbug([
      "send", one, one, "--speed", "max", "--rtcp-mux", "--no-xr", "--report", report,
      "127.0.0.1:\(try socket.port())",
    ])
    #expect(try await sender.end() == 0)
    let packets = Self.packets(socket).filter { !$0.isControl }
    let first = try #require(packets.first?.timestamp)
    #expect(packets.map { $0.timestamp &- first } == (0..<20).map { $0 * 3_600 })
    #expect(try JSON(path: report)["sending"]["media_ms"].double == 800)
  }
}
