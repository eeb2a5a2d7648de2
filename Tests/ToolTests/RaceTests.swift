import Foundation
import Testing

/// Races whose lanes are in this process, or on the virtual clock: everywhere, without namespaces.
@Suite(.fewAtOnce)
struct RaceTests {
  /// The text of every test that needs one packet lost and more than one not.
  static let link = "loss=10%,delay=20ms,seed=3"

  static func race(_ words: [String], wrapper: [String] = []) async throws -> JSON {
    let run = try await Jitterbug.run(["race", "--json", "--quiet"] + words, wrapper: wrapper)
    #expect(run.status == 0, "\(run.errors)")
    return try JSON(run.output)
  }

  static func sample(_ name: String) throws -> String {
    try ProjectFiles().root.appending(path: "samples/\(name)").path
  }

  @Test func `a simulated race loses what the link decides, and FEC brings most of it back`() async throws {
    let report = try await Self.race([
      try Self.sample("speech.opus"), "--simulate", "--lanes", "udp,udp+fec", "--link", Self.link, "--duration", "10s",
    ])
    let (plain, fec) = (report["lanes"][0], report["lanes"][1])
    #expect(report["setting"].string == "simulated")
    #expect(plain["lane"].string == "udp" && fec["lane"].string == "udp+fec")
    #expect(plain["frames"]["due"].int == 500 && fec["frames"]["due"].int == 500)
    #expect(plain["frames"]["lost"].int == plain["link_record"]["lost"].int)
    #expect(plain["link_record"]["lost"].int == fec["link_record"]["lost"].int)
    let (lost, rebuilt) = (fec["frames"]["lost"].int ?? 0, fec["frames"]["recovered"].int ?? 0)
    #expect(lost + rebuilt == plain["frames"]["lost"].int)
    #expect(rebuilt > lost)
    #expect(plain["delay_ms"]["min"].double == 20 && plain["delay_ms"]["max"].double == 20)
  }

  @Test func `one seed gives one story: virtual clock and real sockets lose the same packets, twice`() async throws {
    let words = [try Self.sample("speech.opus"), "--lanes", "udp", "--link", Self.link, "--duration", "2s"]
    let simulated = try await Self.race(words + ["--simulate"])
    // Time enough for a busy machine: what isn't lost isn't late either.
    let patient = words + ["--in-process", "--buffer", "5s"]
    let first = try await Self.race(patient)
    let second = try await Self.race(patient)
    let fates = try #require(simulated["lanes"][0]["fates"].string)
    #expect(fates.count == 100 && fates.contains("L"))
    #expect(first["lanes"][0]["fates"].string == fates)
    #expect(second["lanes"][0]["fates"].string == fates)
  }

  @Test func `--out writes what each listener heard, and the page holds it`() async throws {
    let folder = try TemporaryFolder()
    let report = try await Self.race([
      try Self.sample("speech.opus"), "--in-process", "--lanes", "udp,unix", "--link", Self.link, "--duration", "2s",
      "--buffer", "2s", "--out", folder.file("heard"), "--report", folder.file("race.html"), "--report",
      folder.file("race.csv"),
    ])
    for lane in ["udp", "unix"] {
      let sound = contents(folder.file("heard/\(lane).wav"))
      #expect(sound.count > 48_000, "\(lane)")
      #expect(sound.prefix(4) == Array("RIFF".utf8)[...])
      #expect(contents(folder.file("heard/\(lane).opus")).prefix(4) == Array("OggS".utf8)[...])
    }
    #expect(report["lanes"][1]["frames"]["lost"].int == 0)
    let page = String(decoding: contents(folder.file("race.html")), as: UTF8.self)
    #expect(page.contains("<audio") && page.contains("</html>"))
    #expect(try Table(path: folder.file("race.csv")).count == 200)
  }

  @Test func `what was due after the last packet that came is concealed, too, and counted as lost`() async throws {
    let folder = try TemporaryFolder()
    let report = try await Self.race([
      try Self.sample("speech.opus"), "--simulate", "--link", "outage=1s:500ms,seed=3", "--lanes", "udp", "--duration",
      "5s", "--out", folder.file("heard"),
    ])
    let lane = report["lanes"][0]
    let (lost, packets) = (lane["frames"]["lost"].int ?? 0, lane["packets"])
    #expect(packets["lost_after_last"].int ?? 0 > 0)
    #expect(lost == (packets["lost"].int ?? 0) + (packets["lost_at_ends"].int ?? 0))
    #expect(lane["frames"]["concealed_ms"].double == Double(20 * (lost - (packets["lost_before_first"].int ?? 0))))
    // 5 s less what was missing before the first packet, in stereo or mono.
    #expect(lane["media"]["duration_ms"].double == Double(5000 - 20 * (packets["lost_before_first"].int ?? 0)))
  }

