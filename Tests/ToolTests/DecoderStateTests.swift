import Foundation
import Testing

/// What is concealed while a packet is waited for leaves nothing behind in the decoder.
@Suite(.fewAtOnce) struct DecoderStateTests {
  private let folder: TemporaryFolder
  /// Speech with in-band copies, 20 ms each.
  private let packets: [[UInt8]]

  init() async throws {
    folder = try TemporaryFolder()
    _ = try await Exchange.run(
      in: folder,
      send: [
        "--raw", "s16le,16000,1", "--fec", "20%", "--application", "voip", "--bitrate", "24k", "--speed", "max",
        folder.file("voice.raw", holding: Made.voice(seconds: 4)),
      ], receive: ["--record-all", "--output", folder.file("speech.opus")])
    packets = try OggPackets(contents(folder.file("speech.opus"))).payloads
    try #require(packets.count > 150)
  }

  /// What is heard of the packets when each takes so many milliseconds; nil for those that are lost.
  private func heard(_ buffer: String, _ name: String, _ delay: (Int) -> Double?) async throws -> (WAVFile, JSON) {
    let frames = packets.indices.compactMap { number in
      delay(number).map { late in
        (
          Double(number) * 20 + late,
          Captures.frame(Captures.rtp(number, type: 111, step: 960, payload: packets[number]))
        )
      }
    }
    let file = folder.file(name + ".pcap", holding: Captures.pcap(frames.sorted { $0.0 < $1.0 }))
    let run = try await Jitterbug.run([
      "analyze", file, "--format", "opus", "--channels", "1", "--buffer", buffer, "--json", "--extract",
      folder.file(name),
    ])
    try #require(run.status == 0, "\(run.errors)")
    return (
      try WAVFile(contents(folder.file(name + "/01-0x0000cafe.wav"))), try JSON(run.output)["streams"][0]
    )
  }

  /// Where 10 ms of `sound` from frame `start` on stand in `other`, to the bit.
  private func place(of start: Int, in sound: WAVFile, within other: WAVFile) -> Int? {
    let wanted = Array(sound.samples[start..<start + 480])
    return other.samples.withUnsafeBufferPointer { samples in
      (0..<max(0, samples.count - 480)).first { place in
        samples[place] == wanted[0] && samples[place + 479] == wanted[479]
          && (0..<480).allSatisfy { samples[place + $0] == wanted[$0] }
      }
    }
  }

  @Test(arguments: [0.0, 2], ["adaptive", "20-200"])
  func `on a clean network an adaptive buffer, once it has begun, plays what a fixed one plays, to the bit`(
    jitter: Double, buffer: String
  ) async throws {
    let delay: (Int) -> Double? = { Double($0 * 7919 % 101) / 100 * jitter }
    let (fixed, _) = try await heard("60", "fixed", delay)
    let (adaptive, stream) = try await heard(buffer, "adaptive", delay)
    #expect(stream["packets"]["played"].int == packets.count && stream["buffer_ms"]["underruns"].int == 0)
    #expect(fixed.frames == packets.count * 960)
    // In the first two seconds the delay that the start took may be taken back, once.
    let rest = (packets.count - 100) * 960 * fixed.channels
    #expect(adaptive.samples.suffix(rest) == fixed.samples.suffix(rest))
    #expect(try #require(stream["media"]["stretches"].int) <= 2)
  }

  @Test func `a packet that was waited for sounds as it would have in time, and so do those behind it`() async throws {
    let (clean, _) = try await heard("100", "clean") { _ in 0 }
    let (late, stream) = try await heard("adaptive", "late") { (100..<103).contains($0) ? Double(2060 - $0 * 20) : 0 }
    #expect(stream["packets"]["played"].int == packets.count && stream["packets"]["late"].int == 0)
    #expect(stream["buffer_ms"]["stalls"].int == 1)
    // Its beginning fades over from what was concealed, and some packets are shortened to take back the delay.
    let alike = (99..<120).filter { place(of: $0 * 960 + 480, in: clean, within: late) != nil }
    #expect(alike.starts(with: [99, 100, 101]) && alike.count > 14, "\(alike)")
  }

  @Test func `what is rebuilt of a packet whose beginning was concealed sounds as the whole of it would have`()
    async throws
  {
    let lost: (Int) -> Double? = { $0 == 100 ? nil : 0 }
    let (whole, _) = try await heard("100", "whole", lost)
    // Which delay lets the copy come in time for the second half depends on how the blocks lie.
    var found: WAVFile?
    for buffer in ["adaptive", "10-200", "15-200"] where found == nil {
      let (part, stream) = try await heard(buffer, "part-\(buffer)", lost)
      guard let rebuilt = stream["media"]["recovered_ms"].double, (9.0...11).contains(rebuilt) else { continue }
      #expect(stream["packets"]["recovered"].int == 0 && stream["packets"]["concealed"].int == 1)
      found = part
    }
    let part = try #require(found)
    let alike = (99..<120).filter { place(of: $0 * 960 + 480, in: whole, within: part) != nil }
    #expect(alike.contains(99) && Set(102..<108).isSubset(of: alike) && alike.count > 14, "\(alike)")
  }
}
