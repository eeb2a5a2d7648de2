/// What a figure of a report has to be.
public struct Expectation: Sendable {
  /// Where it stands in the report, such as `packets.lost`.
  public let key: String
  /// What it has to be; nil for `null`.
  public let truth: Double?
  /// By how much it may differ: half of the last decimal that the report shows, or what its definition allows.
  public let tolerance: Double
  /// A figure that isn't in the report but was found by the comparison itself.
  let own: Double?
  /// Whether the report may say `null` instead: that it doesn't know.
  let mayBeUnknown: Bool

  init(_ key: String, _ truth: Int, mayBeUnknown: Bool = false) {
    self.init(key, Double(truth), within: 0, mayBeUnknown: mayBeUnknown)
  }

  init(_ key: String, _ truth: Double?, within tolerance: Double = 1e-9, mayBeUnknown: Bool = false) {
    self.key = key
    self.truth = truth
    self.tolerance = tolerance
    self.mayBeUnknown = mayBeUnknown
    own = nil
  }

  init(_ key: String, _ truth: Int, isOwn: Bool, reported: Double) {
    self.key = key
    self.truth = Double(truth)
    tolerance = 0
    mayBeUnknown = false
    own = isOwn ? reported : nil
  }

  /// The expectation beside what `report` says; `prefix` names the stream in a report with several.
  func check(against report: JSONValue, prefix: String, falsified: String?) -> CheckedFigure {
    let found = own.map { JSONValue.number($0) } ?? report.value(at: key)
    var reported: Double?
    var isMissing = false
    switch found {
    case .number(let number): reported = number
    case .null: break
    default: isMissing = true
    }
    if key == falsified { reported = (reported ?? 0) + 1 }
    return CheckedFigure(
      key: prefix + key, truth: mayBeUnknown && found == .null && reported == nil ? nil : truth, reported: reported,
      tolerance: tolerance, isMissing: isMissing)
  }
}

/// A figure of a report beside the truth.
public struct CheckedFigure: Sendable {
  /// Where it stands in the report; with several streams, with the source before it.
  public let key: String
  /// What it has to be; nil for `null`.
  public let truth: Double?
  /// What the report says; nil for `null`, or when it says nothing.
  public let reported: Double?
  /// By how much the two may differ.
  public let tolerance: Double
  /// Whether the report doesn't have it.
  public let isMissing: Bool

  /// Whether the report is right.
  public var isRight: Bool {
    guard !isMissing else { return false }
    guard let truth, let reported else { return truth == nil && reported == nil }
    return abs(truth - reported) <= tolerance
  }
}

/// What came of one case.
public struct CaseResult: Sendable {
  /// The case.
  public let name: String
  /// What it proves.
  public let proves: String
  /// Every figure that was compared.
  public var figures: [CheckedFigure] = []
  /// Why it couldn't be run to its end; nil when it was.
  public var failure: String?
  /// Why it wasn't run; nil when it was.
  public var skipped: String?

  /// Begins with nothing compared.
  public init(_ test: VerificationCase) {
    name = test.name
    proves = test.proves
  }

  /// Whether every figure was right.
  public var isRight: Bool { failure == nil && (skipped != nil || (!figures.isEmpty && figures.allSatisfy(\.isRight))) }

  /// Compares a receiver's report with what truly happened; `falsified` is a figure to add 1 to first.
  public mutating func compare(
    _ report: JSONValue, with truth: [StreamTruth], socketDrops: Int?, falsified: String? = nil
  ) {
    let streams = report.value(at: "streams")?.elements ?? []
    let total = truth.reduce(0) { $0 + $1.arrivals.count }
    var whole = [
      Expectation("streams reported", truth.count, isOwn: true, reported: Double(streams.count)),
      Expectation("datagrams.rtp", total), Expectation("datagrams.invalid", 0), Expectation("datagrams.forgotten", 0),
    ]
    if let socketDrops { whole.append(Expectation("datagrams.dropped_by_socket", socketDrops)) }
    figures += whole.map { $0.check(against: report, prefix: "", falsified: falsified) }
    for stream in truth {
      let identifier = Self.identifier(stream.ssrc)
      let prefix = truth.count > 1 ? identifier + " " : ""
      let found = streams.first { $0.value(at: "ssrc")?.text == identifier } ?? .null
      figures += stream.expectations.map { $0.check(against: found, prefix: prefix, falsified: falsified) }
    }
  }

  /// Compares what a sender's report says of the only receiver with what truly arrived there, once the receiver's last
  /// report has come: a sender waits for it some seconds, not for ever.
  public mutating func compareFarEnd(of report: JSONValue, with truth: StreamTruth, prefix: String) {
    guard let farEnd = report.value(at: "sending.far_ends.0"), farEnd.value(at: "final") == .bool(true) else { return }
    // Blocks that begin after numbers which were overtaken say nothing of those: there is nothing to compare with.
    let expected = Double(truth.received.joined().count)
    guard farEnd.value(at: "xr.covered") == .number(expected) else { return }
    figures += truth.farEnd.map { $0.check(against: farEnd, prefix: prefix + "far end ", falsified: nil) }
  }

  /// Compares figures that stand outside of the streams, such as those of a sender's report.
  public mutating func compare(_ report: JSONValue, counts: [(key: String, truth: Int)], prefix: String) {
    figures += counts.map { Expectation($0.key, $0.truth).check(against: report, prefix: prefix, falsified: nil) }
  }

  /// A source as reports write it.
  static func identifier(_ ssrc: UInt32) -> String {
    let digits = String(ssrc, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