  @Test(arguments: [
    (["--buffer", "0"], "--buffer 0"), (["--sweep", "buffer=0,60"], "buffer=0"),
    (["--link", "loss=1%", "--down", "loss=2%", "--up", "loss=3%"], "leave one of the three out"),
  ])
  func `settings that contradict each other are refused`(words: [String], sentence: String) async throws {
    let run = try await Jitterbug.run(["race", "--simulate", try Self.sample("speech.opus")] + words)
    #expect(run.status == 2)
    #expect(run.errors.contains(sentence), "\(run.errors)")
  }

  @Test func `a sweep races each value with each seed`() async throws {
    let report = try await Self.race([
      try Self.sample("speech.opus"), "--simulate", "--lanes", "udp", "--sweep", "loss=0%,20%", "--seeds", "2",
      "--duration", "3s",
    ])
    #expect(report["verb"].string == "race")
    let text = try await Jitterbug.run([
      "race", try Self.sample("speech.opus"), "--simulate", "--sweep", "buffer=20,60", "--quiet", "--duration", "2s",
    ])
    #expect(text.status == 0)
    #expect(text.output.contains("buffer"))
  }

  @Test func `Ctrl-C ends a race early, with a report of what was`() async throws {
    let race = try Jitterbug([
      "race", try Self.sample("speech.opus"), "--in-process", "--lanes", "udp", "--duration", "30s", "--json",
    ])
    // Some of it has been shown.
    try await race.says("on time")
    race.signal(SIGINT)
    #expect(try await race.end() == 0)
    let report = try JSON(race.text)
    #expect(report["ended"].string == "interrupted")
    let due = try #require(report["lanes"][0]["frames"]["due"].int)
    #expect(due > 0 && due < 900)
  }

  @Test func `a race whose terminal goes away leaves no file, and one that may outlive it goes on`() async throws {
    let folder = try TemporaryFolder()
    let words = [
      "race", try Self.sample("speech.opus"), "--in-process", "--lanes", "udp,unix", "--json", "--report",
      folder.file("race.html"), "--duration",
    ]
    try FileManager.default.createDirectory(atPath: folder.file("temporary"), withIntermediateDirectories: true)
    let place = ["env", "TMPDIR=" + folder.file("temporary")]
    let race = try Jitterbug(words + ["30s"], wrapper: place)
    try await race.says("on time")
    #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.file("temporary")).isEmpty)
    race.signal(SIGHUP)
    #expect(try await race.end() == 0)
    #expect(try JSON(race.text)["ended"].string == "interrupted")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("temporary")).isEmpty)
    let deaf = try Jitterbug(words + ["3s"], wrapper: place + ["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""])
    try await deaf.says("on time")
    deaf.signal(SIGHUP)
    #expect(try await deaf.end() == 0)
    #expect(try JSON(deaf.text)["ended"].string == "the media ended")
  }

  @Test(arguments: [
    ("race", "no file to race: name one, such as jitterbug race song.opus"),
    ("race a b", "race takes one file, and b is a second one: race them one after the other"),
    ("race -", "race reads its file more than once, so it can't be standard input"),
    (
      "race a --lanes udp,quic",
      "--lanes udp,quic: \"quic\" is no lane; write udp, udp+fec, tcp, tcp:NAME such as tcp:bbr, or unix, with commas "
        + "between"
    ),
    ("race a --lanes udp,udp", "--lanes udp,udp: udp is given twice; name each lane once"),
    (
      "race a --in-process --lanes udp,tcp:bbr",
      "--in-process leaves TCP out, because the kernel's TCP can't be put behind a link inside this process, and one "
        + "made up here would prove nothing: leave tcp:bbr out of --lanes, or leave out --in-process"
    ),
    (
      "race a --simulate --lanes udp,unix",
      "--simulate uses no sockets, so there is no lane unix: leave it out of --lanes"
    ),
    ("race a --simulate --in-process", "--simulate runs without sockets and --in-process with them: choose one"),
    ("race a --seeds 3", "--seeds repeats the races of a --sweep, and there is none"),
    (
      "race a --sweep rate=1mbit",
      "--sweep rate=1mbit: not a sweep; write loss=0%,1%,2%, delay=10ms,50ms,100ms or buffer=20,60,120"
    ),
    (
      "race a --sweep buffer=20,60 --buffer adaptive",
      "--sweep buffer= sets the buffer of each race: leave out --buffer"
    ),
    ("race a --duration 2h", "--duration 2h: a race lasts 100ms to 1h"),
    (
      "race a --sweep loss=1%,0.01",
      "--sweep loss=1%,0.01: 0.01 is given twice; name each value once, and say how often with --seeds"
    ),
  ])
  func `wrong usage of race gets one sentence and status 2`(command: String, sentence: String) async throws {
    let run = try await Jitterbug.run(command.split(separator: " ").map(String.init))
    #expect(run.status == 2)
    #expect(run.errors == "jitterbug: \(sentence)\n")
  }

  @Test func `what can't be raced is said in one sentence`() async throws {
    let missing = try await Jitterbug.run(["race", "/no/such.opus", "--simulate"])
    #expect(missing.status == 1)
    #expect(missing.errors.contains("/no/such.opus"))
    let folder = try TemporaryFolder()
    let text = folder.file("text.opus", holding: Array("this is no sound\n".utf8))
    let bad = try await Jitterbug.run(["race", text, "--simulate"])
    #expect(bad.status == 1)
    #expect(bad.errors.hasPrefix("jitterbug: ") && bad.errors.split(separator: "\n").count == 1, "\(bad.errors)")
    let video = try await Jitterbug.run(["race", try Self.sample("clip.h264"), "--simulate"])
    #expect(video.status == 1)
    #expect(video.errors.contains("is not audio that can be read (it looks like H264 video)"), "\(video.errors)")
  }

  @Test func `a pipe is refused at once, though nobody writes to it`() async throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
    let run = try await Jitterbug.run(["race", folder.file("pipe"), "--simulate"])
    #expect(run.status == 1)
    #expect(
      run.errors == "jitterbug: \(folder.file("pipe")) is a pipe or a device, which can't be read twice; write it to a "
        + "file first\n")
  }

