import Foundation
import Testing

/// Whether this machine allows `jitterbug link`; many containers don't.
private func isLinkAllowed() async -> Bool {
  guard let program = try? Program(Program.jitterbug, ["link", "none", "--", "true"]) else { return false }
  return (try? await program.end()) == 0
}

/// What other programs see behind `jitterbug link`, beside what the link says that it did.
@Suite(.serialized, .enabled("needs user and network namespaces, which this system refuses") { await isLinkAllowed() })
struct `an emulated link` {
  let folder = try? Folder()

  /// One line of what became of the packets.
  private struct Row {
    let cells: [String: String]
    subscript(name: String) -> String { cells[name] ?? "" }
    /// The interface on which it was sent, and the one on which it arrived.
    var sides: (source: String, destination: String) {
      self["direction"] == "up" ? ("here", "peer") : ("peer", "here")
    }
  }

  private func rows(_ path: String) throws -> [Row] {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    let names = try #require(lines.first)
    return lines.dropFirst().map { Row(cells: Dictionary(uniqueKeysWithValues: zip(names, $0))) }
  }

  /// Runs a command behind a link; its output, what the link wrote of each packet, and its report.
  private func run(
    _ spec: String, _ options: [String] = [], peer: String? = nil, command: [String]
  ) async throws -> (output: String, rows: [Row], report: Report) {
    let folder = try #require(folder)
    let (trace, report) = (folder.file("link.csv"), folder.file("link.json"))
    let output = try await Program.run(
      Program.jitterbug,
      ["link", spec, "--peer-wait", "50s", "--trace", trace, "--report", report] + options
        + (peer.map { ["--peer", $0] } ?? []) + ["--"] + command)
    return (output, try rows(trace), try Report(path: report))
  }

  @Test(.enabled(if: Program.areInstalled("tshark", "iperf3"), "needs tshark and iperf3"))
  func `is in tshark's eyes, packet for packet, what its table says`() async throws {
    let folder = try #require(folder)
    let capture = folder.file("link.pcapng")
    let (_, rows, report) = try await run(
      "loss=5%,duplicate=3%,reorder=3%,corrupt=1%,delay=10ms,jitter=3ms,seed=2", ["--record", capture],
      peer: "iperf3 -s", command: ["iperf3", "-u", "-c", "peer", "-b", "2M", "-t", "2"])
    let seen = try await Program.run(
      "tshark",
      ["-r", capture, "-T", "fields", "-E", "occurrence=f", "-e", "frame.time_epoch", "-e", "frame.interface_name"]
        + ["-e", "frame.len", "-e", "frame.comment"]
    ).split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    var expected: [String] = []
    for row in rows {
      let size = try #require(Int(row["bytes"])) + 14
      expected.append("\(row["offered_s"]) \(row.sides.source) \(size)")
      let arrival = row["fate"] == "passed" ? row["offered_s"] : row["delivered_s"]
      for time in [arrival, row["duplicate_s"]] where !time.isEmpty {
        expected.append("\(time) \(row.sides.destination) \(size)")
      }
    }
    #expect(seen.map { $0[..<3].joined(separator: " ") }.sorted() == expected.sorted())
    #expect(rows.count > 300)
    // All have as many digits.
    #expect(seen.map { $0[0] } == seen.map { $0[0] }.sorted())

    func comments(_ text: String) -> Int { seen.count { $0.count > 3 && $0[3].contains(text) } }
    func count(_ name: String, _ value: String) -> Int { rows.count { $0[name] == value } }
    func sum(_ key: String) -> Int {
      ["down", "up"].reduce(0) { $0 + (report[$1]["link_record"][key].int ?? 0) }
    }
    #expect(comments("dropped: ") == count("fate", "lost") && count("fate", "lost") == sum("lost") && sum("lost") > 0)
    #expect(comments("duplicate of ") == sum("duplicated") && sum("duplicated") > 0)
    #expect(comments("late: ") == count("overtaken", "1") && count("overtaken", "1") == sum("reordered"))
    #expect(sum("reordered") > 0)
    #expect(comments("was flipped") == sum("corrupted") && sum("corrupted") > 0)
    #expect(sum("offered") == rows.count { $0["fate"] != "passed" })
  }

