import Glibc
import Packets
import Sockets
import Timeline

/// One place that a stream is sent to: a UDP address with RTCP beside it, a TCP connection, or a Unix socket.
///
/// Trouble is counted by kind and survived; only a broken connection, or a socket that can't be used any more, ends a
/// destination.
final class Destination {
  /// The endpoint as it was given.
  let endpoint: Endpoint
  /// What went wrong how often, by kind.
  private(set) var errors: [String: Int] = [:]
  /// Why nothing is sent here any more; nil while it is.
  private(set) var failure: String?

  private var media: DatagramSocket?
  private var control: DatagramSocket?
  /// Where reports go to by `control`.
  private var controlAddress: SocketAddress?
  private var connection: StreamConnection?
  private var frame: [UInt8] = []
  private let options: SendOptions
  /// Whether packets that the path can't take whole are refused: those of video are made to fit.
  private let forbidsFragments: Bool
  /// Addresses of the same name that haven't been tried.
  private var untried: [SocketAddress] = []
  private var sentCount = 0
  /// Whether the last datagram found nobody.
  private var hasBeenRefused = false

  init(_ endpoint: Endpoint, options: SendOptions, forbidsFragments: Bool = false) {
    self.endpoint = endpoint
    self.options = options
    self.forbidsFragments = forbidsFragments
  }

  // MARK: Opening

  /// Opens the sockets; a TCP or Unix receiver that isn't there yet is waited for until `deadline`.
  ///
  /// What fails is noted in ``failure``, and nothing is sent here.
  func open(until deadline: Instant) {
    do throws(CommandError) { try openSockets(until: deadline) } catch { failure = error.message }
  }

  private func openSockets(until deadline: Instant) throws(CommandError) {
    do throws(SocketError) {
      switch endpoint {
      case .rtp(let host, _):
        guard let port = endpoint.port else { throw .noFreePort(host: host, ports: endpoint.ports ?? 0...0) }
        let addresses = try Resolver.resolve(host: host, port: port, kind: .datagram)
        while true {
          untried = addresses
          do throws(SocketError) { return try openNextAddress() } catch {
            // The network may be down for a moment, or not up yet.
            guard [ENETUNREACH, ENETDOWN, EHOSTUNREACH].contains(error.code), MonotonicClock.now() < deadline else {
              throw error
            }
            pause(.milliseconds(100))
          }
        }
      case .tcp(let host, _):
        guard let port = endpoint.port else { throw .noFreePort(host: host, ports: endpoint.ports ?? 0...0) }
        connection = try connect(try Resolver.resolve(host: host, port: port, kind: .stream), until: deadline)
      case .unix(let path):
        while true {
          do throws(SocketError) {
            media = try DatagramSocket(sendingTo: .unix(path: path), options: datagramOptions)
            return
          } catch {
            guard MonotonicClock.now() < deadline else { throw error }
            pause(.milliseconds(50))
          }
        }
      }
    } catch { throw CommandError(error.description) }
  }

  /// Takes the next address that a socket can be opened to.
  private func openNextAddress() throws(SocketError) {
    while true {
      let address = untried.removeFirst()
      do throws(SocketError) {
        let opened = try DatagramSocket(sendingTo: address, options: datagramOptions)
        if !options.isMuxed, let port = address.port, port < .max {
          control = try controlSocket(besides: opened.localAddress)
          controlAddress = address.with(port: port + 1)
        }
        media = consume opened
        return
      } catch {
        if untried.isEmpty { throw error }
      }
    }
  }

  /// The socket for RTCP, on the port above that of RTP if it can be: there receivers report before they have heard any.
  ///
  /// Not connected: receivers may report from another port than the one that they listen on.
  private func controlSocket(besides media: SocketAddress) throws(SocketError) -> DatagramSocket {
    if let port = options.sourcePort {
      return try DatagramSocket(listeningOn: media.with(port: UInt16(clamping: port + 1)), options: datagramOptions)
    }
    if let port = media.port, port < .max {
      do throws(SocketError) {
        return try DatagramSocket(listeningOn: media.with(port: port + 1), options: datagramOptions)
      } catch {}
    }
    return try DatagramSocket(listeningOn: media.with(port: 0), options: datagramOptions)
  }

