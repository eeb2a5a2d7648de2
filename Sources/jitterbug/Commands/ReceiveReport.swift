import Impairment
import Packets
import Receiving
import Reporting
import Sockets
import Statistics
import Timeline

/// What the receiver itself counts, outside the session.
struct DatagramReportCounts {
  /// Datagrams read.
  var received = 0
  /// Their bytes.
  var bytes = 0
  /// RTCP datagrams that were for the reflector alone.
  var reflectorMessages = 0
  /// What the kernel dropped for want of room; nil when it can't be known.
  var droppedBySocket: Int?
  /// How long datagrams waited in the socket.
  var wait = WaitStatistics()
  /// Datagrams without the kernel's stamp.
  var unstamped = 0

  /// Looks at when a datagram arrived and when it was read.
  mutating func note(_ datagram: ReceivedDatagram, readAt: Instant) {
    if datagram.isStamped { wait.record(readAt - datagram.arrival) } else { unstamped += 1 }
  }
}

/// Fills the report of `jitterbug receive` from the session.
struct ReceiveReport {
  /// One session, and what only its sockets know.
  struct Part {
    let session: ReceiveSession
    /// The senders' addresses, for people.
    var sources: [Peer: String] = [:]
    /// Senders on this host.
    var localPeers: Set<Peer> = []

    init(_ session: ReceiveSession, sources: [Peer: String] = [:]) {
      self.session = session
      self.sources = sources
    }
  }

  let parts: [Part]
  let options: ReceiveOptions
  let counts: DatagramReportCounts
  let clock: ClockOffset
  /// What the players of the streams know.
  var listeners: [Int: ListenerAccount] = [:]
  /// How streams were kept together.
  var lipSync: [Int: LipSyncStatistics] = [:]
  /// Since when this receiver listened.
  var started = Instant.zero
  /// Whether models are fitted to the losses, which takes up to some tenths of a second a stream.
  var fitsModels = true

  init(_ parts: [Part], options: ReceiveOptions, counts: DatagramReportCounts, clock: ClockOffset) {
    self.parts = parts
    self.options = options
    self.counts = counts
    self.clock = clock
  }

  func make(link: LinkRecord?, ended: String?, at now: Instant) -> Report {
    var report = Report(version: Version.number, verb: "receive", link: options.link?.description)
    report.duration = now - started
    report.ended = ended
    report.linkRecord = link.map(LinkReport.init)
    for part in parts { report.streams += streams(of: part) }
    report.datagrams = datagrams(streams: report.streams)
    return report
  }

  private func streams(of part: Part) -> [StreamReport] {
    // What the socket dropped after the last datagram can only be what is missing after a stream's last packet.
    var dropsAtEnd = part.session.socketDrops.atEnd
    return part.session.streams.map { stream in
      var result = Self.stream(
        stream, source: part.sources[stream.peer] ?? "unknown", offset: clock.realtimeMinusMonotonic,
        heard: listeners[stream.id] ?? ListenerAccount(), listeningSince: started,
        isLocal: part.localPeers.contains(stream.peer),
        fitsModels: fitsModels)
      result.lipSync = lipSync[stream.id]
      let taken = min(dropsAtEnd, result.ends.lostAfter ?? result.ends.lostAtEnds ?? 0)
      result.socketDrops = stream.droppedBySocket + taken
      dropsAtEnd -= taken
      return result
    }
  }

  private func datagrams(streams: [StreamReport]) -> DatagramReport {
    var datagrams = DatagramReport()
    datagrams.received = counts.received
    datagrams.bytes = counts.bytes
    datagrams.rtcp = counts.reflectorMessages
    for part in parts {
      let counted = part.session.datagrams
      datagrams.rtcp += counted.rtcp
      for reason in DiscardReason.allCases { datagrams.invalid[reason] += counted.discarded[reason] }
      datagrams.invalid[.malformed] += counted.invalidRTCP
      datagrams.rtp += counted.rtp - counted.discarded.total - counted.held - part.session.forgottenPackets
      datagrams.forgottenStreams += part.session.forgottenStreams
      datagrams.forgotten += part.session.forgottenPackets
    }
    datagrams.droppedBySocket = counts.droppedBySocket
    datagrams.droppedOfNoStream = (counts.droppedBySocket ?? 0) - streams.reduce(0) { $0 + $1.loss.droppedBySocket }
    datagrams.wait = counts.wait
    datagrams.unstamped = counts.unstamped
    return datagrams
  }

