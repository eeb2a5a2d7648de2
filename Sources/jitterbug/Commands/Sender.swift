import Packets
import Reporting
import Sending
import Sockets
import Statistics
import Timeline

/// Joins the media queue, the schedule, the sending session, an optional link and the destinations.
///
/// This is `jitterbug send` at work: one thread, one loop; the media is read by another one, ahead of time.
final class Sender {
  private enum Token {
    static let signals: UInt64 = 1
    static let media: UInt64 = 2
    static let firstDestination: UInt64 = 16
  }

  let options: SendOptions
  let destinations: [Destination]
  private(set) var session: SendSession
  private(set) var schedule: SendSchedule?
  /// What was sent when, if the report shows it.
  private(set) var timeline: SendTimeline?
  private(set) var link: LinkStage?
  /// Inputs that couldn't be read.
  private(set) var problemCount = 0
  /// How long all the media lasts; nil when it isn't known.
  let total: Interval?

  private let queue: MediaQueue
  private var loop: EventLoop
  private let signals: SignalDescriptor
  private var batch: ReceiveBatch
  private var live: LiveView
  private var metrics: MetricsServer?
  private var events: [ReadyEvent] = []
  private var datagram = [UInt8](repeating: 0, count: 65_536)
  private var current: MediaFrame?
  /// Whether frames that are due were left for the next turn.
  private var isBehind = false
  private var hasMediaEnded = false
  private var isInterrupted = false
  /// The media time at which the last frame ends.
  private(set) var mediaEnd: Int64 = 0
  /// What the loop watches of each destination.
  private var watched: [Destination.Interest]
  private var meter = RateMeter()
  let started = MonotonicClock.now()

  /// Why it is over, in a few words.
  var ended: String {
    if isInterrupted { return "interrupted" }
    return destinations.allSatisfy { $0.failure != nil } ? "every destination failed" : "the input ended"
  }

  /// Whether the media ended before anything could be sent, although nothing was wrong with it.
  var hasSentNothing: Bool { session.packetCount == 0 && problemCount == 0 && hasMediaEnded }

  init(
    _ options: SendOptions, session: SendSession, destinations: [Destination], queue: MediaQueue, total: Interval?
  ) throws(CommandError) {
    self.options = options
    self.session = session
    self.destinations = destinations
    watched = destinations.map { _ in Destination.Interest() }
    self.queue = queue
    self.total = total
    do throws(SocketError) {
      signals = try SignalDescriptor()
      loop = try EventLoop()
      batch = try ReceiveBatch(capacity: 16)
      try loop.add(signals.descriptor, token: Token.signals, read: true, write: false)
      try loop.add(queue.wake.descriptor, token: Token.media, read: true, write: false)
    } catch { throw CommandError(error.description) }
    if let spec = options.link {
      let file = try options.output.linkTraceFile.map { (path) throws(CommandError) in try TextFile(path: path) }
      link = LinkStage(spec, trace: file)
    }
    live = LiveView(options.output)
    if options.output.showsTimeline { timeline = SendTimeline() }
    if let place = options.output.metrics { metrics = try MetricsServer(place, in: loop) }
  }

  /// Sends until the media ends, every destination is gone, or a signal comes.
  func run() throws(CommandError) {
    for destination in destinations { live.detail(destination.details) }
    let configuration = session.configuration
    live.detail(
      """
      stream \(TextFile.hexadecimal(configuration.ssrc)), payload type \(configuration.payloadType), clock \
      \(configuration.clockRate) Hz, first sequence number \(configuration.firstSequence.rawValue), first timestamp \
      \(configuration.firstTimestamp.rawValue), cname \(configuration.cname)
      """)
    if let spec = options.link { live.detail("link \(spec)") }
    if let metrics { live.say("metrics on \(metrics.description)") }
    live.start(at: started)
    try watchDestinations()
    while true {
      let now = MonotonicClock.now()
      pump(at: now)
      deliver(at: now)
      report(at: now)
      if isOver(at: now) { break }
      try wait()
    }
    queue.close()
    try sayGoodbye()
    live.clear()
  }

  // MARK: Media

