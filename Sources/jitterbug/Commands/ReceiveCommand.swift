import Packets
import Sockets

/// The verb `receive`.
enum ReceiveCommand {
  static func options(_ words: [String]) throws(UsageError) -> ReceiveOptions? {
    var options = ReceiveOptions()
    guard let operands = try ReceiveOptions.usage.parse(words, into: &options) else { return nil }
    guard operands.count <= ReceiveMedia.limit else {
      throw UsageError("receive listens on at most \(ReceiveMedia.limit) sources, but \(operands.count) were given")
    }
    for source in operands {
      do throws(EndpointError) { options.sources.append(try Endpoint(source)) } catch { throw UsageError("\(error)") }
    }
    let targets = try options.targets()
    try options.check(targets)
    if options.recordsAll, !targets.contains(where: { $0.content == .audio(.opus) }) {
      throw UsageError(
        "--record-all keeps packets as they came, which only an Ogg Opus file can: write it with --output FILE.opus")
    }
    if options.keepsDamaged != nil, !targets.contains(where: \.content.isVideo) {
      throw UsageError(
        "--damaged says what becomes of damaged frames in a video file, and none is written: add --output seen.h264")
    }
    if options.outputFiles.contains("-") && options.output.isJSON {
      throw UsageError("--json and --output - both want standard output: write the report with --report FILE.json")
    }
    if options.reflectLimit != nil, !options.isReflecting {
      throw UsageError("--reflect-limit bounds what --reflect sends, but there is no --reflect: add it")
    }
    if options.isReflecting {
      guard options.sources.count <= 1 else {
        throw UsageError("--reflect serves one source, but \(options.sources.count) were given: leave the others out")
      }
      guard case .rtp = options.sources.first ?? ReceiveOptions.defaultSource else {
        throw UsageError("--reflect sends by UDP, so it takes an rtp:// source: write rtp://[::]:5004")
      }
    }
    if options.output.linkTraceFile != nil && options.link == nil {
      throw UsageError("--link-trace writes what --link does, but there is no --link")
    }
    try options.buffer.check()
    try ReportOutput.check(options.output)
    return options
  }

  static func run(_ options: ReceiveOptions) throws(CommandError) -> Int32 {
    for path in options.output.reportFiles + options.outputFiles { try WritableFile.check(path) }
    let receiver = try Receiver(options)
    return try receiver.run()
  }
}
