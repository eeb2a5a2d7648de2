import Dissection
import Impairment
import Packets
import Receiving
import Statistics
import Timeline

/// `analyze --as-link`: writes what a capture did to a stream as a recording that `--link` does again.
enum LinkWriter {
  /// Writes the recording of the stream asked for, or of the longest.
  static func write(
    _ analysis: borrowing CaptureAnalysis, to path: String, say: (String) -> Void
  ) throws(CommandError) {
    var best: (source: Int, stream: Int, unique: Int)?
    var count = 0
    for place in analysis.sources.indices {
      for index in analysis.sources[place].session.streams.indices {
        count += 1
        let unique = analysis.sources[place].session.streams[index].statistics.unique
        if unique > best?.unique ?? 0 { best = (place, index, unique) }
      }
    }
    guard let best else { throw CommandError("--as-link: there is no stream in the capture to make \(path) of") }
    let stream = analysis.sources[best.source].session.streams[best.stream]
    guard let log = stream.log else { throw CommandError("--as-link: no arrivals were kept") }
    let delays = ArrivalDelays(log, clockRate: stream.format.clockRate)
    var recording = LinkRecording()
    var omitted = log.omitted
    for packet in delays.packets where !recording.append(packet) { omitted += 1 }
    let file = try TextFile(path: path)
    let name = TextFile.hexadecimal(stream.ssrc)
    let flow = analysis.sources[best.source].flow
    recording.write(
      comment: "stream \(name) from \(flow.source) to \(flow.destination), \(recording.count) packets, "
        + "\(recording.lost) lost"
    ) { file.write($0) }
    try file.close()
    if count > 1 { say("\(path) is of stream \(name), the longest of \(count); --stream SSRC chooses another") }
    if omitted > 0 { say("\(path) lacks the last \(omitted) packets: no more are kept") }
    say("wrote \(path): \(recording.count) packets, \(recording.lost) lost; use it as --link \(path)")
  }

  /// A link spec that is like what happened to a stream on average; nil when no arrivals were kept.
  static func fitted(_ stream: ReceiveStream) -> String? {
    guard let log = stream.log else { return nil }
    var delays = ArrivalDelays(log, clockRate: stream.format.clockRate)
    delays.overtaken = stream.statistics.reordered
    return delays.fittedSpec
  }
}
