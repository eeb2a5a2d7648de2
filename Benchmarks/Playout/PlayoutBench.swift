import Buffering
import Glibc
import Timeline

/// `playout-bench`: what delay and what late loss the jitter buffer gives on arrival traces, one JSON line a setting.
@main
struct PlayoutBench {
  static func main() {
    var budgets: [Double] = []
    var fixed: [Double] = []
    var phase = Interval.zero
    var watchEvery: Interval?
    var prices: [Double] = []
    var paths: [String] = []
    var arguments = CommandLine.arguments.dropFirst()
    while let argument = arguments.popFirst() {
      switch argument {
      case "--late-budget": budgets += numbers(arguments.popFirst())
      case "--fixed": fixed += numbers(arguments.popFirst())
      case "--watch": watchEvery = Interval(seconds: (numbers(arguments.popFirst()).first ?? 0) / 1000)
      case "--bound": prices = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000]
      case "--phase": phase = Interval(seconds: (numbers(arguments.popFirst()).first ?? 0) / 1000)
      default: paths.append(argument)
      }
    }
    if let every = watchEvery {
      for path in paths {
        guard let trace = Trace(path: path) else { fail("\(path) is not a trace that can be read") }
        var configuration = JitterBuffer.Configuration(clockRate: PlayoutRun.rate, target: .zero)
        configuration.adaptation = JitterBuffer.Adaptation(lateBudget: budgets.first ?? 0.005)
        let run = PlayoutRun(trace: trace, configuration: configuration, phase: phase)
        watch(run, every: every)
      }
      return
    }
    guard !paths.isEmpty else {
      fail("name at least one trace; playout-bench [--late-budget B,...] [--fixed MS,...] TRACE...")
    }
    if budgets.isEmpty, fixed.isEmpty, prices.isEmpty { budgets = [0.005] }
    for path in paths {
      guard let trace = Trace(path: path) else { fail("\(path) is not a trace that can be read") }
      for budget in budgets {
        var configuration = JitterBuffer.Configuration(clockRate: PlayoutRun.rate, target: .zero)
        configuration.adaptation = JitterBuffer.Adaptation(lateBudget: budget)
        let run = PlayoutRun(trace: trace, configuration: configuration, phase: phase)
        print(line(run.result(policy: "adaptive", lateBudget: budget), of: trace))
      }
      for price in prices {
        let point = OfflineBound(trace: trace).point(price: price)
        print(
          "{\"trace\":\"\(trace.name)\",\"policy\":\"bound\",\"price_ms\":\(number(price)),"
            + "\"mean_delay_ms\":\(number(point.delay)),\"late_pct\":\(number(100 * point.late)),"
            + "\"network_loss_pct\":\(number(100 * Double(trace.lossCount) / Double(trace.packets.count)))}")
      }
      for delay in fixed {
        let configuration = JitterBuffer.Configuration(
          clockRate: PlayoutRun.rate, target: Interval(seconds: delay / 1000))
        let run = PlayoutRun(trace: trace, configuration: configuration, phase: phase)
        print(line(run.result(policy: "fixed \(delay)", lateBudget: nil), of: trace))
      }
    }
  }

  /// Prints the target and the delay over time, a line of CSV every so often.
  private static func watch(_ run: PlayoutRun, every: Interval) {
    var next = Interval.zero
    print("time_ms,target_ms,delay_ms,level_ms,concealed_ms,inserted_ms,removed_ms,underruns")
    _ = run.result(policy: "adaptive", lateBudget: nil) { tick, buffer in
      guard tick >= next else { return }
      next = tick + every
      func milliseconds(_ units: Int64) -> String { number(Double(units) / Double(PlayoutRun.rate) * 1000) }
      let counts = buffer.counts
      let fields = [
        number(tick.milliseconds), number(buffer.target.milliseconds),
        buffer.playoutDelay(at: .zero + tick).map { number($0.milliseconds) } ?? "",
        number(buffer.level.milliseconds), milliseconds(counts.concealedUnits + counts.stalledUnits),
        milliseconds(counts.insertedUnits), milliseconds(counts.removedUnits), "\(counts.underruns)",
      ]
      print(fields.joined(separator: ","))
    }
  }

  private static func numbers(_ text: String?) -> [Double] {
    guard let text else { fail("a list of numbers is missing at the end of the line") }
    return text.split(separator: ",").map { field in
      guard let number = Double(field), number >= 0 else { fail("\(field) is not a number of 0 or more") }
      return number
    }
  }

  private static func fail(_ sentence: String) -> Never {
    let text = "playout-bench: \(sentence)\n"
    _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(2)
  }

  private static func line(_ result: PlayoutResult, of trace: Trace) -> String {
    let sorted = result.delays.sorted()
    func quantile(_ share: Double) -> Double {
      sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }
    let seconds = result.media / 1000
    let minutes = seconds / 60
    let mean = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
    func milliseconds(_ units: Int64) -> Double { Double(units) / Double(PlayoutRun.rate) * 1000 }
    let fields: [(String, String)] = [
      ("trace", "\"\(trace.name)\""), ("policy", "\"\(result.policy)\""),
      ("late_budget", result.lateBudget.map { "\($0)" } ?? "null"),
      ("mean_delay_ms", number(mean)), ("p50_ms", number(quantile(0.5))), ("p95_ms", number(quantile(0.95))),
      ("late_pct", number(100 * (result.concealed - result.lost) / result.media)),
      ("network_loss_pct", number(100 * result.lost / result.media)),
      ("discarded_pct", number(100 * Double(result.discarded) / Double(trace.packets.count))),
      ("stretched_down_ms_per_s", number(milliseconds(result.counts.removedUnits) / seconds)),
      ("stretched_up_ms_per_s", number(milliseconds(result.counts.insertedUnits) / seconds)),
      ("stretch_events_per_min", number(Double(result.counts.stretches) / minutes)),
      ("underruns_per_min", number(Double(result.counts.underruns) / minutes)),
      ("longest_gap_ms", number(result.longestGap)),
    ]
    return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }

  private static func number(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return "\(rounded == 0 ? 0 : rounded)"
  }
}
