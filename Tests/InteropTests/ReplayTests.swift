import Foundation
import Testing

/// Other people's streams, sent to `jitterbug receive` packet by packet as they were captured.
///
/// The captures aren't part of the project, so this is skipped where they are missing.
@Suite(.enabled(if: Program.areInstalled("tshark"), "needs tshark, which reads the captures"))
struct `Real streams` {
  let folder = try? Folder()

  private static let captures: URL? = {
    var place = URL(filePath: #filePath)
    while place.path.count > 1 {
      place.deleteLastPathComponent()
      let candidate = place.appending(path: "shared/captures")
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
    }
    return nil
  }()

  /// A file, and the truth by the set of its sequence numbers.
  struct Truth: Sendable, CustomTestStringConvertible {
    let name: String
    let received, lost, reordered: Int
    var testDescription: String { name }

    init(_ name: String, _ received: Int, _ lost: Int, _ reordered: Int) {
      (self.name, self.received, self.lost, self.reordered) = (name, received, lost, reordered)
    }
  }

  private static let files = [
    Truth("webrtc-stereo_pcmu_jitter.pcap", 2009, 53, 468), Truth("webrtc-stereo_g729_jitter.pcap", 2009, 53, 468),
    Truth("webrtc-HRTF_pcm16wb_jitter.pcap", 1173, 19, 281),
    Truth("webrtc-hrtf_g722_1C_48_jitterT2.pcap", 1176, 16, 52),
    Truth("ast-opus-fec-dropped.pcapng", 2971, 29, 0), Truth("ast-opus-fec-rtp.pcapng", 3000, 0, 0),
  ]

  @Test(.enabled(if: captures != nil, "the folder shared/captures isn't there"), arguments: files)
  func `are counted as they are`(truth: Truth) async throws {
    let folder = try #require(folder)
    let path = try #require(Self.captures?.appending(path: truth.name).path)
    let text = try await Program.run("tshark", ["-r", path, "-Y", "udp", "-T", "fields", "-e", "udp.payload"])
    let receiver = try await Receiver.start(in: folder, ["--idle-timeout", "10s", "--socket-buffer", "8000000"])
    let datagrams = try Datagrams(to: receiver.port)
    for (index, line) in text.split(separator: "\n").enumerated() {
      datagrams.send(Self.bytes(line))
      // Faster than life, yet never more than a socket's buffer holds.
      if index % 20 == 19 { try await Task.sleep(for: .milliseconds(5)) }
    }
    let report = try await receiver.heard()
    #expect(report["datagrams"]["dropped_by_socket"].int == 0)
    try #require(report["streams"].count == 1)
    let packets = report["streams"][0]["packets"]
    #expect(packets["received"].int == truth.received)
    #expect(packets["unique"].int == truth.received)
    #expect(packets["lost"].int == truth.lost)
    #expect(packets["duplicates"].int == 0)
    #expect(packets["reordered"].int == truth.reordered)
    #expect(packets["rfc3550_lost"].int == truth.lost)
  }

  private static func bytes(_ hexadecimal: Substring) -> [UInt8] {
    let digits = hexadecimal.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
