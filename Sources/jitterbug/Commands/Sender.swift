import Packets
import Reporting
import Sending
import Sockets
import Statistics
import Timeline

/// Joins the streams with an optional link and their destinations.
///
/// This is `jitterbug send` at work: one thread, one loop; the media is read by others, ahead of time.
final class Sender {
  private enum Token {
    static let signals: UInt64 = 1
    /// The streams' queues, from here on.
    static let firstQueue: UInt64 = 2
    static let firstDestination: UInt64 = 16
  }

  let options: SendOptions
  let streams: [SendStream]
  /// Inputs that couldn't be read.
  private(set) var problemCount = 0
  /// How long all the media lasts; nil when it isn't known.
  let total: Interval?
  let started = MonotonicClock.now()

  // What `Sender+Transmission` works with.
  var link: LinkStage?
  let signals: SignalDescriptor
  /// Whether a signal waits to be read.
  var hasSignal = false
  /// Whether packets that are due at once are gathered and sent together: a connection and a link take them singly.
  let gathers: Bool

  private var loop: EventLoop
  private var receiveBatch: ReceiveBatch
  private var live: LiveView
  private var metrics: MetricsServer?
  private var events: [ReadyEvent] = []
  private var datagram = [UInt8](repeating: 0, count: 65_536)
  /// Whether frames that are due were left for the next turn.
  private var isBehind = false
  /// The destinations of all streams, with the stream that each belongs to, and what the loop watches of it.
  private var routes: [(stream: SendStream, destination: Destination, watched: Destination.Interest)]
  private var meter = RateMeter()
  /// What the signal was that has ended the media, in a word; nil before.
  private var interruption: String?
  /// After a signal: how long the pictures under way are still sent.
  private var endsBefore: Instant?
  /// Whether the goodbye has begun.
  private var hasEnded = false
  /// Whether nothing more is waited for.
  private var isHurried = false

  /// How long a picture of a transport stream that has begun is still sent after Ctrl-C: a frame at two a second.
  private static let endingLimit = Interval.milliseconds(500)

  /// Why it is over, in a few words.
  var ended: String {
    if let interruption { return interruption }
    return haveAllFailed ? "every destination failed" : "the input ended"
  }

  /// Whether the media ended before anything could be sent, although nothing was wrong with it.
  var hasSentNothing: Bool { packetCount == 0 && problemCount == 0 && hasMediaEnded && interruption == nil }

  var destinations: [Destination] { routes.map(\.destination) }
  private var packetCount: Int { streams.reduce(0) { $0 + $1.session.packetCount } }
  private var hasMediaEnded: Bool { streams.allSatisfy(\.hasMediaEnded) }
  private var haveAllFailed: Bool { routes.allSatisfy { $0.destination.failure != nil } }

  init(_ options: SendOptions, streams: [SendStream], total: Interval?) throws(CommandError) {
    self.options = options
    self.streams = streams
    self.total = total
    routes = streams.flatMap { stream in stream.destinations.map { (stream, $0, Destination.Interest()) } }
    gathers = options.link == nil && routes.allSatisfy { $0.destination.takesBatches }
    do throws(SocketError) {
      signals = try SignalDescriptor()
      loop = try EventLoop()
      receiveBatch = try ReceiveBatch(capacity: 16)
      try loop.add(signals.descriptor, token: Token.signals, read: true, write: false)
      for (index, stream) in streams.enumerated() {
        try loop.add(
          stream.queue.wake.descriptor, token: Token.firstQueue + UInt64(index), read: true, write: false)
      }
    } catch { throw CommandError(error.description) }
    if let spec = options.link {
      let file = try options.output.linkTraceFile.map { (path) throws(CommandError) in try TextFile(path: path) }
      link = LinkStage(spec, trace: file)
    }
    live = LiveView(options.output)
    if let place = options.output.metrics { metrics = try MetricsServer(place, in: loop) }
  }

  /// Sends until the media ends, every destination is gone, or a signal comes.
  func run() throws(CommandError) {
    for destination in destinations { live.detail(destination.details) }
    for stream in streams {
      let configuration = stream.session.configuration
      live.detail(
        """
        stream \(TextFile.hexadecimal(configuration.ssrc)), payload type \(configuration.payloadType), clock \
        \(configuration.clockRate) Hz, first sequence number \(configuration.firstSequence.rawValue), first timestamp \
        \(configuration.firstTimestamp.rawValue), cname \(configuration.cname)
        """)
    }
    if let spec = options.link { live.detail("link \(spec)") }
    if let metrics { live.say("metrics on \(metrics.description)") }
    live.start(at: started)
    try watchDestinations()
    while true {
      let now = MonotonicClock.now()
      pump(at: now)
      deliver(at: now)
      endStreams(at: now)
      report(at: now)
      if isOver(at: now) { break }
      try wait()
    }
    for stream in streams { stream.queue.close() }
    try sayGoodbye()
    live.clear()
  }

  // MARK: Media

