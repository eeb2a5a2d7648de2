/// What the inks of a plot stand for, as a list of HTML.
public struct Legend: Sendable {
  /// What one colour stands for.
  public struct Entry: Hashable, Sendable {
    /// The colour.
    public var ink: Ink
    /// What it stands for.
    public var text: String
    /// Whether it is as pale as a band is.
    public var isBand: Bool

    /// Describes an entry.
    public init(_ ink: Ink, _ text: String, isBand: Bool = false) {
      self.ink = ink
      self.text = text
      self.isBand = isBand
    }
  }

  /// The entries in order.
  public var entries: [Entry]

  /// Describes a legend.
  public init(_ entries: [Entry]) { self.entries = entries }

  /// The legend as a `<ul>` element; empty without entries.
  public var html: String {
    guard !entries.isEmpty else { return "" }
    var markup = Markup()
    markup.element("ul", ["class": "legend"]) { list in
      for entry in entries {
        list.element("li") { item in
          item.element("svg", ["viewBox": "0 0 10 8", "aria-hidden": "true"]) {
            let name = entry.ink.fill + (entry.isBand ? " band" : "")
            $0.empty("rect", ["class": name, "width": "10", "height": "8", "rx": "1.5"])
          }
          item.write(entry.text)
        }
      }
    }
    return markup.text
  }
}
