import Glibc
import Sockets
import Testing
import Timeline

/// Connects to the first address that answers.
private func connect(
  _ addresses: [SocketAddress], _ options: StreamOptions = StreamOptions()
) throws -> StreamConnection {
  var connector = StreamConnector(addresses: addresses, options: options)
  return try follow(&connector, connector.start())
}

/// Follows a connector to its end.
private func follow(_ connector: inout StreamConnector, _ first: ConnectProgress) throws -> StreamConnection {
  var progress = first
  while true {
    switch progress {
    case .waiting(let descriptor):
      try #require(try isReady(descriptor, write: true))
      progress = connector.handleReady()
    case .connected(let connection): return connection
    case .failed(let errors): throw NoConnection(errors: errors)
    }
  }
}

private struct NoConnection: Error { var errors: [SocketError] }

private func accept(_ listener: inout StreamListener) throws -> StreamConnection {
  try #require(try isReady(listener.descriptor, read: true))
  guard case .connection(let connection) = try listener.accept() else { throw NoConnection(errors: []) }
  return connection
}

/// Reads until the peer has closed, or `count` bytes are there.
private func read(
  _ connection: StreamConnection, upTo count: Int = .max
) throws -> (bytes: [UInt8], end: StreamReadOutcome) {
  var bytes: [UInt8] = []
  var outcome = StreamReadOutcome.wouldBlock
  while bytes.count < count {
    outcome = connection.read(appendingTo: &bytes)
    switch outcome {
    case .bytes: continue
    case .wouldBlock: try #require(try isReady(connection.descriptor, read: true))
    case .closed, .failed: return (bytes, outcome)
    }
  }
  return (bytes, outcome)
}

/// The address of a port that nobody listens on.
private func closedPort() throws -> SocketAddress {
  let listener = try StreamListener(on: loopback4)
  return listener.localAddress
}

/// A listener whose queue is full, so that whoever connects next hears nothing.
private struct FullListener: ~Copyable {
  let address: SocketAddress
  private let descriptors: [CInt]

  init() throws {
    let stream = CInt(SOCK_STREAM.rawValue)
    var raw = sockaddr_in()
    raw.sin_family = sa_family_t(AF_INET)
    raw.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    var descriptors = [socket(AF_INET, stream, 0)]
    try withUnsafeMutablePointer(to: &raw) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        try #require(bind(descriptors[0], address, size) == 0 && listen(descriptors[0], 0) == 0)
        try #require(getsockname(descriptors[0], address, &size) == 0)
        for _ in 0..<4 {
          let filler = socket(AF_INET, stream | CInt(SOCK_NONBLOCK.rawValue), 0)
          descriptors.append(filler)
          _ = Glibc.connect(filler, address, size)
        }
      }
    }
    address = .ipv4(.loopback, port: UInt16(bigEndian: raw.sin_port))
    self.descriptors = descriptors
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}

struct StreamTests {
  @Test func `partial writes into tiny buffers lose nothing, keep order and stay within the limit`() throws {
    var options = StreamOptions()
    options.sendBufferBytes = 1
    options.receiveBufferBytes = 1
    options.pendingLimit = 10_000
    var listener = try StreamListener(on: loopback4, options: options)
    let writer = try connect([listener.localAddress], options)
    let reader = try accept(&listener)
    var generator = SeededGenerator(seed: 3)
    var expected: [UInt8] = []
    var heard: [UInt8] = []
    var wasFull = false
    for _ in 0..<300 {
      let frame = (0..<997).map { _ in UInt8.random(in: 0...255, using: &generator) }
      while true {
        let outcome = writer.write(frame.span.bytes)
        #expect(writer.pendingBytes <= 10_000)
        if outcome == .taken { break }
        try #require(outcome == .full)
        wasFull = true
        _ = reader.read(appendingTo: &heard, limit: 4_096)
        #expect(writer.flush() == .taken)
      }
      expected += frame
    }
    #expect(wasFull)
    while writer.pendingBytes > 0 {
      _ = reader.read(appendingTo: &heard)
      #expect(writer.flush() == .taken)
    }
    writer.close()
    let (rest, end) = try read(reader)
    #expect(end == .closed)
    #expect(heard + rest == expected)
  }

