/// Redraws a block of lines in place on a terminal, with the escape sequences that every terminal knows (ECMA-48).
///
/// The cursor rests at the start of the line below the block. Nothing here writes: what comes back goes to the terminal
/// in one piece, so that it never flickers.
public struct LiveScreen: Sendable {
  /// How many lines the block takes now.
  private var shown = 0

  /// Starts with nothing on the screen.
  public init() {}

  /// The text that replaces the block by `lines`, cut to a terminal of `columns` and `rows`.
  ///
  /// A block taller than the terminal would scroll away from under the cursor, so at most `rows - 1` lines are shown,
  /// the last of them saying how many are not; `noun` says of what each line is one.
  public mutating func redraw(_ lines: [String], columns: Int, rows: Int, of noun: String = "stream") -> String {
    let room = max(rows - 1, 1)
    var fitting = lines
    if lines.count > room {
      fitting = Array(lines.prefix(room - 1))
      fitting.append("and \(Figures.count(lines.count - fitting.count, "more \(noun)"))")
    }
    var output = home
    for line in fitting {
      // The last column stays free: some terminals wrap as soon as it is filled.
      output += Printable.truncated(line, columns: max(columns - 1, 0)) + Self.eraseToEndOfLine + "\n"
    }
    if fitting.count < shown { output += Self.eraseBelow }
    shown = fitting.count
    return output
  }

  /// The text that takes the block away, so that something else can be printed in its place.
  public mutating func clear() -> String {
    guard shown > 0 else { return "" }
    let output = home + Self.eraseBelow
    shown = 0
    return output
  }

  /// Moves the cursor to the block's first line.
  private var home: String { shown == 0 ? "" : "\u{1b}[\(shown)A\r" }

  private static let eraseToEndOfLine = "\u{1b}[K"
  private static let eraseBelow = "\u{1b}[J"
}
