/// What was wrong with the command line: one sentence, and the exit status is 2.
struct UsageError: Error {
  let message: String

  init(_ message: String) { self.message = message }
}

/// One option of a verb: how it is written, what it does to the verb's arguments, and what the help says of it.
struct Option<Arguments>: Sendable {
  /// The name with its dashes, such as `--bitrate`.
  let name: String
  /// What stands for the value in the help; nil for an option without a value.
  let value: String?
  let help: String
  let apply: @Sendable (inout Arguments, String) throws(UsageError) -> Void

  /// An option without a value.
  static func flag(_ name: String, _ help: String, _ apply: @escaping @Sendable (inout Arguments) -> Void) -> Self {
    Option(name: name, value: nil, help: help) { (arguments, _) throws(UsageError) in apply(&arguments) }
  }

  /// An option with a value that `parse` reads.
  static func value<Value>(
    _ name: String, _ placeholder: String, _ help: String,
    _ parse: @escaping @Sendable (String) throws(UsageError) -> Value,
    _ store: @escaping @Sendable (inout Arguments, Value) -> Void
  ) -> Self {
    Option(name: name, value: placeholder, help: help) { (arguments, text) throws(UsageError) in
      do throws(UsageError) {
        store(&arguments, try parse(text))
      } catch {
        throw UsageError("\(name) \(text): \(error.message)")
      }
    }
  }
}

/// A heading in the help with the options below it.
struct OptionGroup<Arguments>: Sendable {
  let title: String
  let options: [Option<Arguments>]
}

/// How a verb is called: its help, its options, and the parser that both come from.
struct Usage<Arguments>: Sendable {
  let verb: String
  let summary: String
  let synopsis: String
  let examples: [(command: String, meaning: String)]
  let groups: [OptionGroup<Arguments>]
  /// Paragraphs behind the options.
  var notes: [String] = []

  /// Applies the options to `arguments` and returns the words that are none; nil when help was asked for.
  func parse(_ words: [String], into arguments: inout Arguments) throws(UsageError) -> [String]? {
    var operands: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--help" || word == "-h" { return nil }
      if word == "--" {
        operands += rest
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let option = try option(named: parts[0])
      if parts.count == 2, parts[1].isEmpty, let value = option.value {
        throw UsageError("\(option.name) needs a value: \(option.name) \(value)")
      }
      if option.value == nil {
        guard parts.count == 1 else { throw UsageError("\(option.name) takes no value; write \(option.name) alone") }
        try option.apply(&arguments, "")
      } else if parts.count == 2 {
        try option.apply(&arguments, parts[1])
      } else if let next = rest.popFirst() {
        try option.apply(&arguments, next)
      } else {
        throw UsageError("\(option.name) needs a value: \(option.name) \(option.value ?? "")")
      }
    }
    return operands
  }

  private func option(named name: String) throws(UsageError) -> Option<Arguments> {
    let options = groups.flatMap(\.options)
    if let option = options.first(where: { $0.name == name }) { return option }
    let near = options.map(\.name).min { Self.distance($0, name) < Self.distance($1, name) }
    let hint = near.flatMap { Self.distance($0, name) <= 3 ? "did you mean \($0)? " : nil }
    throw UsageError(
      "\(name) is not an option of jitterbug \(verb): \(hint ?? "")jitterbug \(verb) --help lists them all"
    )
  }

  /// The help: examples first, then the options by group.
  var help: String {
    var lines = ["jitterbug \(verb): \(summary)", "", "Examples:"]
    for example in examples {
      lines.append("  \(example.command)")
      lines.append("      \(example.meaning)")
    }
    lines += ["", "Usage: jitterbug \(verb) \(synopsis)"]
    for group in groups {
      lines += ["", "\(group.title):"]
      for option in group.options {
        let head = "  " + option.name + (option.value.map { " \($0)" } ?? "")
        let column = 30
        var indented = head.count < column ? head + String(repeating: " ", count: column - head.count) : head
        if head.count >= column {
          lines.append(indented)
          indented = String(repeating: " ", count: column)
        }
        for (index, line) in Self.wrap(option.help, width: 88).enumerated() {
          lines.append((index == 0 ? indented : String(repeating: " ", count: column)) + line)
        }
      }
    }
    for note in notes { lines += [""] + Self.wrap(note, width: 118) }
    return lines.joined(separator: "\n")
  }

  private static func wrap(_ text: String, width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      if lines[lines.count - 1].isEmpty {
        lines[lines.count - 1] = String(word)
      } else if lines[lines.count - 1].count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  /// The number of letters to change, add or drop to make one word of the other.
  private static func distance(_ left: String, _ right: String) -> Int {
    let target = Array(right)
    var row = Array(0...target.count)
    for (index, letter) in left.enumerated() {
      var previous = row[0]
      row[0] = index + 1
      for column in target.indices {
        let change = previous + (letter == target[column] ? 0 : 1)
        previous = row[column + 1]
        row[column + 1] = min(change, row[column] + 1, previous + 1)
      }
    }
    return row[target.count]
  }
}
