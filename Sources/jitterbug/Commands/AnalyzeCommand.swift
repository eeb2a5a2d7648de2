import Packets
import Receiving

/// The verb `analyze`.
enum AnalyzeCommand {
  static func options(_ words: [String]) throws(UsageError) -> AnalyzeOptions? {
    var options = AnalyzeOptions()
    guard let operands = try AnalyzeOptions.usage.parse(words, into: &options) else { return nil }
    guard operands.count <= 1 else {
      throw UsageError(
        "analyze reads one capture, but \(operands.count) were given: \(operands.joined(separator: " "))")
    }
    options.file = operands.first
    switch (options.file, options.interface) {
    case (nil, nil): throw UsageError("analyze needs a capture: name a pcap or pcapng file, or - for standard input")
    case (let file?, let interface?):
      throw UsageError("\(file) and --interface \(interface) exclude each other: analyze the one or the other")
    case (_?, nil) where options.duration != nil:
      throw UsageError("--duration is for --interface; a file is read to its end")
    default: break
    }
    if let path = options.linkFile, !path.hasSuffix(".link") {
      throw UsageError("--as-link \(path): call it FILE.link, so that --link knows it for a file")
    }
    if options.output.linkTraceFile != nil {
      throw UsageError("--link-trace writes what --link does, and analyze has no --link")
    }
    try options.buffer.check()
    try ReportOutput.check(options.output)
    return options
  }

  static func run(_ options: AnalyzeOptions) throws(CommandError) -> Int32 {
    for path in options.output.reportFiles + [options.linkFile].compactMap({ $0 }) { try WritableFile.check(path) }
    let analyzer = try Analyzer(options)
    return try analyzer.run()
  }
}

extension AnalyzeOptions {
  /// What payload types stand for, from the session description and `--format`.
  func formatTable() throws(CommandError) -> FormatTable {
    var receiving = ReceiveOptions()
    receiving.format = format
    receiving.sdpFile = sdpFile
    return try receiving.formatTable()
  }
}
