import Testing

/// The report's figures, computed a second time from nothing but `--trace`.
@Suite(.fewAtOnce) struct TraceTests {
  @Test func `every count of the report follows from the trace`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder,
      send: ["--link", "loss=8%,duplicate=4%,reorder=5%,delay=10ms,jitter=8ms,seed=2", "--seed", "4"]
        + [folder.file("in.opus", holding: Made.opus(packets: 150)), "--speed", "2"],
      receive: [
        "--trace", folder.file("trace.csv"), "--buffer", "15ms", "--idle-timeout", "2s", "--output",
        folder.file("x.wav"),
      ])
    let trace = try Table(path: folder.file("trace.csv"))
    let numbers = try trace.numbers("extended_sequence")
    let fates = try trace.texts("fate")
    let unique = Set(numbers)
    let expected = try #require(unique.max()) - #require(unique.min()) + 1
    #expect(run.packets["expected"].int == expected)
    #expect(run.packets["received"].int == numbers.count)
    #expect(run.packets["unique"].int == unique.count)
    #expect(run.packets["lost"].int == expected - unique.count)
    #expect(run.packets["duplicates"].int == numbers.count - unique.count)
    #expect(run.stream["bytes"].int == (try trace.numbers("bytes")).reduce(0, +))

    func count(_ fate: String) -> Int { fates.count { $0.split(separator: ":").first.map(String.init) == fate } }
    #expect(run.packets["played"].int == count("played"))
    #expect(run.packets["late"].int == count("late"))
    #expect(run.packets["duplicates"].int == count("duplicate"))
    #expect(run.packets["discarded"].int == count("discarded"))
    #expect(run.packets["still_buffered"].int == count("buffered"))
    #expect(count("played") + count("late") + count("discarded") + count("buffered") == unique.count)
    let others = try #require(run.packets["recovered"].int) + #require(run.packets["concealed"].int)
    #expect(count("played") + others == expected)
    #expect(expected - unique.count > 3 && numbers.count > unique.count && count("late") > 0)

    try Self.compareJitter(run, trace)
    let whole = try #require(unique.min())...#require(unique.max())
    try Self.compareRuns(run, lost: Set(whole).subtracting(unique))
  }

  /// RFC 3550 A.8, over all packets in order of arrival.
  private static func compareJitter(_ run: Exchange, _ trace: Table) throws {
    let arrivals = try trace.texts("arrival").map { text in
      // Whole nanoseconds, because a Double has too few digits for a time since 1970.
      try #require(Int(text.filter { $0 != "." }))
    }
    let timestamps = try trace.numbers("timestamp").map { UInt32(truncatingIfNeeded: $0) }
    var jitter = 0.0
    var all: [Double] = []
    for index in arrivals.indices.dropFirst() {
      let media = Double(Int32(bitPattern: timestamps[index] &- timestamps[index - 1])) / 48
      let spacing = Double(arrivals[index] - arrivals[index - 1]) / 1e6
      jitter += (abs(spacing - media) - jitter) / 16
      all.append(jitter)
    }
    let figures = run.stream["jitter_ms"]
    func near(_ key: String, _ value: Double?) throws -> Bool {
      abs(try #require(figures[key].double) - (try #require(value))) < 0.001
    }
    #expect(try near("last", all.last))
    #expect(try near("max", all.max()))
    #expect(try near("mean", all.reduce(0, +) / Double(all.count)))
  }

  private static func compareRuns(_ run: Exchange, lost: Set<Int>) throws {
    let starts = lost.filter { !lost.contains($0 - 1) }
    let lengths = starts.map { start in (0...).first { !lost.contains(start + $0) } ?? 0 }
    #expect(run.stream["bursts"]["count"].int == lengths.count)
    #expect(run.stream["bursts"]["max"].int == lengths.max())
    let expected = try #require(run.packets["expected"].int)
    let ratio = try #require(run.stream["loss_ratio"].double)
    #expect(abs(ratio - Double(lost.count) / Double(expected)) < 1e-6)
  }
}
