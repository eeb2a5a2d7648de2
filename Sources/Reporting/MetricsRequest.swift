/// What somebody asks a metrics port for: the head of an HTTP/1 request (RFC 9112), read without trust.
public enum MetricsRequest: Equatable, Sendable {
  /// The head isn't complete yet.
  case incomplete
  /// The metrics, or only the head of the answer.
  case metrics(isHead: Bool)
  /// Nothing that is here, or not in this way: the status of the answer.
  case refused(Status)

  /// Why a request is refused.
  public enum Status: Int, CaseIterable, Sendable {
    /// It is no HTTP.
    case badRequest = 400
    /// There is only /metrics.
    case notFound = 404
    /// There is only GET and HEAD.
    case methodNotAllowed = 405
    /// Its head is longer than ``MetricsRequest/limit``.
    case tooLarge = 431
    /// It is another HTTP than 1.
    case versionNotSupported = 505

    var reason: String {
      switch self {
      case .badRequest: "Bad Request"
      case .notFound: "Not Found"
      case .methodNotAllowed: "Method Not Allowed"
      case .tooLarge: "Request Header Fields Too Large"
      case .versionNotSupported: "HTTP Version Not Supported"
      }
    }
  }

  /// The most bytes of a request's head.
  public static var limit: Int { 8192 }

  /// Reads what has arrived so far.
  public init(reading bytes: Span<UInt8>) {
    guard let end = Self.endOfHead(in: bytes) else {
      self = bytes.count > Self.limit ? .refused(.tooLarge) : .incomplete
      return
    }
    self = end > Self.limit ? .refused(.tooLarge) : Self.judge(Self.firstLine(of: bytes))
  }

  /// The answer's head, with the length of the body that follows; a refusal has its reason for a body.
  public static func response(_ status: Status?, bodyLength: Int) -> String {
    var head = status.map { "HTTP/1.1 \($0.rawValue) \($0.reason)\r\n" } ?? "HTTP/1.1 200 OK\r\n"
    head += "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: \(bodyLength)\r\n"
    if status == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
    return head + "Connection: close\r\n\r\n"
  }

  /// The body of a refusal.
  public static func body(of status: Status) -> String { "\(status.reason): ask for GET /metrics\n" }

  // MARK: Private

  /// Where the head's empty line ends; a line feed alone ends a line as well (RFC 9112 section 2.2).
  private static func endOfHead(in bytes: Span<UInt8>) -> Int? {
    var lineLength = 0
    var lines = 0
    for place in 0..<min(bytes.count, limit + 4) {
      switch bytes[place] {
      case UInt8(ascii: "\n"):
        if lineLength == 0, lines > 0 { return place + 1 }
        lines += 1
        lineLength = 0
      case UInt8(ascii: "\r"): break
      default: lineLength += 1
      }
    }
    return nil
  }

  private static func firstLine(of bytes: Span<UInt8>) -> [UInt8] {
    var line: [UInt8] = []
    for place in 0..<bytes.count {
      if bytes[place] == UInt8(ascii: "\n") { break }
      line.append(bytes[place])
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  private static func judge(_ line: [UInt8]) -> MetricsRequest {
    guard line.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return .refused(.badRequest) }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, !words[0].isEmpty, words[1].hasPrefix("/"), words[2].hasPrefix("HTTP/") else {
      return .refused(.badRequest)
    }
    guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else { return .refused(.versionNotSupported) }
    guard words[1].prefix(while: { $0 != "?" }) == "/metrics" else { return .refused(.notFound) }
    guard words[0] == "GET" || words[0] == "HEAD" else { return .refused(.methodNotAllowed) }
    return .metrics(isHead: words[0] == "HEAD")
  }
}
