/// Why a text is not a session description that can be used.
public enum SDPParseError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The text has more bytes than are read.
  case tooLong(bytes: Int)
  /// No line says `v=0`, so it is no SDP.
  case noVersion
  /// The version in `v=` isn't 0.
  case wrongVersion(line: Int)
  /// A line that is needed doesn't have the form that RFC 8866 gives it; `expected` shows the form.
  case malformed(line: Int, expected: String)
  /// There are more `m=` lines than are read.
  case tooManyMedia(line: Int)

  /// One sentence that says what is wrong, where, and what is accepted.
  public var description: String {
    switch self {
    case .tooLong(let bytes):
      "The session description has \(bytes) bytes; at most \(SessionDescription.maximumSize) are read."
    case .noVersion:
      "This is no session description (SDP): it has no line 'v=0'."
    case .wrongVersion(let line):
      "Line \(line) of the session description names another version than 0; only 'v=0' is known."
    case .malformed(let line, let expected):
      "Line \(line) of the session description can't be read; it should look like '\(expected)'."
    case .tooManyMedia(let line):
      "Line \(line) of the session description is one 'm=' too many; "
        + "at most \(SessionDescription.maximumMediaCount) are read."
    }
  }
}
