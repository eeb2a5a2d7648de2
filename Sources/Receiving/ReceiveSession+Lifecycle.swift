import Buffering
import Packets
import Statistics
public import Timeline

/// How streams end, and the RTCP that goes both ways.
extension ReceiveSession {
  // MARK: Inputs

  /// Takes in a compound RTCP packet.
  ///
  /// `stamp` is when it came, where that lies before `arrival` because this host read it late: round trips and the
  /// delay since the last sender report are made from it.
  public mutating func handleRTCP(
    _ datagram: RawSpan, from peer: Peer, at arrival: Instant, stamp: Instant? = nil
  ) {
    do throws(PacketParseError) {
      var cursor = try CompoundCursor(validating: datagram)
      var hasGoodbye = false
      var isSender = false
      while let part = cursor.next(in: datagram) {
        let packet = try RTCPPacket(parsing: part, in: datagram)
        if case .goodbye = packet { hasGoodbye = true }
        if case .senderReport = packet { isSender = true }
        handle(packet, in: datagram, isSender: isSender, at: arrival, stamp: min(stamp ?? arrival, arrival))
      }
      datagrams.rtcp += 1
      reporter.received(bytes: datagram.byteCount, hasGoodbye: hasGoodbye)
    } catch {
      datagrams.invalidRTCP += 1
    }
  }

  /// The connection to a sender has ended: nothing more comes from there, and nothing is on its way.
  public mutating func handleClose(of peer: Peer) {
    for place in streams.indices where streams[place].peer == peer {
      switch streams[place].phase {
      case .active: drain(place, because: .closed)
      case .leaving(let reason, _): drain(place, because: reason)
      case .draining, .ended: break
      }
    }
  }

  private mutating func handle(
    _ packet: RTCPPacket, in datagram: RawSpan, isSender: Bool, at arrival: Instant, stamp: Instant
  ) {
    switch packet {
    case .senderReport(let report):
      reporter.heardControl(of: report.ssrc, isSender: true, at: arrival)
      guard let place = openPlace(of: report.ssrc) else { return keepEarly(report, at: stamp) }
      streams[place].take(report, number: datagrams.rtcp, arrival: stamp)
      settleGoodbye(place)
    case .receiverReport(let report):
      reporter.heardControl(of: report.ssrc, at: arrival)
    case .sourceDescription(let description):
      // Those who only listen will never be a stream here.
      guard isSender else { return }
      var items = description.items
      while let item = items.next(in: datagram) {
        guard item.type == SourceDescription.ItemType.cname else { continue }
        let name = Self.text(item.text, of: datagram)
        reporter.remember(name, of: item.ssrc)
        if let place = openPlace(of: item.ssrc) { streams[place].cname = name }
      }
    case .goodbye(let goodbye):
      for index in 0..<goodbye.sourceCount {
        guard let ssrc = goodbye.source(index, in: datagram) else { continue }
        reporter.heardGoodbye(of: ssrc, at: arrival)
        guard let place = openPlace(of: ssrc) else {
          reporter.keepGoodbye(of: ssrc, number: datagrams.rtcp)
          continue
        }
        takeGoodbye(place, number: datagrams.rtcp, at: arrival)
      }
    case .extendedReport(let report): handle(report, in: datagram, at: stamp)
    case .application, .payloadFeedback, .other: break
    }
  }

  private mutating func takeGoodbye(_ place: Int, number: Int, at arrival: Instant) {
    guard streams[place].phase == .active else { return }
    streams[place].takeGoodbye(number: number)
    let margin = max(configuration.target, Self.goodbyeMargin)
    streams[place].phase = .leaving(.goodbye, drainAt: arrival + margin)
    settleGoodbye(place)
  }

  /// Keeps a report for the stream to come, unless it says again what a stream that has ended was told already.
  private mutating func keepEarly(_ report: SenderReport, at arrival: Instant) {
    for place in streams.indices where streams[place].ssrc == report.ssrc {
      if let sent = streams[place].sent, sent == (report.packetCount, report.octetCount) { return }
    }
    reporter.keep(EarlyReport(report: report, number: datagrams.rtcp, arrival: arrival))
  }

  /// Takes in the report that came, or was read, before the packet that proved the source, and the goodbye in it.
  mutating func takeEarlyReport(_ place: Int, at arrival: Instant) {
    guard let early = reporter.takeEarly(of: streams[place].ssrc, at: arrival) else { return }
    streams[place].take(early.report, number: early.number, arrival: early.arrival)
    if early.isGoodbye { takeGoodbye(place, number: early.number, at: max(early.arrival, arrival)) }
  }

