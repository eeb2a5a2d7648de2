import Codecs
import Impairment
import Media
import Packets
import Receiving
import Sockets
import Timeline

/// What `jitterbug send` was asked to do.
struct SendOptions: Sendable {
  var files: [String] = []
  var destinations: [Endpoint] = []
  var raw: RawPCMFormat?
  var synthetic: SyntheticSpec?
  /// What standard input is, and files whose bytes don't tell: video of this kind.
  var videoFormat: VideoEncoding?
  /// Frames a second as a fraction, in place of what H.264 says of itself.
  var frameRate: (Int, Int)?
  var isLooping = false
  var start = Interval.zero
  var duration: Interval?
  var encoder = Self.defaultEncoder
  /// The first of the encoder's options that was given, to name it where nothing is encoded.
  var encoderOption: String?
  var payloadType: Int?
  var ssrc: UInt32?
  var firstSequence: UInt16?
  var seed: UInt64?
  var cname: String?
  var sdpFile: String?
  var isMuxed = false
  var hasNoExtendedReports = false
  /// Media seconds per second; nil sends as fast as the socket takes it.
  var speed: Double? = 1
  var dscp: Int?
  var ttl: Int?
  var sourcePort: Int?
  var interface: String?
  var wait = Interval.seconds(5)
  /// The most bytes in an IP packet of video; nil leaves it to the format.
  var mtu: Int?
  /// The share of a frame's interval over which its packets are spread; nil lets its size say.
  var pacing: Double?
  /// Whether packets leave one by one, never in runs for the device to cut apart.
  var hasNoOffload = false
  var link: LinkSpec?
  var output = OutputOptions()
}

/// What both verbs share: how the report comes out, and what goes on beside it.
struct OutputOptions: Sendable {
  var isJSON = false
  var isQuiet = false
  var isVerbose = false
  /// Where reports are written, besides standard output.
  var reportFiles: [String] = []
  var linkTraceFile: String?
  var metrics: MetricsPlace?
}

extension SendOptions {
  static let usage = Usage<SendOptions>(
    verb: "send", summary: "stream media files in real time, as RTP over UDP, TCP or a Unix socket",
    synopsis: "[OPTION]... FILE... DESTINATION...",
    examples: [
      ("jitterbug send song.opus rtp://192.168.1.20:5004", "Ogg Opus is passed through packet by packet"),
      ("jitterbug send talk.wav rtp://[fd00::2] --bitrate 32k --frame 20ms", "anything else is encoded as Opus"),
      ("jitterbug send --synthetic bytes=172,interval=20ms --duration 10s 127.0.0.1:5004", "measure without media"),
      ("jitterbug send song.opus 127.0.0.1:5004 --link wifi-busy", "meet a bad network on the way, without root"),
      ("arecord -f cd | jitterbug send - rtp://192.168.1.20", "live from standard input"),
      ("jitterbug send song.opus film.h264 rtp://192.168.1.20:5004", "audio to port 5004, video to port 5006"),
      ("ffmpeg ... -f h264 - | jitterbug send --format h264 - rtp://192.168.1.20", "live video"),
    ],
    groups: [media, encoding, stream, sending, OutputOptions.group(for: \SendOptions.output)])

  private static let media = OptionGroup<SendOptions>(
    title: "Media (Ogg Opus, WAV, FLAC, MP3, Ogg Vorbis, ...; H.264 with start codes, VP8 in IVF, MPEG-TS; - is stdin)",
    options: [
      .value("--raw", "FORMAT,RATE,CHANNELS", "the input is raw samples, such as s16le,48000,2", parseRaw) {
        $0.raw = $1
      },
      .value(
        "--format", "FORMAT", "what - and files that don't tell hold: h264, vp8 or mpegts",
        videoFormat
      ) { $0.videoFormat = $1 },
      .value(
        "--fps", "N[/D]", "frames of video a second, such as 30 or 30000/1001, in place of what it says", frameRate
      ) { $0.frameRate = $1 },
      .value(
        "--synthetic", "SPEC",
        "send made-up packets instead of files: bytes=172,interval=20ms or fps=30,bitrate=2mbit,gop=60", parseSynthetic
      ) { $0.synthetic = $1 },
      .flag("--loop", "begin again after the last file, until --duration or Ctrl-C") { $0.isLooping = true },
      .value("--start", "TIME", "leave out the beginning of the input", Values.time) { $0.start = $1 },
      .value("--duration", "TIME", "stop after this much media", Values.time) { $0.duration = $1 },
    ])

