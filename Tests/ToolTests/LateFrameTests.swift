import Glibc
import Testing

/// What a receiver says whose buffer is too short for the frames.
@Suite(.fewAtOnce) struct LateFrameTests {
  private static let sets: [[UInt8]] = [[0x67, 0x42, 0x00, 0x1e, 0xda, 0x05, 0x07, 0xe4], [0x68, 0xce, 0x3c, 0x80]]

  private static func rtp(_ number: Int, timestamp: Int, marker: Bool, _ payload: [UInt8]) -> [UInt8] {
    [0x80, marker ? 0xe0 : 0x60] + Captures.big(UInt16(truncatingIfNeeded: number))
      + Captures.big(UInt32(truncatingIfNeeded: timestamp)) + Captures.big(7 as UInt32) + payload
  }

  @Test func `where all frames came whole but too late the sentence asks for a longer buffer`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(
      ["receive", "--output", folder.file("seen.h264"), "--idle-timeout", "60s", Exchange.anyPort])
    let socket = try TestSocket.datagrams()
    try socket.connectDatagrams(to: try await receiver.address())
    var number = 0
    func put(_ timestamp: Int, marker: Bool, _ payload: [UInt8]) throws {
      try socket.send(Self.rtp(number, timestamp: timestamp, marker: marker, payload))
      number += 1
    }
    for set in Self.sets { try put(0, marker: false, set) }
    for frame in 0..<6 {
      try put(frame * 3_600, marker: false, [0x65, 0x88, 0x22, 0x33])
      // The second slice comes long after the frame was due.
      try await Task.sleep(for: .milliseconds(500))
      try put(frame * 3_600, marker: true, [0x65, 0x08, 0x22, 0x33])
    }
    try await Task.sleep(for: .milliseconds(500))
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 1)
    #expect(receiver.errors.contains("no key frame of the stream was whole in time"), "\(receiver.errors)")
    let advice = "came whole but too late: choose a longer buffer, such as --buffer 200"
    #expect(receiver.errors.contains(advice), "\(receiver.errors)")
    #expect(!receiver.errors.contains("--damaged keep"))
  }
}
