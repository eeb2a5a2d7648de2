import Codecs
import Impairment
import Reporting
import Timeline

/// A lane of a race, as `--lanes` names it.
enum RaceLaneKind: Hashable, Sendable {
  case udp
  /// The same with in-band FEC.
  case udpFEC
  /// TCP with the congestion control named; nil for that of `--congestion`.
  case tcp(String?)
  /// A Unix socket beside the link.
  case unix

  /// The name, as it is written and reported.
  var name: String {
    switch self {
    case .udp: "udp"
    case .udpFEC: "udp+fec"
    case .tcp(let control): control.map { "tcp:\($0)" } ?? "tcp"
    case .unix: "unix"
    }
  }

  var isTCP: Bool { if case .tcp = self { true } else { false } }
  var isUDP: Bool { self == .udp || self == .udpFEC }
}

/// What `jitterbug race` was asked to do.
struct RaceOptions: Sendable {
  /// What `--sweep` varies.
  enum SweepKey: String, CaseIterable, Sendable { case loss, delay, buffer }

  /// One value of a sweep.
  struct SweepPoint: Sendable {
    var text: String
    /// In percent, or in milliseconds.
    var value: Double
  }

  var file = ""
  var lanes: [RaceLaneKind] = [.udp, .tcp(nil)]
  var hasNamedLanes = false
  var congestion = "cubic"
  var link: LinkSpec?
  var down: LinkSpec?
  var up: LinkSpec?
  var seed: UInt64?
  var seeds: Int?
  var buffer = BufferOptions()
  var tcpPlayer = RaceReport.TCPPlayer.conceal
  var start = Interval.zero
  var duration = Self.usualDuration
  var isDurationGiven = false
  var encoder: OpusSettings = Self.defaultEncoder
  var isInProcess = false
  var isSimulated = false
  var sweep: (key: SweepKey, points: [SweepPoint])?
  var folder: String?
  var output = OutputOptions()
  /// The words of the command line, so that the report can repeat it.
  var words: [String] = []

  /// How much of a file is raced unless `--duration` says otherwise.
  static let usualDuration = Interval.seconds(30)
  /// The longest race.
  static let longest = Interval.seconds(3600)

  /// What files that aren't Opus yet are encoded with: speech, at a rate that leaves room for FEC.
  static var defaultEncoder: OpusSettings {
    var settings = OpusSettings()
    settings.application = .voip
    settings.bitrate = 40_000
    return settings
  }

  /// The link to the receiver.
  var downLink: LinkSpec { seeded(down ?? link ?? Self.usualLink) }
  /// The way back.
  var upLink: LinkSpec { seeded(up ?? link ?? down ?? Self.usualLink) }

  /// The link of a race without `--link`: 2 % loss and 40 ms each way.
  static let usualLinkText = "loss=2%,delay=40ms"
  private static var usualLink: LinkSpec { (try? LinkSpec(parsing: usualLinkText)) ?? .perfect }

  private func seeded(_ spec: LinkSpec) -> LinkSpec {
    var spec = spec
    if let seed { spec.seed = seed }
    return spec
  }
}

extension RaceOptions {
  static let usage = Usage<RaceOptions>(
    verb: "race",
    summary: "the same media over the same bad link by UDP and by TCP, and what each listener hears",
    synopsis: "[OPTION]... FILE",
    examples: [
      ("jitterbug race song.opus --link loss=2%,delay=40ms", "UDP and TCP side by side, over real sockets"),
      ("jitterbug race song.opus --link wifi-busy --report race.html --out heard", "a page to look at, WAVs to hear"),
      ("jitterbug race talk.wav --lanes udp,udp+fec,tcp:cubic,tcp:bbr,unix", "all lanes"),
      ("jitterbug race song.opus --tcp-player wait", "a TCP player that waits, as a web player does"),
      ("jitterbug race song.opus --in-process --lanes udp,udp+fec", "without namespaces, so without TCP"),
      ("jitterbug race song.opus --simulate --sweep loss=0%,1%,2%,5%,10% --seeds 5", "a chart, in a moment"),
    ],
    groups: [lanesGroup, playing, media, repeating, OutputOptions.group(for: \RaceOptions.output, isStreaming: false)])

  private static let lanesGroup = OptionGroup<RaceOptions>(
    title: "Lanes and link",
    options: [
      .value(
        "--lanes", "LANE,...",
        "default udp,tcp; any of udp, udp+fec (Opus in-band FEC), tcp, tcp:NAME (with this congestion control: cubic, "
          + "reno, bbr or what the kernel has), unix (no network: the control)", lanes
      ) {
        $0.lanes = $1
        $0.hasNamedLanes = true
      },
      .value(
        "--congestion", "NAME", "the congestion control of the lane tcp (default cubic)", Values.text
      ) { $0.congestion = $1.lowercased() },
      .value(
        "--link", "SPEC",
        "the link, both ways; each lane has its own copy (default \(usualLinkText)); as for send --link",
        SendOptions.parseLink
      ) { $0.link = $1 },
      .value("--down", "SPEC", "the link to the receiver, where it isn't the same", SendOptions.parseLink) {
        $0.down = $1
      },
      .value(
        "--up", "SPEC", "the way back, which acknowledgements take, where it isn't the same", SendOptions.parseLink
      ) { $0.up = $1 },
      .value("--seed", "N", "fixes what the link does: the same packets are lost again (default 1)", Values.seed) {
        $0.seed = $1
      },
      .flag("--in-process", "the link inside this process, for systems without user namespaces; no TCP then") {
        $0.isInProcess = true
      },
      .flag("--simulate", "on a virtual clock, in a moment; UDP lanes only") { $0.isSimulated = true },
    ])