  /// Tries every address, again and again until the deadline.
  private func connect(_ addresses: [SocketAddress], until deadline: Instant) throws(SocketError) -> StreamConnection {
    var loop = try EventLoop()
    var events: [ReadyEvent] = []
    var connector = StreamConnector(addresses: addresses, options: streamOptions)
    while true {
      var progress = connector.start()
      var untried = Int64(addresses.count)
      while case .waiting(let descriptor) = progress {
        try loop.add(descriptor, token: 1, read: false, write: true)
        // An address that doesn't answer leaves time for those after it.
        let now = MonotonicClock.now()
        try loop.wait(until: now + (deadline - now) / max(untried, 1), into: &events)
        untried -= 1
        progress = events.isEmpty ? connector.giveUp() : connector.handleReady()
        if case .connected = progress { try loop.remove(descriptor) }
      }
      if case .connected(let connection) = progress { return connection }
      if case .failed(let errors) = progress, let error = errors.first, MonotonicClock.now() >= deadline { throw error }
      pause(.milliseconds(50))
    }
  }

  private func pause(_ interval: Interval) {
    var events: [ReadyEvent] = []
    guard var loop = try? EventLoop() else { return }
    try? loop.wait(until: MonotonicClock.now() + interval, into: &events)
  }

  private var datagramOptions: DatagramOptions {
    var result = DatagramOptions()
    result.dscp = options.dscp.map { UInt8($0) }
    result.ttl = options.ttl.map { UInt8($0) }
    result.sourcePort = options.sourcePort.map { UInt16($0) }
    result.interface = options.interface
    result.sendsRuns = !options.hasNoOffload
    result.forbidsFragments = forbidsFragments
    return result
  }

  private var streamOptions: StreamOptions {
    var result = StreamOptions()
    result.sourcePort = options.sourcePort.map { UInt16($0) }
    result.dscp = options.dscp.map { UInt8($0) }
    result.ttl = options.ttl.map { UInt8($0) }
    result.interface = options.interface
    return result
  }

  // MARK: Sending

  /// What became of a datagram.
  enum Outcome {
    case sent
    /// The socket takes no more just now.
    case full
    /// It wasn't sent, and why is counted.
    case failed
  }

  /// Sends an RTP or RTCP datagram.
  func send(_ bytes: RawSpan, isControl: Bool) -> Outcome {
    guard failure == nil else { return .failed }
    if let connection { return settle(connection.write(framing: bytes, in: &frame)) }
    do throws(SocketError) {
      let outcome = try isControl && control != nil ? control?.send(bytes, to: controlAddress) : media?.send(bytes)
      switch outcome {
      case .sent?:
        sentCount += 1
        hasBeenRefused = false
        return .sent
      case .wouldBlock?: return .full
      case .trouble(let trouble)?:
        note(trouble)
        return .failed
      case nil: return .failed
      }
    } catch {
      failure = error.description
      return .failed
    }
  }

  /// Whether packets may be gathered for it: a connection has a buffer of its own.
  var takesBatches: Bool { connection == nil }

  /// Sends the RTP packets of a batch from `index` on: how many were taken, and what became of the one behind them.
  func send(_ batch: borrowing SendBatch, from index: Int) -> (taken: Int, next: Outcome) {
    guard failure == nil, connection == nil, media != nil else { return (0, .failed) }
    do throws(SocketError) {
      guard let (taken, next) = try media?.send(batch, from: index) else { return (0, .failed) }
      sentCount += taken
      if taken > 0 { hasBeenRefused = false }
      switch next {
      case .sent: return (taken, .sent)
      case .wouldBlock: return (taken, .full)
      case .trouble(let trouble):
        note(trouble)
        return (taken, .failed)
      }
    } catch {
      failure = error.description
      return (0, .failed)
    }
  }

  /// Whether what is sent here may reach many.
  var isMulticast: Bool { media?.peer?.isMulticast == true || untried.contains(where: \.isMulticast) }

  /// Bytes of IP and UDP headers on each packet: 20 + 8 by IPv4, 40 + 8 by IPv6; of several addresses, the most.
  var headerBytes: Int { media?.family == .ipv6 || untried.contains { $0.family == .ipv6 } ? 48 : 28 }