  /// Sends every frame that is due, up to a number a turn: signals and reports must be heard at full speed, too.
  private func pump(at now: Instant) {
    var now = now
    var room = 256
    isBehind = false
    defer { for stream in streams { flush(stream) } }
    while !isBlocked, !hasSignal, hasBegun(at: now), let stream = nextStream() {
      guard room > 0 else {
        isBehind = true
        return
      }
      room -= 1
      var span = datagram.mutableSpan
      guard let packet = stream.makePacket(into: &span, at: now) else { return }
      if packet.pause > .zero { for other in streams where other !== stream { other.follow(pause: packet.pause) } }
      guard packet.size > 0 else { continue }
      meter.add(bytes: packet.size, at: now)
      // A second reference: a span can't be lent of a class's own array.
      let bytes = datagram
      transmit(bytes.span.bytes.extracting(first: packet.size), of: stream, isControl: false, at: now)
      now = MonotonicClock.now()
    }
  }

  /// Starts the media clock once there is something of every stream: they begin together.
  private func hasBegun(at now: Instant) -> Bool {
    if streams[0].schedule != nil { return true }
    for stream in streams { takeFrame(of: stream) }
    guard streams.allSatisfy({ $0.current != nil || $0.hasMediaEnded }) else { return false }
    // What has to be sent before it is shown is sent at once, and what has not waits for it.
    let lead = streams.map(\.lead).max() ?? .zero
    for stream in streams { stream.begin(at: now + max(lead, .zero), speed: options.speed) }
    return true
  }

  /// The stream that is to send next, of those that have something to send.
  private func nextStream() -> SendStream? {
    var next: (stream: SendStream, time: Interval)?
    for stream in streams {
      takeFrame(of: stream)
      guard let time = stream.nextTime else { continue }
      if let earliest = next, earliest.time <= time { continue }
      next = (stream, time)
    }
    return next?.stream
  }

  private func takeFrame(of stream: SendStream) {
    stream.takeFrame { sentence in
      problemCount += 1
      live.clear()
      StandardError.write("jitterbug: \(sentence)\n")
    }
  }

  private func report(at now: Instant) {
    for stream in streams {
      stream.askForKeyFrame(at: now)
      while true {
        var span = datagram.mutableSpan
        guard let size = stream.pollReport(into: &span, at: now) else { break }
        let bytes = datagram
        transmit(bytes.span.bytes.extracting(first: size), of: stream, isControl: true, at: now)
      }
    }
    live.update(at: now) { columns in
      let sender = self.liveSender(at: now)
      return [columns.map { LiveLine.text(sender, width: $0 - 1) } ?? LiveLine.plain(sender)]
    }
  }

  // MARK: Waiting

  private func wait() throws(CommandError) {
    var deadline = isBehind ? Instant.zero : Instant.earliest(live.nextUpdate, link?.nextDelivery)
    for stream in streams {
      deadline = Instant.earliest(deadline, stream.nextReport)
      if !isBlocked { deadline = Instant.earliest(deadline, stream.nextDeadline) }
    }
    if hasMediaEnded, streams.allSatisfy({ $0.current == nil }) { deadline = Instant.earliest(deadline, mediaOver) }
    deadline = Instant.earliest(Instant.earliest(deadline, metrics?.nextDeadline), endsBefore)
    try watchDestinations()
    do throws(SocketError) { try loop.wait(until: deadline, into: &events) } catch {
      throw CommandError(error.description)
    }
    for event in events { handle(event) }
    metrics?.expire(at: MonotonicClock.now(), in: loop)
  }

  private func handle(_ event: ReadyEvent) {
    switch event.token {
    case Token.signals:
      while let signal = try? signals.next() {
        if signal == .interrupt || signal == .terminate {
          end(because: signal == .interrupt ? "interrupted" : "terminated", at: MonotonicClock.now())
        }
      }
      hasSignal = false
    case Token.firstQueue..<Token.firstDestination:
      streams[Int(event.token - Token.firstQueue)].queue.wake.drain()
    default:
      if let metrics, metrics.handle(event, in: loop, at: MonotonicClock.now(), { SendReport.make(self) }) { return }
      let index = Int(event.token - Token.firstDestination)
      guard routes.indices.contains(index) else { return }
      let (stream, destination, _) = routes[index]
      let now = MonotonicClock.now()
      destination.receive(into: &receiveBatch) { bytes in stream.handleRTCP(bytes, at: now) }
      if let failure = destination.failure { live.say(failure) }
    }
  }

  /// Brings the loop up to date with the descriptors that the destinations have now.
  private func watchDestinations() throws(CommandError) {
    do throws(SocketError) {
      for index in routes.indices {
        let interest = routes[index].destination.interest
        guard interest != routes[index].watched else { continue }
        // A closed descriptor has left the loop by itself, and its number may belong to a new socket by now.
        for descriptor in routes[index].watched.descriptors { try? loop.remove(descriptor) }
        let token = Token.firstDestination + UInt64(index)
        for descriptor in interest.descriptors {
          try loop.add(descriptor, token: token, read: true, write: interest.wantsWrite)
        }
        routes[index].watched = interest
      }
    } catch { throw CommandError(error.description) }
  }

