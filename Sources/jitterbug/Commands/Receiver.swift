import Buffering
import Media
import Packets
import Receiving
import Reporting
import Sockets
import Statistics
import Timeline

/// Joins sockets, an optional link, the receiving session and the outputs: `jitterbug receive` at work.
///
/// One thread, one loop. Each turn reads what the sockets have, hands datagrams on in order of arrival (by the kernel's
/// stamps), and then moves the session on to the instant up to which everything has been read.
final class Receiver {
  private enum Token {
    static let signals: UInt64 = 1
    static let media: UInt64 = 2
    static let control: UInt64 = 3
    static let listener: UInt64 = 4
    static let firstConnection: UInt64 = 16
  }

  private let options: ReceiveOptions
  private var loop: EventLoop
  private let signals: SignalDescriptor
  private var inlet: ReceiveInlet
  private var session: ReceiveSession
  private var link: LinkStage?
  private var reflector: ReceiveReflector?
  private var batch: ReceiveBatch
  private let interrupt: WriteInterrupt
  private var recorder: StreamRecorder
  private var trace: TraceFile?
  private var live: LiveView
  private var metrics: MetricsServer?
  private var meters = StreamMeters()
  private var counts = DatagramReportCounts()
  private var events: [ReadyEvent] = []
  private var scratch = [UInt8](repeating: 0, count: 1500)
  private let started: Instant
  private let clock: ClockOffset
  /// Up to here everything that arrived has been handed on.
  private var handledUpTo: Instant
  /// Senders whose connection has ended, while the link may still hold what they sent.
  private var closed: [Peer] = []
  /// Senders of streams that have ended since the last report, which is also for them.
  private var ended: [Peer] = []
  private var isStopping = false
  private var endReason: String?

  init(_ options: ReceiveOptions) throws(CommandError) {
    self.options = options
    do throws(SocketError) {
      signals = try SignalDescriptor()
      loop = try EventLoop()
      batch = try ReceiveBatch(capacity: 64)
    } catch { throw CommandError(error.description) }
    clock = ClockOffset.sample()
    started = MonotonicClock.now()
    handledUpTo = started
    session = ReceiveSession(try Self.configuration(for: options, clock: clock))
    interrupt = WriteInterrupt(descriptor: signals.descriptor)
    recorder = StreamRecorder(options, interrupt: interrupt)
    if let path = options.traceFile { trace = try TraceFile(path: path, clock: clock) }
    if let spec = options.link {
      let file = try options.output.linkTraceFile.map { (path) throws(CommandError) in try TextFile(path: path) }
      link = LinkStage(spec, trace: file)
    }
    if options.isReflecting {
      reflector = ReceiveReflector(ssrc: session.ssrc, clock: clock, rateLimit: options.reflectLimit)
    }
    live = LiveView(options.output)
    inlet = try ReceiveInlet(options)
    try inlet.register(in: loop, media: Token.media, control: Token.control, listener: Token.listener)
    do throws(SocketError) {
      try loop.add(signals.descriptor, token: Token.signals, read: true, write: false)
    } catch { throw CommandError(error.description) }
    if let place = options.output.metrics { metrics = try MetricsServer(place, in: loop) }
  }

  /// Receives until the end; returns the exit status.
  func run() throws(CommandError) -> Int32 {
    live.say("listening on \(inlet.description)")
    if let metrics { live.say("metrics on \(metrics.description)") }
    live.detail(inlet.details)
    if let spec = options.link { live.detail("link \(spec)") }
    live.start(at: started)
    while !isDone {
      let deadline = nextWake
      let before = MonotonicClock.now()
      do throws(SocketError) { try loop.wait(until: deadline, into: &events) } catch {
        throw CommandError(error.description)
      }
      // What arrived by `before`, or by the deadline the loop slept to, is readable now; later arrivals may not be.
      let readAll = max(before, deadline.map { $0 <= MonotonicClock.now() ? $0 : before } ?? before)
      for event in events { try handle(event) }
      advance(to: readAll)
    }
    return try finish()
  }

  // MARK: Input

