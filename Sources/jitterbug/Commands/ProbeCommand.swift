import Probing
import Sockets
import Timeline

/// The verb `probe`.
enum ProbeCommand {
  static func options(_ words: [String]) throws(UsageError) -> ProbeOptions? {
    var options = ProbeOptions()
    guard var operands = try ProbeOptions.usage.parse(words, into: &options) else { return nil }
    if case .customToCome = options.like {
      guard let place = operands.firstIndex(where: { $0.contains("/") && !$0.contains("://") }) else {
        throw UsageError("--like custom needs BYTES/INTERVAL behind it: --like custom 500/10ms")
      }
      let text = operands.remove(at: place)
      do throws(UsageError) { options.like = try ProbeOptions.like("custom " + text) } catch {
        throw UsageError("--like custom \(text): \(error.message)")
      }
    }
    guard let destination = operands.first else {
      throw UsageError("no destination: end the command with where to send, such as rtp://192.168.1.20:5004")
    }
    guard operands.count == 1 else {
      throw UsageError("probe measures one path, but \(operands.count) were given: \(operands.joined(separator: " "))")
    }
    do throws(EndpointError) { options.destination = try Endpoint(destination) } catch {
      throw UsageError("\(error)")
    }
    guard case .rtp(_, let ports) = options.destination, ports.count == 1 else {
      throw UsageError("\(destination): probe measures one UDP port; write rtp://HOST:PORT")
    }
    guard !(options.isRamp && options.isBothWays) else {
      throw UsageError("--ramp measures the way there alone: leave --both-ways out")
    }
    guard options.isRamp || !options.isRateGiven else {
      throw UsageError("--max-rate is the highest rate that --ramp tries: add --ramp, or leave it out")
    }
    if options.isRamp {
      guard !options.isLikeGiven else {
        throw UsageError("--ramp sends evenly spaced packets of its own: leave --like out")
      }
      guard options.streams == 1, options.duration == nil else {
        throw UsageError("--ramp sends one stream for as long as it takes: leave --streams and --duration out")
      }
    }
    guard options.profile != nil else { throw UsageError("--like: such traffic can't be made") }
    guard !(options.downLink != nil && !options.isBothWays) else {
      throw UsageError("--link-down is for what comes back: add --both-ways")
    }
    if options.output.linkTraceFile != nil && options.link == nil {
      throw UsageError("--link-trace writes what --link does, but there is no --link")
    }
    try options.buffer.check()
    try ReportOutput.check(options.output)
    return options
  }

  static func run(_ options: ProbeOptions) throws(CommandError) -> Int32 {
    for path in options.output.reportFiles { try WritableFile.check(path) }
    guard let profile = options.profile else { throw CommandError("such traffic can't be made") }
    let prober = try Prober(options, profile: profile)
    let failure = try prober.run()
    try prober.path.link?.closeTrace()
    if let failure, !prober.hasResult { throw CommandError(failure) }
    try ReportOutput.write(ProbeReportMaker.make(prober), options.output, isOutputUsed: false)
    if let failure { throw CommandError(failure) }
    return 0
  }
}