  private static let encoding = OptionGroup<SendOptions>(
    title: "Encoding (for everything but Ogg Opus)",
    options: noted([
      .value("--bitrate", "RATE", "6k to 510k (default 96k)", Values.opusBitrate) { $0.encoder.bitrate = $1 },
      .value("--frame", "TIME", "2.5ms, 5ms, 10ms, 20ms, 40ms or 60ms (default 20ms)", frame) {
        $0.encoder.frameSize = $1
      },
      .value("--application", "KIND", "audio, voip or lowdelay (default audio)", Values.choice(applications)) {
        $0.encoder.application = $1
      },
      .value("--complexity", "N", "0 to 10 (default 10)", Values.number(0...10)) { $0.encoder.complexity = $1 },
      .value(
        "--fec", "LOSS",
        "add in-band FEC for this expected loss, such as 10%; for speech, with --application voip and 16k to 40k",
        Values.share
      ) {
        $0.encoder.expectedLossPercent = Int(($1 * 100).rounded())
        $0.encoder.forwardErrorCorrection = true
      },
      .flag("--vbr", "vary the bit rate with the sound (default)") { $0.encoder.rateControl = .variable },
      .flag("--cbr", "keep the bit rate constant") { $0.encoder.rateControl = .constant },
      .flag("--dtx", "send next to nothing during silence") { $0.encoder.discontinuous = true },
    ]))

  /// The same options, and which of them came first is remembered.
  private static func noted(_ options: [Option<SendOptions>]) -> [Option<SendOptions>] {
    options.map { option in
      Option<SendOptions>(name: option.name, value: option.value, help: option.help) {
        (arguments, text) throws(UsageError) in
        try option.apply(&arguments, text)
        if arguments.encoderOption == nil { arguments.encoderOption = option.name }
      }
    }
  }

  private static let stream = OptionGroup<SendOptions>(
    title: "Stream",
    options: [
      .value(
        "--payload-type", "N", "0 to 127 (default 111; H.264 96, VP8 98, MPEG-TS 33, synthetic 112)",
        Values.number(0...127)
      ) { $0.payloadType = $1 },
      .value("--ssrc", "N", "the synchronisation source (default random)", Values.ssrc) { $0.ssrc = $1 },
      .value("--sequence", "N", "the first sequence number, 0 to 65535 (default random)", Values.number(0...65_535)) {
        $0.firstSequence = UInt16($1)
      },
      .value("--seed", "N", "fixes SSRC, first sequence number and first timestamp", Values.seed) { $0.seed = $1 },
      .value("--cname", "NAME", "the canonical name, up to 255 bytes (default user@host)", name) { $0.cname = $1 },
      .value("--sdp", "FILE", "write a session description, for ffmpeg, VLC and GStreamer", Values.text) {
        $0.sdpFile = $1
      },
      .flag("--rtcp-mux", "RTCP on the RTP port (RFC 5761) instead of the next one") { $0.isMuxed = true },
      .flag("--no-xr", "neither ask for extended reports (RFC 3611), nor answer or wait for them") {
        $0.hasNoExtendedReports = true
      },
    ])

  private static let sending = OptionGroup<SendOptions>(
    title: "Sending",
    options: [
      .value("--speed", "FACTOR", "1 is real time (default); max is as fast as the socket takes it", speed) {
        $0.speed = $1
      },
      .value("--wait", "TIME", "try this long to connect to tcp:// and unix: (default 5s)", Values.time) {
        $0.wait = $1
      },
      .value("--dscp", "N", "0 to 63, the code point for the IP header; 46 is expedited", Values.number(0...63)) {
        $0.dscp = $1
      },
      .value("--ttl", "N", "1 to 255, hops that packets may take", Values.number(1...255)) { $0.ttl = $1 },
      .value("--source-port", "PORT", "the local port (default any)", Values.number(1...65535)) {
        $0.sourcePort = $1
      },
      .value("--interface", "NAME", "send by this interface", Values.text) { $0.interface = $1 },
      .value(
        "--mtu", "BYTES",
        "the largest IP packet of video, 128 to 65000 (default 1200; MPEG-TS: seven of its packets, 1356 by IPv4)",
        Values.number(128...65_000)
      ) { $0.mtu = $1 },
      .value(
        "--pacing", "SHARE",
        "the share of a frame's interval over which its packets are spread (default 50%, up to 20ms, or up to 35ms for one"
          + " above 90 Mbit/s; 0 is all at once)", Values.share
      ) { $0.pacing = $1 },
      .flag(
        "--no-gso", "hand every packet to the kernel by itself (no UDP segmentation offload), for captures on this host"
      ) { $0.hasNoOffload = true },
      .value(
        "--link", "SPEC", "a bad network inside the sender: a profile, loss=5%,delay=40ms,seed=7 or FILE.link",
        parseLink
      ) { $0.link = $1 },
    ])

  private static let applications: [(word: String, value: OpusSettings.Application)] = [
    ("audio", .audio), ("voip", .voip), ("lowdelay", .lowDelay),
  ]

  private static let defaultEncoder: OpusSettings = {
    var settings = OpusSettings()
    settings.bitrate = 96_000
    return settings
  }()

  @Sendable private static func name(_ text: String) throws(UsageError) -> String {
    guard (1...255).contains(text.utf8.count) else { throw UsageError("a canonical name has 1 to 255 bytes") }
    return text
  }