  @Test func `of a damaged file what is whole is raced, and the damage is said`() async throws {
    let folder = try TemporaryFolder()
    let damaged = folder.file("cut.opus", holding: Array(contents(try Self.sample("speech.opus")).prefix(30_000)))
    let run = try await Jitterbug.run(["race", damaged, "--simulate", "--json", "--quiet"])
    #expect(run.status == 1)
    #expect(run.errors.contains("it ends inside an Ogg page") && run.errors.contains("what is whole was used"))
    let due = try #require(try JSON(run.output)["lanes"][0]["frames"]["due"].int)
    #expect(due > 300 && due < 957)
  }

  @Test func `Ctrl-C is heard while the file is still being read`() async throws {
    let folder = try TemporaryFolder()
    // An hour of silence at 8 kHz, which takes a while to encode and no room on the disk.
    let header: [UInt8] =
      Array("RIFF".utf8) + bytes(57_600_036) + Array("WAVEfmt ".utf8) + bytes(16) + [1, 0, 1, 0] + bytes(8_000)
      + bytes(16_000) + [2, 0, 16, 0] + Array("data".utf8) + bytes(57_600_000)
    let file = folder.file("long.wav", holding: header)
    try #require(truncate(file, 57_600_044) == 0)
    let race = try Jitterbug(["race", file, "--simulate", "--duration", "1h", "--quiet"])
    // Until it takes the signal itself.
    try await race.wait(for: "SIGINT to be blocked") {
      let status = String(decoding: contents("/proc/\(race.process)/status"), as: UTF8.self)
      let line = status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
      let mask = line.flatMap { UInt64($0.dropFirst(7).drop { $0.isWhitespace }, radix: 16) } ?? 0
      return mask & 1 << (SIGINT - 1) == 0 ? nil : ()
    }
    race.signal(SIGINT)
    #expect(try await race.end() == 1)
    #expect(race.errors == "jitterbug: interrupted before the race began\n")
    #expect(race.output.isEmpty)
  }

  /// A number of 32 bits, as WAV has it.
  private func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

/// Where races over the kernel's own sockets can be tried: as an ordinary user, whoever runs the tests.
private enum Unprivileged {
  /// Words that make root an ordinary user.
  static let wrapper: [String] =
    getuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []

