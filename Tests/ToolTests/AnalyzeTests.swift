import Foundation
import Testing

@Suite(.fewAtOnce) struct `jitterbug analyze` {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs it to its end, and reads its report.
  private func analyze(_ words: [String], status: Int32 = 0) async throws -> JSON {
    let run = try Jitterbug(["analyze", "--json", "--quiet"] + words)
    #expect(try await run.end() == status, "\(run.errors)")
    return try JSON(run.text)
  }

  // MARK: The public captures

  /// A stream of a file, and the truth by the set of its sequence numbers (shared/captures/INDEX.md).
  struct Truth: Sendable, CustomTestStringConvertible {
    struct Stream: Sendable, Hashable {
      var received, lost, duplicates, reordered, rfc3550: Int
      /// Jitter at the end; nil where the index has none.
      var jitter: Double?

      init(_ received: Int, _ lost: Int, _ duplicates: Int, _ reordered: Int, _ rfc3550: Int, _ jitter: Double?) {
        (self.received, self.lost, self.duplicates, self.reordered) = (received, lost, duplicates, reordered)
        (self.rfc3550, self.jitter) = (rfc3550, jitter)
      }
    }

    let name: String
    let streams: [Stream]
    var short = 0
    var testDescription: String { name }
  }

  static let truths = [
    Truth(name: "ast-40msalaw.pcap", streams: [.init(826, 0, 0, 0, 0, 0.105)]),
    Truth(name: "ast-opus-2013785496.pcap", streams: [.init(765, 0, 0, 0, 0, 3.817)]),
    Truth(name: "ast-opus-3125894607.pcap", streams: [.init(684, 0, 0, 0, 0, 3.407)]),
    Truth(name: "ast-opus-fec-dropped.pcapng", streams: [.init(2971, 29, 0, 0, 29, 0.033)]),
    Truth(name: "ast-opus-fec-rtp.pcapng", streams: [.init(3000, 0, 0, 0, 0, 0.033)]),
    Truth(name: "ast-rtp-crash-27382.pcap", streams: [.init(274, 0, 0, 0, 0, 0.327)]),
    Truth(name: "ast-ssrc1.pcap", streams: [], short: 1),
    Truth(name: "ast-ssrc2.pcap", streams: [], short: 1),
    Truth(name: "ast-ulaw-2013785496.pcap", streams: [.init(974, 0, 0, 0, 0, 3.765)]),
    Truth(
      name: "ndpi-FAX-Call-t38-CA-TDM-SIP-FB-1.pcap",
      streams: [.init(1171, 0, 0, 0, 0, 544.329), .init(159, 1712, 0, 0, 1712, 0.949)]),
    Truth(
      name: "ndpi-rtp.pcapng",
      streams: [
        .init(29, 0, 0, 0, 0, nil), .init(15, 0, 0, 0, 0, 1.431), .init(12, 0, 0, 0, 0, nil),
        .init(7, 0, 0, 0, 0, 2.344), .init(6, 0, 0, 0, 0, nil),
      ]),
    Truth(name: "ndpi-stun_dtls_rtp.pcapng", streams: [.init(11, 0, 0, 0, 0, 0.717)]),
    Truth(name: "rtptools-bark.rtpdump", streams: [.init(15, 0, 0, 0, 0, 0)]),
    Truth(name: "sipp-dtmf_2833_1.pcap", streams: [.init(10, 0, 2, 0, -2, nil)]),
    Truth(name: "sipp-g711a.pcap", streams: [.init(236, 0, 0, 0, 0, 0.365)]),
    Truth(name: "webrtc-HRTF_pcm16wb_jitter.pcap", streams: [.init(1173, 19, 0, 281, 19, 20.438)]),
    Truth(name: "webrtc-hrtf_g722_1C_48_jitterT2.pcap", streams: [.init(1176, 16, 0, 52, 16, 17.167)]),
    Truth(name: "webrtc-stereo_g729_jitter.pcap", streams: [.init(2009, 53, 0, 468, 53, 15.819)]),
    Truth(name: "webrtc-stereo_pcmu_jitter.pcap", streams: [.init(2009, 53, 0, 468, 53, 15.819)]),
    Truth(name: "webrtc-toggling_stereo_g729_pt18_pt125.pcap", streams: [.init(13_934, 0, 0, 0, 0, 0)]),
  ]

