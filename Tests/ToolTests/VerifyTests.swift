import Foundation
import Testing

/// `jitterbug verify`, run as people run it.
@Suite(.fewAtOnce) struct VerifyTests {
  @Test func `on a virtual clock every figure of every case is right`() async throws {
    let run = try Jitterbug(["verify", "--simulate", "--time", "6s", "--json"])
    #expect(try await run.end() == 0, "\(run.text)")
    let report = try JSON(run.text)
    #expect(report["ok"].int == 1)
    #expect(report["mode"].string == "virtual_time")
    #expect(report["cases"].count == 18)
    #expect(report["cases"][1]["name"].string == "loss")
    #expect(report["cases"][1]["figures"].count > 40)
    #expect(run.errors.isEmpty)
  }

  @Test func `with real sockets every figure is right, several streams, a restart and a paused receiver among them`()
    async throws
  {
    let names = ["loss-duplicate-reorder", "wrap-late", "tail-outage", "paused-receiver", "restart", "streams"]
    let cases = names.flatMap { ["--case", $0] }
    let run = try Jitterbug(["verify", "--time", "3s", "--ports", Self.port] + cases)
    #expect(try await run.end() == 0, "\(run.text) \(run.errors)")
    for name in names { #expect(run.text.contains(try Regex("(?m)^\(name) .* ok$")), "\(run.text)") }
    #expect(run.text.contains("figures are those of the truth, with real sockets on loopback, seed 1"))
  }

  @Test(arguments: [["--simulate"], []])
  func `a wrong figure is shown beside its truth, and the exit status is 1`(way: [String]) async throws {
    let run = try Jitterbug(
      ["verify", "--case", "loss", "--falsify", "packets.lost", "--time", "2s", "--ports", Self.port] + way)
    #expect(try await run.end() == 1, "\(run.errors)")
    let line = try #require(run.text.firstMatch(of: /packets\.lost +truth (\d+) +reported (\d+) +WRONG/))
    #expect(Int(line.2) == Int(line.1).map { $0 + 1 })
    #expect(run.text.contains("1 of "))
  }

  @Test func `the list says what each case proves`() async throws {
    let run = try Jitterbug(["verify", "--list"])
    #expect(try await run.end() == 0)
    #expect(run.text.contains("tail-outage"))
    #expect(run.text.split(separator: "\n").count == 18)
  }

  /// Ports that no other test uses.
  private static let port = "22000"
}
