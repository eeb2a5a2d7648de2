import Receiving
import Reporting
import Sockets
import Timeline
import Verification

/// The verb `verify`.
enum VerifyCommand {
  static func options(_ words: [String]) throws(UsageError) -> VerifyOptions? {
    var options = VerifyOptions()
    guard let operands = try VerifyOptions.usage.parse(words, into: &options) else { return nil }
    guard operands.isEmpty else {
      throw UsageError("verify takes no \(operands[0]): it sends and receives by itself; see jitterbug verify --help")
    }
    if options.cases.isEmpty { options.cases = VerificationCase.all }
    let needed = options.cases.count * SocketCase.portCount
    guard options.ports + needed <= 65_536 else {
      throw UsageError(
        "--ports \(options.ports): \(options.cases.count) cases need \(needed) ports from there on: choose "
          + "\(65_536 - needed) or less")
    }
    return options
  }

  static func run(_ options: VerifyOptions) throws(CommandError) -> Int32 {
    if options.isListing {
      try StandardOutput.write(VerificationText.list(options.cases))
      return 0
    }
    let started = MonotonicClock.now()
    let results =
      options.isSimulated ? simulate(options) : try VerificationRun(options, at: started).run()
    let elapsed = MonotonicClock.now() - started
    if options.isJSON {
      try StandardOutput.write(json(results, options: options, duration: elapsed) + "\n")
    } else {
      try StandardOutput.write(
        VerificationText.table(
          results, isVerbose: options.isVerbose,
          way: options.isSimulated ? "on a virtual clock" : "with real sockets on loopback", seed: options.seed,
          seconds: elapsed.seconds))
    }
    if let name = options.falsified, !results.contains(where: \.isFalsified) {
      StandardError.write(
        "jitterbug: --falsify \(name): no case that was run compares it; leave out --case"
          + (options.isSimulated ? " or --simulate\n" : "\n"))
      return 2
    }
    return results.allSatisfy(\.isRight) && results.contains { !$0.figures.isEmpty } ? 0 : 1
  }

  private static func simulate(_ options: VerifyOptions) -> [CaseResult] {
    options.cases.enumerated().map { place, test in
      var result = CaseResult(test, falsifying: options.falsified)
      if !options.isQuiet, !options.isJSON { progress(place, of: options.cases.count) }
      guard !test.pausesReceiver else {
        result.skipped = "needs a socket"
        return result
      }
      let run = VirtualRun(test, time: options.time ?? .seconds(30), seed: options.seed)
      var counts = DatagramReportCounts()
      counts.received = run.datagrams
      let clock = ClockOffset(realtimeMinusMonotonic: .zero, uncertainty: .zero)
      let report = ReceiveReport(
        [ReceiveReport.Part(run.receiver)], options: ReceiveOptions(), counts: counts, clock: clock
      ).make(link: run.linkRecord, ended: nil, at: .zero)
      let text = Array(report.json().utf8)
      guard let value = JSONValue(parsing: text.span) else {
        result.failure = "the report isn't JSON"
        return result
      }
      result.compare(value, with: run.truth, socketDrops: nil)
      return result
    }
  }

  /// Says on a terminal how far it is; a redirected output gets no such lines.
  static func progress(_ done: Int, of count: Int) {
    guard Terminal.isStandardError else { return }
    StandardError.write("\r\u{1B}[K" + (done < count ? "verify: \(done) of \(count) cases done" : ""))
  }

  private static func json(_ results: [CaseResult], options: VerifyOptions, duration: Interval) -> String {
    var writer = JSONWriter()
    writer.object { json in
      json.value("tool", "jitterbug")
      json.value("version", Version.number)
      json.value("verb", "verify")
      json.value("mode", options.isSimulated ? "virtual_time" : "sockets")
      json.value("seed", String(options.seed))
      json.value("duration_ms", duration.milliseconds, decimals: 3)
      json.value("ok", results.allSatisfy(\.isRight))
      json.array("cases") { array in
        for result in results { array.object { write(result, to: &$0) } }
      }
    }
    return writer.text
  }

  private static func write(_ result: CaseResult, to json: inout JSONWriter) {
    json.value("name", result.name)
    json.value("proves", result.proves)
    json.value("ok", result.isRight)
    json.value("failure", result.failure)
    json.value("skipped", result.skipped)
    json.array("remarks") { array in
      for remark in result.remarks { array.value(nil, remark) }
    }
    json.array("figures") { array in
      for figure in result.figures {
        array.object { json in
          json.value("figure", figure.key)
          json.value("truth", figure.truth, decimals: 6)
          json.value("reported", figure.reported, decimals: 6)
          json.value("tolerance", figure.tolerance, decimals: 6)
          json.value("ok", figure.isRight)
        }
      }
    }
  }
}
