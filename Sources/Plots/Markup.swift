/// Writes XML, or HTML that is well-formed XML too, piece by piece: every element is closed, every text escaped.
public struct Markup: Sendable {
  /// What was written so far.
  public private(set) var text = ""

  /// Starts with nothing written.
  public init() {}

  /// Writes an element with its attributes, whose values are escaped; `body` writes what stands in it.
  public mutating func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ body: (inout Markup) -> Void
  ) {
    open(name, attributes)
    text += ">"
    body(&self)
    text += "</\(name)>"
  }

  /// Writes an element without attributes.
  public mutating func element(_ name: StaticString, _ body: (inout Markup) -> Void) { element(name, [:], body) }

  /// Writes an element that holds only text, which is escaped.
  public mutating func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ content: String
  ) {
    element(name, attributes) { $0.write(content) }
  }

  /// Writes an element without attributes that holds only text, which is escaped.
  public mutating func element(_ name: StaticString, _ content: String) { element(name, [:], content) }

  /// Writes an element without content: `<path d="..."/>`.
  public mutating func empty(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:]) {
    open(name, attributes)
    text += "/>"
  }

  /// Writes a drawing as a page's `<svg>` element, told as an image with a title and a description.
  mutating func plot(
    _ name: String, height: Int, title: String, summary: String, _ body: (inout Markup) -> Void
  ) {
    element(
      "svg", ["xmlns": "http://www.w3.org/2000/svg", "class": name, "role": "img", "height": "\(height)"]
    ) { svg in
      svg.element("title", title)
      svg.element("desc", summary)
      body(&svg)
    }
  }

  /// Writes text, escaped.
  public mutating func write(_ content: String) { text += Self.escaped(content) }

  /// Writes what is markup already: another writer's text, or a style sheet.
  public mutating func raw(_ markup: String) { text += markup }

  private mutating func open(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>) {
    text += "<\(name)"
    for (key, value) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
  }

  /// The text with whatever means something in markup, quotes included, as a reference.
  ///
  /// Scalars that XML 1.0 section 2.2 doesn't allow, and those that change the direction of the text around them, become
  /// U+FFFD, so that no name from outside can break a page or disguise itself.
  public static func escaped(_ content: String) -> String {
    var result = ""
    result.reserveCapacity(content.utf8.count)
    for scalar in content.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(isHarmful(scalar) ? "\u{fffd}" : scalar)
      }
    }
    return result
  }

  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1f, 0x7f...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff, 0xfffe...0xffff: true
    default: false
    }
  }
}