  @Test(.enabled(if: Captures.folder != nil, "the folder shared/captures isn't there"), arguments: truths)
  func `counts real captures as they are, without being told anything`(truth: Truth) async throws {
    let file = try #require(Captures.folder).appending(path: truth.name).path
    let report = try await analyze([file])
    let streams = (0..<report["streams"].count).map { report["streams"][$0] }
      .sorted { $0["packets"]["received"].int ?? 0 > $1["packets"]["received"].int ?? 0 }
    try #require(streams.count == truth.streams.count)
    for (stream, expected) in zip(streams, truth.streams) {
      let packets = stream["packets"]
      #expect(packets["received"].int == expected.received)
      #expect(packets["lost"].int == expected.lost)
      #expect(packets["duplicates"].int == expected.duplicates)
      #expect(packets["reordered"].int == expected.reordered)
      #expect(packets["rfc3550_lost"].int == expected.rfc3550)
      if let jitter = expected.jitter {
        #expect(abs(try #require(stream["jitter_ms"]["last"].double) - jitter) < 0.0011)
      }
    }
    #expect(report["capture"]["short_streams_total"].int == truth.short)
    #expect(report["capture"]["broken"].string == nil)
  }

  // MARK: Input

  private let call = Captures.call(
    packets: 300, fates: [10: [], 11: [], 20: [5, 6], 30: [50], 31: [5], 32: [5], 200: [95], 250: []])

  @Test func `reads a pipe like a file`() async throws {
    let file = folder.file("call.pcap", holding: call)
    let piped = try Jitterbug(["analyze", "-", "--json", "--quiet"], input: .pipe(call))
    #expect(try await piped.end() == 0)
    let (fromPipe, fromFile) = (try JSON(piped.text), try await analyze([file]))
    let packets = fromFile["streams"][0]["packets"]
    #expect(packets["lost"].int == 3 && packets["duplicates"].int == 1 && packets["reordered"].int == 2)
    #expect(fromPipe["streams"][0]["packets"]["unique"].int == packets["unique"].int)
    let stream = fromFile["streams"][0]
    #expect(stream["direction"].string == "forward" && stream["destination"].string == "10.0.0.2:5000")
    #expect(stream["first_arrival_unix_ms"].double == 1_704_067_200_005)
  }

  @Test func `says how far it got in a file that is cut or damaged`() async throws {
    let cut = try await analyze([folder.file("cut.pcap", holding: Array(call[..<(call.count - 3)]))])
    // 24 bytes of header, and 16 and 200 for each of the packets before the last.
    #expect(cut["capture"]["broken"].string?.contains("packet 297, at byte \(24 + 297 * 216)") == true)
    #expect(cut["streams"][0]["packets"]["received"].int == 297)
    var damaged = call
    damaged[24 + 100 * 216 + 11] = 0x7f
    let report = try await analyze([folder.file("damaged.pcap", holding: damaged)], status: 1)
    #expect(report["capture"]["broken"].string?.contains("packet 100, at byte \(24 + 100 * 216)") == true)
    #expect(report["streams"][0]["packets"]["received"].int == 100)
  }

