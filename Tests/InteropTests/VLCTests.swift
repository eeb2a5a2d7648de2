import Foundation
import Testing

@Suite(.enabled(if: Program.areInstalled("cvlc", "opusenc", "setpriv"), "needs VLC, opusenc and setpriv"))
struct `VLC` {
  let folder = try? Folder()

  @Test func `sends and what arrives is a stretch of the file`() async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let copy = folder.file("copy.opus")
    let receiver = try await Receiver.start(in: folder, ["--output", copy, "--idle-timeout", "3s"])
    let output = "#rtp{dst=127.0.0.1,port=\(receiver.port)}"
    let words = [
      "env", "HOME=\(folder.path)", "cvlc", "--no-dbus", "-q", "--play-and-exit", chirp.opus, "--sout", output,
    ]
    // It refuses to run as root.
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    let command = geteuid() == 0 ? nobody + words : words
    try await Program.run(command[0], Array(command.dropFirst()))
    let stream = try await receiver.heard()["streams"][0]

    #expect(stream["payload_type"].int == 96)
    #expect(stream["packets"]["lost"].int == 0)
    #expect(stream["packets"]["concealed"].int == 0)
    // It leaves out the first packets, and at its end those that it still holds back for its own buffering.
    let (sent, heard) = (try opusPackets(chirp.opus), try opusPackets(copy))
    let first = try #require(heard.first.flatMap { sent.firstIndex(of: $0) })
    #expect(heard.count > sent.count / 4)
    #expect(heard.elementsEqual(sent[first...].prefix(heard.count)))
  }
}
