import Packets
import Probing
import Receiving
import Reporting
import Sending
import Sockets
import Statistics
import Timeline

/// Joins the handshake, the traffic, the ear and the sockets: `jitterbug probe` at work.
///
/// One thread, one loop. With `--both-ways` and `--ramp` the far end is asked first, and nothing but that is sent before
/// it has agreed.
final class Prober {
  private enum Token {
    static let signals: UInt64 = 1
    static let media: UInt64 = 2
    static let control: UInt64 = 3
  }

  private enum Phase {
    case asking
    case running
    /// All is sent; reports and stragglers are awaited.
    case closing(since: Instant)
    case over
  }

  let options: ProbeOptions
  let profile: ProbeProfile
  let path: ProbePath
  private(set) var sender: ProbeSender?
  private(set) var ramp: RampSender?
  private(set) var listener: ProbeListener?
  private(set) var client: ReflectionClient?
  private(set) var meter = ProbeMeter()
  let clock = ClockOffset.sample()
  let started = MonotonicClock.now()
  private(set) var ended = "everything was sent"

  private var phase = Phase.asking
  private var loop: EventLoop
  private let signals: SignalDescriptor
  private var batch: ReceiveBatch
  private var live: LiveView
  private var metrics: MetricsServer?
  private var events: [ReadyEvent] = []
  private var datagram = [UInt8](repeating: 0, count: 2048)
  private var seconds: Instant
  private var histories = StreamMeters()
  private var rate = RateMeter()
  private var generator: SeededGenerator
  private let sessions: [SendSession.Configuration]
  /// Datagrams heard from the far end.
  private var heardCount = 0
  private var watch: FarEndWatch
  private var seenRefusal: Instant?
  /// When the media began, and when the last packet had left; nil before, and when it was cut short.
  private(set) var mediaBegan: Instant?
  private var mediaEnded: Instant?
  private var failure: String?

  /// A far end that hasn't said anything for this long won't.
  private static let patience = Interval.seconds(7)

  init(_ options: ProbeOptions, profile: ProbeProfile) throws(CommandError) {
    self.options = options
    self.profile = profile
    path = try ProbePath(options)
    do throws(SocketError) {
      signals = try SignalDescriptor()
      loop = try EventLoop()
      batch = try ReceiveBatch(capacity: 64)
      try loop.add(signals.descriptor, token: Token.signals, read: true, write: false)
    } catch { throw CommandError(error.description) }
    live = LiveView(options.output)
    watch = FarEndWatch(hasFeedback: options.isBothWays || options.isRamp)
    if let place = options.output.metrics { metrics = try MetricsServer(place, in: loop) }
    seconds = started + .seconds(1)
    var system = SystemRandomNumberGenerator()
    generator = SeededGenerator(seed: options.seed ?? system.next())
    sessions = Self.sessions(options, profile: profile, clock: clock, using: &generator)
  }

  /// The sessions that send.
  var sendSessions: [SendSession] { sender?.sessions ?? ramp.map { [$0.session] } ?? [] }

  /// Whether anything was sent, so that there is something to report.
  var hasResult: Bool { sendSessions.contains { $0.packetCount > 0 } && heardCount > 0 }

  /// Probes to the end; returns why it failed, if it did.
  func run() throws(CommandError) -> String? {
    try addSockets()
    begin()
    live.start(at: started)
    while true {
      let now = MonotonicClock.now()
      transmit(at: now)
      path.deliver(at: now)
      move(at: now)
      show(at: now)
      if case .over = phase { break }
      try wait()
    }
    if heardCount > 0 { noteSilence(at: MonotonicClock.now()) }
    sayGoodbye()
    live.clear()
    return failure
  }

  // MARK: Beginning

