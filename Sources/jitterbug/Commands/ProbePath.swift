import Impairment
import Packets
import Sockets
import Timeline

/// The sockets of a prober, with the bad networks inside the process: one for media and, unless RTCP is muxed, one for
/// the reports about what is sent.
final class ProbePath {
  /// Which socket a datagram goes by.
  enum Way: UInt32 {
    /// RTP, and everything that concerns the way back: only that address is proved.
    case media
    /// Reports about what is sent.
    case control
  }

  let endpoint: Endpoint
  /// What the link does to what is sent.
  private(set) var link: LinkStage?
  /// Errors by kind.
  private(set) var errors: [String: Int] = [:]
  /// How often nobody listened at the far end.
  private(set) var refusals = 0
  /// When nobody listened there for media, the last time; a far end may do without a port for reports.
  private(set) var lastMediaRefusal: Instant?

  private var media: DatagramSocket?
  private var control: DatagramSocket?
  private var controlAddress: SocketAddress?
  private var untried: [SocketAddress]
  private let options: ProbeOptions

  init(_ options: ProbeOptions) throws(CommandError) {
    self.options = options
    endpoint = options.destination
    guard case .rtp(let host, let ports) = endpoint else {
      throw CommandError("\(endpoint) is no UDP address: probe measures rtp://HOST:PORT")
    }
    do throws(SocketError) {
      untried = try Resolver.resolve(host: host, port: ports.lowerBound, kind: .datagram)
    } catch { throw CommandError(error.description) }
    if let spec = options.link {
      let file = try options.output.linkTraceFile.map { (path) throws(CommandError) in try TextFile(path: path) }
      link = LinkStage(spec, trace: file)
    }
    do throws(SocketError) { try openNext() } catch { throw CommandError(error.description) }
  }

  /// Whether other addresses of the same name haven't been tried.
  var hasAlternatives: Bool { !untried.isEmpty }

  /// Takes the next address that sockets can be opened to.
  func openNext() throws(SocketError) {
    var socketOptions = DatagramOptions()
    socketOptions.receiveBufferBytes = 4 << 20
    socketOptions.dscp = options.dscp.map { UInt8($0) }
    socketOptions.ttl = options.ttl.map { UInt8($0) }
    socketOptions.sourcePort = options.sourcePort.map { UInt16($0) }
    socketOptions.interface = options.interface
    while true {
      let address = untried.removeFirst()
      do throws(SocketError) {
        let opened = try DatagramSocket(sendingTo: address, options: socketOptions)
        var beside: DatagramSocket?
        if !options.isMuxed, let port = address.port, port < .max {
          beside = try Self.openBeside(opened.localAddress, isFixed: options.sourcePort != nil)
          controlAddress = address.with(port: port + 1)
        }
        media = consume opened
        control = consume beside
        refusals = 0
        return
      } catch {
        if untried.isEmpty { throw error }
      }
    }
  }

  /// The port above that of media, where receivers look for it, or any if that is taken.
  private static func openBeside(_ local: SocketAddress, isFixed: Bool) throws(SocketError) -> DatagramSocket {
    if let port = local.port, port < .max {
      do throws(SocketError) { return try DatagramSocket(listeningOn: local.with(port: port + 1)) } catch {
        if isFixed { throw error }
      }
    }
    return try DatagramSocket(listeningOn: local.with(port: 0))
  }

  var mediaDescriptor: CInt? { media?.descriptor }
  var controlDescriptor: CInt? { control?.descriptor }

  /// The far end's address in words.
  var peer: String { media?.peer?.description ?? "\(endpoint)" }

  /// What the kernel dropped because the media socket's buffer was full.
  var droppedDatagrams: Int? { (try? media?.droppedDatagrams()).flatMap { $0 }.map(Int.init) }

  // MARK: Sending

  /// Sends a datagram, through the link if there is one.
  func transmit(_ bytes: RawSpan, by way: Way, isControl: Bool, at now: Instant) {
    guard link != nil else { return send(bytes, by: way) }
    link?.send(bytes, isControl: isControl, tag: way.rawValue, at: now)
    deliver(at: now)
  }

  /// Hands on what has come out of the link.
  func deliver(at now: Instant) {
    while let (item, _) = link?.receive(at: now) {
      send(item.bytes.span.bytes, by: Way(rawValue: item.tag) ?? .media)
    }
  }

  private func send(_ bytes: RawSpan, by way: Way) {
    do throws(SocketError) {
      let outcome: SendOutcome?
      if way == .control, control != nil {
        outcome = try control?.send(bytes, to: controlAddress)
      } else {
        outcome = try media?.send(bytes)
      }
      switch outcome {
      case .wouldBlock?: errors["the socket's buffer was full", default: 0] += 1
      case .trouble(let trouble)?: note(trouble, of: way)
      case .sent?, nil: break
      }
    } catch { errors[error.description, default: 0] += 1 }
  }

  private func note(_ trouble: SocketTrouble, of way: Way) {
    errors["\(trouble)", default: 0] += 1
    guard trouble == .connectionRefused else { return }
    refusals += 1
    if way == .media || control == nil { lastMediaRefusal = MonotonicClock.now() }
  }

  // MARK: Receiving

  /// Hands on what waits in a socket; of the control socket only what comes from the far end's host.
  func receive(from way: Way, into batch: inout ReceiveBatch, _ body: (RawSpan, Instant) -> Void) {
    for _ in 0..<64 {
      let outcome = try? way == .media ? media?.receive(into: &batch) : control?.receive(into: &batch)
      switch outcome ?? nil {
      case .datagrams(let count)?:
        for index in 0..<count {
          let datagram = batch.datagram(at: index)
          if way == .control, datagram.sender.with(port: 0) != controlAddress?.with(port: 0) { continue }
          batch.withBytes(at: index) { body($0, datagram.arrival) }
        }
        if count < batch.capacity { return }
      case .trouble(let trouble)?: note(trouble, of: way)
      case .empty?, nil: return
      }
    }
  }
}
