import Foundation
import Packets
import Testing

/// Real traffic from other programs: every RTP and RTCP datagram that parses is written back to the same bytes.
///
/// The captures aren't part of the project, so this is skipped where they are missing.
@Suite struct `Captured packets` {
  private static let folder: URL? = {
    var place = URL(filePath: #filePath)
    while place.path.count > 1 {
      place.deleteLastPathComponent()
      let candidate = place.appending(path: "shared/captures")
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
    }
    return nil
  }()

  /// The files, and how many RTP packets there are in each at least, by tshark.
  private static let files = [
    ("sipp-g711a.pcap", 236), ("ast-opus-2013785496.pcap", 765), ("ast-rtp-crash-27382.pcap", 274),
    ("ast-40msalaw.pcap", 826), ("webrtc-stereo_pcmu_jitter.pcap", 2_009),
  ]

  @Test(.enabled(if: folder != nil, "the folder shared/captures isn't there"), arguments: files)
  func `parse and are written back`(name: String, packets: Int) throws {
    let url = try #require(Self.folder?.appending(path: name))
    var rtp = 0
    for datagram in Self.datagrams(in: [UInt8](try Data(contentsOf: url))) {
      switch DatagramKind.classify(datagram.span.bytes) {
      case .rtp:
        guard let again = Vectors.rewrittenRTP(datagram) else { continue }
        rtp += 1
        #expect(again == datagram)
      case .rtcp:
        if let again = Vectors.rewrittenRTCP(datagram) { #expect(again == datagram) }
      case .other: break
      }
    }
    #expect(rtp >= packets)
  }

  /// The UDP payloads over IPv4 in a little-endian pcap file with Ethernet, raw or cooked frames.
  private static func datagrams(in file: [UInt8]) -> [[UInt8]] {
    guard file.count >= 24 else { return [] }
    func little(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
    }
    let headSize = [1: 14, 101: 0, 113: 16, 228: 0][little(20)] ?? 14
    var result: [[UInt8]] = []
    var offset = 24
    while offset + 16 <= file.count {
      let frame = Array(file[(offset + 16)..<min(offset + 16 + little(offset + 8), file.count)].dropFirst(headSize))
      offset += 16 + little(offset + 8)
      guard frame.count > 20, frame[0] >> 4 == 4, frame[9] == 17 else { continue }
      let start = Int(frame[0] & 15) * 4 + 8
      guard frame.count >= start else { continue }
      let end = start - 8 + Int(frame[start - 4]) << 8 + Int(frame[start - 3])
      result.append(Array(frame[start..<max(start, min(end, frame.count))]))
    }
    return result
  }
}
