import Glibc
import Testing

/// A transport stream's sender never leaves half a picture behind, which at the receiver looks like a whole one.
@Suite(.fewAtOnce) struct TransportEndTests {
  /// The packets of the stream that came to a socket, RTCP left out.
  private static func packets(_ socket: TestSocket) -> [UInt8] {
    var result: [UInt8] = []
    while let datagram = socket.read(limit: 70_000) {
      if !(192...223).contains(datagram[1]) { result += datagram[12...] }
    }
    return result
  }

  @Test(arguments: [(0.5, 13), (0.48, 13), (0.401, 11), (3.0, 20)])
  func `with --duration it ends where the next picture would begin`(seconds: Double, pictures: Int) async throws {
    let folder = try TemporaryFolder()
    let socket = try TestSocket.datagrams()
    let film = MadeFilm(pictures: 20).bytes
    let sender = try Jitterbug([
      "send", folder.file("in.ts", holding: film), "--rtcp-mux", "--no-xr", "--speed", "20", "--duration",
      "\(seconds)s", "127.0.0.1:\(try socket.port())",
    ])
    #expect(try await sender.end() == 0)
    let sent = Self.packets(socket)
    #expect(sent == Array(film.prefix(sent.count)))
    #expect(MadeFilm.wholePictures(in: sent.count) == pictures)
  }

  @Test func `--loop and --duration end it there too`() async throws {
    let folder = try TemporaryFolder()
    let socket = try TestSocket.datagrams()
    let film = MadeFilm(pictures: 10).bytes
    let sender = try Jitterbug([
      "send", folder.file("in.ts", holding: film), "--rtcp-mux", "--no-xr", "--speed", "20", "--loop", "--duration",
      "0.65s", "127.0.0.1:\(try socket.port())",
    ])
    #expect(try await sender.end() == 0)
    let sent = Self.packets(socket)
    #expect(sent.count > film.count)
    #expect(sent.starts(with: film))
    let rest = sent.dropFirst(film.count)
    #expect(Array(rest) == Array(film.prefix(rest.count)))
    #expect(MadeFilm.wholePictures(in: rest.count) ?? 0 >= 6)
  }

  @Test(arguments: [(SIGINT, "interrupted"), (SIGTERM, "terminated")])
  func `a signal lets it finish the picture`(signal: Int32, word: String) async throws {
    let folder = try TemporaryFolder()
    let socket = try TestSocket.datagrams()
    let film = MadeFilm(pictures: 500).bytes
    let report = folder.file("sent.json")
    let sender = try Jitterbug([
      "send", folder.file("in.ts", holding: film), "--rtcp-mux", "--no-xr", "--report", report,
      "127.0.0.1:\(try socket.port())",
    ])
    var sent: [UInt8] = []
    // In the midst of the sixth picture or a later one.
    let least = (MadeFilm.tables + 5 * MadeFilm.packetsPerPicture + 10) * MadeFilm.packetSize
    try await sender.wait(for: "its pictures") {
      sent += Self.packets(socket)
      return sent.count >= least ? () : nil
    }
    sender.signal(signal)
    #expect(try await sender.end() == 0)
    sent += Self.packets(socket)
    #expect(sent.count < film.count)
    #expect(sent == Array(film.prefix(sent.count)))
    #expect(MadeFilm.wholePictures(in: sent.count) ?? 0 >= 6)
    #expect(try JSON(path: report)["ended"].string == word)
    #expect(sender.text.contains("ended: \(word)"))
  }
}
