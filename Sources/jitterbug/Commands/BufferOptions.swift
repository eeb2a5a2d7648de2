import Buffering
import Timeline

/// What `--buffer` and `--late-budget` say: a delay that stays, or one that follows the network.
struct BufferOptions: Sendable {
  enum Policy: Sendable {
    case fixed(Interval)
    case adaptive(ClosedRange<Interval>)
  }

  var policy = Policy.fixed(.milliseconds(60))
  var lateBudget: Double?

  /// The longest delay that anybody may ask for.
  static let longest = Interval.seconds(10)
  /// The share of late media that is aimed at, unless another is given.
  static let usualLateBudget = JitterBuffer.Adaptation().lateBudget

  /// The delay that stays, or that an adaptive buffer begins with.
  var target: Interval {
    switch policy {
    case .fixed(let target): target
    case .adaptive(let limits): limits.lowerBound
    }
  }

  /// How the delay follows the network; nil when it stays.
  var adaptation: JitterBuffer.Adaptation? {
    guard case .adaptive(let limits) = policy else { return nil }
    return JitterBuffer.Adaptation(lateBudget: lateBudget ?? Self.usualLateBudget, limits: limits)
  }

  /// Refuses a budget that nothing would keep.
  func check() throws(UsageError) {
    guard lateBudget != nil, adaptation == nil else { return }
    throw UsageError(
      "--late-budget is what an adaptive buffer aims at, and this one is fixed: add --buffer adaptive or --buffer 20-200"
    )
  }

  /// `--buffer` and `--late-budget`, with what the help says of the first.
  static func options<Arguments: Sendable>(
    for path: any WritableKeyPath<Arguments, BufferOptions> & Sendable, _ help: String
  ) -> [Option<Arguments>] {
    [
      .value(
        "--buffer", "MS",
        help + ": fixed in ms (default 60, so that runs compare), or adaptive to follow the network, or MIN-MAX to "
          + "follow it within limits, such as 20-200", policy
      ) { $0[keyPath: path].policy = $1 },
      .value(
        "--late-budget", "SHARE",
        "how much may come too late for an adaptive buffer, 0.01% to 20% (default 0.5%); less costs delay", lateBudget
      ) { $0[keyPath: path].lateBudget = $1 },
    ]
  }

  /// `60`, `60ms`, `adaptive`, `20-200`, `20ms-1.5s`.
  @Sendable static func policy(_ text: String) throws(UsageError) -> Policy {
    if text.lowercased() == "adaptive" { return .adaptive(JitterBuffer.Adaptation().limits) }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return .fixed(try delay(text)) }
    let low = try delay(parts[0])
    let high = try delay(parts[1])
    guard low < high else {
      throw UsageError("the first delay has to be less than the second; for a fixed delay write one alone, such as 60")
    }
    return .adaptive(low...high)
  }

  @Sendable private static func delay(_ text: String) throws(UsageError) -> Interval {
    let isBare = !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
    guard let value = try? Values.time(isBare ? text + "ms" : text), !text.contains(":") else {
      throw UsageError("not a delay; write 60 or 60ms, adaptive, or MIN-MAX such as 20-200")
    }
    guard value <= longest else { throw UsageError("the buffer holds at most 10s") }
    return value
  }

  @Sendable private static func lateBudget(_ text: String) throws(UsageError) -> Double {
    let accepted = "write a share from 0.01% to 20%, such as 0.5% or 0.005"
    guard let value = try? Values.share(text) else { throw UsageError("not a share; \(accepted)") }
    guard value >= 0.000_1 - 1e-12, value <= 0.2 + 1e-12 else { throw UsageError("out of range; \(accepted)") }
    return value
  }
}
