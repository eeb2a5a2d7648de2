import Foundation
import Testing

/// The samples that a listener was given are those that the report counts, to the sample.
@Suite(.fewAtOnce) struct SampleAccountTests {
  /// Holds a stream's figures against the frames that were written.
  private func check(_ stream: JSON, frames: Int, _ comment: Comment? = nil) throws {
    let (buffer, media) = (stream["buffer_ms"], stream["media"])
    let total = try #require(media["totalSamplesReceived"].int, comment)
    #expect(frames == total, comment)
    func samples(_ key: String) throws -> Int {
      Int((try #require(media[key].double, comment) * 48).rounded())
    }
    func count(_ key: String) throws -> Int { try #require(media[key].int, comment) }
    let sum =
      try #require(buffer["jitterBufferEmittedCount"].int, comment) + samples("recovered_ms") + samples("silence_ms")
      + count("concealedSamples") + count("insertedSamplesForDeceleration") - count("removedSamplesForAcceleration")
      + count("resampled_samples")
    #expect(total == sum, comment)
  }

  @Test(arguments: ["60", "adaptive"], ["out.wav", "out.raw"])
  func `over a bad network`(buffer: String, name: String) async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: [folder.file("in.wav", holding: Made.wav(seconds: 5, rate: 44_100)), "--fec", "10%"],
      receive: ["--buffer", buffer, "--link", "wifi-busy,loss=5%,seed=3", "--output", folder.file(name)])
    let output = contents(folder.file(name))
    let frames = name == "out.raw" ? output.count / 4 : try WAVFile(output).frames
    try check(run.stream, frames: frames)
    #expect(run.stream["media"]["listener"].string == "decoded")
    #expect(try #require(run.stream["media"]["concealedSamples"].int) > 0)
  }

  @Test(arguments: ["60", "adaptive"], [true, false])
  func `when the sender dies, into a file and into a pipe`(buffer: String, isPipe: Bool) async throws {
    let folder = try TemporaryFolder()
    let report = folder.file("heard.json")
    let receiver = try Jitterbug([
      "receive", "--once", "--verbose", "--report", report, "--buffer", buffer, "--idle-timeout", "2s", "--output",
      isPipe ? "-" : folder.file("out.wav"), Exchange.anyPort,
    ])
    let file = folder.file("in.opus", holding: Made.opus(packets: 12_000))
    let sender = try Jitterbug(["send", file, try await receiver.address()])
    try await receiver.says("payload type 111")
    try await Task.sleep(for: .seconds(1))
    sender.signal(SIGKILL)
    _ = try await sender.end()
    #expect(try await receiver.end() == 0)
    let stream = try JSON(path: report)["streams"][0]
    #expect(stream["ended"].string == "nothing arrived for the idle timeout")
    let behind = try #require(stream["media"]["samples_after_end"].int)
    #expect(behind > 48_000)
    if isPipe {
      try check(stream, frames: receiver.output.count / 4)
      // They were heard, and made up.
      #expect(try #require(stream["media"]["concealedSamples"].int) >= behind)
    } else {
      let frames = try WAVFile(contents(folder.file("out.wav"))).frames
      try check(stream, frames: frames)
      #expect(try #require(stream["packets"]["played"].int) * 960 <= frames)
    }
  }

  @Test(arguments: ["60", "adaptive"], [true, false])
  func `when the sender stands still and goes on`(buffer: String, isPipe: Bool) async throws {
    let folder = try TemporaryFolder()
    let report = folder.file("heard.json")
    let receiver = try Jitterbug([
      "receive", "--once", "--verbose", "--report", report, "--buffer", buffer, "--output",
      isPipe ? "-" : folder.file("out.wav"), Exchange.anyPort,
    ])
    let file = folder.file("in.opus", holding: Made.opus(packets: 150))
    let sender = try Jitterbug(["send", file, try await receiver.address()])
    try await receiver.says("payload type 111")
    try await Task.sleep(for: .seconds(1))
    sender.signal(SIGSTOP)
    try await Task.sleep(for: .milliseconds(1500))
    sender.signal(SIGCONT)
    #expect(try await sender.end() == 0)
    #expect(try await receiver.end() == 0)
    let stream = try JSON(path: report)["streams"][0]
    let frames = isPipe ? receiver.output.count / 4 : try WAVFile(contents(folder.file("out.wav"))).frames
    try check(stream, frames: frames)
    #expect(frames >= 150 * 960)
  }

  /// A capture of `packets` packets of 20 ms whose sender's clock is off by `ppm`.
  private func capture(_ packets: Int, ppm: Double = 0, jitter: Int = 1) -> [UInt8] {
    var state = UInt32(1)
    return Captures.pcap(
      (0..<packets).map { number in
        state = state &* 1_664_525 &+ 1_013_904_223
        let sent = Double(number) * 20 / (1 + ppm / 1e6)
        let payload = Captures.rtp(number, type: 111, step: 960, payload: Made.packet(number))
        return (sent + Double(Int(state >> 16) % jitter), Captures.frame(payload))
      }.sorted { $0.0 < $1.0 })
  }

  @Test(arguments: [300.0, -300], ["20-200", "adaptive"])
  func `when clocks drift and audio is resampled`(ppm: Double, buffer: String) async throws {
    let folder = try TemporaryFolder()
    let file = folder.file("drift.pcap", holding: capture(900, ppm: ppm, jitter: 4))
    let run = try await Jitterbug.run([
      "analyze", file, "--format", "opus", "--buffer", buffer, "--json", "--extract", folder.file("heard"),
    ])
    #expect(run.status == 0, "\(run.errors)")
    let stream = try JSON(run.output)["streams"][0]
    let correction = try #require(stream["buffer_ms"]["drift_correction_ppm"].double)
    let lift = try #require(stream["buffer_ms"]["drift_lift_ppm"].double)
    // What isn't lift is the clock.
    #expect(abs(correction - lift + ppm) < 20, "\(correction) \(lift)")
    // A fast sender first brings what a drift takes of delay.
    #expect(stream["media"]["resampled_samples"].int != 0 || correction == 0)
    try check(stream, frames: try WAVFile(contents(folder.file("heard/01-0x0000cafe.wav"))).frames)
  }

  @Test func `an analysis has the same figures whether files are written or not`() async throws {
    let folder = try TemporaryFolder()
    let file = folder.file("rough.pcap", holding: capture(1500, jitter: 70))
    let words = ["analyze", file, "--format", "opus", "--buffer", "adaptive", "--json"]
    let (alone, extracting) = (
      try await Jitterbug.run(words), try await Jitterbug.run(words + ["--extract", folder.file("heard")])
    )
    #expect(alone.status == 0 && extracting.status == 0)
    #expect(alone.output == extracting.output)
    let media = try JSON(alone.output)["streams"][0]["media"]
    #expect(media["listener"].string == "decoded")
    #expect(try #require(media["stretches"].int) > 10)
  }

  @Test func `a receiver without an output listens too, and one that keeps all packets hears nothing of them`()
    async throws
  {
    let folder = try TemporaryFolder()
    let file = folder.file("in.opus", holding: Made.opus(packets: 150))
    let link = ["--buffer", "adaptive", "--link", "jitter=40ms,seed=2"]
    let plain = try await Exchange.run(in: folder, send: [file], receive: link)
    let kept = try await Exchange.run(
      in: folder, send: [file], receive: link + ["--record-all", "--output", folder.file("all.opus")])
    for run in [plain, kept] {
      #expect(run.stream["media"]["listener"].string == "decoded")
      #expect(try #require(run.stream["media"]["stretches"].int) > 0)
    }
    let packets = try OggPackets(contents(folder.file("all.opus"))).payloads.filter { $0.count > 2 }
    #expect(packets == (0..<150).map { Made.packet($0) })
    let written = try await Exchange.run(
      in: folder, send: [file], receive: link + ["--output", folder.file("heard.opus")])
    #expect(written.stream["media"]["listener"].string == "packets")
    #expect(written.stream["media"]["stretches"].int == 0)
  }
}
