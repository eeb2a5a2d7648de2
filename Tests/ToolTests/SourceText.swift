/// One Swift file: its lines as written, and the same lines with all but the code blanked out.
struct SourceText {
  struct Function: Equatable {
    /// Where it begins, counted from 1.
    let line: Int
    /// How many lines it has, from its name to its closing brace.
    let lines: Int
  }

  let path: String
  let lines: [Substring]
  /// The lines without what stands in strings, comments and backticks: braces and words in it are those of the code.
  let code: [Substring]

  init(path: String, text: String) {
    self.path = path
    var eraser = Eraser(text)
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    code = eraser.erase().split(separator: "\n", omittingEmptySubsequences: false)
  }

  static func all(below folder: String, in project: ProjectFiles) throws -> [SourceText] {
    try project.paths.filter { $0.hasPrefix(folder + "/") && $0.hasSuffix(".swift") }
      .map { SourceText(path: $0, text: try project.read($0)) }
  }

  /// The folder below Sources.
  var module: Substring {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? parts[1] : ""
  }

  /// The modules that the file imports.
  var imports: [Substring] {
    let statement =
      /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
    return code.compactMap { $0.firstMatch(of: statement)?.1 }
  }

  /// Every function, initialiser, deinitialiser and subscript that has a body.
  var functions: [Function] {
    var found: [Function] = []
    for (index, line) in code.enumerated() {
      guard let start = line.firstMatch(of: /(?:^|\s)(?:func\s|init\??[(<]|deinit\b|subscript[(<])/) else { continue }
      let rest = [line[start.range.lowerBound...]] + code[(index + 1)...]
      if let lines = Self.linesUntilClosed(rest) { found.append(Function(line: index + 1, lines: lines)) }
    }
    return found
  }

  /// How many lines it takes until the body that begins here is closed; nil where there is none, as in a protocol.
  private static func linesUntilClosed(_ lines: [Substring]) -> Int? {
    var parentheses = 0
    var braces = 0
    for (count, line) in lines.enumerated() {
      if count > 0, braces == 0, parentheses == 0,
        line.contains(/^\s*(?:(?:\w+ )*(?:func|init|var|let|case|subscript)\b|@|$)/)
      {
        return nil
      }
      for character in line.utf8 {
        switch character {
        case UInt8(ascii: "(") where braces == 0: parentheses += 1
        case UInt8(ascii: ")") where braces == 0: parentheses -= 1
        case UInt8(ascii: "{") where parentheses == 0: braces += 1
        case UInt8(ascii: "}") where parentheses == 0:
          braces -= 1
          if braces <= 0 { return braces == 0 ? count + 1 : nil }
        default: break
        }
      }
    }
    return nil
  }
}

/// Blanks out what isn't code and keeps the line breaks.
private struct Eraser {
  private let text: [UInt8]
  private var position = 0
  private var result: [UInt8] = []

  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func erase() -> String {
    while position < text.count { step() }
    return String(decoding: result, as: UTF8.self)
  }

  private func sees(_ word: String, after skipped: Int = 0) -> Bool {
    text[min(position + skipped, text.count)...].starts(with: word.utf8)
  }

  private mutating func keep(_ count: Int) {
    result += text[position..<min(position + count, text.count)]
    position = min(position + count, text.count)
  }

  private mutating func blank(_ count: Int) {
    let newline = UInt8(ascii: "\n")
    result += text[position..<min(position + count, text.count)].map { $0 == newline ? newline : UInt8(ascii: " ") }
    position = min(position + count, text.count)
  }

  private mutating func step() {
    if sees("//") {
      while position < text.count, !sees("\n") { blank(1) }
    } else if sees("/*") {
      comment()
    } else if sees("`") {
      blank(1)
      while position < text.count, !sees("`"), !sees("\n") { blank(1) }
      blank(1)
    } else if sees("\"") || sees("#") {
      var hashes = 0
      while sees("#", after: hashes) { hashes += 1 }
      if sees("\"", after: hashes) { string(hashes: hashes) } else { keep(hashes) }
    } else {
      keep(1)
    }
  }

  /// Comments nest.
  private mutating func comment() {
    var depth = 0
    repeat {
      if sees("/*") {
        depth += 1
        blank(2)
      } else if sees("*/") {
        depth -= 1
        blank(2)
      } else {
        blank(1)
      }
    } while depth > 0 && position < text.count
  }

  private mutating func string(hashes: Int) {
    let guarding = String(repeating: "#", count: hashes)
    let quote = sees("\"\"\"", after: hashes) ? "\"\"\"" : "\""
    blank(hashes + quote.utf8.count)
    while position < text.count, !sees(quote + guarding) {
      if sees("\\" + guarding + "(") {
        blank(hashes + 2)
        interpolation()
      } else if sees("\\" + guarding) {
        blank(hashes + 2)
      } else {
        blank(1)
      }
    }
    blank(quote.utf8.count + hashes)
  }

  /// What is interpolated counts as part of the string, but may hold strings of its own.
  private mutating func interpolation() {
    var depth = 1
    let before = (position, result.count)
    while position < text.count, depth > 0 {
      if sees("(") { depth += 1 }
      if sees(")") { depth -= 1 }
      step()
    }
    let end = position
    result.removeLast(result.count - before.1)
    position = before.0
    blank(end - position)
  }
}
