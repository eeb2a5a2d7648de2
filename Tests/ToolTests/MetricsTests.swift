import Foundation
import Testing

/// `--metrics`: a port that strangers may connect to, in a command that must not miss a packet for them.
@Suite(.fewAtOnce) struct MetricsTests {
  @Test func `receive and send answer with their figures while a stream is on`() async throws {
    let receiver = try Jitterbug(
      ["receive", "--once", "--metrics", "\(Self.port(0))", "--idle-timeout", "20s", Exchange.anyPort])
    let sender = try Jitterbug(
      ["send", "--synthetic", "bytes=60,interval=5ms", "--duration", "150s", "--metrics", "127.0.0.1:\(Self.port(1))"]
        + [try await receiver.address()])
    try await receiver.says("metrics on http://127.0.0.1:\(Self.port(0))/metrics")
    try await receiver.says(": synthetic/90000")
    let heard = try Self.ask(Self.port(0), "GET /metrics HTTP/1.1\r\n\r\n")
    #expect(heard.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(heard.contains("jitterbug_stream_received_packets_total{ssrc="))
    let sent = try Self.ask(Self.port(1), "GET /metrics HTTP/1.0\r\n\r\n")
    #expect(sent.contains("jitterbug_send_packets_total{ssrc="))
    let head = try Self.ask(Self.port(0), "HEAD /metrics HTTP/1.1\r\n\r\n")
    #expect(head.hasSuffix("Connection: close\r\n\r\n"))
    #expect(try Self.ask(Self.port(0), "GET / HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 404 "))
    #expect(try Self.ask(Self.port(0), "PUT /metrics HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 405 "))
    #expect(try Self.ask(Self.port(0), "\u{16}\u{3}\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
    sender.signal(SIGINT)
    #expect(try await sender.end() == 0)
    #expect(try await receiver.end() == 0)
  }

  @Test func `whoever connects and says nothing, or never stops, is sent away, and others are answered`() async throws {
    let receiver = try Jitterbug(["receive", "--duration", "150s", "--metrics", "\(Self.port(2))", Exchange.anyPort])
    try await receiver.says("metrics on ")
    let silent = try (0..<40).map { _ in try Self.connect(Self.port(2)) }
    defer { for descriptor in silent { close(descriptor) } }
    // All places are taken: one more is closed unheard, until the silent ones have used up their 5 s.
    #expect(try Self.ask(Self.port(2), "GET /metrics HTTP/1.1\r\n\r\n").isEmpty)
    for descriptor in silent { #expect(Self.readAll(descriptor).isEmpty) }
    #expect(try Self.ask(Self.port(2), "GET /metrics HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
    let endless = "GET /metrics HTTP/1.1\r\n" + String(repeating: "x", count: 9000)
    #expect(try Self.ask(Self.port(2), endless).hasPrefix("HTTP/1.1 431 "))
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0)
  }

  @Test func `a place that can't be had is a failure with one sentence`() async throws {
    let taken = try Jitterbug(["receive", "--duration", "150s", "--metrics", "\(Self.port(3))", Exchange.anyPort])
    try await taken.says("metrics on ")
    let second = try Jitterbug(["receive", "--duration", "1s", "--metrics", "\(Self.port(3))", Exchange.anyPort])
    #expect(try await second.end() == 1)
    #expect(second.errors.contains("jitterbug: --metrics \(Self.port(3)): "))
    taken.signal(SIGINT)
    try await taken.end()
  }

  private static func port(_ place: Int) -> UInt16 { 22_600 + UInt16(place) }

  private static func connect(_ port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 40, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0, "\(String(cString: strerror(errno)))")
    return descriptor
  }

  private static func readAll(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while case let count = read(descriptor, &block, block.count), count > 0 { bytes += block[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func ask(_ port: UInt16, _ request: String) throws -> String {
    let descriptor = try connect(port)
    defer { close(descriptor) }
    let bytes = Array(request.utf8)
    // A connection that is closed unheard may be so before the request is written.
    _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    return readAll(descriptor)
  }
}