  /// What is reported of one stream.
  ///
  /// - Parameters:
  ///   - stream: the stream.
  ///   - source: its sender's address, for people.
  ///   - offset: what has to be added to an arrival for the time since 1970.
  ///   - heard: what its player knows.
  ///   - start: when listening began; nil when it isn't known.
  ///   - isLocal: whether the sender is on this host.
  ///   - fitsModels: whether models are fitted to the losses.
  static func stream(
    _ stream: ReceiveStream, source: String, offset: Interval, heard: ListenerAccount,
    listeningSince start: Instant? = nil,
    isLocal: Bool = false, fitsModels: Bool = true
  ) -> StreamReport {
    let reception = stream.statistics.summary()
    var report = StreamReport(
      ssrc: stream.ssrc, source: source, payloadType: stream.payloadType, reception: reception,
      playout: stream.playout)
    report.take(heard)
    report.pictures = stream.pictures
    report.timeline = stream.timeline
    report.cname = stream.cname
    report.roundTrip = stream.roundTrip
    report.encoding = stream.format.description
    report.encodingSource = stream.formatOrigin.encodingSource
    report.ended = stream.end?.sentence
    report.firstArrival = reception.firstArrival.map { ($0 + offset).nanoseconds }
    report.lastArrival = reception.lastArrival.map { ($0 + offset).nanoseconds }
    if let sent = stream.sent {
      report.sender = StreamReport.SenderCounts(packets: Int(sent.packets), bytes: Int(sent.octets))
    }
    report.ends = stream.ends(listeningSince: start)
    if fitsModels { report.gilbertElliott = reception.fitGilbertElliott() }
    report.lateness = stream.latenessCurve
    let roundTrips = report.roundTrip.milliseconds
    report.delay = PathDelay(
      leastTransit: reception.leastTransit, senderOrigin: stream.senderOrigin,
      ourOrigin: offset, isSameHost: isLocal,
      roundTrip: roundTrips.count == 0 ? nil : Interval(seconds: roundTrips.min / 1000),
      isReordered: (report.pictures?.reorderDepth ?? 0) > 0)
    report.takeTransportTime()
    let played = max(1, report.playout.played)
    report.estimateQuality(packetization: report.playout.playedDuration / Int64(played))
    return report
  }
}

extension LinkReport {
  init(_ record: LinkRecord) {
    self.init()
    offered = Int(record.offered)
    delivered = Int(record.delivered)
    lost = Int(record.lost)
    queueDropped = Int(record.queueDropped)
    outageLost = Int(record.outageLost)
    duplicated = Int(record.duplicated)
    inFlight = Int(record.inFlight)
    reordered = Int(record.reordered)
    corrupted = Int(record.corrupted)
    lossRuns = Int(record.lossRuns)
    longestLossRun = Int(record.longestLossRun)
  }
}

extension FormatOrigin {
  var encodingSource: EncodingSource {
    switch self {
    case .sdp: .sdp
    case .option: .formatOption
    case .suffix: .outputSuffix
    case .staticType: .staticTable
    case .packets: .packets
    case .convention: .convention
    }
  }
}

extension StreamEnd {
  /// Why a stream ended, for people.
  var sentence: String {
    switch self {
    case .goodbye: "the sender said goodbye"
    case .closed: "the sender closed the connection"
    case .idle: "nothing arrived for the idle timeout"
    case .stopped: "the receiver was stopped"
    }
  }
}

extension StreamEvent {
  /// What happened, for people.
  func sentence(for stream: ReceiveStream, from source: String) -> String {
    let name = "stream \(TextFile.hexadecimal(stream.ssrc))"
    return switch self {
    case .began: "\(name) from \(source): \(stream.format), payload type \(stream.payloadType)"
    case .restarted: "\(name): the sender restarted with new sequence numbers"
    case .dropout(let packets): "\(name): \(packets) packets are missing, then it went on"
    case .buffer(let event): "\(name): \(event.sentence())"
    case .moved: "\(name) goes on from \(source)"
    case .ended(let end): "\(name) ended: \(end.sentence)"
    }
  }
}
