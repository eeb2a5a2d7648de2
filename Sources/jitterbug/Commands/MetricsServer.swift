import Reporting
import Sockets
import Timeline

/// `--metrics`: answers `GET /metrics` in the loop that streams, with figures of that very moment.
///
/// One request a connection, at most ``connectionLimit`` connections, each for at most ``patience``: whoever asks slowly
/// or never reads the answer takes nothing away from others for long, and nothing at all from the stream.
final class MetricsServer {
  private final class Client {
    let stream: StreamConnection
    let deadline: Instant
    var request: [UInt8] = []
    var isAnswered = false

    init(_ stream: StreamConnection, deadline: Instant) {
      self.stream = stream
      self.deadline = deadline
    }
  }

  /// Connections at once; one more is closed unheard.
  static let connectionLimit = 16
  /// A connection that isn't over by then is closed.
  static let patience = Interval.seconds(5)
  /// Tokens from here on are this server's: the listener's, then the connections'.
  static let firstToken: UInt64 = 1 << 40

  /// Where it answers, as a URI.
  let description: String
  private var listener: StreamListener
  private var clients: [UInt64: Client] = [:]
  private var nextToken = firstToken + 1

  /// Listens on `place`, and has `loop` watch it.
  init(_ place: MetricsPlace, in loop: borrowing EventLoop) throws(CommandError) {
    do throws(SocketError) {
      listener = try StreamListener.listening(host: place.host, ports: place.port...place.port)
      description = "http://\(listener.localAddress)/metrics"
      try loop.add(listener.descriptor, token: Self.firstToken, read: true, write: false)
    } catch { throw CommandError("--metrics \(place.text): \(error.description)") }
  }

  /// When the next connection has used up its time.
  var nextDeadline: Instant? { clients.values.map(\.deadline).min() }

  /// Closes connections that have used up their time.
  func expire(at now: Instant, in loop: borrowing EventLoop) {
    for (token, client) in clients where client.deadline <= now { close(token, in: loop) }
  }

  /// Does what an event asks for; false when it isn't this server's.
  func handle(_ event: ReadyEvent, in loop: borrowing EventLoop, at now: Instant, _ report: () -> Report) -> Bool {
    guard event.token >= Self.firstToken else { return false }
    guard event.token > Self.firstToken else {
      accept(in: loop, at: now)
      return true
    }
    guard let client = clients[event.token] else { return true }
    if event.readable || event.failed { read(client, event.token, in: loop, report) }
    if event.writable, clients[event.token] != nil { flush(client, event.token, in: loop) }
    return true
  }

  private func accept(in loop: borrowing EventLoop, at now: Instant) {
    // A bounded number a turn: the stream comes first.
    for _ in 0..<Self.connectionLimit {
      guard case .connection(let stream)? = try? listener.accept() else { return }
      guard clients.count < Self.connectionLimit,
        (try? loop.add(stream.descriptor, token: nextToken, read: true, write: false)) != nil
      else {
        stream.close()
        continue
      }
      clients[nextToken] = Client(stream, deadline: now + Self.patience)
      nextToken += 1
    }
  }

  private func read(_ client: Client, _ token: UInt64, in loop: borrowing EventLoop, _ report: () -> Report) {
    var bytes: [UInt8] = []
    switch client.stream.read(appendingTo: &bytes, limit: MetricsRequest.limit) {
    case .bytes: break
    case .wouldBlock: return
    case .closed, .failed: return close(token, in: loop)
    }
    // What follows the request isn't looked at; it is read so that closing doesn't throw the answer away.
    guard !client.isAnswered else { return }
    client.request += bytes
    switch MetricsRequest(reading: client.request.span) {
    case .incomplete: return
    case .metrics(let isHead):
      let body = report().metrics()
      answer(client, MetricsRequest.response(nil, bodyLength: body.utf8.count) + (isHead ? "" : body))
    case .refused(let status):
      let body = MetricsRequest.body(of: status)
      answer(client, MetricsRequest.response(status, bodyLength: body.utf8.count) + body)
    }
    flush(client, token, in: loop)
  }

  private func answer(_ client: Client, _ text: String) {
    client.isAnswered = true
    client.request = []
    let bytes = Array(text.utf8)
    _ = client.stream.write(bytes.span.bytes)
  }

  /// Hands over what waits; once all is handed over the peer learns that nothing more comes, and closes.
  private func flush(_ client: Client, _ token: UInt64, in loop: borrowing EventLoop) {
    if case .failed = client.stream.flush() { return close(token, in: loop) }
    let waits = client.stream.pendingBytes > 0
    try? loop.modify(client.stream.descriptor, token: token, read: true, write: waits)
    if client.isAnswered, !waits { client.stream.finishWriting() }
  }

  private func close(_ token: UInt64, in loop: borrowing EventLoop) {
    guard let client = clients.removeValue(forKey: token) else { return }
    try? loop.remove(client.stream.descriptor)
    client.stream.close()
  }
}

/// Where metrics are answered: loopback unless a host is named, because anybody who can connect may read them.
struct MetricsPlace: Sendable {
  let host: String
  let port: UInt16
  /// As it was written.
  let text: String

  /// Reads `9464` or `host:9464`.
  @Sendable static func parse(_ text: String) throws(UsageError) -> MetricsPlace {
    let digits = text.hasPrefix(":") ? text.dropFirst() : text[...]
    if let port = UInt16(digits), port > 0 { return MetricsPlace(host: "127.0.0.1", port: port, text: text) }
    guard let endpoint = try? Endpoint("tcp://" + text), case .tcp(let host, let ports) = endpoint, ports.count == 1,
      text.contains(":"), !text.contains("/"), !text.hasSuffix("]"), !host.isEmpty
    else {
      throw UsageError("not a place to listen; write 9464 for loopback alone, or a host with it, as 0.0.0.0:9464")
    }
    return MetricsPlace(host: host, port: ports.lowerBound, text: text)
  }
}
