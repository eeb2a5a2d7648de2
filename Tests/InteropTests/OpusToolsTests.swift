import Foundation
import Testing

@Suite(
  .enabled(
    if: Program.areInstalled("opusenc", "opusdec", "opusinfo", "ffprobe"), "needs opus-tools and ffprobe"))
struct `Recordings of a bad network` {
  let folder = try? Folder()

  @Test func `are valid Ogg Opus and play in place`() async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let (copy, decoded) = (folder.file("copy.opus"), folder.file("decoded.wav"))
    let receiver = try await Receiver.start(in: folder, ["--output", copy])
    let sent = try await send(
      in: folder,
      ["--link", "loss=5%,burst=2,duplicate=2%,reorder=3%,jitter=5ms,seed=3", chirp.opus]
        + ["rtp://127.0.0.1:\(receiver.port)"])
    let stream = try await receiver.heard()["streams"][0]

    let lost = try #require(stream["packets"]["lost"].int)
    #expect(lost > 0)
    #expect(sent["link_record"]["lost"].int == lost)
    // A gap is filled with empty packets (RFC 7845 section 4.1).
    let originals = Set(try opusPackets(chirp.opus))
    let (received, filled) = try opusPackets(copy).reduce(into: (0, 0)) {
      if originals.contains($1) { $0.0 += 1 } else { $0.1 += 1 }
    }
    #expect(received == stream["packets"]["played"].int)
    #expect(filled > 0)

    let info = try Program("opusinfo", [copy])
    #expect(try await info.end() == 0)
    let warnings = (info.output + info.errors).split(separator: "\n").filter { $0.contains("WARNING") }
    let duration = try await Program.run(
      "ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", copy])
    let seconds = try #require(Double(duration.trimmingCharacters(in: .whitespacesAndNewlines)))
    // Not the packets times 20 ms: a sender that a busy machine holds up makes a pause, which is media time too.
    let expected = try #require(stream["media"]["duration_ms"].double) / 1000
    #expect(abs(seconds - expected) < 0.0201)
    // Each run of lost packets is a gap in the granule positions, which opusinfo points out.
    #expect(warnings.allSatisfy { $0.contains("gap") || $0.contains("hole") || $0.contains("granulepos") })
    try await Program.run("opusdec", ["--quiet", copy, decoded])
    #expect(try WAV(path: decoded).channels == 2)
  }
}
