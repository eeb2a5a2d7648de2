import Glibc
import Testing

/// When `send` reports first.
@Suite(.fewAtOnce) struct FirstReportTests {
  /// What half a second of media has led to: RTP and RTCP packets in their order, as a receiver of both sees them.
  @Test func `to one receiver it reports right behind the first packet`() async throws {
    let socket = try TestSocket.datagrams()
    let sender = try Jitterbug(
      [
        "send", "--synthetic", "bytes=100,interval=20ms", "--duration", "500ms", "--rtcp-mux",
        "rtp://127.0.0.1:\(try socket.port())",
      ])
    #expect(try await sender.end() == 0, "\(sender.errors)")
    var kinds: [UInt8] = []
    while let datagram = socket.read(limit: 2_000), datagram.count > 1 { kinds.append(datagram[1]) }
    let reports = kinds.indices.filter { kinds[$0] == 200 }
    #expect(kinds.count == 27)
    // A sender that was held up may have several packets to send at once.
    #expect(try #require(reports.first) > 0)
    #expect(try #require(reports.first) < 20)
    // The goodbye comes with the other one.
    #expect(reports.count == 2)
    #expect(reports.last == kinds.count - 1)
  }

  @Test func `to a group it reports with the goodbye alone, when that comes before its random time`() async throws {
    let folder = try TemporaryFolder()
    let report = folder.file("sent.json")
    let run = try await Jitterbug.run(
      [
        "send", "--synthetic", "bytes=100,interval=20ms", "--duration", "500ms", "--interface", "lo", "--ttl", "1",
        "--report", report, "rtp://239.255.77.1:20990",
      ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(try JSON(path: report)["sending"]["rtcp_packets"].int == 1)
  }
}
