import Glibc
import Reporting
import Timeline

/// What is shown on standard error while a verb runs: lines redrawn in place on a terminal, else a plain line a second.
struct LiveView {
  private let isQuiet: Bool
  private let isTerminal: Bool
  private var screen = LiveScreen()
  /// When the next update is due; nil when nothing is shown.
  private(set) var nextUpdate: Instant?

  private let isVerbose: Bool
  /// How long after an update the next one is due.
  private let period: Interval

  /// Shows what the options ask for; a terminal is redrawn each time `period` has passed, plain lines come once a second.
  init(_ options: OutputOptions, refreshing period: Interval = .seconds(1)) {
    isQuiet = options.isQuiet
    isVerbose = options.isVerbose
    isTerminal = Terminal.isStandardError
    self.period = isTerminal ? period : .seconds(1)
  }

  /// Whether something is shown that is worth computing.
  var isOn: Bool { !isQuiet }

  /// Begins to update, `now` for the first time.
  mutating func start(at now: Instant) {
    if isOn, nextUpdate == nil { nextUpdate = now + period }
  }

  /// Shows the lines that `make` gives for a width (nil for plain lines), when an update is due; `noun` says of what each
  /// is one, for a terminal that is too low for all.
  mutating func update(at now: Instant, of noun: String = "stream", _ make: (_ columns: Int?) -> [String]) {
    guard let due = nextUpdate, due <= now else { return }
    nextUpdate = max(due + period, now)
    let size = terminalSize
    let lines = make(isTerminal ? size.columns : nil)
    if isTerminal {
      StandardError.write(screen.redraw(lines, columns: size.columns, rows: size.rows, of: noun))
    } else if !lines.isEmpty {
      StandardError.write(lines.joined(separator: "\n") + "\n")
    }
  }

  /// Says something that stays above the live lines.
  mutating func say(_ text: String) {
    guard isOn else { return }
    StandardError.write(screen.clear() + text + "\n")
  }

  /// Says something that only `--verbose` asks for.
  mutating func detail(_ text: @autoclosure () -> String) {
    if isVerbose { StandardError.write(screen.clear() + text() + "\n") }
  }

  /// Takes the live lines away.
  mutating func clear() {
    if isTerminal { StandardError.write(screen.clear()) }
  }

  private var terminalSize: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
    // A terminal that nobody gave a size, as under script(1), has no rows.
    return (Int(size.ws_col), size.ws_row > 0 ? Int(size.ws_row) : 24)
  }
}

/// Questions about the terminal.
enum Terminal {
  /// Whether a person reads standard error as it is written.
  static var isStandardError: Bool { isatty(STDERR_FILENO) == 1 }
}

/// Standard error, for everything that is meant for people while a verb runs.
enum StandardError {
  static func write(_ text: String) { _ = Descriptor.write(text, to: STDERR_FILENO) }
}

/// Standard output, for the report and for data.
enum StandardOutput {
  static func write(_ text: String) throws(CommandError) {
    guard Descriptor.write(text, to: STDOUT_FILENO) else {
      throw CommandError("standard output can't be written: \(String(cString: strerror(errno)))")
    }
  }
}

private enum Descriptor {
  /// Writes all of `text`; false when that fails, with the reason in `errno`.
  static func write(_ text: String, to descriptor: CInt) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}

/// Names of this host and user.
enum HostName {
  /// The canonical name `user@host` (RFC 3550 section 6.5.1).
  static func cname() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    let host =
      gethostname(&bytes, bytes.count - 1) == 0
      ? String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : "localhost"
    let user = getenv("USER").map { String(cString: $0) } ?? "jitterbug"
    return String("\(user)@\(host)".prefix(200))
  }
}
