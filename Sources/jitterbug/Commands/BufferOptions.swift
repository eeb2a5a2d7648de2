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
    var adaptation = JitterBuffer.Adaptation(limits: limits)
    if let lateBudget { (adaptation.lateBudget, adaptation.frameBudget) = (lateBudget, lateBudget) }
    return adaptation
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
        "how much may come too late for an adaptive buffer, 0.01% to 20% (default 0.5%, of video 0.01%); less costs delay",
        lateBudget
      ) { $0[keyPath: path].lateBudget = $1 },
    ]
  }

  /// `60`, `60ms`, `adaptive`, `20-200`, `20ms-1.5s`.
  @Sendable static func policy(_ text: String) throws(UsageError) -> Policy {
    if text.lowercased() == "adaptive" { return .adaptive(JitterBuffer.Adaptation().limits) }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return .fixed(try delay(text)) }
    if parts[0].isEmpty, let value = try? delay(parts[1]) {
      let example = value == .zero ? "0 or 0-200" : "\(parts[1]) or 0-\(parts[1])"
      throw UsageError("a delay can't be less than 0, and limits need both numbers; write \(example)")
    }
    if parts[1].isEmpty, let value = try? delay(parts[0]) {
      let example = "\(parts[0])-\(value < .milliseconds(200) ? "200" : "10s")"
      throw UsageError(
        "the greatest delay is missing behind the hyphen; write \(example), or \(parts[0]) for a fixed delay")
    }
    let (low, high) = (try delay(parts[0]), try delay(parts[1]))
    if low == high { throw UsageError("both limits are the same; write \(parts[0]) for a fixed delay") }
    guard low < high else {
      throw UsageError("the least delay stands first and the greatest behind it; write \(parts[1])-\(parts[0])")
    }
    return .adaptive(low...high)
  }

  /// A number of milliseconds, or of what its unit says.
  @Sendable private static func delay(_ text: String) throws(UsageError) -> Interval {
    let accepted = "write a number of ms such as 60, or 1.5s, or adaptive, or MIN-MAX such as 20-200"
    let digits = String(text.prefix { !$0.isLetter })
    let unit = text.dropFirst(digits.count).lowercased()
    let units = ["": 1e-3, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
    guard let seconds = units[unit], let value = number(digits) else { throw UsageError("not a delay; \(accepted)") }
    guard value * seconds <= longest.seconds else { throw UsageError("more than the buffer holds; write 10s or less") }
    return Interval(seconds: value * seconds)
  }

  @Sendable private static func lateBudget(_ text: String) throws(UsageError) -> Double {
    let accepted = "write a share from 0.01% to 20%, such as 0.5% or 0.005"
    let isPercent = text.hasSuffix("%")
    let digits = isPercent ? String(text.dropLast()) : text
    guard let value = number(digits.hasPrefix("-") ? String(digits.dropFirst()) : digits) else {
      throw UsageError("not a share; \(accepted)")
    }
    let share = isPercent ? value / 100 : value
    guard !digits.hasPrefix("-"), share >= 0.000_1 - 1e-12, share <= 0.2 + 1e-12 else {
      // Who writes 5 means 5 %.
      let isForgotten = !isPercent && !digits.hasPrefix("-") && value >= 0.5 && value <= 20
      throw UsageError("out of range; " + (isForgotten ? "write \(digits)% for a share in percent" : accepted))
    }
    return share
  }

  /// Digits with at most one point; no sign, no exponent.
  private static func number(_ text: String) -> Double? {
    guard text.contains(where: { $0.isASCII && $0.isNumber }),
      text.allSatisfy({ $0 == "." || ($0.isASCII && $0.isNumber) })
    else { return nil }
    return Double(text)
  }
}
