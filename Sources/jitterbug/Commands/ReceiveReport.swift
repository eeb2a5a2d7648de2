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
}

/// Fills the report of `jitterbug receive` from the session.
enum ReceiveReport {
  static func make(
    _ session: ReceiveSession, options: ReceiveOptions, counts: DatagramReportCounts, link: LinkRecord?,
    sources: [Peer: String], clock: ClockOffset, undecodable: [Int: Int], duration: Interval, ended: String?
  ) -> Report {
    var report = Report(version: Version.number, verb: "receive", link: options.link?.description)
    report.duration = duration
    report.ended = ended
    var datagrams = DatagramReport()
    datagrams.received = counts.received
    datagrams.bytes = counts.bytes
    datagrams.rtcp = session.datagrams.rtcp + counts.reflectorMessages
    datagrams.invalid = session.datagrams.discarded
    datagrams.invalid[.malformed] += session.datagrams.invalidRTCP
    datagrams.rtp = session.datagrams.rtp - session.datagrams.discarded.total - session.datagrams.held
    datagrams.rtp -= session.forgottenPackets
    datagrams.droppedBySocket = counts.droppedBySocket
    datagrams.forgottenStreams = session.forgottenStreams
    datagrams.forgotten = session.forgottenPackets
    report.datagrams = datagrams
    report.linkRecord = link.map(LinkReport.init)
    report.streams = session.streams.map { stream in
      self.stream(
        stream, source: sources[stream.peer] ?? "unknown", offset: clock.realtimeMinusMonotonic,
        undecodable: undecodable[stream.id] ?? 0)
    }
    return report
  }

  /// `offset` is what has to be added to an arrival for the time since 1970.
  static func stream(
    _ stream: ReceiveStream, source: String, offset: Interval, undecodable: Int
  ) -> StreamReport {
    let reception = stream.statistics.summary()
    var report = StreamReport(
      ssrc: stream.ssrc, source: source, payloadType: stream.payloadType, reception: reception,
      playout: stream.playout)
    // The session takes what it hands out as played; the decoder knows better, and its time was concealed.
    report.playout.played -= undecodable
    report.playout.concealed += undecodable
    report.playout.discarded[.undecodable] += undecodable
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
    case .moved: "\(name) goes on from \(source)"
    case .ended(let end): "\(name) ended: \(end.sentence)"
    }
  }
}
