import Foundation
import Testing

/// A capture of what crosses the loopback interface, and what tshark says of it.
struct Capture {
  private let dumpcap: Program
  private let file: String
  private let port: Int

  /// Starts to capture what is sent from or to a pair of ports, and announcements.
  static func start(in folder: Folder, port: Int) async throws -> Capture {
    let file = folder.file("capture.pcapng")
    let filter = "udp portrange \(port)-\(port + 1) or udp dst port 9875"
    let dumpcap = try Program("dumpcap", ["-q", "-i", "lo", "-f", filter, "-w", file])
    try await dumpcap.says("File: ")
    return Capture(dumpcap: dumpcap, file: file, port: port)
  }

  /// Whether this user may capture on loopback.
  static func isAllowed() async -> Bool {
    guard Program.areInstalled("tshark", "dumpcap") else { return false }
    return (try? await Program.run("dumpcap", ["-L", "-i", "lo"])) != nil
  }

  func stop() async throws {
    // What was sent is in the kernel's ring buffer; dumpcap empties it every few hundred milliseconds.
    try await Task.sleep(for: .seconds(1))
    try await dumpcap.interrupt()
  }

  /// What tshark prints of the capture; `-d` says that these ports carry RTP and RTCP.
  func tshark(_ words: [String], isDecodedAs: Bool = true) async throws -> String {
    let decode = ["-d", "udp.port==\(port),rtp", "-d", "udp.port==\(port + 1),rtcp"]
    return try await Program.run("tshark", ["-r", file] + (isDecodedAs ? decode : []) + words)
  }

  /// A row of `-z rtp,streams`.
  struct Stream {
    let payload: String
    let packets, lost: String
    let meanJitter, maxJitter: String
  }

  /// The only stream in the capture, by `-z rtp,streams`, as printed.
  func stream(isDecodedAs: Bool = true) async throws -> Stream {
    let table = try await tshark(["-q", "-z", "rtp,streams"], isDecodedAs: isDecodedAs)
    let rows = table.split(separator: "\n").filter { $0.contains(" 0x") }
    try #require(rows.count == 1, "\(table)")
    let words = rows[0].split(separator: " ").map(String.init)
    let ssrc = try #require(words.firstIndex { $0.hasPrefix("0x") })
    // Payload, Pkts, Lost, (%), three deltas, three jitters.
    try #require(words.count >= ssrc + 11, "\(table)")
    return Stream(
      payload: words[ssrc + 1], packets: words[ssrc + 2], lost: words[ssrc + 3], meanJitter: words[ssrc + 9],
      maxJitter: words[ssrc + 10])
  }
}

@Suite(.enabled("needs tshark, and the right to capture on the loopback interface") { await Capture.isAllowed() })
struct `tshark` {
  let folder = try? Folder()

  /// A link that loses, delays and reorders; no duplicates, of which tshark makes negative losses.
  private static let link = "loss=5%,burst=2,delay=20ms,jitter=8ms,reorder=3%,seed=5"

  @Test func `finds in a capture what the report says, for a static payload type`() async throws {
    let folder = try #require(folder)
    let port = try Ports.pair()
    let capture = try await Capture.start(in: folder, port: port)
    let trace = folder.file("trace.csv")
    let receiver = try await Receiver.start(in: folder, ["--trace", trace], port: port)
    let sent = try await send(
      in: folder,
      ["--synthetic", "bytes=172,interval=20ms", "--payload-type", "0", "--duration", "5s"]
        + ["--link", Self.link, "rtp://127.0.0.1:\(port)"])
    let stream = try await receiver.heard()["streams"][0]
    try await capture.stop()

    #expect(stream["encoding"].string == "PCMU/8000")
    #expect(sent["sending"]["encoding"].string == "PCMU/8000")
    #expect((stream["packets"]["lost"].int ?? 0) > 0)
    #expect((stream["packets"]["reordered"].int ?? 0) > 0)
    try Self.expect(stream, equals: try await capture.stream())
    try await expectArrivals(trace: trace, in: capture)
    try await Self.expectMarkerOnFirst(capture)
  }