  private func handle(_ event: ReadyEvent) throws(CommandError) {
    switch event.token {
    case Token.signals:
      while let signal = try? signals.next() { stop(because: signal == .interrupt ? "interrupted" : "terminated") }
    case Token.media: try drain(isControl: false)
    case Token.control: try drain(isControl: true)
    case Token.listener: try inlet.accept(in: loop, firstToken: Token.firstConnection)
    default:
      let now = MonotonicClock.now()
      if let metrics, metrics.handle(event, in: loop, at: now, { report(isFinal: false) }) { return }
      var pieces: [(bytes: [UInt8], peer: Peer)] = []
      let end = inlet.read(event.token, in: loop) { bytes, peer in pieces.append((bytes, peer)) }
      for piece in pieces { take(piece.bytes.span.bytes, from: piece.peer, at: now, isControl: nil) }
      guard let end else { return }
      if end.isCut { live.say("the connection from \(inlet.name(of: end.peer)) ended inside a frame") }
      closed.append(end.peer)
    }
  }

  private func drain(isControl: Bool) throws(CommandError) {
    for _ in 0..<64 {
      switch inlet.receive(into: &batch, isControl: isControl) {
      case .datagrams(let count):
        for index in 0..<count { takeFromBatch(index, isControl: isControl) }
        if count < batch.capacity { return }
      case .empty: return
      // An error that came back for a report of ours: the socket goes on.
      case .trouble: continue
      case nil: throw CommandError("the socket failed: \(inlet.failure ?? "")")
      }
    }
  }

  private func takeFromBatch(_ index: Int, isControl: Bool) {
    let datagram = batch.datagram(at: index)
    if reflector != nil, !isControl, batch.withBytes(at: index, { reflect($0, datagram) }) { return }
    let peer = inlet.peer(of: datagram.sender, isControl: isControl)
    counts.note(datagram, readAt: batch.readAt)
    let drops = isControl ? 0 : counts.newDrops(upTo: datagram.drops)
    if isControl { batch.withBytes(at: index) { noteReports($0, from: datagram.sender) } }
    batch.withBytes(at: index) { bytes in
      take(bytes, from: peer, at: datagram.arrival, isControl: isControl ? true : nil, droppedBefore: drops)
    }
  }

  /// A sender's report says by its source whose reports come from this address; ports alone can't, where several
  /// senders share a host.
  private func noteReports(_ bytes: RawSpan, from address: SocketAddress) {
    guard let ssrc = SenderReport.source(of: bytes),
      let place = session.streams.indices.last(where: { session.streams[$0].ssrc == ssrc })
    else { return }
    inlet.noteReports(of: session.streams[place].peer, from: address)
  }

  /// Shows the reflector what came to the media port; true when it was a message for the reflector alone.
  private func reflect(_ bytes: RawSpan, _ datagram: ReceivedDatagram) -> Bool {
    guard DatagramKind.classify(bytes) == .rtcp,
      reflector?.take(
        bytes, from: datagram.sender, at: datagram.arrival, reply: { _ = inlet.sendMedia($0, to: datagram.sender) })
        == true
    else { return false }
    counts.received += 1
    counts.bytes += bytes.byteCount
    return true
  }

  /// Takes one datagram from outside, through the link if there is one.
  ///
  /// `isControl` is nil where both kinds come mixed.
  private func take(
    _ bytes: RawSpan, from peer: Peer, at arrival: Instant, isControl: Bool?, droppedBefore drops: Int = 0
  ) {
    counts.received += 1
    counts.bytes += bytes.byteCount
    let control = isControl ?? (DatagramKind.classify(bytes) == .rtcp)
    let stamp = arrival
    let arrival = max(stamp, handledUpTo)
    guard link != nil else {
      return deliver(bytes, from: peer, at: arrival, stamp: stamp, isControl: control, droppedBefore: drops)
    }
    advanceLink(to: arrival)
    link?.send(bytes, isControl: control, tag: peer.id, droppedBefore: drops, at: arrival)
  }

  private func deliver(
    _ bytes: RawSpan, from peer: Peer, at arrival: Instant, stamp: Instant, isControl: Bool, droppedBefore drops: Int
  ) {
    handledUpTo = max(handledUpTo, arrival)
    play(until: arrival)
    if isControl {
      // Round trips are made from the true time, however long this process stood still before it read on.
      session.handleRTCP(bytes, from: peer, at: arrival, stamp: stamp)
    } else {
      session.handleRTP(bytes, from: peer, at: arrival, droppedBefore: drops)
      if reflector?.isServing == true, let address = inlet.address(of: peer) {
        reflector?.noteMedia(bytes, from: address, at: arrival)
      }
    }
    settle()
  }