  private func begin() {
    live.say("probing \(path.endpoint): \(options.isRamp ? "ramp up to \(options.rateLimit / 1_000) kbit/s" : traffic)")
    live.detail("sending to \(path.peer)")
    if let metrics { live.say("metrics on \(metrics.description)") }
    guard options.isBothWays || options.isRamp else { return startTraffic(at: started) }
    let wish = ProbeWish(
      profile: options.isBothWays ? profile : nil, wantsFeedback: true, duration: duration,
      sources: sessions.map(\.ssrc), clockRate: options.isRamp ? RampSender.clockRate : profile.format.clockRate)
    var system = SystemRandomNumberGenerator()
    let ssrc = UInt32(truncatingIfNeeded: generator.next())
    client = ReflectionClient(wish, ssrc: ssrc, cname: HostName.cname(), at: started, using: &system)
    if options.isBothWays {
      listener = ProbeListener(profile, options: options, seed: generator.next(), ssrc: ssrc, at: started)
    }
  }

  private func startTraffic(at now: Instant) {
    phase = .running
    mediaBegan = now
    guard options.isRamp else {
      sender = ProbeSender(profile, sessions, start: now, duration: duration)
      return
    }
    var configuration = RampController.Configuration()
    configuration.limit = Double(options.rateLimit)
    ramp = RampSender(configuration, session: SendSession(sessions[0]), at: now)
  }

  /// How long media was sent: as planned, unless it was cut short.
  var mediaDuration: Interval {
    guard mediaEnded == nil, let mediaBegan, let stoppedAt else { return duration }
    return min(max(stoppedAt - mediaBegan, .zero), duration)
  }

  var duration: Interval { options.duration ?? .seconds(10) }

  /// The traffic in words.
  var traffic: String {
    let kind =
      switch profile.kind {
      case .custom: "\(profile.packetBytes) bytes every \(profile.interval.milliseconds) ms"
      case .video: "video of \(profile.bitrate / 1_000) kbit/s"
      default: profile.name
      }
    return "\(kind), \(profile.streams) stream\(profile.streams == 1 ? "" : "s")"
  }

  private static func sessions(
    _ options: ProbeOptions, profile: ProbeProfile, clock: ClockOffset, using generator: inout SeededGenerator
  ) -> [SendSession.Configuration] {
    (0..<(options.isRamp ? 1 : profile.streams)).map { _ in
      SendSession.Configuration(
        ssrc: UInt32(truncatingIfNeeded: generator.next()),
        payloadType: options.isRamp ? RampSender.payloadType : profile.payloadType,
        clockRate: options.isRamp ? RampSender.clockRate : profile.format.clockRate,
        firstSequence: SequenceNumber(UInt16(truncatingIfNeeded: generator.next())),
        firstTimestamp: RTPTimestamp(UInt32(truncatingIfNeeded: generator.next())), cname: HostName.cname(),
        bandwidth: max(profile.totalBitrate, 64_000),
        wallClockOffset: clock.realtimeMinusMonotonic.nanoseconds, seed: generator.next())
    }
  }

  // MARK: Sending

  private func transmit(at now: Instant) {
    while true {
      var bytes = datagram
      var span = bytes.mutableSpan
      guard let size = client?.poll(into: &span, at: now) else { break }
      path.transmit(bytes.span.bytes.extracting(first: size), by: .media, isControl: true, at: now)
    }
    // A limited number a turn: what comes back must be heard meanwhile.
    for _ in 0..<256 {
      let time = MonotonicClock.now()
      guard send(at: time) else { break }
    }
    listener?.reports(at: now) { path.transmit($0, by: .media, isControl: true, at: now) }
  }

  /// Sends one datagram of the traffic; whether there was one.
  private func send(at now: Instant) -> Bool {
    var span = datagram.mutableSpan
    guard let output = sender?.poll(into: &span, at: now) ?? ramp?.poll(into: &span, at: now) else { return false }
    let bytes = datagram
    switch output {
    case .media(let size):
      rate.add(bytes: size, at: now)
      path.transmit(bytes.span.bytes.extracting(first: size), by: .media, isControl: false, at: now)
    case .control(let size):
      path.transmit(bytes.span.bytes.extracting(first: size), by: .control, isControl: true, at: now)
    }
    return true
  }