  @Test(.enabled(if: Program.areInstalled("opusenc"), "needs opusenc"))
  func `finds in a capture what the report says, for Opus that was announced`() async throws {
    let folder = try #require(folder)
    let chirp = try await Chirp(in: folder)
    let port = try Ports.pair()
    let (description, trace) = (folder.file("ours.sdp"), folder.file("trace.csv"))
    let words = ["--seed", "1", "--sdp", description, chirp.opus, "rtp://127.0.0.1:\(port)"]
    _ = try await send(in: folder, ["--duration", "100ms"] + words)
    let capture = try await Capture.start(in: folder, port: port)
    // RFC 2974: version 1, no authentication, a hash, who announces; then the type and the description.
    let header: [UInt8] = [0x20, 0, 0x12, 0x34, 127, 0, 0, 1] + Array("application/sdp".utf8) + [0]
    try Datagrams(to: 9875).send(header + [UInt8](Data(contentsOf: URL(filePath: description))))
    let receiver = try await Receiver.start(in: folder, ["--trace", trace], port: port)
    _ = try await send(in: folder, ["--link", Self.link] + words)
    let stream = try await receiver.heard()["streams"][0]
    try await capture.stop()

    #expect((stream["packets"]["lost"].int ?? 0) > 0)
    let seen = try await capture.stream(isDecodedAs: false)
    #expect(seen.payload == "opus")
    try Self.expect(stream, equals: seen)
    try await expectArrivals(trace: trace, in: capture)
    try await Self.expectMarkerOnFirst(capture)
  }

  @Test func `decodes every RTCP packet of ours without a complaint`() async throws {
    let folder = try #require(folder)
    let port = try Ports.pair()
    let capture = try await Capture.start(in: folder, port: port)
    let receiver = try await Receiver.start(in: folder, [], port: port)
    let sent = try await send(
      in: folder,
      ["--synthetic", "bytes=172,interval=20ms", "--payload-type", "0", "--duration", "4s"]
        + ["rtp://127.0.0.1:\(port)"])
    _ = try await receiver.heard()
    try await capture.stop()

    let types = try await capture.tshark(["-Y", "rtcp", "-T", "fields", "-e", "rtcp.pt"])
    let seen = Set(types.split { $0 == "," || $0 == "\n" })
    #expect(seen == ["200", "201", "202", "203", "207"])
    #expect(try await capture.tshark(["-Y", "_ws.malformed || _ws.expert"]).isEmpty)
    #expect(try await capture.tshark(["-Y", "rtcp.length_check == 0"]).isEmpty)
    let counts = try await capture.tshark(
      ["-Y", "rtcp.pt == 203 && rtcp.sender.packetcount", "-T", "fields"]
        + ["-e", "rtcp.sender.packetcount", "-e", "rtcp.sender.octetcount"])
    let packets = try #require(sent["sending"]["packets"].int)
    #expect(counts == "\(packets)\t\(packets * 160)\n")
  }

