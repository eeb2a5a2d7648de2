/// What the inks of a plot stand for, as a list of HTML.
public struct Legend: Sendable {
  /// The entries in order.
  public var entries: [(ink: Ink, text: String)]

  /// Describes a legend.
  public init(_ entries: [(ink: Ink, text: String)]) { self.entries = entries }

  /// The legend as a `<ul>` element; empty without entries.
  public var html: String {
    guard !entries.isEmpty else { return "" }
    var markup = Markup()
    markup.element("ul", ["class": "legend"]) { list in
      for entry in entries {
        list.element("li") { item in
          item.element("svg", ["viewBox": "0 0 10 8", "aria-hidden": "true"]) {
            $0.empty("rect", ["class": entry.ink.fill, "width": "10", "height": "8", "rx": "1.5"])
          }
          item.write(entry.text)
        }
      }
    }
    return markup.text
  }
}
