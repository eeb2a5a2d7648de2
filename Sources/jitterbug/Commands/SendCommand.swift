import Packets
import Reporting
import Sockets
import Timeline

/// The verb `send`.
enum SendCommand {
  static func options(_ words: [String]) throws(UsageError) -> SendOptions? {
    var options = SendOptions()
    guard let operands = try SendOptions.usage.parse(words, into: &options) else { return nil }
    options.files = operands.filter { !isDestination($0) }
    let endpoints = try operands.filter(isDestination).map(endpoint)
    options.destinations = endpoints
    guard options.sdpFile == nil || endpoints.isEmpty || endpoints.contains(where: isRTP) else {
      throw UsageError("--sdp describes an rtp:// destination, and none was given: add one, or leave --sdp out")
    }
    guard !endpoints.isEmpty else {
      if operands.count > 1, let last = operands.last, last != "-", !InputFile.exists(last), !last.contains("/") {
        throw UsageError(
          "no destination: \(last) is no file, and as an address it lacks a port: write rtp://\(last):5004")
      }
      throw UsageError("no destination: end the command with where to send, such as rtp://192.168.1.20:5004")
    }
    if options.synthetic != nil {
      guard options.files.isEmpty else {
        throw UsageError("--synthetic sends made-up packets, but \(options.files[0]) was given too: choose one")
      }
    } else if options.files.isEmpty {
      throw UsageError("no file to send: name one, or - for standard input, or --synthetic bytes=172,interval=20ms")
    }
    guard options.files.count(where: { $0 == "-" }) <= 1, !(options.isLooping && options.files.contains("-")) else {
      throw UsageError("standard input can be read only once: - may stand once, and not with --loop")
    }
    if let port = options.sourcePort {
      guard endpoints.count == 1 else {
        throw UsageError("--source-port \(port): only one stream can be sent from a port, so name one destination")
      }
      guard port < 65_535 || options.isMuxed || !isRTP(endpoints[0]) else {
        throw UsageError("--source-port \(port): RTCP takes the port above it, so choose one up to 65534")
      }
    }
    try checkMedia(options)
    if options.output.linkTraceFile != nil && options.link == nil {
      throw UsageError("--link-trace writes what --link does, but there is no --link")
    }
    try ReportOutput.check(options.output)
    return options
  }

  /// What contradicts itself without a look into the files.
  private static func checkMedia(_ options: SendOptions) throws(UsageError) {
    if options.raw != nil {
      if options.videoFormat != nil { throw UsageError("--raw describes samples and --format a video: choose one") }
      if let file = options.files.first(where: { VideoEncoding(suffixOf: $0) != nil }) {
        throw UsageError("--raw describes samples, and \(file) is a video by its name: leave --raw out")
      }
    }
    if options.synthetic != nil, options.videoFormat != nil || options.frameRate != nil {
      throw UsageError(
        "--synthetic makes up what it sends: leave --format and --fps out; fps=30 is part of its own text")
    }
    if let spec = options.synthetic, !spec.isVideo, options.mtu != nil || options.pacing != nil {
      let name = options.mtu != nil ? "--mtu" : "--pacing"
      throw UsageError(
        "\(name) says how frames of video are cut and sent, and bytes=N,interval=T makes up packets: leave it out")
    }
  }

  /// A URI, or host:port when no file has that name.
  private static func isDestination(_ word: String) -> Bool {
    if ["rtp:", "tcp:", "unix:", "udp:"].contains(where: word.hasPrefix) || word.contains("://") { return true }
    return word.contains(":") && !InputFile.exists(word) && !word.contains("/")
  }

  private static func isRTP(_ endpoint: Endpoint) -> Bool { if case .rtp = endpoint { true } else { false } }

  /// Where to send; only a receiver can take the first free one of several ports.
  private static func endpoint(_ text: String) throws(UsageError) -> Endpoint {
    let endpoint: Endpoint
    do throws(EndpointError) { endpoint = try Endpoint(text) } catch { throw UsageError("\(error)") }
    guard let ports = endpoint.ports, ports.count > 1 else { return endpoint }
    throw UsageError(
      "\"\(text)\" has the ports \(ports.lowerBound) to \(ports.upperBound), and a stream is sent to one: write the "
        + "one that the receiver says it listens on")
  }

  static func run(_ options: SendOptions) throws(CommandError) -> Int32 {
    for path in options.output.reportFiles { try WritableFile.check(path) }
    let inputs = try SendInputs(options)
    if inputs.opening?.isRateAssumed == true, !options.output.isQuiet, let file = inputs.video.first {
      StandardError.write(
        "jitterbug: \(file) doesn't say how many frames a second it has: 25 are assumed; --fps says otherwise\n")
    }
    let setup = try SendSetup(options, inputs: inputs)
    if let path = options.sdpFile { try SendDescription.write(to: path, setup, parameters: inputs.parameters) }
    let opened = setup.destinations()
    let destinations = opened.flatMap { $0 }
    let deadline = MonotonicClock.now() + options.wait
    for destination in destinations { destination.open(until: deadline) }
    let failures = destinations.compactMap(\.failure)
    if failures.count == destinations.count, let first = failures.first { throw CommandError(first) }
    for failure in failures { StandardError.write("jitterbug: \(failure)\n") }
    // Only the progress bar asks for it, and for Ogg Opus it takes a reading of the whole file.
    let total = options.output.isQuiet ? nil : MediaLength.total(of: options, inputs)
    // The signals must be blocked before a thread is started, so that they come to the loop alone.
    let sender = try Sender(options, streams: try setup.streams(to: opened), total: total)
    try setup.startReading(for: sender.streams)
    try sender.run()
    try ReportOutput.write(SendReport.make(sender), options.output, isOutputUsed: false)
    try sender.link?.closeTrace()
    for failure in destinations.compactMap(\.failure) where !failures.contains(failure) {
      StandardError.write("jitterbug: \(failure)\n")
    }
    if sender.hasSentNothing, options.start > .zero {
      throw CommandError("nothing was sent: the input ends before --start; choose an earlier one")
    }
    return sender.problemCount > 0 || destinations.contains { $0.failure != nil } ? 1 : 0
  }
}