  @Test func `reads in our extended reports what was lost, doubled and delayed`() async throws {
    let folder = try #require(folder)
    let port = try Ports.pair()
    let capture = try await Capture.start(in: folder, port: port)
    let receiver = try await Receiver.start(in: folder, [], port: port)
    let sent = try await send(
      in: folder,
      ["--synthetic", "bytes=172,interval=20ms", "--payload-type", "0", "--duration", "6s"]
        + ["--link", "loss=5%,burst=2,duplicate=5%,delay=10ms,seed=5", "rtp://127.0.0.1:\(port)"])
    let stream = try await receiver.heard()["streams"][0]
    try await capture.stop()

    // Each block type of ours, the answer to our reference times among them.
    let types = try await Self.numbers("rtcp.xr.bt", in: capture)
    #expect(Set(types) == [1, 2, 3, 4, 5, 6, 7])
    #expect(try await capture.tshark(["-Y", "_ws.malformed || _ws.expert"]).isEmpty)

    // Summaries are about the new numbers of each report, so they add up.
    let packets = stream["packets"]
    #expect(try await Self.numbers("rtcp.xr.stats.lost", in: capture).reduce(0, +) == packets["lost"].int)
    #expect(try await Self.numbers("rtcp.xr.stats.dups", in: capture).reduce(0, +) == packets["duplicates"].int)
    let rates = try await Self.numbers("rtcp.ssrc.fraction", in: capture)
    #expect(!rates.isEmpty)
    #expect(try await Self.numbers("rtcp.xr.voipmetrics.gmin", in: capture).allSatisfy { $0 == 16 })
    #expect(try await Self.numbers("rtcp.xr.voipmetrics.jbnominal", in: capture).allSatisfy { $0 == 60 })

    // The runs begin with the first packet and end with the last.
    let numbers = try await Self.numbers("rtp.seq", in: capture)
    let begins = try await Self.numbers("rtcp.xr.beginseq", in: capture)
    let ends = try await Self.numbers("rtcp.xr.endseq", in: capture)
    #expect(begins.first == numbers.first)
    #expect(ends.contains(((numbers.max() ?? 0) + 1) & 0xffff) || numbers.contains(0))
    #expect(sent["sending"]["far_ends"][0]["xr"]["lost"].int == packets["lost"].int)
    #expect(sent["sending"]["far_ends"][0]["xr"]["duplicates"].int == packets["duplicates"].int)
  }

  /// Every value of a field, in order.
  private static func numbers(_ field: String, in capture: Capture) async throws -> [Int] {
    try await capture.tshark(["-Y", field, "-T", "fields", "-e", field])
      .split { $0 == "," || $0 == "\n" }.compactMap { Int($0) }
  }

  /// Holds a stream of our report against tshark's figures, to the three decimals that it prints.
  private static func expect(_ stream: Report, equals seen: Capture.Stream) throws {
    func printed(_ key: String) throws -> String {
      String(format: "%.3f", try #require(stream["jitter_ms"][key].double))
    }
    #expect(seen.packets == stream["packets"]["received"].int.map(String.init))
    #expect(seen.lost == stream["packets"]["lost"].int.map(String.init))
    #expect(seen.meanJitter == (try printed("mean")))
    #expect(seen.maxJitter == (try printed("max")))
  }

  /// Our arrival times are the kernel's, as the capture's are: spacings agree to the nanosecond, but for the conversion
  /// between two clocks.
  private func expectArrivals(trace: String, in capture: Capture) async throws {
    let ours = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",").map(String.init) }
    let theirs = try await capture.tshark(["-Y", "rtp", "-T", "fields", "-e", "frame.time_epoch", "-e", "rtp.seq"])
      .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    #expect(ours.map { $0[2] } == theirs.map { $0[1] })
    var worst = 0
    for (our, their) in zip(ours, theirs) { worst = max(worst, abs(try nanoseconds(our[0]) - nanoseconds(their[0]))) }
    #expect(worst < 1_000, "in nanoseconds")
  }

  private func nanoseconds(_ seconds: String) throws -> Int {
    let parts = seconds.split(separator: ".")
    try #require(parts.count == 2 && parts[1].count == 9)
    return try #require(Int(parts[0] + parts[1]))
  }

  /// The marker begins a talk spurt (RFC 3551 section 4.1), of which there is one; tshark restarts its jitter at each.
  private static func expectMarkerOnFirst(_ capture: Capture) async throws {
    let markers = try await capture.tshark(["-Y", "rtp", "-T", "fields", "-e", "rtp.marker"]).split(separator: "\n")
    #expect(markers.filter { $0 == "1" || $0 == "True" }.count <= 1)
    #expect(markers.dropFirst(10).allSatisfy { $0 == "0" || $0 == "False" })
  }
}
