import Glibc
import Testing

/// What becomes of H.264's parameter sets when the frame that brings them can't be written.
@Suite(.fewAtOnce) struct ParameterSetTests {
  /// Baseline, 320 x 240, and a picture parameter set.
  private static let sets: [[UInt8]] = [[0x67, 0x42, 0x00, 0x1e, 0xda, 0x05, 0x07, 0xe4], [0x68, 0xce, 0x3c, 0x80]]
  private static let picture: [UInt8] = [0x65, 0x88, 0x22, 0x33]

  private static func rtp(_ number: Int, timestamp: Int, marker: Bool, _ payload: [UInt8]) -> [UInt8] {
    [0x80, marker ? 0xe0 : 0x60] + Captures.big(UInt16(truncatingIfNeeded: number))
      + Captures.big(UInt32(truncatingIfNeeded: timestamp)) + Captures.big(7 as UInt32) + payload
  }

  @Test func `where none came the sentence says so`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(
      ["receive", "--output", folder.file("seen.h264"), "--idle-timeout", "60s"] + Exchange.patient + [Exchange.anyPort]
    )
    let socket = try TestSocket.datagrams()
    try socket.connectDatagrams(to: try await receiver.address())
    for number in 0..<30 {
      try socket.send(Self.rtp(number, timestamp: number * 3_600, marker: true, Self.picture))
    }
    _ = try await receiver.wait(for: "a stream") { receiver.errors.contains("H264") ? true : nil }
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 1)
    #expect(receiver.errors.contains("no parameter sets (SPS, PPS) came"), "\(receiver.errors)")
    #expect(!receiver.errors.contains("--damaged keep"))
  }

  @Test func `those of a damaged frame stand before the next one that is written`() async throws {
    let folder = try TemporaryFolder()
    let seen = folder.file("seen.h264")
    let receiver = try Jitterbug(
      ["receive", "--output", seen, "--idle-timeout", "60s"] + Exchange.patient + [Exchange.anyPort])
    let socket = try TestSocket.datagrams()
    try socket.connectDatagrams(to: try await receiver.address())
    // The packet 2 is lost.
    try socket.send(Self.rtp(0, timestamp: 0, marker: false, Self.sets[0]))
    try socket.send(Self.rtp(1, timestamp: 0, marker: false, Self.sets[1]))
    try socket.send(Self.rtp(3, timestamp: 0, marker: true, [0x65, 0x08, 0x11]))
    let code: [UInt8] = [0, 0, 0, 1]
    let expected = code + Self.sets[0] + code + Self.sets[1] + code + Self.picture
    var number = 4
    let start = ContinuousClock.now
    let written = try await receiver.wait(for: "a picture") { () -> [UInt8]? in
      let elapsed = ContinuousClock.now - start
      let timestamp = 3_600 + Int(elapsed / Duration.milliseconds(1)) * 90
      try socket.send(Self.rtp(number, timestamp: timestamp, marker: true, Self.picture))
      number += 1
      let bytes = contents(seen)
      return bytes.count >= expected.count ? bytes : nil
    }
    #expect(Array(written.prefix(expected.count)) == expected)
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0, "\(receiver.errors)")
  }
}
