import Emulation
import Glibc
import Impairment
import Racing
import Sockets
import Timeline

/// The lanes of one race over real kernel sockets: each lane has two network namespaces and a bad link between them.
///
/// The sender is at the far side, so media takes the link's way down.
struct RaceWorld: ~Copyable {
  private let world: LinkWorld
  private let options: RaceOptions
  private let signals: RaceSignals
  /// The lanes of the race that cross a link, in order.
  private let crossing: [RaceLaneKind]

  /// The port of every lane: each has its own network.
  private static let port: UInt16 = 5004
  /// How long a connection may take to be made: on a link that loses nearly everything it never is.
  private static let patience = Interval.seconds(10)

  /// Makes the namespaces and lets packets through.
  init(_ options: RaceOptions, _ signals: RaceSignals) throws(CommandError) {
    self.options = options
    self.signals = signals
    crossing = options.lanes.filter { $0 != .unix }
    let spec = LaneSpec(down: options.downLink, up: options.upLink)
    let specs = crossing.map { _ in spec }
    do { world = try Self.started(specs) } catch { throw CommandError(error.description) }
  }

  private static func started(_ specs: [LaneSpec]) throws(EmulationError) -> LinkWorld {
    let world = try LinkWorld(specs, holdsOutages: true)
    try world.start()
    return world
  }

  /// Carriers of the lanes that cross a link; connections are made one after the other, before the race begins.
  func carriers(_ media: RaceMedia) throws(CommandError) -> [RaceLaneKind: any RaceCarrier] {
    var result: [RaceLaneKind: any RaceCarrier] = [:]
    var connections: [RaceLaneKind: Connected?] = [:]
    for (lane, kind) in crossing.enumerated() {
      if case .tcp(let name) = kind { connections[kind] = .some(try connect(lane, kind, name ?? options.congestion)) }
    }
    for (lane, kind) in crossing.enumerated() where !kind.isTCP {
      do throws(SocketError) { result[kind] = try datagrams(lane, media.stream(of: kind)) } catch {
        throw CommandError(error.description)
      }
    }
    for (kind, ends) in connections {
      if let ends {
        result[kind] = StreamCarrier(from: ends.outlet, to: ends.inlet, setup: ends.setup)
      } else {
        result[kind] = FailedCarrier(
          "no connection came about within \(Int(Self.patience.seconds)) s on this link: choose one that loses less, or "
            + "leave \(kind.name) out of --lanes.")
      }
    }
    return result
  }

  /// Says when the race begins: connections are made before, and outages come to all lanes at the same time.
  func begin(at start: Instant) { world.beginOutages(at: start) }

  /// Stops the links; what they did, by lane.
  consuming func stop() -> [RaceLaneKind: LaneRecord] {
    let records = world.stop()
    return Dictionary(uniqueKeysWithValues: zip(crossing, records))
  }

  private func datagrams(_ lane: Int, _ stream: RaceStream) throws(SocketError) -> DatagramCarrier {
    let address = SocketAddress.ipv4(world.addresses(.here, lane: lane).v4, port: Self.port)
    let inlet = try world.inside(.here, lane: lane) { () throws(SocketError) in
      DatagramCarrier.Inlet(try DatagramSocket(listeningOn: address))
    }
    let outlet = try world.inside(.peer, lane: lane) { () throws(SocketError) in
      DatagramCarrier.Inlet(try DatagramSocket(sendingTo: address))
    }
    return try DatagramCarrier(
      stream, from: outlet, to: inlet, link: nil, patience: options.downLink.longestCrossing)
  }

  // MARK: TCP

  /// Both ends of a connection.
  private struct Connected {
    var outlet: StreamConnection
    var inlet: StreamConnection
    var setup: Interval
  }

  /// Makes the connection of a lane; nil when none comes about in time, which is that lane's failure alone.
  private func connect(
    _ lane: Int, _ kind: RaceLaneKind, _ congestion: String
  ) throws(CommandError) -> Connected? {
    if !options.output.isQuiet { StandardError.write("race: connecting \(kind.name)…\n") }
    let connected: Connected?
    do throws(SocketError) { connected = try establish(lane, congestion) } catch {
      guard case .system(.set("TCP_CONGESTION"), let code, _) = error else {
        throw CommandError("\(kind.name): \(error.description)")
      }
      throw CommandError(
        "\(kind.name): this kernel gives no congestion control \"\(congestion)\" (\(String(cString: strerror(code)))): "
          + "choose one of \(known(lane))")
    }
    if connected == nil, signals.isInterrupted { throw CommandError("interrupted before the race began") }
    return connected
  }

  /// Connects the two sides; nil when it takes too long or a signal comes.
  private func establish(_ lane: Int, _ congestion: String) throws(SocketError) -> Connected? {
    let address = SocketAddress.ipv4(world.addresses(.here, lane: lane).v4, port: Self.port)
    var settings = StreamOptions()
    settings.pendingLimit = StreamCarrier.queueLimit
    let listening = settings
    settings.congestionControl = congestion
    var listener = try world.inside(.here, lane: lane) { () throws(SocketError) in
      try StreamListener(on: address, options: listening)
    }
    var connector = StreamConnector(addresses: [address], options: settings)
    let began = MonotonicClock.now()
    var progress = world.inside(.peer, lane: lane) { connector.start() }
    var (outlet, inlet): (StreamConnection?, StreamConnection?)
    var setup = Interval.zero
    var loop = try EventLoop()
    var events: [ReadyEvent] = []
    try loop.add(listener.descriptor, token: 1, read: true, write: false)
    try loop.add(signals.source.descriptor, token: 2, read: true, write: false)
    var awaited: CInt?
    while MonotonicClock.now() < began + Self.patience, !signals.look() {
      switch progress {
      case .connected(let connection):
        if outlet == nil { setup = MonotonicClock.now() - began }
        outlet = connection
      case .waiting(let descriptor):
        if awaited == nil { try loop.add(descriptor, token: 3, read: false, write: true) }
        awaited = descriptor
      case .failed(let errors): throw errors.first ?? .noMemory
      }
      if case .connection(let connection) = try listener.accept() { inlet = connection }
      if let outlet, let inlet { return Connected(outlet: outlet, inlet: inlet, setup: setup) }
      try loop.wait(until: MonotonicClock.now() + .milliseconds(100), into: &events)
      if outlet == nil, events.contains(where: { $0.token == 3 }), let descriptor = awaited {
        try loop.remove(descriptor)
        awaited = nil
        progress = connector.handleReady()
      }
    }
    return nil
  }

  /// The congestion controls that may be chosen on a lane.
  private func known(_ lane: Int) -> String {
    let path = "/proc/sys/net/ipv4/tcp_available_congestion_control"
    let bytes = world.inside(.peer, lane: lane) { (try? InputFile.read(path: path, limit: 4096)) ?? [] }
    return String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }.joined(separator: ", ")
  }
}

extension LinkSpec {
  /// How long a packet may take to cross the link, with some to spare.
  var longestCrossing: Interval {
    var longest = delay + jitter * 8 + duplicateDelay + .milliseconds(300)
    if reorder > 0 { longest += reorderWait }
    if rate != nil, case .time(let time) = queue { longest += time }
    if let rate, case .bytes(let bytes) = queue { longest += Interval(seconds: Double(bytes * 8) / Double(rate)) }
    return min(longest, .seconds(30))
  }
}
