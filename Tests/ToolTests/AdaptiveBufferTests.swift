import Foundation
import Testing

/// The built command with a buffer that follows the network.
@Suite(.fewAtOnce) struct AdaptiveBufferTests {
  @Test func `over a bad network it plays, stretches and reports by the names of the W3C`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: [folder.file("in.opus", holding: Made.opus(packets: 400))],
      receive: [
        "--buffer", "adaptive", "--late-budget", "0.5%", "--link", "wifi-busy,seed=3", "--output",
        folder.file("out.wav"), "--report", folder.file("page.html"),
      ])
    let (buffer, media) = (run.stream["buffer_ms"], run.stream["media"])
    #expect(buffer["policy"].string == "adaptive")
    #expect(buffer["late_budget"].double == 0.005)
    #expect(buffer["target_min"].double == 0 && buffer["target_max"].double == 2000)
    let played = try #require(run.packets["played"].int)
    #expect(played > 300)
    #expect(buffer["jitterBufferEmittedCount"].int == played * 960)
    for key in ["jitterBufferDelay", "jitterBufferTargetDelay", "jitterBufferMinimumDelay"] {
      #expect(try #require(buffer[key].double) > 0, "\(key)")
    }
    let total = try #require(media["totalSamplesReceived"].int)
    let inserted = try #require(media["insertedSamplesForDeceleration"].int)
    let removed = try #require(media["removedSamplesForAcceleration"].int)
    #expect(try #require(media["concealedSamples"].int) >= media["silentConcealedSamples"].int ?? .max)
    #expect(try #require(media["concealmentEvents"].int) > 0)
    #expect(media["packetsDiscarded"].int == (run.packets["late"].int ?? 0) + (run.packets["discarded"].int ?? 0))
    // The file is what was heard: every sample that the report counts, but for what was filled in behind the last packet
    // and what resampling made of it.
    let wav = try WAVFile(contents(folder.file("out.wav")))
    let resampled = total / 1000 + 100
    #expect(abs(wav.frames - total) <= resampled, "\(wav.frames) \(total) +\(inserted) -\(removed)")
    #expect(run.receiver.text.contains("(adaptive within 0 to 2000 ms, for 0.5 % late)"))
  }

  @Test func `samples on a pipe are as many as the report counts`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: [folder.file("in.opus", holding: Made.opus(packets: 200))],
      receive: ["--buffer", "20-400", "--output", "-", "--link", "jitter=20ms,seed=2"])
    #expect(run.stream["buffer_ms"]["target_min"].double == 20)
    #expect(run.stream["buffer_ms"]["target_max"].double == 400)
    #expect(try #require(run.stream["buffer_ms"]["target"].double) >= 20)
    let total = try #require(run.stream["media"]["totalSamplesReceived"].int)
    // A pipe gets concealment at once, also what is filled in before it is known that the stream is over.
    #expect(abs(run.receiver.output.count / 4 - total) <= 48_000)
  }

  @Test func `a fixed buffer says so and stretches nothing`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50))],
      receive: Exchange.patient)
    let (buffer, media) = (run.stream["buffer_ms"], run.stream["media"])
    #expect(buffer["policy"].string == "fixed")
    #expect(buffer["late_budget"].double == nil && buffer["jitterBufferMinimumDelay"].double == nil)
    #expect(buffer["target_mean"].double == 1000)
    #expect(media["totalSamplesReceived"].int == 50 * 960)
    #expect(media["stretches"].int == 0 && media["insertedSamplesForDeceleration"].int == 0)
  }

  @Test func `--record-all keeps what a listener never heard`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: [folder.file("in.opus", holding: Made.opus(packets: 300))],
      receive: [
        "--record-all", "--buffer", "5", "--output", folder.file("all.opus"), "--link",
        "loss=3%,duplicate=3%,reorder=5%,jitter=60ms,seed=6",
      ])
    let late = try #require(run.packets["late"].int)
    #expect(late > 20)
    let unique = try #require(run.packets["unique"].int)
    let copy = try OggPackets(contents(folder.file("all.opus")))
    let sent = (0..<300).map { Made.packet($0) }
    let kept = copy.payloads.filter { $0.count > 2 }
    #expect(kept.count == unique)
    // In order, each once: what is left of the sent ones when the lost ones are taken out.
    var rest = kept[...]
    for packet in sent where rest.first == packet { rest.removeFirst() }
    #expect(rest.isEmpty)
  }

  @Test(.enabled(if: Captures.folder != nil, "the folder shared/captures isn't there"))
  func `a capture is played and asked what an adaptive buffer would have done`() async throws {
    let folder = try TemporaryFolder()
    let file = try #require(Captures.folder).appending(path: "ast-opus-2013785496.pcap").path
    let run = try Jitterbug([
      "analyze", file, "--what-if", "--buffer", "adaptive", "--json", "--extract", folder.file("heard"),
    ])
    #expect(try await run.end() == 0)
    let stream = try JSON(run.text)["streams"][0]
    let adaptive = stream["what_if_adaptive"]
    #expect(adaptive["late_budget"].double == 0.005)
    #expect(try #require(adaptive["delay_mean_ms"].double) > 0)
    #expect(try #require(adaptive["late_ratio"].double) < 0.02)
    #expect(stream["buffer_ms"]["policy"].string == "adaptive")
    let wav = try WAVFile(contents(folder.file("heard/01-0x1c2c77ca.wav")))
    let total = try #require(stream["media"]["totalSamplesReceived"].int)
    #expect(abs(wav.frames - total) <= total / 1000 + 100)
  }
}