  /// As fast as the socket takes it means to wait for the socket, not to lose what it doesn't take.
  private var isBlocked: Bool { options.speed == nil && routes.contains { $0.destination.hasPending } }

  // MARK: The end

  /// When the last frame has been played in time; nil before anything was sent.
  private var mediaOver: Instant? { streams.compactMap(\.mediaOver).max() }

  /// A stream that is over while another goes on says goodbye, so that nobody waits for more of it.
  private func endStreams(at now: Instant) {
    guard streams.count > 1, options.speed != nil, link?.nextDelivery == nil else { return }
    for stream in streams where stream.hasMediaEnded && stream.current == nil {
      guard let over = stream.mediaOver, over <= now else { continue }
      stream.leave(at: now)
    }
  }

  /// The first signal ends the media, another one, or one that comes after it, the wait for the rest.
  private func end(because signal: String, at now: Instant) {
    isHurried = interruption != nil || hasEnded
    guard !isHurried else { return }
    interruption = signal
    endsBefore = now + Self.endingLimit
    for stream in streams { stream.end() }
  }

  private func isOver(at now: Instant) -> Bool {
    if isHurried || haveAllFailed { return true }
    let isAllSent = hasMediaEnded && streams.allSatisfy { $0.current == nil }
    if let endsBefore { return isAllSent || endsBefore <= now }
    guard isAllSent, link?.nextDelivery == nil else { return false }
    guard options.speed != nil, let over = mediaOver else { return !isBlocked }
    return over <= now
  }

  /// The goodbye, through the link like everything else, and what is still on its way, for at most five seconds; then
  /// what receivers have to say about the last packets.
  private func sayGoodbye() throws(CommandError) {
    let limit = MonotonicClock.now() + .seconds(5)
    hasEnded = true
    for stream in streams { stream.leave(at: MonotonicClock.now()) }
    report(at: MonotonicClock.now())
    while nextReport != nil || link?.nextDelivery != nil || routes.contains(where: { $0.destination.hasPending }) {
      let now = MonotonicClock.now()
      deliver(at: now)
      guard now < limit else { break }
      report(at: now)
      let next = Instant.earliest(Instant.earliest(link?.nextDelivery, nextReport), limit)
      try listen(until: next ?? limit)
    }
    // A signal ends this, too.
    while !isHurried, let last = awaitsReports, MonotonicClock.now() < last { try listen(until: last) }
    for destination in destinations { destination.close() }
  }

  private var nextReport: Instant? { streams.compactMap(\.nextReport).min() }

  /// Until when receivers may still report on the last packets; nil when nothing more is awaited.
  private var awaitsReports: Instant? {
    streams.filter { $0.destinations.contains(where: \.mayBeHeard) }.compactMap(\.session.awaitsReports).max()
  }

  /// Takes in reports and signals, until then at most.
  private func listen(until deadline: Instant) throws(CommandError) {
    try watchDestinations()
    do throws(SocketError) { try loop.wait(until: deadline, into: &events) } catch {
      throw CommandError(error.description)
    }
    for event in events where !(Token.firstQueue..<Token.firstDestination).contains(event.token) { handle(event) }
  }

  private func liveSender(at now: Instant) -> LiveSender {
    var sender = LiveSender(name: destinations.first?.endpoint.description ?? "")
    sender.elapsed = streams.map { Interval(units: $0.mediaEnd, rate: $0.clockRate) }.max() ?? .zero
    sender.total = total
    sender.packets = packetCount
    sender.bitrate = meter.bitrate(at: now)
    let farEnds = streams.flatMap { $0.session.farEnds.all }.filter { !$0.hasLeft }
    // Of several receivers the one that lost most lately is the one to watch.
    sender.farEndLoss = farEnds.compactMap(Self.loss).max()
    let roundTrips = streams.compactMap { $0.session.farEnds.latest?.roundTrip.milliseconds }
    sender.roundTrip = roundTrips.filter { $0.count > 0 }.map(\.last).max()
    sender.errors = destinations.reduce(0) { $0 + $1.errors.values.reduce(0, +) }
    return sender
  }
}

extension Sender {
  /// The share lost there: so far, packet by packet, where it says so; else between its last two reports, where
  /// duplicates hide losses.
  private static func loss(_ farEnd: FarEnd) -> Double? {
    farEnd.extended?.reception.lossRatio ?? farEnd.block.map { Double($0.fractionLost) / 256 }
  }
}

/// Bits a second since it was last asked.
struct RateMeter {
  private var bytes = 0
  private var since: Instant?

  mutating func add(bytes count: Int, at now: Instant) {
    if since == nil { since = now }
    bytes += count
  }

  mutating func bitrate(at now: Instant) -> Double {
    defer {
      bytes = 0
      since = now
    }
    guard let since, now > since else { return 0 }
    return Double(bytes) * 8 / (now - since).seconds
  }
}