  @Test func `the peer's closing in mid-frame shows after its bytes, and writing to it fails without a signal`() throws
  {
    var listener = try StreamListener(on: loopbacks[loopbacks.count - 1])
    let client = try connect([listener.localAddress])
    let server = try accept(&listener)
    let half: [UInt8] = [0, 100, 1, 2, 3]
    #expect(client.write(half.span.bytes) == .taken)
    client.close()
    let (bytes, end) = try read(server)
    #expect(bytes == half)
    #expect(end == .closed)
    var outcome = StreamWriteOutcome.taken
    for _ in 0..<100 where outcome == .taken {
      outcome = server.write(half.span.bytes)
      // The reset comes as an event.
      if outcome == .taken { _ = try isReady(server.descriptor, write: true) }
    }
    guard case .failed(let error) = outcome else {
      Issue.record("writing to nobody went on")
      return
    }
    #expect(error.code == EPIPE || error.code == ECONNRESET)
    #expect(client.write(half.span.bytes) == .failed(.system(.send, code: EPIPE, address: client.peer)))
    var nothing: [UInt8] = []
    #expect(client.read(appendingTo: &nothing) == .closed)
  }

  @Test func `half a connection closes while the other half goes on`() throws {
    var listener = try StreamListener(on: loopback4)
    let client = try connect([listener.localAddress])
    let server = try accept(&listener)
    client.finishWriting()
    #expect(try read(server).end == .closed)
    let answer: [UInt8] = [1, 2, 3]
    #expect(server.write(answer.span.bytes) == .taken)
    #expect(try read(client, upTo: 3).bytes == answer)
  }

  @Test func `several clients of both IP versions are told apart`() throws {
    var listener = try StreamListener.listening(host: "", ports: 0...0)
    let port = try #require(listener.localAddress.port)
    var servers: [SocketAddress: StreamConnection] = [:]
    var clients: [StreamConnection] = []
    for number in 0..<6 {
      let client = try connect([loopbacks[number % loopbacks.count].with(port: port)])
      let mark = [UInt8(number)]
      #expect(client.write(mark.span.bytes) == .taken)
      let server = try accept(&listener)
      servers[server.peer] = server
      clients.append(client)
    }
    #expect(servers.count == 6)
    var marks: Set<UInt8> = []
    for (peer, server) in servers {
      let mark = try #require(try read(server, upTo: 1).bytes.first)
      #expect(peer.family == loopbacks[Int(mark) % loopbacks.count].family)
      marks.insert(mark)
    }
    #expect(marks.count == 6)
    guard case .empty = try listener.accept() else {
      Issue.record("there was a connection that nobody made")
      return
    }
  }

  @Test func `connecting tries every address, and tells each error when none answers`() throws {
    let closed = try closedPort()
    var listener = try StreamListener(on: loopbacks[loopbacks.count - 1])
    let connection = try connect([closed, closed, listener.localAddress])
    let open = listener.localAddress
    #expect(connection.peer == open)
    _ = try accept(&listener)

    var connector = StreamConnector(addresses: [closed, closed])
    for _ in 0..<2 {
      do {
        _ = try follow(&connector, connector.start())
        Issue.record("somebody answered on a closed port")
      } catch let failed as NoConnection {
        #expect(failed.errors.map(\.code) == [ECONNREFUSED, ECONNREFUSED])
        #expect(failed.errors.first?.description.hasPrefix("\(closed) refused the connection") == true)
      }
    }
  }

  @Test func `an address that is given up makes way for the next`() throws {
    var listener = try StreamListener(on: loopback4)
    let good = listener.localAddress
    let silent = try FullListener()
    var connector = StreamConnector(addresses: [silent.address, good])
    var progress = connector.start()
    guard case .waiting = progress else {
      Issue.record("a listener with a full queue answered")
      return
    }
    progress = connector.giveUp()
    let connection = try follow(&connector, progress)
    #expect(connection.peer == good)
    _ = try accept(&listener)
  }

  @Test func `a taken port is refused with a sentence, and is free again while its connections linger`() throws {
    let address: SocketAddress
    do {
      var listener = try StreamListener(on: loopback4)
      address = listener.localAddress
      let error = failure { () throws(SocketError) in _ = try StreamListener(on: address) }
      #expect(error?.description.contains("is already in use by another program") == true)
      let client = try connect([address])
      // Who closes first lingers: the server's side here.
      let server = try accept(&listener)
      server.close()
      #expect(try read(client).end == .closed)
    }
    let again = try StreamListener(on: address)
    let local = again.localAddress
    #expect(local == address)
  }

  @Test func `with too many files open a client is turned away instead of waking the loop without end`() async {
    await #expect(processExitsWith: .success) {
      var listener = try StreamListener(on: loopback4)
      var connector = StreamConnector(addresses: [listener.localAddress])
      let progress = connector.start()
      let isWaiting = try isReady(listener.descriptor, read: true)
      var limit = rlimit(rlim_cur: 256, rlim_max: 256)
      precondition(isWaiting && setrlimit(__rlimit_resource_t(7), &limit) == 0, "7 is RLIMIT_NOFILE")
      while dup(0) >= 0 {}
      guard case .turnedAway = try listener.accept(), case .empty = try listener.accept() else { exit(1) }
      _ = progress
      exit(0)
    }
  }
}
