import Buffering
import Dissection
import Receiving
import Reporting
import Statistics
import Timeline

/// Fills the report of `jitterbug analyze`.
enum AnalyzeReport {
  /// What the reading of the capture came to.
  struct Reading {
    var name: String
    var broken: String?
    var ended: String?
    var position: Int?
    var dropped: Int?
  }

  /// A stream in one of the sources.
  struct StreamID: Hashable {
    var source: Int
    var stream: Int
  }

  /// The delays that `--what-if` tries, in milliseconds.
  private static let delays: [Int64] = [
    10, 20, 30, 40, 50, 60, 70, 80, 100, 120, 150, 200, 250, 300, 400, 500,
  ]

  static func make(
    _ analysis: borrowing CaptureAnalysis, options: AnalyzeOptions, listeners: [StreamID: ListenerAccount],
    reading: Reading
  ) -> Report {
    var report = Report(version: Version.number, verb: "analyze")
    if let span = analysis.span { report.duration = span.last - span.first }
    report.ended = reading.ended ?? (reading.broken == nil ? "all was read" : "the capture breaks off")
    report.capture = capture(analysis, reading)
    for place in analysis.sources.indices {
      let count = analysis.sources[place].session.streams.count
      for index in 0..<count {
        let stream = analysis.sources[place].session.streams[index]
        let id = StreamID(source: place, stream: stream.id)
        var entry = ReceiveReport.stream(
          stream, source: analysis.sources[place].flow.source.description, offset: .zero,
          heard: listeners[id] ?? ListenerAccount(), listeningSince: analysis.span?.first)
        if stream.end == .stopped { entry.ended = "the capture ended" }
        entry.place = StreamPlace(
          direction: analysis.sources[place].isReverse ? .reverse : .forward,
          destination: analysis.sources[place].flow.destination.description,
          firstFrame: analysis.sources[place].firstFrame, isEncrypted: analysis.sources[place].isEncrypted)
        entry.mediaJitter = stream.mediaJitter
        if options.isWhatIf { entry.whatIf = whatIf(stream, options.buffer.lateBudget) }
        if options.isLinkFitted { entry.fittedLink = LinkWriter.fitted(stream) }
        report.streams.append(entry)
      }
    }
    return report
  }

  private static func capture(_ analysis: borrowing CaptureAnalysis, _ reading: Reading) -> CaptureReport {
    var capture = CaptureReport(name: reading.name)
    let counts = analysis.counts
    capture.frames = counts.frames
    capture.bytes = reading.position
    capture.first = analysis.span?.first.nanoseconds
    capture.last = analysis.span?.last.nanoseconds
    capture.rtp = counts.rtp
    capture.rtcp = counts.rtcp
    capture.stun = counts.stun
    capture.dtls = counts.dtls
    capture.other = counts.other
    capture.segments = counts.segments
    capture.fragments = counts.fragments
    capture.foreign = counts.foreign
    capture.unreadable = counts.unreadable
    capture.unreadableType = analysis.unreadableType
    capture.malformed = counts.malformed
    capture.unfollowed = counts.unfollowed
    capture.cut = counts.cut
    capture.backwards = counts.backwards
    capture.descriptions = counts.descriptions
    capture.dropped = reading.dropped
    capture.broken = reading.broken
    for place in analysis.sources.indices {
      for reason in DiscardReason.allCases {
        capture.discarded[reason] += analysis.sources[place].session.datagrams.discarded[reason]
      }
    }
    capture.shortCount = analysis.shortCount
    capture.shortStreams = analysis.shortStreams.map {
      CaptureReport.ShortStream(
        ssrc: $0.ssrc, source: $0.flow.source.description, destination: $0.flow.destination.description,
        packets: $0.packets, firstFrame: $0.firstFrame)
    }
    return capture
  }

  private static func whatIf(_ stream: ReceiveStream, _ lateBudget: Double?) -> ReplayCurve? {
    let replays = delays.compactMap { stream.replay(target: .milliseconds($0)) }
    guard let first = replays.first else { return nil }
    var curve = ReplayCurve(
      points: replays.map {
        ReplayCurve.Point(delay: $0.target, late: $0.lateRatio, concealed: $0.concealedRatio)
      }, packets: first.unique, omitted: stream.log?.omitted ?? 0)
    curve.lateBudget = lateBudget ?? BufferOptions.usualLateBudget
    curve.adaptive = stream.replay(adaptation: JitterBuffer.Adaptation(lateBudget: curve.lateBudget)).map {
      ReplayCurve.Point(delay: $0.target, late: $0.lateRatio, concealed: $0.concealedRatio)
    }
    return curve
  }
}