  private func advanceLink(to now: Instant) {
    while let (item, deliveredAt) = link?.receive(at: now) {
      deliver(
        item.bytes.span.bytes, from: Peer(id: item.tag), at: max(deliveredAt, handledUpTo), stamp: deliveredAt,
        isControl: item.isControl, droppedBefore: item.droppedBefore)
    }
  }

  // MARK: Output

  private func advance(to now: Instant) {
    advanceLink(to: now)
    if !closed.isEmpty, link?.nextDelivery == nil {
      for peer in closed { session.handleClose(of: peer) }
      closed = []
    }
    // Whoever stops the run doesn't wait for a long buffer: what is in it is played out at once.
    play(until: isStopping ? .distantFuture : now)
    settle()
    handledUpTo = max(handledUpTo, now)
    sendReport(at: now)
    reflector?.poll(at: now) { inlet.sendMedia($0, to: $1) }
    while let sentence = reflector?.pollSentence() { live.say(sentence) }
    recorder.reconsider(session, at: now)
    if recorder.failure != nil { stop(because: "the output can't be written") }
    metrics?.expire(at: now, in: loop)
    if let duration = options.duration, now - started >= duration { stop(because: "--duration") }
    updateLiveView(at: now)
  }

  private func play(until now: Instant) {
    while let (stream, decision) = session.pollPlayout(at: now) {
      if let change = recorder.perform(decision, of: stream, in: session) {
        session.settleStretch(of: stream, by: change)
      }
    }
    if options.recordsAll { recorder.recordAll(&session, at: now) }
  }

  private func settle() {
    while let fate = session.pollFate() { trace?.write(fate) }
    while let (id, event) = session.pollEvent() {
      guard let stream = session.stream(id) else { continue }
      if case .buffer(let change) = event {
        say(change, of: stream)
        continue
      }
      live.say(event.sentence(for: stream, from: inlet.name(of: stream.peer)))
      switch event {
      case .began: recorder.begin(stream)
      case .ended(let reason):
        if options.recordsAll { recorder.recordAll(&session, at: handledUpTo, isLastOf: id) }
        recorder.end(id, after: stream)
        ended.append(stream.peer)
        // A stray that fell silent isn't the stream that was waited for.
        if options.isEnding, reason != .idle || StreamRecorder.isSignificant(stream) {
          stop(because: reason.sentence)
        }
      case .restarted, .dropout, .moved, .buffer: break
      }
    }
  }

  private func say(_ change: BufferEvent, of stream: ReceiveStream) {
    let time = TimeOfDay.text(nanoseconds: (MonotonicClock.now() + clock.realtimeMinusMonotonic).nanoseconds)
    let sentence = "stream \(TextFile.hexadecimal(stream.ssrc)): \(change.sentence(at: time))"
    if change.isNotable { live.say(sentence) } else { live.detail(sentence) }
  }

  private func sendReport(at now: Instant, toAll: Bool = false) {
    var isSent = false
    while true {
      var span = scratch.mutableSpan
      guard let size = session.pollReport(into: &span, at: now) else { break }
      isSent = true
      let report = scratch
      let peers = session.streams.filter { toAll || $0.isOpen }.map(\.peer)
      inlet.sendControl(report.span.bytes.extracting(first: size), to: peers + ended)
    }
    if isSent { ended = [] }
  }

  /// Says goodbye; among very many members that may have to wait for a while, for which nobody should wait long.
  private func leave() {
    let limit = MonotonicClock.now() + .seconds(4)
    session.leave(at: MonotonicClock.now())
    sendReport(at: MonotonicClock.now(), toAll: true)
    guard var pause = try? EventLoop(), (try? pause.add(signals.descriptor, token: 0, read: true, write: false)) != nil
    else { return }
    while let due = session.nextReport, MonotonicClock.now() < limit {
      try? pause.wait(until: min(due, limit), into: &events)
      guard events.isEmpty else { return }
      sendReport(at: MonotonicClock.now(), toAll: true)
    }
  }

