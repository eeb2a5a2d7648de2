import Packets
import Receiving
import Sockets
import Timeline

/// The sockets that a receiver listens on: a UDP port with RTCP beside it, a TCP listener with its connections, or a
/// Unix datagram socket.
struct ReceiveInlet: ~Copyable {
  private final class Connection {
    let stream: StreamConnection
    let peer: Peer
    var deframer = StreamDeframer()
    var buffer: [UInt8] = []

    init(_ stream: StreamConnection, peer: Peer) {
      self.stream = stream
      self.peer = peer
    }
  }

  /// Asked for unless `--socket-buffer` says otherwise: the system's default overflows when a sender bursts.
  private static let receiveBuffer = 4 << 20

  /// Where it listens, as a URI.
  let description: String
  /// The error that ended a socket.
  private(set) var failure: String?
  private var media: DatagramSocket?
  private var control: DatagramSocket?
  private var listener: StreamListener?
  private var connections: [UInt64: Connection] = [:]
  private var connectionCount: UInt64 = 0
  private var peers = PeerTable()
  /// Where each media sender's reports come from.
  private var controlAddresses: [Peer: SocketAddress] = [:]

  init(_ place: ReceivePlace, _ options: ReceiveOptions) throws(CommandError) {
    var datagram = DatagramOptions()
    datagram.receiveBufferBytes = options.socketBuffer ?? Self.receiveBuffer
    datagram.interface = options.interface
    do throws(SocketError) {
      switch place.source {
      case .rtp(let host, let ports):
        let pair = try Self.open(host: host, ports: ports, options: datagram, isMuxed: place.isMuxed)
        description = "rtp://\(pair.media.localAddress)"
        media = consume pair.media
        control = consume pair.control
      case .tcp(let host, let ports):
        var stream = StreamOptions()
        stream.receiveBufferBytes = options.socketBuffer
        stream.interface = options.interface
        let opened = try StreamListener.listening(host: host, ports: ports, options: stream)
        description = "tcp://\(opened.localAddress)"
        listener = consume opened
      case .unix(let path):
        media = try DatagramSocket(listeningOn: .unix(path: path), options: datagram)
        description = "unix:\(path)"
      }
    } catch { throw CommandError(error.description) }
  }

  private struct Pair: ~Copyable {
    var media: DatagramSocket
    var control: DatagramSocket?
  }

  /// The first port of the range that is free and, unless RTCP is muxed, has a free neighbour above it.
  private static func open(
    host: String, ports: ClosedRange<UInt16>, options: DatagramOptions, isMuxed: Bool
  ) throws(SocketError) -> Pair {
    var first = ports.lowerBound
    while true {
      let media = try DatagramSocket.listening(host: host, ports: first...ports.upperBound, options: options)
      guard !isMuxed, let port = media.localAddress.port, port < .max else {
        return Pair(media: media, control: nil)
      }
      do throws(SocketError) {
        let control = try DatagramSocket(listeningOn: media.localAddress.with(port: port + 1), options: options)
        return Pair(media: media, control: control)
      } catch {
        guard port < ports.upperBound else { throw error }
        first = port + 1
      }
    }
  }

  mutating func register(in loop: borrowing EventLoop, media: UInt64, control: UInt64, listener: UInt64)
    throws(CommandError)
  {
    do throws(SocketError) {
      if let descriptor = self.media?.descriptor { try loop.add(descriptor, token: media, read: true, write: false) }
      if let descriptor = self.control?.descriptor {
        try loop.add(descriptor, token: control, read: true, write: false)
      }
      if let descriptor = self.listener?.descriptor {
        try loop.add(descriptor, token: listener, read: true, write: false)
      }
    } catch { throw CommandError(error.description) }
  }

  /// Reads one batch; nil when the socket can't be used any more.
  mutating func receive(into batch: inout ReceiveBatch, isControl: Bool) -> ReceiveOutcome? {
    do throws(SocketError) {
      return try isControl ? control?.receive(into: &batch) ?? .empty : media?.receive(into: &batch) ?? .empty
    } catch {
      failure = error.description
      return nil
    }
  }

  /// The number of a sender; its RTCP comes from another port than its RTP, and has a number of its own.
  mutating func peer(of address: SocketAddress, isControl: Bool) -> Peer {
    let peer = peers.number(of: address)
    if isControl { controlAddresses[peers.mediaSender(besides: address) ?? peer] = address }
    return peer
  }

  /// Notes where the reports of a stream's sender come from: its identifier says whose they are, whatever the ports.
  ///
  /// Only from the same host: or anybody could have them sent elsewhere.
  mutating func noteReports(of peer: Peer, from address: SocketAddress) {
    guard peers.address(of: peer)?.with(port: 0) == address.with(port: 0) else { return }
    controlAddresses[peer] = address
  }

  /// The sender's address, for people.
  func name(of peer: Peer) -> String { peers.address(of: peer)?.description ?? "unknown" }

  /// Whether the sender is known to be on this host, so that both read the same clocks.
  func isLocal(_ peer: Peer) -> Bool {
    switch peers.address(of: peer) {
    case .ipv4(let address, _)?: address.bits >> 24 == 127
    case .ipv6(let address, _, _)?: address == .loopback
    case .unix?: true
    case nil: false
    }
  }

