import Foundation
import Testing

/// The metrics as Prometheus' own checker reads them: its parser, and its rules for names, units and types.
///
/// The package isn't among those that ./test installs: it takes 100 MB and starts a server.
@Suite(.enabled("needs promtool, from the package prometheus") { Program.areInstalled("promtool", "python3") })
struct `promtool` {
  @Test func `finds nothing wrong with what send and receive answer`() async throws {
    let port = try Ports.pair()
    let folder = try Folder()
    let (heard, sent) = (port, port + 1)
    let receiver = try Program(
      Program.jitterbug, ["receive", "--duration", "30s", "--metrics", "\(heard)", "rtp://127.0.0.1:\(port)"])
    try await receiver.listens(on: port)
    let sender = try Program(
      Program.jitterbug,
      [
        "send", "--synthetic", "bytes=60,interval=5ms", "--duration", "20s", "--metrics", "\(sent)", "--link",
        "loss=5%,duplicate=3%", "127.0.0.1:\(port)",
      ])
    try await receiver.says(": synthetic/90000")
    for place in [heard, sent] {
      let fetch =
        "import urllib.request as r; print(r.urlopen('http://127.0.0.1:\(place)/metrics').read().decode(), end='')"
      let text = try await Program.run("python3", ["-c", fetch])
      #expect(text.contains("# TYPE jitterbug_uptime_seconds gauge\n"))
      try text.write(toFile: folder.file("metrics"), atomically: true, encoding: .utf8)
      let said = try await Program.run("sh", ["-c", "promtool check metrics < '\(folder.file("metrics"))' 2>&1"])
      #expect(said.isEmpty, "\(said)")
    }
    try await sender.interrupt()
    try await receiver.interrupt()
  }
}
