import Glibc
import Testing

/// Every kind of address, and peers that behave badly.
@Suite(.fewAtOnce) struct TransportTests {
  @Test(arguments: [
    Exchange.anyPort, "rtp://[::1]:\(Exchange.ports)", "tcp://127.0.0.1:\(Exchange.ports)",
    "tcp://[::1]:\(Exchange.ports)",
    "unix",
  ])
  func `a stream arrives whole`(at kind: String) async throws {
    let folder = try TemporaryFolder()
    let source = kind == "unix" ? "unix:" + folder.file("socket") : kind
    let run = try await Exchange.run(
      in: folder, at: source, send: ["--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50))],
      receive: Exchange.patient + ["--output", folder.file("out.opus")])
    #expect(run.packets["unique"].int == 50)
    #expect(run.packets["lost"].int == 0)
    #expect(run.heard["ended"].string == "the sender said goodbye")
    #expect(try OggPackets(contents(folder.file("out.opus"))).payloads == (0..<50).map { Made.packet($0) })
    if kind == "unix" { #expect(access(folder.file("socket"), F_OK) != 0) }
  }

  @Test func `RTCP on the RTP port gets through both ways`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: ["--rtcp-mux", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50))],
      receive: Exchange.patient + ["--rtcp-mux"])
    #expect(run.packets["lost"].int == 0)
    #expect(run.heard["ended"].string == "the sender said goodbye")
    #expect(run.heard["datagrams"]["rtcp"].int ?? 0 > 0)
    #expect(run.stream["sender"]["packets"].int == 50)
  }

  @Test func `one sender reaches several destinations of different kinds`() async throws {
    let folder = try TemporaryFolder()
    let sources = [Exchange.anyPort, "tcp://[::1]:\(Exchange.ports)", "unix:" + folder.file("socket")]
    let receivers = try sources.enumerated().map { index, source in
      try Jitterbug(["receive", "--once", "--json"] + Exchange.patient + [source])
    }
    var addresses: [String] = []
    for receiver in receivers { addresses.append(try await receiver.address()) }
    let sender = try Jitterbug(
      ["send", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50))] + addresses)
    #expect(try await sender.end() == 0)
    for receiver in receivers {
      #expect(try await receiver.end() == 0)
      #expect(try JSON(receiver.text)["streams"][0]["packets"]["unique"].int == 50)
    }
  }

  @Test func `a range of ports gives each receiver another one, and it says which`() async throws {
    let range = "127.0.0.1:\(Exchange.ports)"
    let receivers = try (0..<3).map { _ in try Jitterbug(["receive", "rtp://" + range]) }
    var addresses: Set<String> = []
    for receiver in receivers { addresses.insert(try await receiver.address()) }
    #expect(addresses.count == 3)
    #expect(addresses.allSatisfy { $0.hasPrefix("rtp://127.0.0.1:20") })
    for receiver in receivers {
      receiver.signal(SIGTERM)
      #expect(try await receiver.end() == 0)
    }
  }

  @Test func `a TCP client that stops inside a frame holds up no other, and its end is no harm`() async throws {
    let receiver = try Jitterbug(["receive", "--json", "--keep-running", "tcp://127.0.0.1:\(Exchange.ports)"])
    let address = try await receiver.address()
    let stalled = try TestSocket.connected(to: address)
    for number in 0..<5 { try stalled.send(Wire.frame(Wire.rtp(number, ssrc: 0xAA))) }
    try stalled.send(Array(Wire.frame(Wire.rtp(5, ssrc: 0xAA)).dropLast(20)))
    try await receiver.says("stream 0x000000aa")

    let folder = try TemporaryFolder()
    let sender = try Jitterbug(
      ["send", "--ssrc", "0xbb", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50)), address])
    #expect(try await sender.end() == 0)
    try await receiver.says("stream 0x000000bb ended: the sender said goodbye")

    stalled.reset()
    try await receiver.says("stream 0x000000aa ended: the sender closed the connection")
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0)
    let report = try JSON(receiver.text)
    #expect(report["streams"].count == 2)
    #expect(report["streams"][0]["packets"]["unique"].int == 5)
    #expect(report["streams"][1]["packets"]["unique"].int == 50)
    #expect(report["streams"][1]["packets"]["lost"].int == 0)
  }

  @Test func `the end of the connection ends the stream, with a goodbye or without`() async throws {
    // The end of the connection must be what ends it, however long this test takes to notice the stream.
    let receiver = try Jitterbug([
      "receive", "--json", "--once", "--idle-timeout", "60s", "tcp://127.0.0.1:\(Exchange.ports)",
    ])
    do {
      let client = try TestSocket.connected(to: try await receiver.address())
      for number in 0..<20 { try client.send(Wire.frame(Wire.rtp(number, ssrc: 0xAA))) }
      try await receiver.says("stream 0x000000aa")
    }
    #expect(try await receiver.end() == 0)
    let report = try JSON(receiver.text)
    #expect(report["ended"].string == "the sender closed the connection")
    #expect(report["streams"][0]["packets"]["played"].int == 20)
  }

  @Test func `a receiver that reads slowly gets every byte of every frame`() async throws {
    let listener = try TestSocket.listening()
    let sender = try Jitterbug([
      "send", "--json", "--speed", "max", "--synthetic", "bytes=1000,interval=1ms", "--duration", "3s", "--seed", "1",
      "tcp://127.0.0.1:\(try listener.port())",
    ])
    let connection = try await sender.wait(for: "its connection") { listener.accepted() }
    var bytes: [UInt8] = []
    while true {
      // Odd sizes, so that reads and frames end at different places.
      let piece = try await sender.wait(for: "its bytes") { connection.read(limit: 100_003) }
      if piece.isEmpty { break }
      bytes += piece
    }
    #expect(try await sender.end() == 0)
    let (datagrams, rest) = Wire.frames(bytes)
    #expect(rest == 0)
    let media = datagrams.filter { $0[1] & 0x7F == 112 }
    #expect(media.count == 3_000)
    #expect(media.allSatisfy { $0.count == 1_000 })
    let numbers = media.map { Int($0[2]) << 8 | Int($0[3]) }
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { ($0 + 1) & 0xFFFF == $1 })
    // The goodbye comes last.
    #expect(datagrams.last.map { $0[1] } == 200 || datagrams.last.map { $0[1] } == 201)
    #expect(try JSON(sender.text)["sending"]["packets"].int == 3_000)
  }

  @Test func `a receiver that goes away ends the sender with a sentence and status 1`() async throws {
    let listener = try TestSocket.listening()
    let folder = try TemporaryFolder()
    let sender = try Jitterbug([
      "send", "--loop", folder.file("in.opus", holding: Made.opus(packets: 50)),
      "tcp://127.0.0.1:\(try listener.port())",
    ])
    do {
      let connection = try await sender.wait(for: "its connection") { listener.accepted() }
      _ = try await sender.wait(for: "its bytes") { connection.read(limit: 100) }
      connection.reset()
    }
    #expect(try await sender.end() == 1)
    #expect(sender.errors.contains("the receiver closed the connection"))
    #expect(sender.text.contains("Sent as"))
  }
}
