/// What the inks of a plot stand for, as a list of HTML.
public struct Legend: Sendable {
  /// What a mark looks like.
  public enum Look: Sendable {
    /// Filled, or a line.
    case filled
    /// Pale, as a band is.
    case band
    /// An outline around a pale filling.
    case pale
  }

  /// What one colour stands for.
  public struct Entry: Hashable, Sendable {
    /// The colour.
    public var ink: Ink
    /// What it stands for.
    public var text: String
    /// What its mark looks like.
    public var look: Look

    /// Describes an entry.
    public init(_ ink: Ink, _ text: String, _ look: Look = .filled) {
      self.ink = ink
      self.text = text
      self.look = look
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
            let name =
              switch entry.look {
              case .filled: entry.ink.fill
              case .band: entry.ink.fill + " band"
              case .pale: entry.ink.pale
              }
            $0.empty("rect", ["class": name, "width": "10", "height": "8", "rx": "1.5"])
          }
          item.write(entry.text)
        }
      }
    }
    return markup.text
  }
}
