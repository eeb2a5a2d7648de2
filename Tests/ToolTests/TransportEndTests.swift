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
    var datagrams: [(number: UInt16, packets: [UInt8])] = []
    func read() {
      while let datagram = socket.read(limit: 70_000) {
        guard !(192...223).contains(datagram[1]) else { continue }
        datagrams.append((UInt16(datagram[2]) << 8 | UInt16(datagram[3]), Array(datagram[12...])))
      }
    }
    // In the midst of the sixth picture or a later one.
    let least = (MadeFilm.tables + 5 * MadeFilm.packetsPerPicture + 10) / 7 + 1
    try await sender.wait(for: "its pictures") {
      read()
      return datagrams.count >= least ? () : nil
    }
    sender.signal(signal)
    #expect(try await sender.end() == 0)
    read()
    // A test that has to wait for its turn finds a full socket, so the sender's own account says how much it was.
    let told = try JSON(path: report)
    let sent = try #require(told["sending"]["bytes"].int) - 12 * #require(told["sending"]["packets"].int)
    #expect(sent < film.count)
    #expect(MadeFilm.wholePictures(in: sent) ?? 0 >= 6)
    let first = try #require(datagrams.first).number
    for (number, packets) in datagrams {
      let place = Int(number &- first) * 7 * MadeFilm.packetSize
      let isPart = place + packets.count <= sent && film[place..<(place + packets.count)] == packets[...]
      #expect(isPart, "datagram \(number)")
    }
    #expect(told["ended"].string == word)
    #expect(sender.text.contains("ended: \(word)"))
  }
}
