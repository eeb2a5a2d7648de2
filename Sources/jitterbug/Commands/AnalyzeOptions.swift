import Packets
import Timeline

/// What `jitterbug analyze` was asked to do.
struct AnalyzeOptions: Sendable {
  /// The capture; `-` is standard input, nil an interface.
  var file: String?
  var interface: String?
  var duration: Interval?
  var filter: String?
  var ssrc: UInt32?
  var ports: [UInt16] = []
  var sdpFile: String?
  var format: PayloadFormat?
  var buffer = BufferOptions()
  var extractFolder: String?
  var channels = 2
  var isWhatIf = false
  var linkFile: String?
  var isLinkFitted = false
  var output = OutputOptions()

  /// How many arrivals of each stream are kept: 32 MB of them.
  static let arrivalLimit = 1_000_000

  /// Whether arrivals are needed after the streams are over.
  var keepsArrivals: Bool { isWhatIf || linkFile != nil || isLinkFitted }
}

extension AnalyzeOptions {
  static let usage = Usage<AnalyzeOptions>(
    verb: "analyze", summary: "find the RTP streams in a capture and report exactly what the network did to each",
    synopsis: "[OPTION]... CAPTURE | --interface NAME",
    examples: [
      ("jitterbug analyze call.pcapng", "every RTP stream in the file, found without being told"),
      ("jitterbug analyze call.pcap --what-if", "which delay of the jitter buffer would have been enough?"),
      ("jitterbug analyze call.pcap --extract heard", "each stream as Ogg Opus and WAV into the folder heard"),
      ("tcpdump -i any -w - udp | jitterbug analyze - --json", "from a pipe, the report as JSON"),
      ("jitterbug analyze --interface eth0 --duration 30s", "live, with the privilege to capture"),
      ("jitterbug analyze bad.pcap --stream 0x1a2b3c4d --as-link bad.link", "make the same network again with --link"),
    ],
    groups: [capture, streams, results, OutputOptions.group(for: \AnalyzeOptions.output, isStreaming: false)])

  private static let capture = OptionGroup<AnalyzeOptions>(
    title: "Capture (CAPTURE is a pcap, pcapng or rtpdump file; - is standard input)",
    options: [
      .value("--interface", "NAME", "capture live from this interface, such as eth0 or any", Values.text) {
        $0.interface = $1
      },
      .value("--duration", "TIME", "stop a live capture after this long (else with Ctrl-C)", Values.time) {
        $0.duration = $1
      },
      .value("--filter", "EXPRESSION", "only packets that this filter accepts, as for tcpdump", Values.text) {
        $0.filter = $1
      },
    ])

  private static let streams = OptionGroup<AnalyzeOptions>(
    title: "Streams",
    options: [
      .value("--stream", "SSRC", "only this source, such as 0x1a2b3c4d", Values.ssrc) { $0.ssrc = $1 },
      .value(
        "--port", "N", "what goes to or from this UDP port is RTP, as short as it may be (can be given again)",
        Values.number(1...65_535)
      ) { $0.ports.append(UInt16($1)) },
      .value("--sdp", "FILE", "a session description that says what payload types stand for", Values.text) {
        $0.sdpFile = $1
      },
      .value(
        "--format", "NAME[/RATE]", "what dynamic payload types stand for: opus, h264, L16/44100 ...",
        ReceiveOptions.payload
      ) { $0.format = $1 },
    ] + BufferOptions.options(for: \AnalyzeOptions.buffer, "the jitter buffer's delay"))

  private static let results = OptionGroup<AnalyzeOptions>(
    title: "Results beside the report",
    options: [
      .flag("--what-if", "replay each stream through buffers of 10 to 500 ms and draw what would have been late") {
        $0.isWhatIf = true
      },
      .value(
        "--extract", "FOLDER", "write each Opus stream as .opus and .wav, each G.711 stream as .wav", Values.text
      ) { $0.extractFolder = $1 },
      .value("--channels", "N", "1 or 2 channels in the .wav of Opus (default 2)", Values.number(1...2)) {
        $0.channels = $1
      },
      .value(
        "--as-link", "FILE.link",
        "write what the network did to the stream, for --link FILE.link to do again packet for packet",
        Values.text
      ) { $0.linkFile = $1 },
      .flag("--as-link-fitted", "say for each stream which link spec is like it on average") {
        $0.isLinkFitted = true
      },
    ])
}
