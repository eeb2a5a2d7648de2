/// A report in Prometheus' text format, version 0.0.4; docs/metrics.md names each metric.
///
/// Families are written once, with HELP and TYPE, then one line for each sample. A family without samples is left out.
public struct MetricsText: Sendable {
  /// What a metric does over time.
  public enum Kind: String, Sendable {
    /// It only grows.
    case counter
    /// It goes up and down.
    case gauge
  }

  /// A value, and what tells it apart from the others of its family.
  public struct Sample: Sendable {
    var labels: [(name: String, value: String)]
    var value: Double

    /// Makes a sample.
    public init(_ value: Double, _ labels: [(name: String, value: String)] = []) {
      self.value = value
      self.labels = labels
    }
  }

  /// What was written so far.
  public private(set) var text = ""

  /// Starts with nothing written.
  public init() {}

  /// Writes a family; a sample that isn't a number is left out.
  public mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
    let samples = samples.filter { !$0.value.isNaN }
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      text += name
      if !sample.labels.isEmpty {
        let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
        text += "{" + labels.joined(separator: ",") + "}"
      }
      text += " \(Self.number(sample.value))\n"
    }
  }

  /// Whole numbers without a point; infinities as Prometheus writes them.
  private static func number(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value == value.rounded() && value.magnitude < 9e15 ? String(Int64(value)) : value.description
  }

  /// Backslash, line feed and, in labels, the quotation mark are escaped; what could steer a terminal is replaced, and
  /// a stranger's text is cut.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(256) {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      case _ where Printable.isHarmful(scalar): result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
