import Media
import Packets
import Receiving
import Sockets

/// The verb `receive`.
enum ReceiveCommand {
  static func options(_ words: [String]) throws(UsageError) -> ReceiveOptions? {
    var options = ReceiveOptions()
    guard let operands = try ReceiveOptions.usage.parse(words, into: &options) else { return nil }
    guard operands.count <= 1 else {
      throw UsageError(
        "receive listens on one source, but \(operands.count) were given: \(operands.joined(separator: " "))")
    }
    if let source = operands.first {
      do throws(EndpointError) { options.source = try Endpoint(source) } catch { throw UsageError("\(error)") }
    }
    if options.outputFile != nil { _ = try options.resolvedFormat() }
    if options.recordsAll {
      guard options.outputFile != nil, try options.resolvedFormat() == .opus else {
        throw UsageError(
          "--record-all keeps packets as they came, which only an Ogg Opus file can: write it with --output FILE.opus")
      }
    }
    if options.outputFile == "-" && options.output.isJSON {
      throw UsageError("--json and --output - both want standard output: write the report with --report FILE.json")
    }
    if options.reflectLimit != nil, !options.isReflecting {
      throw UsageError("--reflect-limit bounds what --reflect sends, but there is no --reflect: add it")
    }
    if options.isReflecting {
      guard case .rtp = options.source else {
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
    for path in options.output.reportFiles + [options.outputFile].compactMap({ $0 }) { try WritableFile.check(path) }
    let receiver = try Receiver(options)
    return try receiver.run()
  }
}

extension ReceiveOptions {
  /// What payload types stand for, from the session description, `--format` and the output's suffix.
  func formatTable() throws(CommandError) -> FormatTable {
    var table = FormatTable()
    table.option = format
    if outputFile != nil { table.suffix = .opus }
    guard let path = sdpFile else { return table }
    let bytes = try InputFile.read(path: path, limit: SessionDescription.maximumSize)
    do throws(SDPParseError) {
      for media in try SessionDescription(parsing: bytes.span).media {
        for payload in media.payloads {
          if let format = payload.format { table.described[payload.payloadType] = format }
        }
      }
    } catch { throw CommandError("\(path) is no session description: \(error)") }
    return table
  }
}
