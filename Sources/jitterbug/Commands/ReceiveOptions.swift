import Impairment
import Packets
import Sockets
import Timeline

/// What `jitterbug receive` was asked to do.
struct ReceiveOptions: Sendable {
  /// What is written for each stream.
  enum Format: String, Sendable {
    case wav, opus, raw
  }

  /// Where it listens unless told.
  static let defaultSource = Endpoint.rtp(host: "::", ports: Endpoint.defaultPort...Endpoint.defaultPort)

  /// Where to listen, a session each; without any where the session description or the default says.
  var sources: [Endpoint] = []
  /// One for audio, one for video.
  var outputFiles: [String] = []
  var outputFormat: OutputTarget.Content?
  /// Whether video files get frames that can't be shown as well; nil when nothing was said.
  var keepsDamaged: Bool?
  /// Whether streams of one sender aren't kept in lip sync.
  var hasNoSync = false
  /// Whether no key frame is asked for when the picture is frozen.
  var hasNoPictureLoss = false
  var channels = 2
  /// Whether somebody asked for so many.
  var hasChannels = false
  var buffer = BufferOptions()
  /// Whether the output gets every packet that arrived, however late.
  var recordsAll = false
  var isOnce: Bool?
  var idleTimeout: Interval?
  var duration: Interval?
  var sdpFile: String?
  var format: PayloadFormat?
  var isMuxed = false
  var hasNoExtendedReports = false
  var sourceLimit = 32
  var socketBuffer: Int?
  var interface: String?
  var traceFile: String?
  var link: LinkSpec?
  var seed: UInt64?
  /// Whether probers that prove their address get media back.
  var isReflecting = false
  /// Bits a second for each of them; nil for the usual limit.
  var reflectLimit: Int?
  var output = OutputOptions()
}

extension ReceiveOptions {
  static let usage = Usage<ReceiveOptions>(
    verb: "receive", summary: "receive RTP, put it in order, play or record it, and report exactly what was lost",
    synopsis: "[OPTION]... [SOURCE]...",
    examples: [
      ("jitterbug receive", "listen on UDP port 5004, IPv4 and IPv6, and report; nothing is written"),
      ("jitterbug receive --output heard.wav", "record the first stream as a listener would hear it"),
      ("jitterbug receive rtp://0.0.0.0:9000-9099 --output copy.opus", "the first free port; packets as they came"),
      ("jitterbug receive --output seen.h264", "write the frames that could be shown; .ivf for VP8, .ts for MPEG"),
      (
        "jitterbug receive rtp://:5004 rtp://:5006 --output heard.wav --output seen.h264",
        "audio and video, a session each, in lip sync"
      ),
      ("jitterbug receive --output - --output-format raw | aplay -f dat", "play (48 kHz, 16 bit, stereo)"),
      ("jitterbug receive tcp://[::]:5004 --json", "RTP framed in TCP (RFC 4571), the report as JSON"),
    ],
    groups: [listening, playing, OutputOptions.group(for: \ReceiveOptions.output)])