  @Sendable private static func frame(_ text: String) throws(UsageError) -> Int {
    let samples = Int(try Values.time(text).units(rate: 48_000))
    guard OpusSettings.frameSizes.contains(samples) else {
      throw UsageError("Opus frames last 2.5ms, 5ms, 10ms, 20ms, 40ms or 60ms")
    }
    return samples
  }

  @Sendable private static func videoFormat(_ text: String) throws(UsageError) -> VideoEncoding {
    switch text.lowercased() {
    case "h264", "h.264", "avc": return .h264
    case "vp8", "ivf": return .vp8
    case "mpegts", "ts", "mp2t": return .mpegTS
    case "opus", "wav", "flac", "mp3", "ogg", "pcm", "s16le":
      throw UsageError("audio tells by its bytes what it is; leave --format out, and describe raw samples by --raw")
    default: throw UsageError("not a format of video that can be sent; write h264, vp8 or mpegts")
    }
  }

  /// A rate of 1 to 1000 frames a second, as a number with at most three decimals or as a fraction.
  @Sendable private static func frameRate(_ text: String) throws(UsageError) -> (Int, Int) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    var rate: (Int, Int)?
    if parts.count == 2, let number = Int(parts[0]), let divisor = Int(parts[1]), divisor > 0, divisor <= 1_000_000 {
      rate = (number, divisor)
    } else if parts.count == 1, let number = Double(text), number.isFinite, number.magnitude <= 1_000 {
      rate = (Int((number * 1_000).rounded()), 1_000)
    }
    guard let rate, rate.0 <= 1_000_000_000, rate.0 >= rate.1, rate.0 / rate.1 <= 1_000 else {
      throw UsageError("not a frame rate; write 1 to 1000, such as 25, 29.97 or 30000/1001")
    }
    return rate
  }

  @Sendable private static func speed(_ text: String) throws(UsageError) -> Double? {
    if text == "max" { return nil }
    guard let value = Double(text), value >= 0.01, value <= 1000 else {
      throw UsageError("not a speed; write 1, 0.5, 4 or max")
    }
    return value
  }

  @Sendable private static func parseRaw(_ text: String) throws(UsageError) -> RawPCMFormat {
    do { return try RawPCMFormat(parsing: text) } catch { throw UsageError("\(error)") }
  }

  @Sendable private static func parseSynthetic(_ text: String) throws(UsageError) -> SyntheticSpec {
    do { return try SyntheticSpec(parsing: text) } catch { throw UsageError("\(error)") }
  }

  @Sendable static func parseLink(_ text: String) throws(UsageError) -> LinkSpec {
    guard let recorded = LinkSpec.recordedLink(in: text) else {
      do { return try LinkSpec(parsing: text) } catch { throw UsageError("\(error)") }
    }
    let bytes: [UInt8]
    do { bytes = try InputFile.read(path: recorded.name, limit: recordingLimit) } catch {
      throw UsageError("\(error.message); a link with a / in it, or .link at its end, names a recorded one")
    }
    let recording: LinkRecording
    do { recording = try LinkRecording(parsing: bytes.span) } catch { throw UsageError("\(recorded.name), \(error)") }
    do {
      return try LinkSpec(replaying: recording, named: recorded.name, changes: recorded.changes)
    } catch { throw UsageError("\(error)") }
  }

  /// The most bytes in the file of a recorded link.
  private static let recordingLimit = 128 << 20
}

extension OutputOptions {
  /// The options for the report, which every verb has; those for what goes on only `isStreaming` verbs have.
  static func group<Arguments: Sendable>(
    for path: any WritableKeyPath<Arguments, OutputOptions> & Sendable, isStreaming: Bool = true
  ) -> OptionGroup<Arguments> {
    let streaming: [Option<Arguments>] = [
      .value("--link-trace", "FILE", "write what --link did to each packet as CSV", Values.text) {
        $0[keyPath: path].linkTraceFile = $1
      },
      .value(
        "--metrics", "[HOST:]PORT", "answer GET /metrics for Prometheus, on 127.0.0.1 unless HOST says otherwise",
        MetricsPlace.parse
      ) { $0[keyPath: path].metrics = $1 },
    ]
    let report: [Option<Arguments>] = [
      .flag("--json", "one JSON object on standard output at the end, and nothing else there") {
        $0[keyPath: path].isJSON = true
      },
      .value(
        "--report", "FILE", "write the report to FILE.html, .json, .csv or .txt too; may be given more than once",
        Values.text
      ) {
        $0[keyPath: path].reportFiles.append($1)
      },
    ]
    let words: [Option<Arguments>] = [
      .flag("--quiet", "no live view; errors and the report only") { $0[keyPath: path].isQuiet = true },
      .flag("--verbose", "say more about what happens") { $0[keyPath: path].isVerbose = true },
      Option(name: "--help", value: nil, help: "this text") { (_, _) throws(UsageError) in },
    ]
    return OptionGroup(title: "Report", options: report + (isStreaming ? streaming : []) + words)
  }
}