  // MARK: Receiving

  private func receive() {
    path.receive(from: .media, into: &batch) { bytes, arrival in
      heardCount += 1
      watch.heard(at: arrival)
      guard DatagramKind.classify(bytes) == .rtcp else {
        listener?.take(bytes, at: arrival, isControl: false)
        return
      }
      if client?.handle(bytes, at: MonotonicClock.now()) == true { return takeFeedback(at: arrival) }
      handleReport(bytes, at: arrival)
      listener?.take(bytes, at: arrival, isControl: true)
    }
    path.receive(from: .control, into: &batch) { bytes, arrival in
      heardCount += 1
      watch.heard(at: arrival)
      handleReport(bytes, at: arrival)
    }
  }

  private func handleReport(_ bytes: RawSpan, at arrival: Instant) {
    sender?.handleRTCP(bytes, at: arrival)
    ramp?.handleRTCP(bytes, at: arrival)
  }

  private func takeFeedback(at arrival: Instant) {
    guard let feedback = client?.feedback else { return }
    meter.take(feedback)
    ramp?.handle(feedback, at: MonotonicClock.now())
  }

  // MARK: Phases

  private func move(at now: Instant) {
    if mediaEnded == nil, sender?.isMediaOver == true { mediaEnded = now }
    switch phase {
    case .asking: ask(at: now)
    case .running:
      if let outcome = ramp?.controller.outcome {
        if outcome == .noFeedback { failure = "the far end stopped telling what arrives: is the path still up?" }
        phase = .closing(since: now)
      } else if sender?.isOver == true {
        phase = .closing(since: now)
      } else if mediaEnded == nil, sender != nil, heardCount > 0 {
        followFarEnd(at: now)
      } else if heardCount == 0, !retryElsewhere(at: now), path.refusals > 2 || now - started > Self.patience {
        giveUp()
      }
    case .closing(let since):
      let isUpKnown = ramp != nil || sendSessions.allSatisfy(isSettled)
      let isDownKnown = listener.map { $0.isOver(streams: profile.streams) } ?? true
      // A receiver that follows RFC 3550 section 6.2 may take six seconds until it reports.
      let limit = Interval.seconds(sendSessions.contains { $0.heardFarEnd != nil } || client != nil ? 3 : 7)
      guard isUpKnown && isDownKnown && path.link?.nextDelivery == nil || now - since > limit else { return }
      if heardCount == 0 { giveUp() }
      phase = .over
    case .over: break
    }
  }

  /// Whether the far end has said its last word on a stream.
  private func isSettled(_ session: SendSession) -> Bool {
    guard let farEnd = session.heardFarEnd else { return session.packetCount == 0 }
    // Ours answer the goodbye; of others nothing more is known than whether they have told of the last packet.
    if farEnd.extended != nil || client != nil { return session.isFinal(farEnd) }
    return farEnd.missingTail(of: Int64(session.packetCount)) == 0
  }

  /// Whether the far end has said its last word on a stream after all of it was sent; one that left before then
  /// hasn't.
  func isFinal(_ session: SendSession) -> Bool {
    guard let farEnd = session.heardFarEnd, let mediaEnded else { return false }
    return session.isFinal(farEnd) && farEnd.lastHeard >= mediaEnded
  }

  /// Whether the last feedback came so long after the last packet that whatever isn't in it is lost.
  var isFeedbackFinal: Bool {
    guard let mediaEnded, let arrival = client?.feedbackArrival else { return false }
    let trips = sendSessions.compactMap { $0.heardFarEnd?.roundTrip.milliseconds }.filter { $0.count > 0 }
    return arrival >= mediaEnded + .seconds(1) + Interval(seconds: (trips.map(\.max).max() ?? 0) / 1000)
  }

