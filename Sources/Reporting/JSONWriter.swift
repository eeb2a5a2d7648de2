/// Writes JSON (RFC 8259) piece by piece, in the order of the calls.
///
/// Every text it can be made to write is valid: strings are escaped, a number that isn't finite becomes `null`. The
/// caller gives keys in objects and none in arrays.
public struct JSONWriter: Sendable {
  /// What was written so far.
  public private(set) var text = ""

  /// Whether each member stands on a line of its own.
  private let isPretty: Bool
  private var depth = 0
  /// Whether nothing was written yet in the innermost object or array.
  private var isFirst = true

  /// Starts with nothing written; `pretty` puts each member on a line of its own, indented by two spaces a level.
  public init(pretty: Bool = false) { isPretty = pretty }

  /// Writes an object, whose members `body` writes.
  public mutating func object(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
    enclosed(key, "{", "}", body)
  }

  /// Writes an array, whose elements `body` writes.
  public mutating func array(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
    enclosed(key, "[", "]", body)
  }

  /// Writes a string, or `null`.
  public mutating func value(_ key: String? = nil, _ value: String?) {
    begin(key)
    if let value { quote(value) } else { text += "null" }
  }

  /// Writes a whole number, or `null`.
  public mutating func value(_ key: String? = nil, _ value: Int?) {
    begin(key)
    text += value.map { String($0) } ?? "null"
  }

  /// Writes a truth value.
  public mutating func value(_ key: String? = nil, _ value: Bool) {
    begin(key)
    text += value ? "true" : "false"
  }

  /// Writes a number rounded to `decimals` places, without zeros at the end, or `null`.
  public mutating func value(_ key: String? = nil, _ value: Double?, decimals: Int) {
    begin(key)
    text += value.flatMap { Self.number($0, decimals: decimals) } ?? "null"
  }

  private mutating func enclosed(
    _ key: String?, _ opening: String, _ closing: String, _ body: (inout JSONWriter) -> Void
  ) {
    begin(key)
    text += opening
    depth += 1
    isFirst = true
    body(&self)
    depth -= 1
    if !isFirst { breakLine() }
    isFirst = false
    text += closing
  }

  /// Writes what stands before a value: comma, line break, key.
  private mutating func begin(_ key: String?) {
    if !isFirst { text += "," }
    if depth > 0 { breakLine() }
    isFirst = false
    guard let key else { return }
    quote(key)
    text += isPretty ? ": " : ":"
  }

  private mutating func breakLine() {
    guard isPretty else { return }
    text += "\n" + String(repeating: "  ", count: depth)
  }

  /// Writes a string in quotes.
  ///
  /// Beside what JSON asks for, whatever could move a terminal's cursor is escaped: a name sent by a stranger may be
  /// printed there.
  private mutating func quote(_ value: String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where Printable.isHarmful(scalar):
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - min(digits.count, 4)) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  /// A number as JSON; nil when it isn't finite.
  private static func number(_ value: Double, decimals: Int) -> String? {
    guard value.isFinite else { return nil }
    // Beyond 2^53 there are no decimals, and `description` gives an exponent, which JSON allows.
    guard value.magnitude < 9e15 else { return value.description }
    var digits = Figures.fixed(value, decimals: decimals)
    guard digits.contains(".") else { return digits }
    while digits.last == "0" { digits.removeLast() }
    if digits.last == "." { digits.removeLast() }
    return digits
  }
}