  @Test(.enabled(if: Program.areInstalled("iperf3"), "needs iperf3"))
  func `loses of iperf3's datagrams what it says that it lost`() async throws {
    let (output, rows, _) = try await run(
      "loss=5%,delay=20ms,seed=4", peer: "iperf3 -s",
      command: ["iperf3", "-u", "-J", "-c", "peer", "-b", "1M", "-l", "400", "-t", "3"])
    let folder = try #require(folder)
    try output.write(toFile: folder.file("iperf3.json"), atomically: true, encoding: .utf8)
    let sum = try Report(path: folder.file("iperf3.json"))["end"]["sum"]
    let datagrams = rows.filter { $0["protocol"] == "udp" && $0["direction"] == "up" && $0["bytes"] == "428" }
    // It counts up to the last that it had read when the client said that it was done.
    let counted = try #require(sum["packets"].int)
    #expect(counted > 800 && counted <= datagrams.count)
    #expect(sum["lost_packets"].int == datagrams[..<counted].count { $0["fate"] == "lost" })
    #expect((sum["lost_packets"].int ?? 0) > 0)
  }

  @Test(.enabled(if: Program.areInstalled("ping"), "needs ping"), arguments: [("peer", "icmp"), ("peer6", "icmp6")])
  func `delays and loses ping's packets both ways`(name: String, kind: String) async throws {
    let (output, rows, _) = try await run(
      "loss=10%,delay=25ms,seed=4",
      command: ["sh", "-c", "ping -c 60 -i 0.02 -W 5 \(name) || true"])
    let echoes = rows.filter { $0["protocol"] == kind && $0["fate"] != "passed" }
    let answered = echoes.count { $0["direction"] == "down" && $0["fate"] == "delivered" }
    #expect(echoes.count { $0["direction"] == "up" } == 60)
    #expect(output.contains("60 packets transmitted, \(answered) received"), "\(output)")
    #expect(answered > 20 && answered < 60)
    let least = try #require(output.firstMatch(of: /= ([0-9.]+)\//)).1
    #expect(try #require(Double(least)) >= 50)
  }

  @Test(.enabled(if: Program.areInstalled("curl", "python3"), "needs curl and python3"))
  func `carries a download whole, whatever it loses`() async throws {
    let folder = try #require(folder)
    var generator = SystemRandomNumberGenerator()
    let bytes = Data((0..<400_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
    try bytes.write(to: URL(filePath: folder.file("file")))
    let (output, rows, _) = try await run(
      "loss=2%,delay=5ms,seed=3", peer: "cd '\(folder.path)' && exec python3 -m http.server 80 2>&1",
      command: ["curl", "-s", "-o", folder.file("copy"), "-w", "%{http_code} %{size_download}", "http://peer/file"])
    #expect(output == "200 400000")
    #expect(try Data(contentsOf: URL(filePath: folder.file("copy"))) == bytes)
    #expect(rows.contains { $0["fate"] == "lost" })
    // Segments as a wire would carry them: none longer than the interface takes.
    #expect(rows.allSatisfy { (Int($0["bytes"]) ?? .max) <= 1500 })
  }

  @Test(.enabled(if: Program.areInstalled("ffmpeg"), "needs ffmpeg"))
  func `loses of ffmpeg's stream what the receiver misses`() async throws {
    let folder = try #require(folder)
    let heard = folder.file("heard.json")
    let (_, rows, _) = try await run(
      "loss=6%,delay=15ms,jitter=5ms,seed=2", ["--linger", "40s"],
      peer: "'\(Program.jitterbug)' receive --once --buffer 1s --report '\(heard)' rtp://0.0.0.0:5004",
      command: [
        "ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "sine=duration=3", "-c:a", "pcm_mulaw", "-ar", "8000",
      ]
        + ["-f", "rtp", "-rtpflags", "send_bye", "rtp://peer:5004?pkt_size=172"])
    let media = rows.filter { $0["destination"] == "10.77.0.2:5004" }
    let packets = try Report(path: heard)["streams"][0]["packets"]
    #expect(packets["received"].int == media.count { $0["fate"] == "delivered" })
    #expect(media.contains { $0["fate"] == "lost" } && media.count > 100)
  }
}