  /// The address of a sender; nil when there were so many that it has none.
  func address(of peer: Peer) -> SocketAddress? { peers.address(of: peer) }

  /// Sends a datagram from the media port; whether the address can be reached.
  mutating func sendMedia(_ bytes: RawSpan, to address: SocketAddress) -> Bool {
    switch (try? media?.send(bytes, to: address)) ?? nil {
    case .trouble(.connectionRefused)?, .trouble(.unreachable)?: false
    case .sent?, .wouldBlock?, .trouble?, nil: true
    }
  }

  // MARK: TCP

  mutating func accept(in loop: borrowing EventLoop, firstToken: UInt64) throws(CommandError) {
    do throws(SocketError) {
      while true {
        guard case .connection(let stream)? = try listener?.accept() else { return }
        let token = firstToken + connectionCount
        connectionCount += 1
        connections[token] = Connection(stream, peer: peers.number(of: stream.peer))
        try loop.add(stream.descriptor, token: token, read: true, write: false)
      }
    } catch { throw CommandError(error.description) }
  }

  /// Reads what one connection has, a bounded amount a turn so that none keeps the others waiting, and hands on the
  /// datagrams that it frames.
  ///
  /// When the connection has ended, returns whose it was and whether it ended inside a frame.
  mutating func read(
    _ token: UInt64, in loop: borrowing EventLoop, _ body: ([UInt8], Peer) -> Void
  ) -> (peer: Peer, isCut: Bool)? {
    guard let connection = connections[token] else { return nil }
    connection.buffer.removeAll(keepingCapacity: true)
    switch connection.stream.read(appendingTo: &connection.buffer, limit: 65_536) {
    case .bytes:
      let bytes = connection.buffer
      connection.deframer.feed(bytes.span.bytes) { datagram in
        body(datagram.withUnsafeBytes { [UInt8]($0) }, connection.peer)
      }
    case .wouldBlock: break
    case .closed, .failed:
      try? loop.remove(connection.stream.descriptor)
      connection.stream.close()
      connections[token] = nil
      return (connection.peer, connection.deframer.isInsideFrame)
    }
    return nil
  }

  /// What `--verbose` says of the sockets.
  var details: String {
    mutating get {
      guard let bytes = media?.receiveBufferBytes else { return "accepting connections" }
      let reports = (control?.localAddress).map { "RTCP on \($0)" } ?? "RTCP on the same socket"
      return "receive buffer of \(bytes) bytes, as the kernel counts; \(reports)"
    }
  }

  // MARK: RTCP

  /// Sends a report to senders, each where its own reports come from.
  mutating func sendControl(_ bytes: RawSpan, to recipients: [Peer]) {
    for peer in Set(recipients) {
      if let connection = connections.values.first(where: { $0.peer == peer }) {
        var frame: [UInt8] = []
        _ = connection.stream.write(framing: bytes, in: &frame)
        _ = connection.stream.flush()
        continue
      }
      guard let address = controlAddress(of: peer) else { continue }
      // A report that can't be sent is a report lost: the next one says it all again.
      if control != nil {
        _ = try? control?.send(bytes, to: address)
      } else {
        _ = try? media?.send(bytes, to: address)
      }
    }
  }

  private func controlAddress(of peer: Peer) -> SocketAddress? {
    if let known = controlAddresses[peer] { return known }
    guard let address = peers.address(of: peer), let port = address.port else { return nil }
    return control == nil || port == .max ? address : address.with(port: port + 1)
  }

  /// What the kernel dropped because the socket's buffer was full, modulo 2^32; nil for TCP.
  var droppedDatagrams: UInt32? {
    guard media != nil else { return nil }
    return (try? media?.droppedDatagrams()).flatMap { $0 }
  }
}

extension DatagramSocket {
  /// Reads into a batch; as a method of the socket it can be called on one that may not be there.
  func receive(into batch: inout ReceiveBatch) throws(SocketError) -> ReceiveOutcome { try batch.receive(from: self) }
}

/// Numbers for senders' addresses.
struct PeerTable {
  /// Addresses remembered; those that come after share one number.
  static let limit = 4096

  private var numbers: [SocketAddress: UInt32] = [:]
  private var addresses: [SocketAddress] = []

  mutating func number(of address: SocketAddress) -> Peer {
    if let number = numbers[address] { return Peer(id: number) }
    guard addresses.count < Self.limit else { return Peer(id: .max) }
    let number = UInt32(addresses.count)
    numbers[address] = number
    addresses.append(address)
    return Peer(id: number)
  }

  func address(of peer: Peer) -> SocketAddress? {
    Int(peer.id) < addresses.count ? addresses[Int(peer.id)] : nil
  }

  /// The sender of media whose reports come from `address`: the one on the port below, or the latest other on that host.
  func mediaSender(besides address: SocketAddress) -> Peer? {
    guard let port = address.port, port > 0 else { return nil }
    if let number = numbers[address.with(port: port - 1)] { return Peer(id: number) }
    let place = addresses.lastIndex { $0 != address && $0.with(port: port) == address }
    return place.map { Peer(id: UInt32($0)) }
  }
}
