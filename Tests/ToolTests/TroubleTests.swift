import Glibc
import Testing

/// Trouble with sockets and outputs: survived and counted where it may pass, one sentence where it can't.
@Suite(.fewAtOnce) struct TroubleTests {
  @Test func `sending to a port where nobody listens is survived, counted and ends with status 0`() async throws {
    let folder = try TemporaryFolder()
    let port: UInt16
    do { port = try TestSocket.datagrams().port() }
    let run = try await Jitterbug.run([
      "send", "--json", "--speed", "4", folder.file("in.opus", holding: Made.opus(packets: 50)), "127.0.0.1:\(port)",
    ])
    #expect(run.status == 0)
    let sending = try JSON(run.output)["sending"]
    #expect(sending["packets"].int == 50)
    let kind = try #require(sending["socket_errors"].keys.first)
    #expect(kind == "nobody listens at the destination")
    #expect(try #require(sending["socket_errors"][kind].int) > 10)
  }

  @Test func `a receiver that comes late gets the rest of the stream`() async throws {
    let folder = try TemporaryFolder()
    let port: UInt16
    let sender: Jitterbug
    do {
      let holder = try TestSocket.datagrams()
      port = try holder.port()
      sender = try Jitterbug([
        "send", "--loop", folder.file("in.opus", holding: Made.opus(packets: 50)), "127.0.0.1:\(port)", "--rtcp-mux",
      ])
      _ = try await sender.wait(for: "its packets") { holder.read(limit: 2_000) }
    }
    // Now nobody listens, until:
    let receiver = try Jitterbug(["receive", "--rtcp-mux", "--once", "rtp://127.0.0.1:\(port)"])
    _ = try await receiver.address()
    try await receiver.says("stream 0x")
    sender.signal(SIGINT)
    #expect(try await sender.end() == 0)
    #expect(try await receiver.end() == 0)
    #expect(receiver.text.contains("ended: the sender said goodbye"))
  }

  @Test func `a taken UDP port is named, with status 1`() async throws {
    let holder = try TestSocket.datagrams()
    let run = try await Jitterbug.run(["receive", "rtp://127.0.0.1:\(try holder.port())"])
    #expect(run.status == 1)
    #expect(
      run.errors
        == "jitterbug: port \(try holder.port()) on 127.0.0.1 is already in use by another program: choose another port "
        + "or stop that program\n")
    #expect(run.output.isEmpty)
  }

  @Test func `a taken TCP port and a taken path are named, with status 1`() async throws {
    let folder = try TemporaryFolder()
    let holder = try TestSocket.listening()
    let run = try await Jitterbug.run(["receive", "tcp://127.0.0.1:\(try holder.port())"])
    #expect(run.status == 1)
    #expect(run.errors.contains("port \(try holder.port()) on 127.0.0.1 is already in use"))
    let first = try Jitterbug(["receive", "unix:" + folder.file("s")])
    _ = try await first.address()
    let second = try await Jitterbug.run(["receive", "unix:" + folder.file("s")])
    #expect(second.status == 1)
    #expect(second.errors.contains("\(folder.file("s")) is already in use by another program"))
    first.signal(SIGTERM)
    try await first.end()
  }

  @Test(arguments: [
    ("receive rtp://nosuchhost.invalid", "can't find the address of \"nosuchhost.invalid\""),
    ("receive rtp://127.0.0.1:20997 --interface nosuch0", "there is no network interface \"nosuch0\""),
    ("receive rtp://192.0.2.7:20997", "192.0.2.7 isn't an address of this host"),
    ("receive unix:/nosuch/dir/socket", "there is no directory for unix:/nosuch/dir/socket"),
    ("receive --sdp /nosuch.sdp rtp://127.0.0.1:20900-20999", "/nosuch.sdp can't be read: No such file or directory"),
    ("receive --sdp /etc/passwd rtp://127.0.0.1:20900-20999", "/etc/passwd is no session description"),
    ("receive --output /nosuch/x.wav rtp://127.0.0.1:20900-20999", "cannot write “/nosuch/x.wav”: No such file"),
    ("receive --report /nosuch/x.json rtp://127.0.0.1:20900-20999", "cannot write “/nosuch/x.json”: No such file"),
    ("receive --trace /nosuch/x.csv rtp://127.0.0.1:20900-20999", "cannot write “/nosuch/x.csv”: No such file"),
    ("send --synthetic bytes=60 rtp://nosuchhost.invalid", "can't find the address of \"nosuchhost.invalid\""),
    ("send --synthetic bytes=60 127.0.0.1:20998 --interface nosuch0", "there is no network interface \"nosuch0\""),
    ("send --synthetic bytes=60 tcp://127.0.0.1:20998 --wait 50ms", "127.0.0.1:20998 refused the connection: start"),
    ("send --synthetic bytes=60 unix:/nosuch/socket --wait 50ms", "nobody receives at unix:/nosuch/socket: start"),
    ("send --synthetic bytes=60 127.0.0.1:20998 --sdp /nosuch/x.sdp", "cannot write “/nosuch/x.sdp”: No such file"),
  ])
  func `what can't be opened is said at once, with status 1`(command: String, sentence: String) async throws {
    let run = try await Jitterbug.run(command.split(separator: " ").map(String.init))
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("jitterbug: \(sentence)"), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(run.output.isEmpty)
  }

  @Test(.enabled(if: getuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0, "needs root, to become somebody else"))
  func `a place without permission is said at once, with status 1`() async throws {
    let folder = try TemporaryFolder()
    chmod(folder.path, 0o755)
    for words in [["unix:" + folder.file("s")], ["--output", folder.file("x.wav"), Exchange.anyPort]] {
      let run = try await Jitterbug.run(
        ["receive"] + words, wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
      #expect(run.status == 1)
      #expect(run.errors.contains("permitted") || run.errors.contains("Permission denied"), "\(run.errors)")
      #expect(run.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func `a full disk ends the recording with a sentence, the report and status 1`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug([
      "receive", "--output", "/dev/full", "--output-format", "raw", Exchange.anyPort,
    ])
    let sender = try Jitterbug([
      "send", "--loop", folder.file("in.opus", holding: Made.opus(packets: 50)), try await receiver.address(),
    ])
    #expect(try await receiver.end() == 1)
    #expect(receiver.errors.contains("jitterbug: cannot write “/dev/full”: No space left on device"))
    #expect(receiver.text.contains("Stream 0x"))
    sender.signal(SIGINT)
    #expect(try await sender.end() == 0)
  }

  @Test func `a stream that is no audio can't be recorded, and that is said with the report`() async throws {
    let folder = try TemporaryFolder()
    let receiver = try Jitterbug(["receive", "--output", folder.file("x.wav"), Exchange.anyPort])
    let sender = try Jitterbug([
      "send", "--synthetic", "bytes=172", "--payload-type", "0", "--duration", "1s", "--speed", "4",
      try await receiver.address(),
    ])
    #expect(try await sender.end() == 0)
    #expect(try await receiver.end() == 1)
    #expect(receiver.errors.contains("the stream is PCMU/8000, which can't be written as audio"))
    #expect(receiver.text.contains("Stream 0x"))
  }
}
