import Foundation
import Testing

/// A receiver that is stopped while its sender goes on: its socket overflows, and that isn't the network's fault.
@Suite(.fewAtOnce) struct PausedReceiverTests {
  private static let small = ["--socket-buffer", "20000"]
  private static let stream = ["--quiet", "--synthetic", "bytes=172,interval=2ms"]

  /// Whether the places add up to what was sent, and none of it was lost on the network.
  private func check(_ exchange: (sent: JSON, heard: JSON), dropsAtLeast least: Int) throws {
    let stream = exchange.heard["streams"][0]
    let (packets, loss) = (stream["packets"], stream["loss"])
    let sent = try #require(exchange.sent["sending"]["packets"].int)
    #expect(packets["sent"].int == sent && stream["tail"].string == "known by the sender's final count")
    let drops = try #require(loss["dropped_by_socket"].int)
    #expect(drops >= least && loss["network"].int == 0)
    #expect(exchange.heard["datagrams"]["dropped_by_socket"].int == drops)
    #expect(exchange.heard["datagrams"]["dropped_of_no_stream"].int == 0)
    let places = ["played", "network", "dropped_by_socket", "too_late", "discarded", "still_buffered"]
    let sum = try places.reduce(0) { try $0 + #require(loss[$1].int) }
    #expect(sum == sent && loss["total"].int == sent && sent == (packets["unique"].int ?? 0) + drops)
  }

  @Test func `what its socket dropped is told from what the network lost, and no delay is blamed on the network`()
    async throws
  {
    let folder = try TemporaryFolder()
    let reports = (folder.file("sent.json"), folder.file("heard.json"))
    let receiver = try Jitterbug(["receive", "--once", "--report", reports.1] + Self.small + [Exchange.anyPort])
    let address = try await receiver.address()
    let sender = try Jitterbug(["send", "--duration", "6s", "--report", reports.0] + Self.stream + [address])
    try await receiver.says("packets received")
    receiver.signal(SIGSTOP)
    try await Task.sleep(for: .seconds(1))
    receiver.signal(SIGCONT)
    #expect(try await sender.end() == 0)
    #expect(try await receiver.end() == 0)
    let heard = try JSON(path: reports.1)
    try check((JSON(path: reports.0), heard), dropsAtLeast: 100)
    // Datagrams waited for up to a second in the socket; by the kernel's stamps they weren't late.
    let waited = try #require(heard["datagrams"]["read_delay_ms"]["max"].double)
    let spread = try #require(heard["streams"][0]["delay_variation_ms"]["p95"].double)
    #expect(waited >= 900 && spread < waited / 2)
  }

  @Test func `what its socket dropped after the last packet that it read is told, too`() async throws {
    let folder = try TemporaryFolder()
    let reports = (folder.file("sent.json"), folder.file("heard.json"))
    let receiver = try Jitterbug(["receive", "--once", "--report", reports.1] + Self.small + [Exchange.anyPort])
    let address = try await receiver.address()
    let sender = try Jitterbug(["send", "--duration", "4s", "--report", reports.0] + Self.stream + [address])
    try await receiver.says("packets received")
    receiver.signal(SIGSTOP)
    #expect(try await sender.end() == 0)
    receiver.signal(SIGCONT)
    #expect(try await receiver.end() == 0)
    let heard = try JSON(path: reports.1)
    try check((JSON(path: reports.0), heard), dropsAtLeast: 100)
    #expect(heard["streams"][0]["packets"]["lost"].int == 0, "the numbers that arrived have no gap")
    #expect((heard["streams"][0]["packets"]["lost_at_ends"].int ?? 0) >= 100)
  }
}
