import Foundation
import Testing

/// What `jitterbug receive --reflect` says to datagrams that weren't made by a prober.
@Suite(.fewAtOnce) struct ReflectionTests {
  /// A compound packet with an APP packet named JTBG.
  private static func message(subtype: UInt8, data: [UInt8], size: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 9]
    let body = data + [UInt8](repeating: 0, count: size - 8 - 12 - data.count)
    let words = UInt16((12 + body.count) / 4 - 1)
    bytes += [0x80 | subtype, 204, UInt8(words >> 8), UInt8(words & 0xff), 0, 0, 0, 9] + Array("JTBG".utf8)
    return bytes + body
  }

  private static func request(_ nonce: UInt8, size: Int = 512) -> [UInt8] {
    message(subtype: 1, data: [1, 0, 0, 0] + [UInt8](repeating: nonce, count: 8), size: size)
  }

  /// A proof that asks for voice, 10 s long.
  private static func proof(_ token: [UInt8]) -> [UInt8] {
    let wish: [UInt8] = [
      1, 1, 0, 72, 0, 0, 0x4e, 0x20, 0, 0, 0, 0, 0, 0, 0x27, 0x10, 0, 0, 0, 0, 0, 0, 0xbb, 0x80,
    ]
    return message(subtype: 3, data: [1, 0, 0, 0] + token + wish, size: 512)
  }

  /// The token in a challenge; nil when it is none.
  private static func token(in bytes: [UInt8]) -> [UInt8]? {
    guard let name = bytes.indices.first(where: { bytes[$0...].starts(with: "JTBG".utf8) }), name >= 8,
      bytes[name - 8] == 0x82, bytes.count >= name + 4 + 28
    else { return nil }
    return Array(bytes[(name + 16)..<(name + 32)])
  }

  private static func connected(to address: String) throws -> TestSocket {
    let socket = try TestSocket.datagrams()
    try socket.connectDatagrams(to: address)
    return socket
  }

  /// Everything that comes within some time.
  private static func heard(_ socket: TestSocket, for time: Duration) async throws -> [[UInt8]] {
    let end = ContinuousClock.now + time
    var all: [[UInt8]] = []
    while true {
      // Looked at once more after the end: a busy machine may have slept past it.
      let isOver = ContinuousClock.now >= end
      while let bytes = socket.read(limit: 2_000), !bytes.isEmpty { all.append(bytes) }
      if isOver { return all }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  @Test func `forged requests get back no more bytes than came, and no media`() async throws {
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let socket = try Self.connected(to: try await receiver.address())
    var came = 0
    for index in 0..<200 {
      let kinds = [
        Self.request(UInt8(index & 0xff)), Self.request(1, size: 32), Self.request(2, size: 64),
        Self.proof([UInt8](repeating: UInt8(index & 0xff), count: 16)),
        Self.message(subtype: 2, data: [1, 0, 0, 0] + [UInt8](repeating: 7, count: 24), size: 100),
        Self.message(subtype: 9, data: [UInt8](repeating: 7, count: 24), size: 100),
      ]
      let bytes = kinds[index % kinds.count]
      came += bytes.count
      try socket.send(bytes)
    }
    let replies = try await Self.heard(socket, for: .seconds(2))
    let went = replies.reduce(0) { $0 + $1.count }
    #expect(went > 0 && went <= came)
    #expect(replies.allSatisfy { $0[1] == 201 }, "RTCP alone, no media")
    #expect(!receiver.errors.contains("reflecting to"))
  }

  @Test func `a token is of no use from another port, nor a second time`() async throws {
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let address = try await receiver.address()
    let (mine, other) = (try Self.connected(to: address), try Self.connected(to: address))
    try mine.send(Self.request(5))
    let challenge = try await receiver.wait(for: "a challenge") { mine.read(limit: 2_000) }
    let token = try #require(Self.token(in: challenge))
    try other.send(Self.proof(token))
    let refused = try await Self.heard(other, for: .milliseconds(500))
    #expect(refused.count == 1 && refused[0].count <= 512)
    #expect(!receiver.errors.contains("reflecting to"))
    // The address that it was sent to gets media by it, until it says goodbye.
    try mine.send(Self.proof(token))
    try await receiver.says("reflecting to 127.0.0.1:\(try mine.port())")
    let media = try await Self.heard(mine, for: .seconds(1))
    #expect(media.contains { $0[1] & 0x7f == 111 })
    try mine.send([0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 203, 0, 1, 0, 0, 0, 9])
    try await receiver.says("it said goodbye")
    _ = try await Self.heard(mine, for: .milliseconds(200))
    try mine.send(Self.proof(token))
    let again = try await Self.heard(mine, for: .milliseconds(500))
    #expect(again.allSatisfy { $0[1] == 201 } && again.count <= 1)
  }

  @Test func `an address that falls silent gets nothing more within seconds`() async throws {
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let socket = try Self.connected(to: try await receiver.address())
    try socket.send(Self.request(5))
    let challenge = try await receiver.wait(for: "a challenge") { socket.read(limit: 2_000) }
    try socket.send(Self.proof(try #require(Self.token(in: challenge))))
    try await receiver.says("reflecting to")
    try await receiver.says("nothing comes from there any more")
    let bytes = try await Self.heard(socket, for: .milliseconds(300)).reduce(0) { $0 + $1.count }
    // A second of voice is what a client may get before it has sent anything.
    #expect(bytes < 2 * 16_384)
    let after = try await Self.heard(socket, for: .seconds(1))
    #expect(after.isEmpty)
  }

  @Test func `a flood of forged requests leaves the receiver small and at work`() async throws {
    let receiver = try Jitterbug(["receive", "--reflect", Exchange.anyPort])
    let address = try await receiver.address()
    for _ in 0..<100 {
      let socket = try Self.connected(to: address)
      for nonce in 0..<100 { try? socket.send(Self.request(UInt8(nonce))) }
    }
    let run = try await Jitterbug.run(["probe", "--both-ways", "--duration", "1s", "--quiet", address])
    #expect(run.status == 0, "\(run.errors)")
    let status = String(decoding: contents("/proc/\(receiver.process)/status"), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS") })
    let kilobytes = try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) })
    #expect(kilobytes < 300_000)
  }
}