  @Test(arguments: [
    (["/nowhere/x.pcap"], "/nowhere/x.pcap can't be read", Int32(1)), (["."], "directory", 1),
    ([], "needs a capture", 2),
    (["a", "b"], "reads one capture, but 2", 2), (["a", "--interface", "lo"], "exclude each other", 2),
    (["a", "--duration", "3s"], "--duration is for --interface", 2),
    (["--interface", "no-such-thing"], "no-such-thing", 1),
    (["a", "--as-link", "x.txt"], "FILE.link", 2), (["a", "--port", "70000"], "1 to 65535", 2),
  ])
  func `answers a mistake with one sentence`(words: [String], sentence: String, status: Int32) async throws {
    let run = try Jitterbug(["analyze"] + words)
    #expect(try await run.end() == status)
    #expect(run.errors.contains(sentence), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test func `knows what isn't a capture, and what is compressed`() async throws {
    let noise = try Jitterbug(["analyze", folder.file("noise", holding: Array("GIF89a and so on".utf8))])
    #expect(try await noise.end() == 1)
    #expect(noise.errors.contains("give a pcap, pcapng or rtpdump file"))
    let zipped = try Jitterbug(["analyze", folder.file("x.gz", holding: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0])])
    #expect(try await zipped.end() == 1)
    #expect(zipped.errors.contains("zcat"))
    let nothing = try Jitterbug(["analyze", folder.file("nothing.pcap", holding: [])])
    #expect(try await nothing.end() == 1)
    #expect(nothing.errors.contains("it is empty"))
    let stump = try await analyze([folder.file("stump.pcap", holding: Array(call[..<10]))], status: 1)
    #expect(stump["streams"].count == 0)
    let empty = try await analyze([folder.file("empty.pcap", holding: Array(call[..<24]))])
    #expect(empty["streams"].count == 0 && empty["capture"]["frames"].int == 0)
  }

  @Test func `writes several reports at once, the page and the table by second with what happened when`() async throws {
    let (page, table) = (folder.file("call.html"), folder.file("call.csv"))
    let report = try await analyze([folder.file("call.pcap", holding: call), "--report", page, "--report", table])
    #expect(String(decoding: contents(page), as: UTF8.self).contains("Packet by packet"))
    let lost = try Table(path: table).numbers("lost").reduce(0, +)
    #expect(lost == report["streams"][0]["packets"]["lost"].int)
  }

  @Test func `filters as tcpdump does, and says what is wrong with a filter`() async throws {
    let file = folder.file("call.pcap", holding: call)
    let none = try await analyze([file, "--filter", "udp port 9"])
    #expect(none["streams"].count == 0 && none["capture"]["frames"].int == 0)
    let all = try await analyze([file, "--filter", "dst host 10.0.0.2 and udp"])
    #expect(all["capture"]["frames"].int == 298)
    let bad = try Jitterbug(["analyze", file, "--filter", "udp porty"])
    #expect(try await bad.end() == 1)
    #expect(bad.errors.contains("no filter expression"))
  }

  // MARK: Results

  @Test func `replays other delays of the buffer and says which would have been enough`() async throws {
    // Every tenth packet 62 ms late, every hundredth 170 ms; what follows is played 20 ms after it.
    var fates: [Int: [Double]] = [:]
    for number in stride(from: 25, to: 1000, by: 10) { fates[number] = [67] }
    for number in stride(from: 50, to: 1000, by: 100) { fates[number] = [175] }
    let file = folder.file("late.pcap", holding: Captures.call(packets: 1000, fates: fates))
    let curve = try await analyze([file, "--what-if"])["streams"][0]
    func late(_ milliseconds: Double) -> Double? {
      (0..<curve["what_if"].count).map { curve["what_if"][$0] }.first { $0["delay_ms"].double == milliseconds }?[
        "late_ratio"
      ]
      .double
    }
    #expect(late(40) == 0.108 && late(50) == 0.010 && late(200) == 0)
    #expect(curve["what_if_enough_ms"].double == 200)
    #expect(curve["what_if_omitted"].int == 0)
    let text = try Jitterbug(["analyze", file, "--what-if"])
    #expect(try await text.end() == 0)
    #expect(text.text.contains("200 ms would have been enough"))
  }

  @Test func `writes G.711 as WAV at its place in time, and overwrites nothing`() async throws {
    let file = folder.file("call.pcap", holding: call)
    let place = folder.file("heard")
    let run = try Jitterbug(["analyze", file, "--extract", place, "--quiet"])
    #expect(try await run.end() == 0)
    let wave = try Data(contentsOf: URL(filePath: place + "/01-0x0000cafe.wav"))
    #expect(wave.count == 44 + 300 * 320)
    // The packets lost are silent.
    #expect(wave[(44 + 10 * 320)..<(44 + 12 * 320)].allSatisfy { $0 == 0 })
    let again = try Jitterbug(["analyze", file, "--extract", place, "--quiet"])
    #expect(try await again.end() == 1)
    #expect(again.errors.contains("nothing is overwritten"))
  }

  @Test(.enabled(if: Captures.folder != nil, "the folder shared/captures isn't there"))
  func `writes Opus as Ogg Opus and as WAV, of the same length`() async throws {
    let file = try #require(Captures.folder).appending(path: "ast-opus-fec-dropped.pcapng").path
    let place = folder.file("heard")
    let run = try Jitterbug(["analyze", file, "--extract", place, "--quiet"])
    #expect(try await run.end() == 0)
    let wave = try Data(contentsOf: URL(filePath: place + "/01-0x3760bfaa.wav"))
    #expect(wave.count == 44 + 3000 * 960 * 4)
    let ogg = try Data(contentsOf: URL(filePath: place + "/01-0x3760bfaa.opus"))
    #expect(ogg.starts(with: Array("OggS".utf8)) && ogg.count > 100_000)
  }

  @Test func `writes what the network did as a link that does it again`() async throws {
    var fates: [Int: [Double]] = [:]
    for number in stride(from: 7, to: 400, by: 17) { fates[number] = [] }
    for number in stride(from: 9, to: 400, by: 23) { fates[number] = [5, 7] }
    for number in stride(from: 12, to: 400, by: 31) { fates[number] = [115] }
    let file = folder.file("bad.pcap", holding: Captures.call(packets: 400, fates: fates))
    let link = folder.file("bad.link")
    let seen = try await analyze([file, "--as-link", link, "--as-link-fitted"])["streams"][0]
    #expect(seen["fitted_link"].string?.hasPrefix("loss=") == true)
    // As many packets at the same distances over that link.
    let exchange = try await Exchange.run(
      in: folder,
      send: ["--synthetic", "bytes=172,interval=20ms", "--duration", "8s", "--link", link, "--payload-type", "0"])
    for key in ["lost", "duplicates", "reordered", "unique"] {
      #expect(exchange.packets[key].int == seen["packets"][key].int, "\(key)")
    }
  }
}