  private func settle(_ outcome: StreamWriteOutcome) -> Outcome {
    switch outcome {
    case .taken: return .sent
    case .full: return .full
    case .failed(let error):
      failure = "\(endpoint): the receiver closed the connection (\(error))"
      return .failed
    }
  }

  /// Counts a datagram that was given up because the socket was full.
  func noteOverflow() { errors["the socket's buffer was full", default: 0] += 1 }

  /// Nobody listening at the first address of a name may mean that the receiver listens on another one.
  private func note(_ trouble: SocketTrouble) {
    errors["\(trouble)", default: 0] += 1
    hasBeenRefused = trouble == .connectionRefused
    guard trouble == .connectionRefused, !untried.isEmpty, sentCount < 100 else { return }
    try? openNextAddress()
  }

  /// What `--verbose` says of the sockets.
  var details: String {
    if let connection { return "\(endpoint): connected to \(connection.peer)" }
    guard let address = media?.localAddress else { return "\(endpoint): not open" }
    let peer = media?.peer?.description ?? "nobody"
    let reports = (control?.localAddress).map { ", RTCP from \($0)" } ?? ""
    return "\(endpoint): sending to \(peer) from \(address)\(reports)"
  }

  // MARK: Events

  /// What to watch: sockets for reports from the receiver and for errors, and a connection for room to write, too.
  ///
  /// A value without memory of its own, because it is compared in every turn of the loop.
  struct Interest: Equatable {
    var media: CInt?
    var control: CInt?
    var connection: CInt?
    var wantsWrite = false

    var descriptors: [CInt] { [media, control, connection].compactMap { $0 } }
  }

  /// What there is to watch now.
  var interest: Interest {
    var result = Interest(media: media?.descriptor, control: control?.descriptor)
    if let connection, failure == nil {
      result.connection = connection.descriptor
      result.wantsWrite = connection.pendingBytes > 0
    }
    return result
  }

  /// Whether reports may still come from here: a Unix socket has no way back, and a refusal says that nobody is there.
  var mayBeHeard: Bool {
    if case .unix = endpoint { return false }
    return failure == nil && !hasBeenRefused
  }

  /// Whether bytes wait for a slow receiver.
  var hasPending: Bool { failure == nil && (connection?.pendingBytes ?? 0) > 0 }

  /// Reads what receivers sent: RTCP goes to `body`.
  func receive(into batch: inout ReceiveBatch, _ body: (RawSpan) -> Void) {
    if let connection, failure == nil { read(connection, body) }
    receive(from: media, into: &batch, from: nil, body)
    receive(from: control, into: &batch, from: controlAddress, body)
  }

  private var deframer = StreamDeframer()
  private var received: [UInt8] = []

  private func read(_ connection: StreamConnection, _ body: (RawSpan) -> Void) {
    _ = settle(connection.flush())
    received.removeAll(keepingCapacity: true)
    switch connection.read(appendingTo: &received) {
    case .bytes:
      let bytes = received
      deframer.feed(bytes.span.bytes, body)
    case .wouldBlock: break
    case .closed: failure = "\(endpoint): the receiver closed the connection"
    case .failed(let error): failure = "\(endpoint): the receiver closed the connection (\(error))"
    }
  }

  /// Hands on what waits in a socket; with `host`, only what comes from there, whatever the port.
  private func receive(
    from socket: borrowing DatagramSocket?, into batch: inout ReceiveBatch, from host: SocketAddress?,
    _ body: (RawSpan) -> Void
  ) {
    for _ in 0..<16 {
      switch (try? socket?.receive(into: &batch)) ?? nil {
      case .datagrams(let count)?:
        for index in 0..<count {
          let sender = batch.datagram(at: index).sender
          guard host == nil || host?.with(port: 0) == sender.with(port: 0) else { continue }
          batch.withBytes(at: index, body)
        }
      case .trouble(let trouble)?:
        errors["\(trouble)", default: 0] += 1
        hasBeenRefused = trouble == .connectionRefused
      case .empty?, nil: return
      }
    }
  }

  /// Ends a connection once everything has been handed over.
  func close() {
    connection?.finishWriting()
    connection?.close()
  }
}
