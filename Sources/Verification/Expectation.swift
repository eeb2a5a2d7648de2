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
    // By more than the tolerance, and from the truth where the report says that it doesn't know.
    if key == falsified { reported = (reported ?? truth ?? 0) + 1 + 2 * tolerance }
    let isUnknown = mayBeUnknown && found == .null && reported == nil
    return CheckedFigure(
      name: key, key: prefix + key, truth: isUnknown ? nil : truth, reported: reported, tolerance: tolerance,
      isMissing: isMissing)
  }
}

/// A figure of a report beside the truth.
public struct CheckedFigure: Sendable {
  /// Where it stands in its report, such as `packets.lost`.
  public let name: String
  /// The same, with the source before it where there are several streams, and "sender" for a sender's report.
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