  private static let listening = OptionGroup<ReceiveOptions>(
    title:
      "Listening (SOURCE is rtp://HOST:PORT, rtp://HOST:FIRST-LAST, tcp://HOST:PORT or unix:/PATH; default rtp://[::]:5004)",
    options: [
      .flag("--rtcp-mux", "RTCP comes on the RTP port (RFC 5761), not on the next one") { $0.isMuxed = true },
      .flag("--no-xr", "send no extended reports (RFC 3611), which tell the sender packet by packet what was lost") {
        $0.hasNoExtendedReports = true
      },
      .value("--sdp", "FILE", "a session description that says what payload types stand for", Values.text) {
        $0.sdpFile = $1
      },
      .value("--format", "NAME[/RATE]", "what dynamic payload types stand for: opus, h264, L16/44100 ...", payload) {
        $0.format = $1
      },
      .value("--sources", "N", "follow at most this many sources at once (default 32)", Values.number(1...1000)) {
        $0.sourceLimit = $1
      },
      .value("--socket-buffer", "BYTES", "ask the kernel for this much buffer", Values.number(1024...1_073_741_824)) {
        $0.socketBuffer = $1
      },
      .value("--interface", "NAME", "listen on this interface only", Values.text) { $0.interface = $1 },
      .flag("--no-sync", "don't make audio or video wait for each other, where they come from one sender") {
        $0.hasNoSync = true
      },
      .flag("--no-pli", "ask for no key frame (RFC 4585) when the picture is frozen") { $0.hasNoPictureLoss = true },
      .flag("--once", "end with the first stream (default with --output)") { $0.isOnce = true },
      .flag("--keep-running", "wait for the next stream, with --output too") { $0.isOnce = false },
      .value("--idle-timeout", "TIME", "a stream ends after this much silence (default 10s with --once)", Values.time) {
        $0.idleTimeout = $1
      },
      .value("--duration", "TIME", "stop after this long", Values.time) { $0.duration = $1 },
      .flag(
        "--reflect",
        "send media back to jitterbug probe --both-ways; only to an address that has proved that it asked, and no "
          + "longer than it keeps asking"
      ) { $0.isReflecting = true },
      .value(
        "--reflect-limit", "RATE", "with --reflect, send at most this to each of 4 probers (default 8mbit)",
        Values.bitrate
      ) { $0.reflectLimit = $1 },
      .value(
        "--link", "SPEC", "a bad network inside the receiver: a profile, loss=5%,delay=40ms,seed=7 or FILE.link",
        SendOptions.parseLink
      ) { $0.link = $1 },
    ])

  private static let playing = OptionGroup<ReceiveOptions>(
    title: "Playing and recording",
    options: [
      .value(
        "--output", "FILE",
        "what a listener hears, as FILE.wav, FILE.opus or FILE.raw, or what a viewer sees, as FILE.h264, FILE.ivf or "
          + "FILE.ts; may be given once for each; - is standard output", Values.text
      ) { $0.outputFiles.append($1) },
      .value(
        "--output-format", "FORMAT", "wav, opus, raw, h264, ivf or ts (default by the file's suffix; raw for -)",
        Values.choice([
          ("wav", OutputTarget.Content.audio(.wav)), ("opus", .audio(.opus)), ("raw", .audio(.raw)),
          ("h264", .video(.h264)), ("ivf", .video(.vp8)), ("ts", .video(.mpegTS)),
        ])
      ) { $0.outputFormat = $1 },
      .value(
        "--damaged", "drop|keep", "frames with missing parts, or that refer to such: left out (default) or written",
        Values.choice([("drop", false), ("keep", true)])
      ) { $0.keepsDamaged = $1 },
      .value("--channels", "N", "1 or 2 channels in wav and raw (default 2)", Values.number(1...2)) {
        $0.channels = $1
        $0.hasChannels = true
      },
    ] + BufferOptions.options(for: \ReceiveOptions.buffer, "the jitter buffer's delay") + [
      .flag(
        "--record-all",
        "write every packet that arrived into FILE.opus at its place, up to 10s late, instead of what was heard"
      ) { $0.recordsAll = true },
      .value("--trace", "FILE", "one line of CSV for every datagram: when it came and what became of it", Values.text) {
        $0.traceFile = $1
      },
      .value("--seed", "N", "fixes our SSRC and the report timer", Values.seed) { $0.seed = $1 },
    ])

  @Sendable static func payload(_ text: String) throws(UsageError) -> PayloadFormat {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let known: [String: PayloadFormat] = [
      "opus": .opus, "h264": PayloadFormat(encodingName: "H264", clockRate: 90_000),
      "vp8": PayloadFormat(encodingName: "VP8", clockRate: 90_000),
    ]
    if parts.count == 1, let format = known[text.lowercased()] { return format }
    if (2...3).contains(parts.count), !parts[0].isEmpty, let rate = UInt32(parts[1]), rate > 0 {
      let channels = parts.count == 3 ? Int(parts[2]) : 1
      guard let channels, (1...255).contains(channels) else {
        throw UsageError("not a number of channels; write L16/44100/2")
      }
      return PayloadFormat(encodingName: parts[0], clockRate: rate, channels: channels)
    }
    throw UsageError("not known here; write opus, h264, vp8, or NAME/CLOCKRATE such as L16/44100")
  }
}
