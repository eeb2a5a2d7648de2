import Testing

/// What `send` prints of the far end, beside what the far end prints of itself: equal packet for packet (RFC 3611).
@Suite(.fewAtOnce) struct FarEndTests {
  private static let media = ["--synthetic", "bytes=172,interval=10ms", "--duration", "4s"]
  private static let spec = "loss=5%,burst=2,duplicate=5%,reorder=3%,delay=20ms,jitter=5ms"

  @Test(arguments: [[], ["--rtcp-mux"]] as [[String]])
  func `the far end's table is the far end's own, on the next port and on the same`(mux: [String]) async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: Self.media + mux + ["--link", Self.spec + ",seed=3"], receive: Exchange.patient + mux)
    try Self.compare(run)
    let link = run.sent["link_record"]
    #expect(run.sent["sending"]["far_ends"][0]["xr"]["duplicated"].int == link["duplicated"].int)
    let roundTrip = try #require(run.sent["sending"]["far_ends"][0]["round_trip_ms"]["min"].double)
    #expect(roundTrip >= 15)
    #expect(run.sender.text.contains("by its reports"))
  }

  @Test func `over TCP, too`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, at: "tcp://127.0.0.1:\(Exchange.ports)", send: Self.media + ["--link", Self.spec + ",seed=4"],
      receive: Exchange.patient)
    try Self.compare(run)
  }

  @Test func `the link in the receiver loses reports on their way in, not the table`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: Self.media, receive: Exchange.patient + ["--link", Self.spec + ",seed=6"])
    // Whether the goodbye came through decides whether this is the last word; it says so.
    let farEnd = run.sent["sending"]["far_ends"][0]
    if farEnd["final"].int == 1 { try Self.compare(run) }
  }

  @Test func `without extended reports there is RFC 3550's figure alone`() async throws {
    let folder = try TemporaryFolder()
    let run = try await Exchange.run(
      in: folder, send: Self.media + ["--link", "loss=5%,seed=2"], receive: Exchange.patient + ["--no-xr"])
    let farEnd = run.sent["sending"]["far_ends"][0]
    #expect(farEnd["xr"].keys.isEmpty)
    #expect(farEnd["cumulative_lost"].int == run.packets["rfc3550_lost"].int)
    #expect(run.stream["round_trip_ms"].keys.isEmpty)
  }

  private static func compare(_ run: Exchange) throws {
    let farEnd = run.sent["sending"]["far_ends"][0]
    let table = farEnd["xr"]
    #expect(farEnd["final"].int == 1)
    #expect(farEnd["cumulative_lost"].int == run.packets["rfc3550_lost"].int)
    #expect(try #require(run.packets["lost"].int) > 0)
    #expect(table["thinning"].int == 0)
    #expect(table["lost"].int == run.packets["lost"].int)
    #expect(table["received"].int == run.packets["unique"].int)
    #expect(table["duplicates"].int == run.packets["duplicates"].int)
    for key in ["count", "max"] { #expect(table["bursts"][key].int == run.stream["bursts"][key].int) }
    #expect(table["bursts"]["mean"].double == run.stream["bursts"]["mean"].double)
    for length in 0..<10 {
      #expect(table["bursts"]["histogram"][length].int == run.stream["bursts"]["histogram"][length].int)
    }
    // What no report covers is what was lost before the first packet and behind the last.
    let expected = try #require(run.packets["expected"].int)
    #expect(try #require(table["covered"].int) - (table["lost_at_end"].int ?? 0) == expected)
  }
}