  private func ask(at now: Instant) {
    switch client?.state {
    case .accepted?: startTraffic(at: now)
    case .refused(let answer)?:
      switch answer {
      case .tooFast(let limit):
        failure =
          "\(path.endpoint) sends at most \(limit / 1_000) kbit/s back, and this traffic has "
          + "\(Int(profile.totalBitrate) / 1_000) kbit/s: choose less, or start it with a higher --reflect-limit"
      default:
        failure = "\(path.endpoint) serves as many probers as it takes: try again when one has ended"
      }
      phase = .over
    case .unanswered?: giveUp()
    default: if path.refusals > 2, !retryElsewhere(at: now) { giveUp() }
    }
  }

  /// Nobody listens at the first address of a name: whether there was another to try.
  private func retryElsewhere(at now: Instant) -> Bool {
    guard path.refusals > 0, path.hasAlternatives, (try? path.openNext()) != nil else { return false }
    try? addSockets()
    return true
  }

  private func giveUp() {
    let command = options.isBothWays || options.isRamp ? "jitterbug receive --reflect" : "jitterbug receive"
    let port = options.destination.port.map { " rtp://[::]:\($0)" } ?? ""
    let what = path.refusals > 0 ? "nobody listens there" : "nothing came back"
    failure = "\(path.endpoint): \(what); start \(command)\(port) on that host, and let UDP through to its port"
    if !options.isMuxed, let port = options.destination.port { failure? += " and to \(port + 1) for reports" }
    if path.refusals == 0, options.link != nil || options.downLink != nil {
      failure? += "; or the bad network of --link or --link-down lost everything"
    }
    ended = what
    phase = .over
  }

  /// Tells at once when the far end falls silent, and ends the probe when it is gone.
  private func followFarEnd(at now: Instant) {
    if let refusal = path.lastMediaRefusal, refusal != seenRefusal {
      seenRefusal = refusal
      watch.refused(at: refusal)
    }
    let hasLeft = sendSessions.allSatisfy { $0.heardFarEnd?.hasLeft == true }
    while let change = watch.poll(at: now, hasLeft: hasLeft) {
      switch change {
      case .silent:
        live.say("nothing has come from the far end since \(Self.tenths(lastHeard ?? .zero))")
      case .heardAgain(let gap):
        live.say("the far end is heard again, after \(Self.tenths(gap))")
      case .gone:
        stoppedAt = now
        phase = .over
      }
    }
  }

  /// When the far end was heard last, since the media began; nil when there was no media, or nothing was heard.
  var lastHeard: Interval? {
    guard let mediaBegan, let heard = watch.lastHeard else { return nil }
    return max(heard - mediaBegan, .zero)
  }

  private static func tenths(_ time: Interval) -> String {
    let tenths = time.nanoseconds / 100_000_000
    return "\(tenths / 10).\(tenths % 10) s"
  }

  /// Whether the far end stopped answering before all was sent.
  private(set) var hasFallenSilent = false

  /// Says so when the far end fell silent on the way, because what it told covers the beginning alone.
  private func noteSilence(at now: Instant) {
    guard failure == nil, sender != nil, let lastHeard, let heardAt = watch.lastHeard,
      !sendSessions.allSatisfy(isFinal)
    else { return }
    let hasLeft = !isInterrupted && sendSessions.contains { $0.heardFarEnd?.hasLeft == true }
    let isRefused = path.lastMediaRefusal.map { $0 > heardAt } ?? false
    // Feedback comes ten times a second; RTCP's reports at least every 7.5 s from a single receiver.
    let patience = client == nil ? Interval.seconds(8) : .milliseconds(1_500)
    guard watch.isGone || hasLeft || isRefused || now - heardAt > patience else { return }
    hasFallenSilent = true
    failure =
      "\(path.endpoint) stopped answering at about \(Self.tenths(lastHeard)), so the report covers no more than "
      + "what it told until then: see to it that the far end runs until the probe is over"
    ended = "the far end stopped answering"
  }

