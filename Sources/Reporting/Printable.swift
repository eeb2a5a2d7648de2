/// Text from outside, made fit to stand on a terminal.
enum Printable {
  /// Whether a scalar could control a terminal or change the direction of the text around it.
  static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1f, 0x7f...0x9f, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x2069, 0xfeff: true
    default: false
    }
  }

  /// The text with every harmful scalar replaced by a question mark, cut to `limit` characters.
  static func cleaned(_ text: String, limit: Int = 256) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit * 4) {
      result.unicodeScalars.append(isHarmful(scalar) ? "?" : scalar)
    }
    return String(result.prefix(limit))
  }

  /// The number of columns that a text takes on a terminal.
  ///
  /// A character takes two when it is wide by Unicode's East Asian width or an emoji, else one.
  static func columns(_ text: String) -> Int { text.reduce(0) { $0 + columns($1) } }

  /// The text cut to at most `width` columns, ending in "…" when something was cut.
  static func truncated(_ text: String, columns width: Int) -> String {
    guard columns(text) > width else { return text }
    guard width > 0 else { return "" }
    var result = ""
    var left = width - 1
    for character in text {
      left -= columns(character)
      if left < 0 { break }
      result.append(character)
    }
    return result + "…"
  }

  private static func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x300...0x36f: return 0
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
      0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