  /// Sends every frame that is due, up to a number a turn: signals and reports must be heard at full speed, too.
  private func pump(at now: Instant) {
    var now = now
    var room = 256
    isBehind = false
    while !isBlocked, !isInterrupted, let frame = nextFrame() {
      guard room > 0 else {
        isBehind = true
        return
      }
      room -= 1
      if schedule == nil {
        schedule = SendSchedule(
          start: now, clockRate: session.configuration.clockRate, speed: options.speed)
      }
      guard let admission = schedule?.admit(mediaTime: frame.time + frame.sendOffset, at: now) else { return }
      guard admission.deadline <= now else { return }
      current = nil
      let marker = frame.marker || (admission.followsPause && options.synthetic == nil)
      var span = datagram.mutableSpan
      guard
        let size = session.packetize(
          frame.payload.span.bytes, timestampOffset: admission.timestampOffset - frame.sendOffset, marker: marker,
          into: &span, deadline: admission.deadline)
      else { continue }
      if options.speed != nil {
        let duration = Interval(units: frame.duration, rate: session.configuration.clockRate)
        schedule?.sent(deadline: admission.deadline, at: now, duration: duration)
      }
      timeline?.record(bytes: size, deadline: admission.deadline, at: now)
      mediaEnd = max(mediaEnd, frame.time + frame.duration)
      meter.add(bytes: size, at: now)
      // A second reference: a span can't be lent of a class's own array.
      let bytes = datagram
      transmit(bytes.span.bytes.extracting(first: size), isControl: false, at: now)
      now = MonotonicClock.now()
    }
  }

  private func nextFrame() -> MediaFrame? {
    while current == nil, !hasMediaEnded {
      switch queue.pop() {
      case .frame(let frame): current = frame
      case .problem(let sentence):
        problemCount += 1
        live.clear()
        StandardError.write("jitterbug: \(sentence)\n")
      case .ended: hasMediaEnded = true
      case nil: return nil
      }
    }
    return current
  }

  // MARK: Datagrams

  private func transmit(_ bytes: RawSpan, isControl: Bool, at now: Instant) {
    if link != nil {
      link?.send(bytes, isControl: isControl, tag: 0, at: now)
      deliver(at: now)
    } else {
      send(bytes, isControl: isControl)
    }
  }

  /// Hands on what has come out of the link.
  private func deliver(at now: Instant) {
    while let (item, _) = link?.receive(at: now) { send(item.bytes.span.bytes, isControl: item.isControl) }
  }

  private func send(_ bytes: RawSpan, isControl: Bool) {
    var isTaken = false
    for destination in destinations {
      guard destination.failure == nil else { continue }
      var outcome = destination.send(bytes, isControl: isControl)
      if outcome == .full { outcome = waitForRoom(destination, bytes, isControl) }
      isTaken = isTaken || outcome == .sent
    }
    if !isTaken, !isControl { session.noteRefused(payloadBytes: max(bytes.byteCount - RTPHeader.size, 0)) }
  }

  /// A full socket: at full speed the datagram waits, in real time it would be late and is given up.
  private func waitForRoom(
    _ destination: Destination, _ bytes: RawSpan, _ isControl: Bool
  ) -> Destination.Outcome {
    var outcome = Destination.Outcome.full
    guard options.speed == nil, var pause = try? EventLoop(),
      (try? pause.add(signals.descriptor, token: 0, read: true, write: false)) != nil
    else {
      destination.noteOverflow()
      return outcome
    }
    var woken: [ReadyEvent] = []
    // A signal ends the wait and stays to be read by the main loop.
    for _ in 0..<5_000 where outcome == .full && woken.isEmpty {
      try? pause.wait(until: MonotonicClock.now() + .milliseconds(1), into: &woken)
      outcome = destination.send(bytes, isControl: isControl)
    }
    isInterrupted = isInterrupted || !woken.isEmpty
    if outcome == .full { destination.noteOverflow() }
    return outcome
  }

  private func report(at now: Instant) {
    while true {
      var span = datagram.mutableSpan
      guard let size = session.pollReport(into: &span, at: now) else { break }
      let bytes = datagram
      transmit(bytes.span.bytes.extracting(first: size), isControl: true, at: now)
    }
    live.update(at: now) { columns in
      let sender = self.liveSender(at: now)
      return [columns.map { LiveLine.text(sender, width: $0 - 1) } ?? LiveLine.plain(sender)]
    }
  }

  // MARK: Waiting

