import Impairment
import Probing
import Sockets
import Timeline

/// What `jitterbug probe` was asked to do.
struct ProbeOptions: Sendable {
  var destination = Endpoint.rtp(host: "localhost", ports: Endpoint.defaultPort...Endpoint.defaultPort)
  var like = Like.standard(.opusVoice)
  var isLikeGiven = false
  var streams = 1
  var duration: Interval?
  var isBothWays = false
  var isRamp = false
  var rateLimit = 50_000_000
  var isRateGiven = false
  var isBySecond = false
  var buffer = BufferOptions()
  var isMuxed = false
  var dscp: Int?
  var ttl: Int?
  var sourcePort: Int?
  var interface: String?
  var link: LinkSpec?
  var downLink: LinkSpec?
  var seed: UInt64?
  var output = OutputOptions()

  /// The traffic to imitate.
  enum Like: Sendable {
    case standard(ProbeProfile.Kind)
    case custom(bytes: Int, interval: Interval)
    /// Custom traffic whose figures are the next word.
    case customToCome
  }

  /// What is sent.
  var profile: ProbeProfile? {
    switch like {
    case .standard(let kind): ProbeProfile.standard(kind, streams: streams)
    case .custom(let bytes, let interval):
      ProbeProfile(kind: .custom, packetBytes: bytes, interval: interval, streams: streams)
    case .customToCome: nil
    }
  }
}

extension ProbeOptions {
  static let usage = Usage<ProbeOptions>(
    verb: "probe", summary: "measure a path with media-like traffic, and say what media it carries",
    synopsis: "[OPTION]... DESTINATION",
    examples: [
      ("jitterbug probe rtp://192.168.1.20:5004", "ten seconds of voice to a jitterbug receive there"),
      (
        "jitterbug probe --both-ways rtp://192.168.1.20",
        "both directions; start jitterbug receive --reflect there"
      ),
      ("jitterbug probe --like video-2mbit --duration 1m 192.168.1.20:5004", "as video, for longer"),
      ("jitterbug probe --ramp rtp://192.168.1.20", "how much the path carries; needs --reflect there, too"),
      ("jitterbug probe --like custom 500/10ms 127.0.0.1:5004 --link wifi-busy", "a bad network on the way"),
    ],
    groups: [traffic, path, OutputOptions.group(for: \ProbeOptions.output)])

  private static let traffic = OptionGroup<ProbeOptions>(
    title: "Traffic",
    options: [
      .value(
        "--like", "KIND",
        "opus-voice (default), opus-music, video-2mbit, g711, or custom BYTES/INTERVAL: the RTP packets' size and "
          + "how often they leave, such as custom 500/10ms", like
      ) {
        $0.like = $1
        $0.isLikeGiven = true
      },
      .value("--streams", "N", "so many streams at once (default 1)", Values.number(1...ProbeProfile.streamLimit)) {
        $0.streams = $1
      },
      .value("--duration", "TIME", "how long to send (default 10s)", duration) { $0.duration = $1 },
      .flag("--both-ways", "measure the way back, too: the far end sends the same traffic (receive --reflect)") {
        $0.isBothWays = true
      },
      .flag("--ramp", "raise the rate until loss or a growing delay shows the path's capacity (receive --reflect)") {
        $0.isRamp = true
      },
      .value("--max-rate", "RATE", "the highest rate that --ramp tries (default 50mbit, up to 200mbit)", rate) {
        $0.rateLimit = $1
        $0.isRateGiven = true
      },
    ])

  private static let path = OptionGroup<ProbeOptions>(
    title: "Path (DESTINATION is rtp://HOST:PORT or HOST:PORT)",
    options: [
      .flag("--rtcp-mux", "RTCP on the RTP port (RFC 5761) instead of the next one; also for receive") {
        $0.isMuxed = true
      },
      .value("--dscp", "N", "0 to 63, the code point for the IP header; 46 is expedited", Values.number(0...63)) {
        $0.dscp = $1
      },
      .value("--ttl", "N", "1 to 255, hops that packets may take", Values.number(1...255)) { $0.ttl = $1 },
      .value("--source-port", "PORT", "the local port (default any)", Values.number(1...65534)) {
        $0.sourcePort = $1
      },
      .value("--interface", "NAME", "send by this interface", Values.text) { $0.interface = $1 },
    ] + BufferOptions.options(for: \ProbeOptions.buffer, "the jitter buffer that the way back is judged by") + [
      .value(
        "--link", "SPEC", "a bad network for what is sent: a profile or loss=5%,delay=40ms,seed=7",
        SendOptions.parseLink
      ) { $0.link = $1 },
      .value("--link-down", "SPEC", "the same for what comes back", SendOptions.parseLink) { $0.downLink = $1 },
      .value("--seed", "N", "fixes SSRCs, first sequence numbers and first timestamps", Values.seed) { $0.seed = $1 },
      .flag("--by-second", "add a table by second to the text report") { $0.isBySecond = true },
    ])

  /// `opus-voice`, `custom`, `custom 500/10ms` or `custom:500/10ms`.
  @Sendable static func like(_ text: String) throws(UsageError) -> Like {
    let kinds: [(String, ProbeProfile.Kind)] = [
      ("opus-voice", .opusVoice), ("opus-music", .opusMusic), ("video-2mbit", .video), ("g711", .g711),
    ]
    if let kind = kinds.first(where: { $0.0 == text.lowercased() })?.1 { return .standard(kind) }
    guard text.hasPrefix("custom") else {
      throw UsageError("not known here; write opus-voice, opus-music, video-2mbit, g711 or custom BYTES/INTERVAL")
    }
    if text == "custom" { return .customToCome }
    let sizes = ProbeProfile.packetSizes
    let accepted =
      "write custom BYTES/INTERVAL, such as custom 500/10ms, with \(sizes.lowerBound) to \(sizes.upperBound) bytes "
      + "every 100us to 10s"
    let parts = text.dropFirst("custom".count).drop { $0 == " " || $0 == ":" }.split(
      separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let number = parts[1].last, number.isNumber {
      // It would be seconds, which nobody means here.
      throw UsageError("\(parts[1]) has no unit; write ms or us behind it, such as custom 500/10ms")
    }
    guard parts.count == 2, let bytes = Int(parts[0]), let interval = try? Values.time(String(parts[1])),
      ProbeProfile(kind: .custom, packetBytes: bytes, interval: interval) != nil
    else { throw UsageError(accepted) }
    // Messages carry whole microseconds.
    return .custom(bytes: bytes, interval: .microseconds(interval.nanoseconds / 1_000))
  }

  @Sendable private static func duration(_ text: String) throws(UsageError) -> Interval {
    let value = try Values.time(text)
    guard value >= .milliseconds(100), value <= .seconds(3_600) else {
      throw UsageError("a probe lasts from 100ms to 1h")
    }
    return value
  }

  @Sendable private static func rate(_ text: String) throws(UsageError) -> Int {
    let value = try Values.bitrate(text)
    guard (100_000...200_000_000).contains(value) else { throw UsageError("write a rate from 100kbit to 200mbit") }
    return value
  }
}