  private static let playing = OptionGroup<RaceOptions>(
    title: "Playing",
    options: BufferOptions.options(for: \RaceOptions.buffer, "the playout deadline of every lane") + [
      .value(
        "--tcp-player", "KIND",
        "deadline: what isn't there is concealed, as in a call (default); wait: the player stands still, as on the web",
        Values.choice([("deadline", .conceal), ("wait", .wait)])
      ) { $0.tcpPlayer = $1 },
      .value(
        "--out", "DIR", "write what each lane's listener heard, as DIR/LANE.wav, and its packets as DIR/LANE.opus",
        Values.text
      ) { $0.folder = $1 },
    ])

  private static let media = OptionGroup<RaceOptions>(
    title: "Media (Ogg Opus is sent packet by packet; other audio, and what udp+fec sends, is encoded)",
    options: [
      .value("--start", "TIME", "leave out the beginning of the file", Values.time) { $0.start = $1 },
      .value("--duration", "TIME", "race this much of it (default 30s, at most 1h)", duration) {
        $0.duration = $1
        $0.isDurationGiven = true
      },
      .value(
        "--bitrate", "RATE", "what is encoded: 6k to 510k (default 40k, which leaves room for FEC)", Values.opusBitrate
      ) { $0.encoder.bitrate = $1 },
      .value("--frame", "TIME", "10ms, 20ms, 40ms or 60ms (default 20ms)", frame) { $0.encoder.frameSize = $1 },
    ])

  private static let repeating = OptionGroup<RaceOptions>(
    title: "Many races",
    options: [
      .value(
        "--sweep", "KEY=VALUE,...", "a race at each value of loss, delay or buffer, such as loss=0%,0.5%,1%,2%,5%",
        sweep
      ) { $0.sweep = $1 },
      .value("--seeds", "N", "of a sweep, races at each value: 1 to 100 (default 3)", Values.number(1...100)) {
        $0.seeds = $1
      },
    ])

  @Sendable private static func lanes(_ text: String) throws(UsageError) -> [RaceLaneKind] {
    var lanes: [RaceLaneKind] = []
    for part in text.lowercased().split(separator: ",", omittingEmptySubsequences: false) {
      let lane = try lane(String(part))
      guard !lanes.contains(lane) else { throw UsageError("\(part) is given twice; name each lane once") }
      lanes.append(lane)
    }
    guard lanes.count <= 8 else { throw UsageError("at most 8 lanes race at once") }
    return lanes
  }

  private static func lane(_ text: String) throws(UsageError) -> RaceLaneKind {
    switch text {
    case "udp": return .udp
    case "udp+fec": return .udpFEC
    case "tcp": return .tcp(nil)
    case "unix": return .unix
    default:
      let name = text.dropFirst(4)
      let isName = !name.isEmpty && name.utf8.count <= 15 && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
      guard text.hasPrefix("tcp:"), isName else {
        throw UsageError(
          "\"\(text)\" is no lane; write udp, udp+fec, tcp, tcp:NAME such as tcp:bbr, or unix, with commas between")
      }
      return .tcp(String(name))
    }
  }

  @Sendable private static func duration(_ text: String) throws(UsageError) -> Interval {
    let value = try Values.time(text)
    guard value >= .milliseconds(100), value <= longest else { throw UsageError("a race lasts 100ms to 1h") }
    return value
  }

  @Sendable private static func frame(_ text: String) throws(UsageError) -> Int {
    let samples = Int(try Values.time(text).units(rate: 48_000))
    guard [480, 960, 1920, 2880].contains(samples) else { throw UsageError("a packet lasts 10ms, 20ms, 40ms or 60ms") }
    return samples
  }

  @Sendable private static func sweep(
    _ text: String
  ) throws(UsageError) -> (key: SweepKey, points: [SweepPoint]) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, let key = SweepKey(rawValue: parts[0].lowercased()) else {
      throw UsageError("not a sweep; write loss=0%,1%,2%, delay=10ms,50ms,100ms or buffer=20,60,120")
    }
    var points: [SweepPoint] = []
    for word in parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      let value: Double
      switch key {
      case .loss: value = try Values.share(word) * 100
      case .delay, .buffer:
        let isBare = !word.isEmpty && word.allSatisfy { $0.isASCII && $0.isNumber }
        let time = try Values.time(isBare ? word + "ms" : word)
        guard time <= .seconds(10) else { throw UsageError("\(word) is too long; at most 10s") }
        value = time.milliseconds
      }
      guard !points.contains(where: { $0.value == value }) else {
        throw UsageError("\(word) is given twice; name each value once, and say how often with --seeds")
      }
      points.append(SweepPoint(text: word, value: value))
    }
    guard points.count <= 50 else { throw UsageError("at most 50 values") }
    return (key, points)
  }
}