  /// Whether this machine allows user namespaces; many containers don't.
  static func isAllowed() async -> Bool {
    guard let run = try? Jitterbug(["link", "none", "--", "true"], wrapper: wrapper) else { return false }
    return (try? await run.end()) == 0
  }
}

/// Races over the kernel's own UDP and TCP, as an ordinary user.
@Suite(
  .fewAtOnce,
  .enabled("needs user and network namespaces, which this system refuses, and setpriv for root") {
    await Unprivileged.isAllowed()
  })
struct NamespaceRaceTests {
  @Test func `UDP loses what the link drops, TCP loses nothing and sends again`() async throws {
    let report = try await RaceTests.race(
      [
        try RaceTests.sample("speech.opus"), "--lanes", "udp,tcp,unix", "--link", RaceTests.link, "--duration", "5s",
        "--buffer", "5s",
      ], wrapper: Unprivileged.wrapper)
    #expect(report["setting"].string == "namespaces")
    let (udp, tcp, unix) = (report["lanes"][0], report["lanes"][1], report["lanes"][2])
    #expect(udp["frames"]["due"].int == 250)
    #expect(udp["link_record"]["offered"].int == 250)
    #expect(udp["frames"]["lost"].int == udp["link_record"]["lost"].int)
    #expect(tcp["frames"]["lost"].int == 0 && unix["frames"]["lost"].int == 0)
    #expect(tcp["congestion_control"].string == "cubic")
    #expect((tcp["retransmits"].int ?? 0) > 0)
    #expect((tcp["wire_bytes"].int ?? 0) > (udp["wire_bytes"].int ?? .max))
    #expect((tcp["connection_ms"].double ?? 0) >= 40)
  }

  @Test func `the UDP lane's fates are those of the simulation, packet for packet`() async throws {
    let words = [
      try RaceTests.sample("speech.opus"), "--lanes", "udp", "--link", RaceTests.link, "--duration", "2s", "--buffer",
      "5s",
    ]
    let real = try await RaceTests.race(words, wrapper: Unprivileged.wrapper)
    let simulated = try await RaceTests.race(words + ["--simulate"])
    #expect(real["lanes"][0]["fates"].string == simulated["lanes"][0]["fates"].string)
  }

  @Test func `a sweep makes one world after the other`() async throws {
    let report = try await RaceTests.race(
      [
        try RaceTests.sample("speech.opus"), "--sweep", "loss=0%,20%", "--seeds", "2", "--duration", "1s",
      ], wrapper: Unprivileged.wrapper)
    #expect(report["runs"].count == 4)
  }

  @Test func `a waiting player misses nothing and falls behind`() async throws {
    let report = try await RaceTests.race(
      [
        try RaceTests.sample("speech.opus"), "--lanes", "tcp", "--link", "loss=8%,delay=40ms,seed=1", "--duration",
        "8s", "--tcp-player", "wait", "--buffer", "1",
      ], wrapper: Unprivileged.wrapper)
    let tcp = report["lanes"][0]
    #expect(report["tcp_player"].string == "wait")
    #expect(tcp["frames"]["lost"].int == 0)
    #expect((tcp["stalls"]["count"].int ?? 0) > 0)
  }

  @Test func `a connection that can't be made is its lane's failure, and the others race`() async throws {
    let run = try await Jitterbug.run(
      [
        "race", try RaceTests.sample("speech.opus"), "--link", "loss=100%", "--lanes", "udp,tcp,unix", "--duration",
        "1s",
        "--buffer", "5s", "--json", "--quiet",
      ], wrapper: Unprivileged.wrapper)
    #expect(run.status == 1)
    let lanes = try JSON(run.output)["lanes"]
    #expect(lanes[1]["failure"].string?.contains("no connection came about within 10 s") == true)
    // It carried no media for the wire's bytes to be compared with.
    #expect(lanes[1]["overhead"].double == nil)
    #expect(lanes[0]["failure"].string == nil && lanes[0]["overhead"].double != nil)
    #expect(lanes[0]["frames"]["lost"].int == 50)
    #expect(lanes[2]["frames"]["on_time"].int == 50)
  }

  @Test func `a congestion control that the kernel hasn't got is named, with those that it has`() async throws {
    let run = try await Jitterbug.run(
      ["race", try RaceTests.sample("speech.opus"), "--lanes", "tcp:nonesuch", "--quiet"], wrapper: Unprivileged.wrapper
    )
    #expect(run.status == 1)
    #expect(run.errors.contains("\"nonesuch\"") && run.errors.contains("reno"), "\(run.errors)")
  }
}
