import Foundation
import Testing

/// What is seen while a verb runs.
@Suite(.fewAtOnce) struct LiveViewTests {
  private static let hasScript = access("/usr/bin/script", X_OK) == 0

  @Test func `without a terminal there is a plain line a second, and nothing of it on standard output`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: ["--json", folder.file("in.opus", holding: Made.opus(packets: 120))],
      receive: ["--json"] + Exchange.patient)
    for (command, word) in [(run.sender, "packets sent"), (run.receiver, "packets received")] {
      #expect(!command.errors.contains("\u{1B}"))
      #expect(command.errors.split(separator: "\n").count { $0.contains(word) } >= 1)
      #expect(command.text.split(separator: "\n").count == 1)
      #expect(command.text.hasPrefix("{"))
    }
  }

  @Test(.enabled(if: hasScript, "needs script of util-linux, for a terminal"))
  func `on a terminal the line is redrawn in place, and standard output has the report alone`() async throws {
    let folder = try TemporaryFolder()
    let output = folder.file("report.json")
    // The terminal is standard error alone, which `script` shows on its standard output.
    let command = "stty cols 100; exec \(Jitterbug.path) receive --json --duration 2.5s \(Exchange.anyPort) >\(output)"
    let receiver = try Jitterbug(["-qec", command, "/dev/null"], of: "/usr/bin/script", input: .pipe([]))
    let address = try await receiver.wait(for: "where it listens") {
      receiver.text.contains("\n") ? receiver.text.firstMatch(of: /listening on (\S+)/).map { String($0.1) } : nil
    }
    let sender = try Jitterbug(["send", folder.file("in.opus", holding: Made.opus(packets: 100)), address])
    #expect(try await sender.end() == 0)
    #expect(try await receiver.end() == 0)
    let screen = receiver.text
    #expect(screen.contains("\u{1B}["))
    // The plain line's words aren't there: this is the other view.
    #expect(!screen.contains("packets received"))
    #expect(screen.contains("lost"))
    for line in screen.split(whereSeparator: { $0.isNewline || $0 == "\r" }) {
      #expect(line.replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "").count <= 100)
    }
    let report = String(decoding: contents(output), as: UTF8.self)
    #expect(!report.contains("\u{1B}"))
    #expect(try JSON(report)["streams"].count == 1)
  }

  @Test func `--quiet says nothing but the report`() async throws {
    let folder = try TemporaryFolder()
    let sender = try await Jitterbug.run([
      "send", "--quiet", "--speed", "max", folder.file("in.opus", holding: Made.opus(packets: 50)), "127.0.0.1:20994",
    ])
    #expect(sender.status == 0)
    #expect(sender.errors.isEmpty)
    #expect(sender.output.hasPrefix("jitterbug send"))
    let receiver = try await Jitterbug.run(["receive", "--quiet", "--duration", "0.1s", Exchange.anyPort])
    #expect(receiver.status == 0)
    #expect(receiver.errors.isEmpty)
  }
}
