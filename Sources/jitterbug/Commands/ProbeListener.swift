import Buffering
import Impairment
import Packets
import Probing
import Receiving
import Reporting
import Sockets
import Statistics
import Timeline

/// The prober's ear: what comes back is received by the same session as `jitterbug receive` uses, and played to nobody.
struct ProbeListener {
  private(set) var session: ReceiveSession
  private(set) var link: LinkStage?
  private var counts = DatagramReportCounts()
  private var handledUpTo: Instant
  private var scratch = [UInt8](repeating: 0, count: 1500)
  private let buffer: BufferOptions

  /// The far end.
  private static let peer = Peer(id: 0)

  init(_ profile: ProbeProfile, options: ProbeOptions, seed: UInt64, ssrc: UInt32, at now: Instant) {
    var configuration = ReceiveSession.Configuration(ssrc: ssrc, cname: HostName.cname(), seed: seed)
    configuration.target = options.buffer.target
    configuration.adaptation = options.buffer.adaptation
    configuration.keepsTimelines = options.output.showsTimeline
    configuration.bandwidth = profile.totalBitrate
    configuration.formats.described[profile.payloadType] = profile.format
    configuration.sourceLimit = max(profile.streams, 1)
    buffer = options.buffer
    session = ReceiveSession(configuration)
    link = options.downLink.map { LinkStage($0, trace: nil) }
    handledUpTo = now
  }

  /// Takes in a datagram from the far end's media port.
  mutating func take(_ bytes: RawSpan, at arrival: Instant, isControl: Bool) {
    counts.received += 1
    counts.bytes += bytes.byteCount
    let arrival = max(arrival, handledUpTo)
    guard link != nil else { return deliver(bytes, at: arrival, isControl: isControl) }
    advanceLink(to: arrival)
    link?.send(bytes, isControl: isControl, tag: 0, at: arrival)
  }

  private mutating func deliver(_ bytes: RawSpan, at arrival: Instant, isControl: Bool) {
    handledUpTo = max(handledUpTo, arrival)
    play(until: arrival)
    if isControl {
      session.handleRTCP(bytes, from: Self.peer, at: arrival)
    } else {
      session.handleRTP(bytes, from: Self.peer, at: arrival)
    }
    settle()
  }

  private mutating func advanceLink(to now: Instant) {
    while let (item, deliveredAt) = link?.receive(at: now) {
      deliver(item.bytes.span.bytes, at: max(deliveredAt, handledUpTo), isControl: item.isControl)
    }
  }

  /// Moves on to the instant up to which everything has been read.
  mutating func advance(to now: Instant) {
    advanceLink(to: now)
    play(until: now)
    settle()
    handledUpTo = max(handledUpTo, now)
  }

  private mutating func play(until now: Instant) { while session.pollPlayout(at: now) != nil {} }

  private mutating func settle() {
    while session.pollFate() != nil {}
    while session.pollEvent() != nil {}
  }

  /// Hands on the reports that are due.
  mutating func reports(at now: Instant, _ body: (RawSpan) -> Void) {
    while true {
      var bytes = scratch
      var span = bytes.mutableSpan
      guard let size = session.pollReport(into: &span, at: now) else { return }
      body(bytes.span.bytes.extracting(first: size))
    }
  }

  /// Ends it: the goodbye goes to `body`.
  mutating func finish(at now: Instant, _ body: (RawSpan) -> Void) {
    session.stop()
    play(until: .distantFuture)
    settle()
    var bytes = scratch
    var span = bytes.mutableSpan
    if let size = session.goodbye(into: &span, at: now) { body(bytes.span.bytes.extracting(first: size)) }
    session.close()
    settle()
  }

  var nextWake: Instant? { Instant.earliest(session.nextWake, link?.nextDelivery) }

  /// Whether so many streams have come to their end, and nothing is on its way.
  func isOver(streams: Int) -> Bool {
    session.streams.count >= streams && !session.hasOpenStreams && link?.nextDelivery == nil
  }

  /// The streams and the datagrams, as `receive` reports them.
  ///
  /// - Parameters:
  ///   - source: where they came from.
  ///   - dropped: what the socket dropped.
  ///   - clock: how far the time of day is ahead.
  ///   - fitsModels: whether models are fitted to the losses.
  func report(source: String, dropped: Int?, clock: ClockOffset, fitsModels: Bool) -> Report {
    var options = ReceiveOptions()
    options.buffer = buffer
    var counts = counts
    counts.droppedBySocket = dropped
    var filling = ReceiveReport(
      [ReceiveReport.Part(session, sources: [Self.peer: source])], options: options, counts: counts, clock: clock)
    filling.fitsModels = fitsModels
    // Whatever comes back was asked for by this very prober, so it has listened for all of it.
    var report = filling.make(link: link?.record, ended: nil, at: .zero)
    for index in report.streams.indices { report.streams[index].direction = "down" }
    return report
  }
}