  // MARK: The end

  private var isDone: Bool { isStopping && !session.hasOpenStreams }

  private var nextWake: Instant? {
    var wake = Instant.earliest(session.nextWake, live.nextUpdate)
    wake = Instant.earliest(Instant.earliest(wake, link?.nextDelivery), metrics?.nextDeadline)
    wake = Instant.earliest(wake, reflector?.nextWake)
    return Instant.earliest(wake, options.duration.map { started + $0 })
  }

  private func stop(because reason: String) {
    guard !isStopping else { return }
    isStopping = true
    interrupt.isRaised = true
    endReason = reason
    session.stop()
  }

  private func finish() throws(CommandError) -> Int32 {
    leave()
    reflector?.stop(at: MonotonicClock.now())
    reflector?.poll(at: MonotonicClock.now()) { inlet.sendMedia($0, to: $1) }
    counts.reflectorMessages = reflector?.messageCount ?? 0
    session.close()
    while let fate = session.pollFate() { trace?.write(fate) }
    live.clear()
    if options.recordsAll { recorder.recordAll(&session, at: handledUpTo, isLast: true) }
    recorder.endAll(session)
    // The report comes out even when something beside it couldn't be written.
    var failures = [recorder.failure]
    do throws(CommandError) { try trace?.close() } catch { failures.append(error) }
    do throws(CommandError) { try link?.closeTrace() } catch { failures.append(error) }
    if let drops = inlet.droppedDatagrams { session.noteSocketDropsAtEnd(counts.newDrops(upTo: drops)) }
    try ReportOutput.write(report(isFinal: true), options.output, isOutputUsed: options.outputFile == "-")
    if let failure = failures.compactMap({ $0 }).first { throw failure }
    return 0
  }

  /// What can be reported now; what takes a while to compute only at the end.
  private func report(isFinal: Bool) -> Report {
    counts.droppedBySocket = inlet.droppedDatagrams.map(Int.init)
    var report = ReceiveReport(session, options: options, counts: counts, clock: clock)
    report.sources = sources
    report.localPeers = Set(session.streams.map(\.peer).filter { inlet.isLocal($0) })
    report.listeners = recorder.accounts
    report.started = started
    report.fitsModels = isFinal
    return report.make(link: link?.record, ended: endReason, at: MonotonicClock.now())
  }

  private var sources: [Peer: String] {
    var names: [Peer: String] = [:]
    for stream in session.streams { names[stream.peer] = inlet.name(of: stream.peer) }
    return names
  }

  /// One line a stream; those that have ended stay for their second, then go.
  private func updateLiveView(at now: Instant) {
    live.update(at: now) { columns in
      meters.endSecond(session, at: now).map { stream in
        columns.map { LiveLine.text(stream, width: $0 - 1) } ?? LiveLine.plain(stream)
      }
    }
  }

  private static func configuration(
    for options: ReceiveOptions, clock: ClockOffset
  ) throws(CommandError) -> ReceiveSession.Configuration {
    var system = SystemRandomNumberGenerator()
    let seed = options.seed ?? system.next()
    var generator = SeededGenerator(seed: seed)
    var configuration = ReceiveSession.Configuration(
      ssrc: UInt32(truncatingIfNeeded: generator.next()), cname: HostName.cname(), seed: generator.next())
    configuration.target = options.buffer.target
    configuration.adaptation = options.buffer.adaptation
    configuration.idleTimeout = options.idleTimeout ?? (options.isEnding ? .seconds(10) : nil)
    configuration.sourceLimit = options.sourceLimit
    configuration.recordsAll = options.recordsAll
    configuration.isTracing = options.traceFile != nil
    configuration.keepsTimelines = options.output.showsTimeline
    configuration.formats = try options.formatTable()
    configuration.sendsExtendedReports = !options.hasNoExtendedReports
    configuration.wallClockOffset = clock.realtimeMinusMonotonic.nanoseconds
    return configuration
  }
}

extension ReceiveOptions {
  /// Whether the first stream's end is the end of it all.
  var isEnding: Bool { isOnce ?? (outputFile != nil) }
}
