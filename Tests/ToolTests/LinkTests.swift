import Testing

/// What a link did, by its own record, against what the receiver counted: equal packet for packet.
@Suite(.fewAtOnce) struct LinkTests {
  private static let spec = "loss=5%,duplicate=2%,reorder=3%,delay=20ms,jitter=5ms,seed=1"

  @Test func `the receiver's counts are those of a link in the sender, packet for packet`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Self.run(
      in: folder, send: ["--link", Self.spec, "--link-trace", folder.file("link.csv")], receive: [])
    try Self.compare(run, record: run.sent["link_record"])
    #expect(run.sent["link"].string?.contains("loss=5%") == true)
    #expect(run.sender.text.contains("What the link did"))
  }

  @Test func `the receiver's counts are those of a link in the receiver, packet for packet`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Self.run(
      in: folder, send: [], receive: ["--link", Self.spec, "--link-trace", folder.file("link.csv")])
    try Self.compare(run, record: run.heard["link_record"])
    #expect(run.receiver.text.contains("What the link did, beside what the receiver counted"))
  }

  @Test func `a link's fates come from its seed alone, in the sender and in the receiver`() async throws {
    let folders = [try TemporaryFolder(), try TemporaryFolder()]
    let options = folders.map { ["--link", Self.spec, "--link-trace", $0.file("link.csv")] }
    _ = try await Self.run(in: folders[0], send: options[0], receive: [])
    _ = try await Self.run(in: folders[1], send: [], receive: options[1])
    let tables = try folders.map { try Table(path: $0.file("link.csv")) }
    #expect(try tables[0].texts("fate") == tables[1].texts("fate"))
    #expect(try tables[0].numbers("copies") == tables[1].numbers("copies"))
  }

  @Test func `a recorded link does to the sender's packets what its file says`() async throws {
    let folder = try TemporaryFolder()
    let lines = ["0", "lost", "30", "2 4", "lost", "lost", "1.5", "40 1", "0.25", "12"]
    let text = "jitterbug-link 1\n" + lines.joined(separator: "\n") + "\n"
    let file = folder.file("path.link", holding: Array(text.utf8))
    let run = try await Self.run(
      in: folder, send: ["--link", file + ",delay=5ms", "--link-trace", folder.file("link.csv")], receive: [])
    try Self.compare(run, record: run.sent["link_record"])
    let delays = try Table(path: folder.file("link.csv")).texts("delay_ms")
    let expected = ["5.000000", "", "35.000000", "7.000000", "", "", "6.500000", "6.000000", "5.250000", "17.000000"]
    #expect(delays == (0..<40).flatMap { _ in expected })
  }

  @Test func `a recorded link that can't be read is named with its line`() async throws {
    let folder = try TemporaryFolder()
    let file = folder.file("path.link", holding: Array("jitterbug-link 1\n0\nnever\n".utf8))
    let send = ["send", "--synthetic", "bytes=60,interval=5ms", "127.0.0.1:9", "--link"]
    let broken = try Jitterbug(send + [file])
    #expect(try await broken.end() == 2)
    #expect(broken.errors.contains("path.link, line 3: \"never\" is neither lost nor a delay"))
    let missing = try Jitterbug(send + [folder.file("none.link")])
    #expect(try await missing.end() == 2)
    #expect(missing.errors.contains("none.link can't be read: No such file"))
  }

  @Test func `a flipped bit is a corrupted packet in the link's record and never a trap`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Self.run(in: folder, send: ["--link", "corrupt=20%,seed=3"], receive: [])
    #expect(try #require(run.sent["link_record"]["corrupted"].int) > 50)
    let counts = run.heard["datagrams"]
    let received = try #require(counts["received"].int)
    #expect(received == counts["rtp"].int.map { $0 + (counts["rtcp"].int ?? 0) + (counts["invalid"].int ?? 0) })
  }

  /// 400 packets through a link.
  private static func run(in folder: TemporaryFolder, send: [String], receive: [String]) async throws -> Exchange {
    try await Exchange.run(
      in: folder, send: ["--synthetic", "bytes=60,interval=5ms", "--duration", "2s", "--seed", "5"] + send,
      receive: ["--trace", folder.file("trace.csv"), "--buffer", "100ms", "--idle-timeout", "2s"] + receive)
  }

  private static func compare(_ run: Exchange, record: JSON) throws {
    let link = try Table(path: run.folder.file("link.csv"))
    let trace = try Table(path: run.folder.file("trace.csv"))
    let copies = Dictionary(
      uniqueKeysWithValues: zip(try link.numbers("sequence"), try link.numbers("copies")))
    let arrivals = try trace.numbers("sequence")
    #expect(link.count == 400)

    // Each number arrived as often as the link handed it out.
    let counted = Dictionary(arrivals.map { ($0, 1) }, uniquingKeysWith: +)
    #expect(counted == copies.filter { $0.value > 0 })

    // The lost ones are those between the first and the last that got through.
    let order = try link.numbers("sequence")
    let first = try #require(order.firstIndex { copies[$0] != 0 })
    let last = try #require(order.lastIndex { copies[$0] != 0 })
    let lost = order[first...last].count { copies[$0] == 0 }
    #expect(run.packets["lost"].int == lost)
    #expect(run.packets["expected"].int == last - first + 1)
    #expect(record["lost"].int == order.count { copies[$0] == 0 })

    #expect(run.packets["received"].int == arrivals.count)
    #expect(record["delivered"].int == arrivals.count)
    #expect(run.packets["duplicates"].int == arrivals.count - counted.count)
    #expect(record["duplicated"].int == arrivals.count - counted.count)
    #expect(run.packets["reordered"].int == reordered(arrivals))
    #expect(record["reordered"].int == reordered(arrivals))
    #expect(record["in_flight"].int == 0)
    // A run in which nothing happened would prove nothing.
    #expect(lost > 5 && arrivals.count > counted.count && reordered(arrivals) > 2)
  }

  /// RFC 4737 section 3.3: packets, less their duplicates, that come after one with a higher number.
  private static func reordered(_ sequence: [Int]) -> Int {
    var seen: Set<Int> = []
    var highest = Int.min
    var count = 0
    for number in sequence where seen.insert(number).inserted {
      if number < highest { count += 1 }
      highest = max(highest, number)
    }
    return count
  }
}
