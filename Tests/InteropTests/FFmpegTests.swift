import Foundation
import Testing

@Suite(.enabled(if: Program.areInstalled("ffmpeg", "opusenc"), "needs ffmpeg and opusenc"))
struct `ffmpeg` {
  let folder = try? Folder()

  /// How the receiver learns what ffmpeg's payload type 97 stands for.
  enum Knowledge: String, CaseIterable {
    case sdp
    case suffix = "output suffix"
    case packets
  }

  @Test(arguments: Knowledge.allCases)
  func `sends and every packet arrives as it was in the file`(knowledge: Knowledge) async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let copy = folder.file("copy.opus")
    let description = folder.file("ffmpeg.sdp")
    let port = try Ports.pair()
    let out = ["-c:a", "copy", "-f", "rtp", "-rtpflags", "send_bye", "rtp://127.0.0.1:\(port)"]
    var options = ["--output", copy]
    switch knowledge {
    case .sdp:
      // A tenth of a second to nobody, for the description.
      let words = ["-v", "error", "-t", "0.1", "-i", chirp.opus, "-sdp_file", description]
      try await Program.run("ffmpeg", words + out)
      options += ["--sdp", description]
    case .suffix: break
    case .packets: options = []
    }
    let receiver = try await Receiver.start(in: folder, options, port: port)
    try await Program.run("ffmpeg", ["-v", "error", "-re", "-i", chirp.opus] + out)
    let stream = try await receiver.heard()["streams"][0]

    let packets = try opusPackets(chirp.opus)
    #expect(stream["payload_type"].int == 97)
    #expect(stream["encoding"].string == "opus/48000/2")
    #expect(stream["encoding_source"].string == knowledge.rawValue)
    #expect(stream["ended"].string == "the sender said goodbye")
    #expect(stream["packets"]["received"].int == packets.count)
    #expect(stream["packets"]["played"].int == packets.count)
    #expect(stream["packets"]["lost"].int == 0)
    #expect(stream["packets"]["concealed"].int == 0)
    #expect(stream["sender"]["packets"].int == packets.count)
    if knowledge != .packets { #expect(try opusPackets(copy) == packets) }
  }

  @Test(arguments: ["127.0.0.1", "[::1]"], ["chirp.opus", "chirp.wav"])
  func `plays what is sent to it, in place`(host: String, media: String) async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let port = try Ports.pair()
    let (description, heard) = (folder.file("ours.sdp"), folder.file("heard.wav"))
    let words = ["--seed", "1", "--sdp", description, folder.file(media), "rtp://\(host):\(port)"]
    // For the description; nobody listens yet.
    _ = try await send(in: folder, ["--duration", "100ms"] + words)
    let ffmpeg = try Program(
      "ffmpeg", ["-v", "verbose", "-protocol_whitelist", "file,udp,rtp", "-i", description, heard])
    try await ffmpeg.listens(on: port)
    let sent = try await send(in: folder, words)
    // Our goodbye ends it.
    #expect(try await ffmpeg.end() == 0)

    let packets = try #require(sent["sending"]["packets"].int)
    #expect((150...152).contains(packets))
    #expect(ffmpeg.errors.contains("\(packets) packets read"))
    #expect(!ffmpeg.errors.contains("missed"))
    let wav = try WAV(path: heard)
    #expect(wav.samples[0].count == packets * 960)
    let match = try chirp.match(wav.samples[0])
    #expect(match.lag == 312, "the encoder's pre-skip, which no RTP receiver can know")
    #expect(match.misplaced == 0)
  }
}
