import Foundation
import Testing

/// Made-up packets, and what makes a stream repeatable.
@Suite(.fewAtOnce) struct SyntheticTests {
  @Test func `constant packets have exactly the size and the spacing asked for`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--synthetic", "bytes=172,interval=20ms", "--duration", "1s", "--speed", "max"],
      receive: ["--trace", folder.file("t.csv")])
    let trace = try Table(path: folder.file("t.csv"))
    #expect(trace.count == 50)
    #expect(try trace.numbers("bytes").allSatisfy { $0 == 172 })
    let timestamps = try trace.numbers("timestamp").map { UInt32(truncatingIfNeeded: $0) }
    #expect(zip(timestamps, timestamps.dropFirst()).allSatisfy { $1 &- $0 == 1_800 })
    #expect(run.packets["lost"].int == 0)
    #expect(run.stream["payload_type"].int == 112)
    #expect(run.sent["sending"]["media_ms"].double == 1_000)
  }

  @Test func `payload type 0 has the clock of PCMU`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: ["--synthetic", "bytes=172,interval=20ms", "--payload-type", "0", "--duration", "1s", "--speed", "max"],
      receive: ["--trace", folder.file("t.csv")])
    let timestamps = try Table(path: folder.file("t.csv")).numbers("timestamp").map { UInt32(truncatingIfNeeded: $0) }
    #expect(timestamps.count == 50)
    #expect(zip(timestamps, timestamps.dropFirst()).allSatisfy { $1 &- $0 == 160 })
    #expect(run.stream["encoding"].string?.hasPrefix("PCMU/8000") == true)
    #expect(run.stream["encoding_source"].string == "static table")
  }

  @Test func `frames like a video's are cut into packets within the limit, the last one marked`() async throws {
    let socket = try TestSocket.datagrams()
    let sender = try Jitterbug([
      "send", "--synthetic", "fps=30,bitrate=500kbit,gop=15", "--duration", "1s", "--mtu", "1000", "--speed", "max",
      "--rtcp-mux", "127.0.0.1:\(try socket.port())",
    ])
    #expect(try await sender.end() == 0)
    var packets: [[UInt8]] = []
    // All of it fits into the socket's buffer.
    while let datagram = socket.read(limit: 2_000) { packets.append(datagram) }
    packets.removeAll { $0[1] & 0x7F != 112 }
    // 20 bytes of IP and 8 of UDP belong to the limit.
    #expect(packets.allSatisfy { $0.count <= 972 })
    let frames = Dictionary(grouping: packets) { Array($0[4..<8]) }
    #expect(frames.count == 30)
    #expect(frames.values.contains { $0.count > 3 })
    for frame in frames.values {
      #expect(frame.map { $0[1] & 0x80 != 0 } == [Bool](repeating: false, count: frame.count - 1) + [true])
      #expect(frame.dropLast().allSatisfy { $0.count == 972 })
    }
    let bits = packets.reduce(0) { $0 + ($1.count - 12) * 8 }
    #expect((499_000...501_000).contains(bits))
  }

  @Test func `a receiver of frames like a video's counts them`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--synthetic", "fps=30,bitrate=500kbit,gop=15", "--duration", "1s"],
      receive: Exchange.patient)
    #expect(run.stream["encoding"].string?.hasPrefix("synthetic/90000") == true)
    #expect(run.stream["media"]["kind"].string == "video")
    #expect(run.stream["media"]["frames"]["expected"].int == 30)
  }

  @Test func `a frame is sent within a receiver's buffer however few there are`() async throws {
    let folder = try TemporaryFolder()
    // Half of their intervals is 500 ms.
    let run = try await Exchange.run(
      in: folder, send: ["--synthetic", "fps=1,bitrate=80kbit,gop=15", "--duration", "3s"],
      receive: ["--buffer", "400"])
    #expect(run.stream["media"]["packets_per_frame"]["max"].int ?? 0 > 5)
    #expect(run.stream["media"]["frames"]["complete"].int == 3)
    #expect(run.packets["late"].int == 0)
  }

  @Test func `at full speed everything gets through a connection, faster than it would play`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, at: "tcp://127.0.0.1:\(Exchange.ports)",
      send: ["--synthetic", "bytes=1000,interval=10ms", "--duration", "10m", "--speed", "max"])
    #expect(run.packets["unique"].int == 60_000)
    #expect(run.packets["lost"].int == 0)
    let duration = try #require(run.sent["duration_ms"].double)
    // Ten minutes of media: the test's own limit is one.
    #expect(duration < 600_000)
  }

  @Test func `the seed fixes the stream's numbers, and --ssrc its source`() async throws {
    var firsts: [[String]] = []
    for options in [["--seed", "7"], ["--seed", "7"], ["--seed", "8", "--ssrc", "0x1a2b3c4d"]] {
      let folder = try TemporaryFolder()
      let run = try await Exchange.run(
        in: folder, send: ["--synthetic", "bytes=60", "--duration", "0.4s", "--speed", "max"] + options,
        receive: ["--trace", folder.file("t.csv")])
      let trace = try Table(path: folder.file("t.csv"))
      let first = try ["sequence", "timestamp", "ssrc"].map { try trace.texts($0)[0] }
      #expect(run.stream["ssrc"].string == first[2])
      firsts.append(first)
    }
    #expect(firsts[0] == firsts[1])
    #expect(firsts[0] != firsts[2])
    #expect(firsts[2][2] == "0x1a2b3c4d")
  }

  @Test func `the session description says what is sent, and a receiver believes it`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("stream.sdp")
    let written = try await Jitterbug.run([
      "send", "--sdp", path, "--payload-type", "97", "--ssrc", "0x1a2b3c4d", "--cname", "someone@somewhere", "--speed",
      "max", folder.file("in.opus", holding: Made.opus(packets: 5)), "rtp://127.0.0.1:20990",
    ])
    #expect(written.status == 0)
    let text = String(decoding: contents(path), as: UTF8.self)
    let lines = text.components(separatedBy: "\r\n")
    #expect(lines.prefix(2) == ["v=0", "o=- 439041101 1 IN IP4 127.0.0.1"])
    for line in [
      "s=jitterbug", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 20990 RTP/AVP 97", "a=rtpmap:97 opus/48000/2",
      "a=fmtp:97 sprop-stereo=1", "a=ssrc:439041101 cname:someone@somewhere",
    ] {
      #expect(lines.contains(line), "\(text)")
    }
    #expect(text.hasSuffix("\r\n"))
    let run = try await Exchange.run(
      in: folder, send: ["--payload-type", "97", "--speed", "max", folder.file("in.opus")],
      receive: ["--sdp", path])
    #expect(run.stream["encoding"].string == "opus/48000/2")
    #expect(run.stream["encoding_source"].string == "sdp")
  }
}