  /// A sender's answers to our reference times tell the round trip (RFC 3611 section 4.5).
  private mutating func handle(_ report: ExtendedReport, in datagram: RawSpan, at arrival: Instant) {
    guard let place = openPlace(of: report.ssrc) else { return }
    let now = NTPTimestamp(unixNanoseconds: arrival.nanoseconds &+ configuration.wallClockOffset)
    var blocks = report.blocks
    while let block = blocks.next(in: datagram) {
      guard case .delay(let delays) = block else { continue }
      for index in 0..<delays.count {
        guard let answer = delays.answer(index, in: datagram), answer.ssrc == configuration.ssrc else { continue }
        streams[place].roundTrip.record(
          arrival: now, lastSenderReport: answer.lastReceiverReport, delay: answer.delay)
      }
    }
  }

  // MARK: Outputs

  /// Writes the next datagram of a receiver report when one is due; the number of bytes, or nil.
  ///
  /// It reports on every sender heard since the last one. No datagram has more than 1200 bytes.
  public mutating func pollReport(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    reporter.poll(&streams, into: &bytes, at: now)
  }

  /// Leaves the session: `pollReport` gives the last report with a goodbye, at once or, with 50 members and more, when
  /// its time has come (RFC 3550 section 6.3.7).
  public mutating func leave(at now: Instant) { reporter.leave(at: now) }

  /// Leaves, and writes the first datagram of the last report; nil when nothing was ever received, or not yet.
  public mutating func goodbye(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    leave(at: now)
    return pollReport(into: &bytes, at: now)
  }

  /// Settles what is left when the session is over, so that `pollFate` tells of every datagram.
  public mutating func close() {
    release(probation.removeAll(), because: .probation)
    for place in streams.indices { dropHeld(place) }
    trace.close()
  }

  // MARK: Lifecycle

  /// When the stream's phase has to be looked at again.
  func timeout(of place: Int) -> Instant? {
    switch streams[place].phase {
    case .active: configuration.idleTimeout.map { streams[place].lastArrival + $0 }
    case .leaving(_, let drainAt): drainAt
    case .draining, .ended: nil
    }
  }

  /// Moves the stream's life on as far as `now` demands.
  mutating func expire(_ place: Int, at now: Instant) {
    guard let instant = timeout(of: place), instant <= now else { return }
    switch streams[place].phase {
    case .active: drain(place, because: .idle)
    case .leaving(let reason, _): drain(place, because: reason)
    case .draining, .ended: break
    }
  }

  /// A sender that leaves has told how many packets it sent: once all are here nothing more needs waiting for.
  mutating func settleGoodbye(_ place: Int) {
    guard case .leaving(let reason, _) = streams[place].phase, let sent = streams[place].sent,
      UInt32(truncatingIfNeeded: streams[place].statistics.unique) == sent.packets
    else { return }
    drain(place, because: reason)
  }

  mutating func drain(_ place: Int, because reason: StreamEnd) {
    dropHeld(place)
    streams[place].phase = .draining(reason)
    if reason == .goodbye || reason == .closed { reporter.streamEnded(at: streams[place].lastArrival) }
    streams[place].buffer.end()
  }

  /// Everything has been played: closes the stream's account.
  mutating func finish(_ place: Int, at now: Instant) {
    guard case .draining(let reason) = streams[place].phase else { return }
    dropHeld(place)
    streams[place].buffer.release()
    streams[place].buffer.settle(expected: streams[place].statistics.expected)
    streams[place].phase = .ended(reason)
    // Whoever empties the buffers at once polls for a time that never comes.
    announce(.ended(reason), of: place, at: now == .distantFuture ? streams[place].lastArrival : now)
  }

  private static func text(_ range: Range<Int>, of datagram: RawSpan) -> String {
    let bytes = datagram.extracting(range)
    return unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

extension ReceiveStream {
  /// Whether it takes one of the places for sources: it does until nothing more is awaited from it.
  var isFollowed: Bool {
    switch phase {
    case .active, .leaving: true
    case .draining, .ended: false
    }
  }

  /// Whether it is still being received or played.
  public var isOpen: Bool { if case .ended = phase { false } else { true } }

  /// Whether the packet may still belong to it: while the end is played only copies and stragglers do, or a stream whose
  /// sender just goes on would never end.
  func takesIn(_ number: SequenceNumber) -> Bool {
    guard case .draining = phase else { return true }
    let ahead = validator.distanceAhead(of: number)
    return ahead == 0 || ahead > 65_536 - SequenceValidator.maxMisorder
  }
}
