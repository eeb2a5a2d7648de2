import Testing

/// The main job: a file goes from one process to another over a link without faults.
@Suite(.fewAtOnce) struct StreamingTests {
  @Test func `an Ogg Opus file arrives whole, and the Opus output holds its packets byte for byte`() async throws {
    let folder = try TemporaryFolder()
    let file = Made.opus(packets: 100)
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", folder.file("in.opus", holding: file)],
      receive: Exchange.patient + ["--output", folder.file("out.opus")])
    #expect(run.packets["expected"].int == 100)
    #expect(run.packets["unique"].int == 100)
    #expect(run.packets["lost"].int == 0)
    #expect(run.packets["played"].int == 100)
    #expect(run.packets["concealed"].int == 0)
    let copy = try OggPackets(contents(folder.file("out.opus")))
    #expect(copy.payloads == (0..<100).map { Made.packet($0) })
    #expect(copy.end == 100 * 960)
    #expect(run.heard["ended"].string == "the sender said goodbye")
    #expect(run.sent["sending"]["packets"].int == 100)
  }

  @Test func `the WAV output is as long as the media and its header is right`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 100))],
      receive: Exchange.patient + ["--output", folder.file("out.wav")])
    let wav = try WAVFile(contents(folder.file("out.wav")))
    #expect(wav.rate == 48_000)
    #expect(wav.channels == 2)
    #expect(wav.frames == 100 * 960)
    #expect(wav.isWhole)
    #expect(run.stream["media"]["duration_ms"].double == 2_000)
    #expect(run.stream["media"]["concealed_ms"].double == 0)
  }

  @Test(arguments: [1, 2])
  func `raw samples on standard output are exactly the media's, and the report goes to standard error`(
    channels: Int
  ) async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 100))],
      receive: Exchange.patient + ["--output", "-", "--channels", "\(channels)"])
    #expect(run.receiver.output.count == 2 * 48_000 * 2 * channels)
    #expect(run.receiver.errors.contains("100 expected · 100 arrived · 0 lost (0 %)"))
    #expect(run.sender.text.contains("100 packets"))
  }

  @Test func `a whole Ogg Opus file can be had on standard output`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50))],
      receive: Exchange.patient + ["--output", "-", "--output-format", "opus"])
    #expect(try OggPackets(run.receiver.output).payloads == (0..<50).map { Made.packet($0) })
  }

  @Test func `JSON is one object with every key of the design, and nothing else on standard output`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--json", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50))],
      receive: Exchange.patient + ["--json"])
    #expect(run.receiver.text.hasPrefix("{") && run.receiver.text.hasSuffix("}\n"))
    #expect(run.receiver.text.split(separator: "\n").count == 1)
    let report = try JSON(run.receiver.text)
    #expect(report.keys.isSuperset(of: ["tool", "version", "verb", "link", "streams"]))
    #expect(report["tool"].string == "jitterbug")
    #expect(report["verb"].string == "receive")
    let stream = report["streams"][0]
    #expect(report["streams"].count == 1)
    #expect(
      stream.keys.isSuperset(of: [
        "ssrc", "source", "encoding", "payload_type", "cname", "packets", "loss_ratio", "bursts", "gilbert",
        "jitter_ms", "delay_variation_ms", "buffer_ms", "round_trip_ms", "media", "quality",
      ]))
    #expect(
      stream["packets"].keys.isSuperset(of: [
        "expected", "received", "unique", "lost", "duplicates", "reordered", "late", "recovered", "played",
        "concealed", "discarded",
      ]))
    #expect(stream["bursts"].keys.isSuperset(of: ["count", "mean", "max"]))
    #expect(stream["gilbert"].keys.isSuperset(of: ["p", "r"]))
    #expect(stream["jitter_ms"].keys == ["last", "mean", "max"])
    #expect(stream["delay_variation_ms"].keys.isSuperset(of: ["p50", "p95", "p99", "max"]))
    #expect(stream["buffer_ms"].keys.isSuperset(of: ["target", "mean", "min", "max", "policy", "jitterBufferDelay"]))
    #expect(
      stream["media"].keys.isSuperset(of: ["duration_ms", "concealed_ms", "stretched_ms", "totalSamplesReceived"]))
    #expect(stream["quality"].keys.isSuperset(of: ["r_factor", "mos"]))
    #expect(stream["encoding"].string == "opus/48000/2")
    #expect(stream["payload_type"].int == 111)
    #expect(stream["ssrc"].string?.count == 10)
    #expect(stream["cname"].string?.contains("@") == true)
    let sent = try JSON(run.sender.text)
    #expect(sent["verb"].string == "send")
    #expect(sent["sending"]["packets"].int == 50)
  }

  @Test func `the report file has what standard output has, as text or as JSON`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 10))],
      receive: Exchange.patient)
    let text = folder.file("again.txt")
    let again = try await Jitterbug.run(["receive", "--duration", "0.05s", "--report", text, Exchange.anyPort])
    #expect(again.status == 0)
    #expect(String(decoding: contents(text), as: UTF8.self) == again.output)
    #expect(again.output.contains("No stream arrived."))
    #expect(run.heard["streams"].count == 1)
  }
}
