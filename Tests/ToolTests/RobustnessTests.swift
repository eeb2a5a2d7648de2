import Glibc
import Testing

/// What a review broke, and what holds now: each of these failed once.
@Suite(.fewAtOnce) struct RobustnessTests {
  @Test func `a destination that isn't there doesn't keep the others from being served`() async throws {
    let folder = try TemporaryFolder()
    let dead: UInt16
    do { dead = try TestSocket.datagrams().port() }
    let receiver = try Jitterbug(["receive", "--once", "--json", Exchange.anyPort])
    let sender = try await Jitterbug.run([
      "send", folder.file("in.opus", holding: Made.opus(packets: 50)), "tcp://127.0.0.1:\(dead)",
      try await receiver.address(), "--wait", "0.2s",
    ])
    #expect(sender.status == 1)
    #expect(sender.errors.contains("127.0.0.1:\(dead) refused the connection"))
    #expect(try await receiver.end() == 0)
    #expect(try JSON(receiver.text)["streams"][0]["packets"]["unique"].int == 50)
  }

  @Test func `a beginning beyond the end of the input is an error`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Jitterbug.run([
      "send", folder.file("in.opus", holding: Made.opus(packets: 50)), "127.0.0.1:9", "--start", "10s",
    ])
    #expect(run.status == 1)
    #expect(run.errors.contains("nothing was sent: the input ends before --start"))
  }

  @Test func `two made-up packets don't take the output from the stream that follows`() async throws {
    let folder = try TemporaryFolder()
    let copy = folder.file("copy.opus")
    let receiver = try Jitterbug(["receive", "--output", copy, "--report", folder.file("r.json"), Exchange.anyPort])
    let address = try await receiver.address()
    try sendDatagrams((0..<2).map { Wire.rtp($0, ssrc: 0xbad) }, to: address)
    try await receiver.says("stream 0x00000bad")
    let sender = try await Jitterbug.run(["send", folder.file("in.opus", holding: Made.opus(packets: 150)), address])
    #expect(sender.status == 0)
    #expect(try await receiver.end() == 0)
    let streams = try JSON(path: folder.file("r.json"))["streams"]
    #expect(streams[1]["packets"]["played"].int == 150)
    // Half a second passes before the stray loses the output.
    #expect(contents(copy).count > contents(folder.file("in.opus")).count / 2)
  }

  @Test func `two packets of another format don't end a recording`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--output", folder.file("copy.wav"), "--json", Exchange.anyPort])
    let address = try await receiver.address()
    try sendDatagrams((0..<2).map { Wire.rtp($0, ssrc: 0xbad, payloadType: 0) }, to: address)
    try await receiver.says("stream 0x00000bad")
    let sender = try await Jitterbug.run(["send", folder.file("in.opus", holding: Made.opus(packets: 50)), address])
    #expect(sender.status == 0)
    #expect(try await receiver.end() == 0)
    #expect(try JSON(receiver.text)["streams"][1]["packets"]["played"].int == 50)
  }

  @Test func `a named pipe is read from its first byte`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--once", "--json", Exchange.anyPort])
    let file = folder.file("in.opus", holding: Made.opus(packets: 50))
    let sender = try await Jitterbug.run(
      ["send", "/dev/stdin", try await receiver.address()],
      wrapper: ["sh", "-c", "cat '\(file)' | \"$0\" \"$@\""])
    #expect(sender.status == 0, "\(sender.errors)")
    #expect(try await receiver.end() == 0)
    #expect(try JSON(receiver.text)["streams"][0]["packets"]["unique"].int == 50)
  }

  @Test func `a report that can't be written is an error`() async throws {
    let run = try await Jitterbug.run(
      ["receive", "--json", "--duration", "0.1s", Exchange.anyPort],
      wrapper: ["sh", "-c", "exec \"$0\" \"$@\" >/dev/full"])
    #expect(run.status == 1)
    #expect(run.errors.contains("standard output can't be written: No space left on device"))
  }

  @Test func `messages never go out by a socket, even when the standard descriptors are closed`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--once", "--json", Exchange.anyPort])
    let sender = try await Jitterbug.run(
      ["send", folder.file("in.opus", holding: Made.opus(packets: 20)), try await receiver.address()],
      wrapper: ["sh", "-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"])
    // There is nowhere to write the report to, and no way to say so.
    #expect(sender.status == 0 || sender.status == 1)
    #expect(try await receiver.end() == 0)
    let report = try JSON(receiver.text)
    #expect(report["streams"][0]["packets"]["unique"].int == 20)
    #expect(report["datagrams"]["invalid"].int == 0)
  }

  @Test func `a receiver can be stopped while nobody reads what it plays`() async throws {
    let folder = try TemporaryFolder()
    let fifo = folder.file("fifo")
    #expect(mkfifo(fifo, 0o600) == 0)
    // Held open by the test, which never reads from it.
    let reader = open(fifo, O_RDWR | O_CLOEXEC)
    defer { close(reader) }
    let receiver = try Jitterbug(
      ["receive", "--output", "-", Exchange.anyPort], wrapper: ["sh", "-c", "exec \"$0\" \"$@\" >'\(fifo)'"])
    let sender = try Jitterbug([
      "send", "--loop", folder.file("in.opus", holding: Made.opus(packets: 50)), try await receiver.address(),
    ])
    // The pipe holds 64 KiB, a third of a second.
    _ = try await receiver.wait(for: "a full pipe") {
      var bytes: Int32 = 0
      _ = ioctl(reader, UInt(FIONREAD), &bytes)
      return bytes > 60_000 ? bytes : nil
    }
    receiver.signal(SIGINT)
    #expect(try await receiver.end() == 1)
    #expect(receiver.errors.contains("ended"))
    sender.signal(SIGINT)
    #expect(try await sender.end() == 0)
  }

  /// Sends datagrams from one socket to `rtp://127.0.0.1:PORT`.
  private func sendDatagrams(_ datagrams: [[UInt8]], to address: String) throws {
    let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    for bytes in datagrams {
      let sent = withUnsafePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      #expect(sent == bytes.count)
    }
  }
}