  private func wait() throws(CommandError) {
    var deadline = isBehind ? Instant.zero : Instant.earliest(live.nextUpdate, session.nextReport)
    deadline = Instant.earliest(deadline, link?.nextDelivery)
    if let frame = current, !isBlocked {
      deadline = Instant.earliest(deadline, schedule?.deadline(of: frame.time + frame.sendOffset))
    }
    if hasMediaEnded, current == nil { deadline = Instant.earliest(deadline, mediaOver) }
    deadline = Instant.earliest(deadline, metrics?.nextDeadline)
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
        if signal == .interrupt || signal == .terminate { isInterrupted = true }
      }
    case Token.media: queue.wake.drain()
    default:
      if let metrics, metrics.handle(event, in: loop, at: MonotonicClock.now(), { SendReport.make(self) }) { return }
      let index = Int(event.token - Token.firstDestination)
      guard destinations.indices.contains(index) else { return }
      let now = MonotonicClock.now()
      destinations[index].receive(into: &batch) { bytes in session.handleRTCP(bytes, at: now) }
      if let failure = destinations[index].failure { live.say(failure) }
    }
  }

  /// Brings the loop up to date with the descriptors that the destinations have now.
  private func watchDestinations() throws(CommandError) {
    do throws(SocketError) {
      for (index, destination) in destinations.enumerated() {
        let interest = destination.interest
        guard interest != watched[index] else { continue }
        // A closed descriptor has left the loop by itself, and its number may belong to a new socket by now.
        for descriptor in watched[index].descriptors { try? loop.remove(descriptor) }
        let token = Token.firstDestination + UInt64(index)
        for descriptor in interest.descriptors {
          try loop.add(descriptor, token: token, read: true, write: interest.wantsWrite)
        }
        watched[index] = interest
      }
    } catch { throw CommandError(error.description) }
  }

  /// As fast as the socket takes it means to wait for the socket, not to lose what it doesn't take.
  private var isBlocked: Bool { options.speed == nil && destinations.contains(where: \.hasPending) }

  // MARK: The end

  /// When the last frame has been played in time; nil before anything was sent.
  private var mediaOver: Instant? { schedule?.deadline(of: mediaEnd) }

  private func isOver(at now: Instant) -> Bool {
    if isInterrupted || destinations.allSatisfy({ $0.failure != nil }) { return true }
    guard hasMediaEnded, current == nil, link?.nextDelivery == nil else { return false }
    guard options.speed != nil, let over = mediaOver else { return !isBlocked }
    return over <= now
  }

  /// The goodbye, through the link like everything else, and what is still on its way, for at most five seconds; then
  /// what receivers have to say about the last packets.
  private func sayGoodbye() throws(CommandError) {
    let limit = MonotonicClock.now() + .seconds(5)
    session.leave(at: MonotonicClock.now())
    report(at: MonotonicClock.now())
    while session.nextReport != nil || link?.nextDelivery != nil || destinations.contains(where: \.hasPending) {
      let now = MonotonicClock.now()
      deliver(at: now)
      guard now < limit else { break }
      report(at: now)
      let next = Instant.earliest(Instant.earliest(link?.nextDelivery, session.nextReport), limit)
      try listen(until: next ?? limit)
    }
    // A second signal ends this, too.
    isInterrupted = false
    while !isInterrupted, let last = session.awaitsReports, destinations.contains(where: \.mayBeHeard),
      MonotonicClock.now() < last
    {
      try listen(until: last)
    }
    for destination in destinations { destination.close() }
  }

  /// Takes in reports and signals, until then at most.
  private func listen(until deadline: Instant) throws(CommandError) {
    try watchDestinations()
    do throws(SocketError) { try loop.wait(until: deadline, into: &events) } catch {
      throw CommandError(error.description)
    }
    for event in events where event.token != Token.media { handle(event) }
  }

  private func liveSender(at now: Instant) -> LiveSender {
    var sender = LiveSender(name: destinations.first?.endpoint.description ?? "")
    sender.elapsed = Interval(units: mediaEnd, rate: session.configuration.clockRate)
    sender.total = total
    sender.packets = session.packetCount
    sender.bitrate = meter.bitrate(at: now)
    let farEnds = session.farEnds.all.filter { !$0.hasLeft }
    // Of several receivers the one that lost most lately is the one to watch.
    sender.farEndLoss = farEnds.compactMap(Self.loss).max()
    let roundTrips = session.farEnds.latest?.roundTrip.milliseconds
    sender.roundTrip = roundTrips.flatMap { $0.count == 0 ? nil : $0.last }
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