  private func sayGoodbye() {
    let now = MonotonicClock.now()
    if stoppedAt != nil {
      sender?.stop(at: now)
      for _ in 0..<profile.streams where send(at: now) {}
    }
    listener?.finish(at: now) { path.transmit($0, by: .media, isControl: true, at: now) }
    // Whoever asked for something says that it wants no more, even when it heard nothing.
    var bytes = datagram
    var span = bytes.mutableSpan
    if let size = client?.goodbye(into: &span) {
      path.transmit(bytes.span.bytes.extracting(first: size), by: .media, isControl: true, at: now)
    }
    path.deliver(at: now + .seconds(5))
  }

  /// Whether a signal ended it, so that packets may have been under way.
  private(set) var isInterrupted = false
  private var stoppedAt: Instant?

  // MARK: Waiting

  private func addSockets() throws(CommandError) {
    do throws(SocketError) {
      if let media = path.mediaDescriptor { try loop.add(media, token: Token.media, read: true, write: false) }
      if let control = path.controlDescriptor {
        try loop.add(control, token: Token.control, read: true, write: false)
      }
    } catch { throw CommandError(error.description) }
  }

  private func wait() throws(CommandError) {
    var deadline = Instant.earliest(live.nextUpdate, seconds)
    let wakes = [client?.nextWake, sender?.nextWake, ramp?.nextWake, listener?.nextWake, path.link?.nextDelivery]
    for wake in wakes + [metrics?.nextDeadline] {
      deadline = Instant.earliest(deadline, wake)
    }
    if case .closing = phase { deadline = Instant.earliest(deadline, MonotonicClock.now() + .milliseconds(50)) }
    let before = MonotonicClock.now()
    do throws(SocketError) { try loop.wait(until: deadline, into: &events) } catch {
      throw CommandError(error.description)
    }
    let readAll = max(before, deadline.map { $0 <= MonotonicClock.now() ? $0 : before } ?? before)
    for event in events {
      if let metrics, metrics.handle(event, in: loop, at: before, { ProbeReportMaker.make(self, isFinal: false) }) {
        continue
      }
      guard event.token == Token.signals else { continue }
      while let signal = try? signals.next() {
        guard signal == .interrupt || signal == .terminate else { continue }
        isInterrupted = true
        stoppedAt = stoppedAt ?? MonotonicClock.now()
        ended = "interrupted"
        phase = .over
      }
    }
    metrics?.expire(at: MonotonicClock.now(), in: loop)
    receive()
    listener?.advance(to: readAll)
  }

  // MARK: Showing

  private func show(at now: Instant) {
    while seconds <= now {
      seconds += .seconds(1)
      meter.endSecond(sendSessions, feedback: client?.feedback, listener: listener)
    }
    live.update(at: now) { columns in
      let up = self.liveUp(at: now)
      var lines = [columns.map { LiveLine.text(up, width: $0 - 1) } ?? LiveLine.plain(up)]
      guard let listener = self.listener else { return lines }
      for (index, stream) in self.histories.endSecond(listener.session.streams, at: now).enumerated() {
        var stream = stream
        stream.name = index == 0 ? "down" : "down \(index + 1)"
        lines.append(columns.map { LiveLine.text(stream, width: $0 - 1) } ?? LiveLine.plain(stream))
      }
      return lines
    }
  }

  private func liveUp(at now: Instant) -> LiveSender {
    var up = LiveSender(name: "up")
    let sessions = sendSessions
    up.elapsed = now - started
    if !options.isRamp { up.total = duration }
    up.packets = sessions.reduce(0) { $0 + $1.packetCount }
    up.bitrate = rate.bitrate(at: now)
    if up.packets > 0 {
      up.farEndLoss = ProbeMeter.lost(sessions, client?.feedback).map { Double(max($0, 0)) / Double(up.packets) }
    }
    up.roundTrip = sessions.compactMap { $0.heardFarEnd?.roundTrip.milliseconds }.first { $0.count > 0 }?.last
    up.errors = path.errors.values.reduce(0, +)
    return up
  }
}

extension SendSession {
  /// The receiver at the other end: the one that tells most, where several report.
  var heardFarEnd: FarEnd? { farEnds.all.first { $0.extended != nil } ?? farEnds.latest }
}
