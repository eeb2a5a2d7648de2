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
  }

  private let options: ReceiveOptions
  private var loop: EventLoop
  private let signals: SignalDescriptor
  /// The sessions, in the order in which they were named.
  private var media: [ReceiveMedia] = []
  private var link: LinkStage?
  private var reflector: ReceiveReflector?
  private var batch: ReceiveBatch
  private let interrupt: WriteInterrupt
  /// One for each output, and one for audio in any case.
  private let recorders: [StreamRecorder]
  private var trace: TraceFile?
  private var live: LiveView
  private var metrics: MetricsServer?
  private var lipSync: LipSync
  private var meters = StreamMeters()
  private var counts = DatagramReportCounts()
  private var events: [ReadyEvent] = []
  private let started: Instant
  private let clock: ClockOffset
  /// Up to here everything that arrived has been given to the link.
  private var linkedUpTo: Instant
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
    linkedUpTo = started
    interrupt = WriteInterrupt(descriptor: signals.descriptor)
    let places = try options.places()
    recorders = options.recorders(sessions: places.count, interrupt: interrupt)
    if let path = options.traceFile { trace = try TraceFile(path: path, clock: clock, sessions: places.count) }
    if let spec = options.link {
      let file = try options.output.linkTraceFile.map { (path) throws(CommandError) in try TextFile(path: path) }
      link = LinkStage(spec, trace: file)
    }
    live = LiveView(options.output)
    lipSync = LipSync(isMeasuring: options.hasNoSync)
    var seeds = options.seeds
    for (index, place) in places.enumerated() {
      var configuration = options.session(clock: clock, using: &seeds)
      configuration.formats = place.formats
      configuration.firstStream = index << 32
      // Audio and video come by sessions of their own.
      if places.count > 1, !options.hasNoSync { configuration.startMargin = LipSync.startMargin }
      media.append(try ReceiveMedia(place, index: index, session: configuration, options: options, at: started))
      try media[index].register(in: loop)
    }
    if options.isReflecting {
      reflector = ReceiveReflector(ssrc: media[0].session.ssrc, clock: clock, rateLimit: options.reflectLimit)
    }
    do throws(SocketError) {
      try loop.add(signals.descriptor, token: Token.signals, read: true, write: false)
    } catch { throw CommandError(error.description) }
    if let place = options.output.metrics { metrics = try MetricsServer(place, in: loop) }
  }

  /// Receives until the end; returns the exit status.
  func run() throws(CommandError) -> Int32 {
    live.say("listening on \(media.map { $0.inlet.description }.joined(separator: " and "))")
    if let metrics { live.say("metrics on \(metrics.description)") }
    for media in media { live.detail(media.inlet.details) }
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
    let now = MonotonicClock.now()
    if event.token == Token.signals {
      while let signal = try? signals.next() { stop(because: signal == .interrupt ? "interrupted" : "terminated") }
      return
    }
    if let metrics, metrics.handle(event, in: loop, at: now, { report(isFinal: false) }) { return }
    guard let (index, socket) = ReceiveMedia.socket(of: event.token), media.indices.contains(index) else { return }
    let media = media[index]
    switch socket {
    case .media: try drain(media, isControl: false)
    case .control: try drain(media, isControl: true)
    case .listener: try media.accept(in: loop)
    case .connection:
      var pieces: [(bytes: [UInt8], peer: Peer)] = []
      let end = media.inlet.read(event.token, in: loop) { bytes, peer in pieces.append((bytes, peer)) }
      for piece in pieces { take(piece.bytes.span.bytes, of: media, from: piece.peer, at: now, isControl: nil) }
      guard let end else { return }
      if end.isCut { live.say("the connection from \(media.inlet.name(of: end.peer)) ended inside a frame") }
      media.closed.append(end.peer)
    }
  }

  private func drain(_ media: ReceiveMedia, isControl: Bool) throws(CommandError) {
    for _ in 0..<64 {
      switch media.inlet.receive(into: &batch, isControl: isControl) {
      case .datagrams(let count):
        for index in 0..<count { takeFromBatch(index, of: media, isControl: isControl) }
        if count < batch.capacity { return }
      case .empty: return
      // An error that came back for a report of ours: the socket goes on.
      case .trouble: continue
      case nil: throw CommandError("the socket failed: \(media.inlet.failure ?? "")")
      }
    }
  }

  private func takeFromBatch(_ index: Int, of media: ReceiveMedia, isControl: Bool) {
    let datagram = batch.datagram(at: index)
    if reflector != nil, !isControl, batch.withBytes(at: index, { reflect($0, datagram) }) { return }
    let peer = media.inlet.peer(of: datagram.sender, isControl: isControl)
    counts.note(datagram, readAt: batch.readAt)
    let drops = isControl ? 0 : media.newDrops(upTo: datagram.drops)
    if isControl { batch.withBytes(at: index) { media.noteReports($0, from: datagram.sender) } }
    batch.withBytes(at: index) { bytes in
      take(
        bytes, of: media, from: peer, at: datagram.arrival, isControl: isControl ? true : nil, droppedBefore: drops)
    }
  }

  /// Shows the reflector what came to the media port; true when it was a message for the reflector alone.
  private func reflect(_ bytes: RawSpan, _ datagram: ReceivedDatagram) -> Bool {
    guard DatagramKind.classify(bytes) == .rtcp,
      reflector?.take(
        bytes, from: datagram.sender, at: datagram.arrival,
        reply: { _ = media[0].inlet.sendMedia($0, to: datagram.sender) })
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
    _ bytes: RawSpan, of media: ReceiveMedia, from peer: Peer, at stamp: Instant, isControl: Bool?,
    droppedBefore drops: Int = 0
  ) {
    counts.received += 1
    counts.bytes += bytes.byteCount
    let control = isControl ?? (DatagramKind.classify(bytes) == .rtcp)
    guard link != nil else {
      let arrival = max(stamp, media.handledUpTo)
      return deliver(bytes, to: media, from: peer, at: arrival, stamp: stamp, isControl: control, droppedBefore: drops)
    }
    linkedUpTo = max(stamp, linkedUpTo)
    advanceLink(to: linkedUpTo)
    link?.send(bytes, isControl: control, tag: media.tag(of: peer), droppedBefore: drops, at: linkedUpTo)
  }

  private func deliver(
    _ bytes: RawSpan, to media: ReceiveMedia, from peer: Peer, at arrival: Instant, stamp: Instant, isControl: Bool,
    droppedBefore drops: Int
  ) {
    media.handledUpTo = max(media.handledUpTo, arrival)
    play(media, until: arrival)
    if isControl {
      // Round trips are made from the true time, however long this process stood still before it read on.
      media.session.handleRTCP(bytes, from: peer, at: arrival, stamp: stamp)
      lipSync.hurry()
    } else {
      media.session.handleRTP(bytes, from: peer, at: arrival, droppedBefore: drops)
      if reflector?.isServing == true, let address = media.inlet.address(of: peer) {
        reflector?.noteMedia(bytes, from: address, at: arrival)
      }
    }
    settle(media)
  }

  private func advanceLink(to now: Instant) {
    while let (item, deliveredAt) = link?.receive(at: now) {
      let (index, peer) = ReceiveMedia.sender(of: item.tag)
      deliver(
        item.bytes.span.bytes, to: media[index], from: peer, at: max(deliveredAt, media[index].handledUpTo),
        stamp: deliveredAt, isControl: item.isControl, droppedBefore: item.droppedBefore)
    }
  }

  // MARK: Output

  private func advance(to now: Instant) {
    linkedUpTo = max(linkedUpTo, now)
    advanceLink(to: now)
    for media in media {
      if !media.closed.isEmpty, link?.nextDelivery == nil { media.handleClosed() }
      // Whoever stops the run doesn't wait for a long buffer: what is in it is played out at once.
      play(media, until: isStopping ? .distantFuture : now)
      settle(media)
      media.handledUpTo = max(media.handledUpTo, now)
      media.sendReports(at: now)
      for recorder in recorders { recorder.reconsider(media.session, at: now) }
    }
    keepInSync(at: now)
    reflector?.poll(at: now) { media[0].inlet.sendMedia($0, to: $1) }
    while let sentence = reflector?.pollSentence() { live.say(sentence) }
    if recorders.contains(where: { $0.failure != nil }) { stop(because: "the output can't be written") }
    metrics?.expire(at: now, in: loop)
    if let duration = options.duration, now - started >= duration { stop(because: "--duration") }
    updateLiveView(at: now)
  }

  /// Has whichever of audio and video would be early wait for the other.
  private func keepInSync(at now: Instant) {
    guard !isStopping, lipSync.isDue(at: now) else { return }
    let timings = media.flatMap { $0.session.timings(at: now) }
    lipSync.forgetStreams(except: Set(media.flatMap { $0.session.streams.map(\.id) }))
    for (stream, delay) in lipSync.update(timings, at: now) {
      for media in media where media.session.stream(stream) != nil {
        let change = media.session.setAddedDelay(delay, of: stream)
        for recorder in recorders { recorder.wait(for: change, stream, in: media.session) }
      }
    }
  }

  private func play(_ media: ReceiveMedia, until now: Instant) {
    while let (stream, decision) = media.session.pollPlayout(at: now) {
      for recorder in recorders {
        guard let change = recorder.perform(decision, of: stream, in: media.session) else { continue }
        media.session.settleStretch(of: stream, by: change)
      }
      for recorder in recorders { recorder.showFrames(of: stream, in: &media.session) }
      if !recorders.contains(where: \.takesPictures) { media.session.discardFrames(of: stream) }
    }
    for recorder in recorders { recorder.showFrames(in: &media.session) }
    guard options.recordsAll else { return }
    for recorder in recorders { recorder.recordAll(&media.session, at: now) }
  }

  private func settle(_ media: ReceiveMedia) {
    while let fate = media.session.pollFate() { trace?.write(fate, of: media.index) }
    while let (id, event) = media.session.pollEvent() {
      guard let stream = media.session.stream(id) else { continue }
      if case .buffer(let change) = event {
        say(change, of: stream)
        continue
      }
      live.say(event.sentence(for: stream, from: media.inlet.name(of: stream.peer)))
      switch event {
      case .began:
        lipSync.hurry()
        for recorder in recorders { recorder.begin(stream, parameterSets: media.parameterSets[stream.payloadType]) }
      case .ended(let reason): end(stream, of: media, because: reason)
      case .restarted, .dropout, .moved, .buffer: break
      }
    }
  }

  private func end(_ stream: ReceiveStream, of media: ReceiveMedia, because reason: StreamEnd) {
    for recorder in recorders {
      if options.recordsAll { recorder.recordAll(&media.session, at: media.handledUpTo, isLastOf: stream.id) }
      recorder.end(stream.id, after: stream)
    }
    media.ended.append(stream.peer)
    // A stray that fell silent isn't the stream that was waited for.
    guard options.isEnding, reason != .idle || StreamRecorder.isSignificant(stream), !waitsForOthers else { return }
    stop(because: reason.sentence)
  }

  /// Whether more than one stream is to be received, and one is under way.
  private var waitsForOthers: Bool {
    guard media.count > 1 || options.outputFiles.count > 1 else { return false }
    return media.contains { $0.session.streams.contains { $0.isOpen && StreamRecorder.isSignificant($0) } }
  }

  private func say(_ change: BufferEvent, of stream: ReceiveStream) {
    let time = TimeOfDay.text(nanoseconds: (MonotonicClock.now() + clock.realtimeMinusMonotonic).nanoseconds)
    let sentence = "stream \(TextFile.hexadecimal(stream.ssrc)): \(change.sentence(at: time))"
    if change.isNotable { live.say(sentence) } else { live.detail(sentence) }
  }

  /// Says goodbye; among very many members that may have to wait for a while, for which nobody should wait long.
  private func leave() {
    let limit = MonotonicClock.now() + .seconds(4)
    for media in media { media.leave() }
    guard var pause = try? EventLoop(), (try? pause.add(signals.descriptor, token: 0, read: true, write: false)) != nil
    else { return }
    while let due = media.compactMap(\.session.nextReport).min(), MonotonicClock.now() < limit {
      try? pause.wait(until: min(due, limit), into: &events)
      guard events.isEmpty else { return }
      for media in media { media.sendReports(at: MonotonicClock.now(), toAll: true) }
    }
  }

  // MARK: The end

  private var isDone: Bool { isStopping && !media.contains { $0.session.hasOpenStreams } }

  private var nextWake: Instant? {
    var wake = Instant.earliest(media.compactMap(\.session.nextWake).min(), live.nextUpdate)
    wake = Instant.earliest(Instant.earliest(wake, link?.nextDelivery), metrics?.nextDeadline)
    wake = Instant.earliest(wake, reflector?.nextWake)
    return Instant.earliest(wake, options.duration.map { started + $0 })
  }

  private func stop(because reason: String) {
    guard !isStopping else { return }
    isStopping = true
    interrupt.isRaised = true
    endReason = reason
    for media in media { media.session.stop() }
  }

  private func finish() throws(CommandError) -> Int32 {
    leave()
    reflector?.stop(at: MonotonicClock.now())
    reflector?.poll(at: MonotonicClock.now()) { media[0].inlet.sendMedia($0, to: $1) }
    counts.reflectorMessages = reflector?.messageCount ?? 0
    live.clear()
    for media in media {
      media.session.close()
      while let fate = media.session.pollFate() { trace?.write(fate, of: media.index) }
      for recorder in recorders {
        if options.recordsAll { recorder.recordAll(&media.session, at: media.handledUpTo, isLast: true) }
        recorder.endAll(media.session)
      }
    }
    for recorder in recorders { if let sentence = recorder.omission { live.say(sentence) } }
    // The report comes out even when something beside it couldn't be written.
    var failures = recorders.map { $0.failure ?? $0.emptiness.map { CommandError($0) } }
    do throws(CommandError) { try trace?.close() } catch { failures.append(error) }
    do throws(CommandError) { try link?.closeTrace() } catch { failures.append(error) }
    for media in media {
      guard let drops = media.inlet.droppedDatagrams else { continue }
      media.session.noteSocketDropsAtEnd(media.newDrops(upTo: drops))
    }
    try ReportOutput.write(report(isFinal: true), options.output, isOutputUsed: options.outputFiles.contains("-"))
    if let failure = failures.compactMap({ $0 }).first { throw failure }
    return 0
  }

  /// What can be reported now; what takes a while to compute only at the end.
  private func report(isFinal: Bool) -> Report {
    let drops = media.map { $0.inlet.droppedDatagrams }
    counts.droppedBySocket = drops.contains { $0 == nil } ? nil : drops.reduce(0) { $0 + Int($1 ?? 0) }
    var report = ReceiveReport(media.map(\.part), options: options, counts: counts, clock: clock)
    for recorder in recorders { report.listeners.merge(recorder.accounts) { first, _ in first } }
    report.lipSync = lipSync.statistics
    report.started = started
    report.fitsModels = isFinal
    return report.make(link: link?.record, ended: endReason, at: MonotonicClock.now())
  }

  /// One line a stream; those that have ended stay for their second, then go.
  private func updateLiveView(at now: Instant) {
    live.update(at: now) { columns in
      meters.endSecond(media.lazy.flatMap(\.session.streams), at: now).map { stream in
        columns.map { LiveLine.text(stream, width: $0 - 1) } ?? LiveLine.plain(stream)
      }
    }
  }
}
