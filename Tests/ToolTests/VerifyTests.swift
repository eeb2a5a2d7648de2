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

  /// On a virtual clock where the figure is there, which takes no time; else with sockets, some at once.
  @Test func `each figure that is compared makes the run fail when it is made wrong`() async throws {
    let virtual = try await figures(["--simulate"])
    // On a machine that is held up a far end's last report may come too late to be compared, which the run then says.
    var all: Set<String> = []
    for _ in 0..<4 where !(virtual.isSubset(of: all) && all.contains("sending.far_ends.0.xr.covered")) {
      all.formUnion(try await figures(["--ports", Self.port]))
    }
    #expect(virtual.isSubset(of: all), "\(virtual.subtracting(all))")
    #expect(all.count > 120 && all.contains("sending.far_ends.0.xr.covered"), "\(all.sorted())")
    for name in virtual.sorted() { try await expectFailure(name, ["--simulate"]) }
    let others = all.subtracting(virtual).sorted()
    for start in stride(from: 0, to: others.count, by: 8) {
      try await withThrowingTaskGroup { group in
        for (place, name) in others[start..<min(start + 8, others.count)].enumerated() {
          group.addTask { try await expectFailure(name, ["--ports", "\(22_200 + 8 * place)"]) }
        }
        try await group.waitForAll()
      }
    }
  }

  /// The figures that a case compares which has all of them, by the names that `--falsify` takes.
  private func figures(_ way: [String]) async throws -> Set<String> {
    let run = try Jitterbug(["verify", "--case", Self.fullCase, "--time", "2s", "--json"] + way)
    #expect(try await run.end() == 0, "\(run.text) \(run.errors)")
    let figures = try JSON(run.text)["cases"][0]["figures"]
    return Set(
      (0..<figures.count).compactMap { figures[$0]["figure"].string }
        .map { $0.hasPrefix("sender ") ? String($0.dropFirst("sender ".count)) : $0 })
  }

  private func expectFailure(_ name: String, _ way: [String]) async throws {
    let arguments = ["verify", "--case", Self.fullCase, "--time", "2s", "--falsify", name] + way
    var run = try Jitterbug(arguments)
    // A figure that this run couldn't compare: wrong usage, as if no case compared it.
    var status = try await run.end()
    for _ in 0..<3 where status == 2 {
      run = try Jitterbug(arguments)
      status = try await run.end()
    }
    #expect(status == 1, "\(name): \(run.text) \(run.errors)")
    let wrong = run.text.split(separator: "\n").filter { $0.hasSuffix(" WRONG") && $0.contains(" truth ") }
    #expect(wrong.count == 1 && wrong.allSatisfy { $0.contains("\(name) ") }, "\(name): \(wrong)")
  }

  @Test func `a figure that no case compares is no reason to fail, but wrong usage`() async throws {
    let absent = try Jitterbug(
      ["verify", "--simulate", "--case", "clean", "--time", "2s", "--falsify", "sending.packets"])
    #expect(try await absent.end() == 2)
    #expect(absent.errors.contains("no case that was run compares it"))
    let unknown = try Jitterbug(["verify", "--falsify", "packets.lots"])
    #expect(try await unknown.end() == 2)
    #expect(unknown.errors.contains("packets.lost, "))
  }

  @Test func `the list says what each case proves`() async throws {
    let run = try Jitterbug(["verify", "--list"])
    #expect(try await run.end() == 0)
    #expect(run.text.contains("tail-outage"))
    #expect(run.text.split(separator: "\n").count == 18)
  }

  /// Nothing is reordered in it, so a busy machine leaves nothing undecided.
  private static let fullCase = "loss-duplicate"

  /// Ports that no other test uses.
  private static let port = "22000"
}
