import Glibc
import Testing

/// Every way in which a run ends; the report is always printed.
@Suite(.fewAtOnce) struct EndTests {
  @Test(arguments: [(SIGINT, "interrupted"), (SIGTERM, "terminated")])
  func `a signal ends the receiver with its report and status 0`(signal: Int32, reason: String) async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug([
      "receive", "--output", folder.file("x.wav"), "--report", folder.file("r.json"), Exchange.anyPort,
    ])
    let sender = try Self.endless(folder, to: try await receiver.address())
    try await receiver.says("stream 0x")
    try await Self.growth(of: folder.file("x.wav"), beyond: 30_000, receiver)
    receiver.signal(signal)
    #expect(try await receiver.end() == 0)
    #expect(receiver.text.contains("ended: \(reason)"))
    #expect(receiver.text.contains("Stream 0x"))
    let report = try JSON(path: folder.file("r.json"))
    let media = try #require(report["streams"][0]["media"]["duration_ms"].double)
    #expect(try WAVFile(contents(folder.file("x.wav"))).frames == Int((media * 48).rounded()))
    sender.signal(SIGKILL)
    try await sender.end()
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `a signal ends the sender with a goodbye, its report and status 0`(signal: Int32) async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--once", Exchange.anyPort])
    let sender = try Self.endless(folder, to: try await receiver.address())
    try await receiver.says("stream 0x")
    sender.signal(signal)
    #expect(try await sender.end() == 0)
    #expect(sender.text.contains("Sent as"))
    #expect(try await receiver.end() == 0)
    #expect(receiver.text.contains("ended: the sender said goodbye"))
  }

  @Test func `a signal ends a sender at full speed`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", Exchange.anyPort])
    let sender = try Self.endless(folder, to: try await receiver.address(), options: ["--speed", "max"])
    try await receiver.says("stream 0x")
    sender.signal(SIGINT)
    #expect(try await sender.end() == 0)
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 0)
  }

  @Test func `a signal ends a sender that waits for standard input`() async throws {
    let folder = try TemporaryFolder()
    let fifo = folder.file("fifo")
    try #require(mkfifo(fifo, 0o600) == 0)
    let sender = try Jitterbug(["send", fifo, "--raw", "s16le", "127.0.0.1:20998"])
    let writer = TestSocket(
      try await sender.wait(for: "its reading") {
        let descriptor = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
      })
    sender.signal(SIGTERM)
    #expect(try await sender.end() == 0)
    withExtendedLifetime(writer) {}
  }

  @Test func `silence for the idle timeout ends the stream`() async throws {
    let folder = try TemporaryFolder()
    // The sender's goodbye goes to the next port, where nobody listens.
    let run = try await Exchange.run(
      in: folder, send: ["--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50))],
      receive: ["--rtcp-mux", "--idle-timeout", "300ms"] + Exchange.patient)
    #expect(run.heard["ended"].string == "nothing arrived for the idle timeout")
    #expect(run.packets["played"].int == 50)
    #expect(run.packets["concealed"].int == 0)
  }

  @Test func `--duration ends the receiver in the middle of a stream`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--duration", "1.5s", "--json", Exchange.anyPort])
    let sender = try Self.endless(folder, to: try await receiver.address())
    #expect(try await receiver.end() == 0)
    #expect(try JSON(receiver.text)["ended"].string == "--duration")
    sender.signal(SIGINT)
    // Whoever sends to a port that was closed still ends well.
    #expect(try await sender.end() == 0)
  }

  @Test func `--once ends with the first stream without an output, and recording does by itself`() async throws {
    let folder = try TemporaryFolder()
    for options in [["--once"], ["--output", folder.file("x.wav")]] {
      let receiver = try Jitterbug(["receive"] + options + [Exchange.anyPort])
      let sender = try Jitterbug([
        "send", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 25)), try await receiver.address(),
      ])
      #expect(try await sender.end() == 0)
      #expect(try await receiver.end() == 0)
      #expect(receiver.text.contains("25 arrived"))
    }
  }

  @Test(arguments: ["wav", "opus"])
  func `a receiver killed in the middle leaves a file that holds all but the last second`(
    suffix: String
  ) async throws {
    let folder = try TemporaryFolder()
    let output = folder.file("x.\(suffix)")
    // With RTCP on one port at one end only the goodbye doesn't arrive: the stream has been played and is still open.
    let receiver = try Jitterbug(["receive", "--rtcp-mux", "--output", output, Exchange.anyPort])
    let sender = try Jitterbug([
      "send", folder.file("in.opus", holding: Made.opus(packets: 150)), try await receiver.address(),
    ])
    #expect(try await sender.end() == 0)
    try await Task.sleep(for: .milliseconds(200))
    receiver.signal(SIGKILL)
    #expect(try await receiver.end() == -SIGKILL)
    if suffix == "wav" {
      let wav = try WAVFile(contents(output))
      #expect(wav.frames >= 100 * 960)
    } else {
      let copy = try OggPackets(contents(output))
      #expect(copy.payloads.count >= 100)
      #expect(copy.payloads == (0..<copy.payloads.count).map { Made.packet($0) })
      #expect(copy.end == Int64(copy.payloads.count * 960))
    }
  }

  /// A sender that goes on until it is told to stop.
  private static func endless(_ folder: TemporaryFolder, to address: String, options: [String] = []) throws
    -> Jitterbug
  {
    try Jitterbug(["send", "--loop", folder.file("in.opus", holding: Made.opus(packets: 50))] + options + [address])
  }

  /// Waits until a file has more than `bytes`.
  private static func growth(of path: String, beyond bytes: Int, _ command: Jitterbug) async throws {
    try await command.wait(for: "\(path) to grow") { contents(path).count > bytes ? () : nil }
  }
}
