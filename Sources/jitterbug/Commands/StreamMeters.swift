import Receiving
import Reporting
import Statistics
import Timeline

/// What the live view shows of each stream, second by second.
struct StreamMeters {
  private struct Meter {
    var history = LossHistory()
    var bytes = 0
    var longer = Interval.zero
    var shorter = Interval.zero
    var since: Instant
  }

  private var meters: [Int: Meter] = [:]

  /// The streams that are open, at the end of a second.
  mutating func endSecond(_ streams: some Sequence<ReceiveStream>, at now: Instant) -> [LiveStream] {
    var lines: [LiveStream] = []
    for stream in streams {
      guard stream.isOpen else {
        meters[stream.id] = nil
        continue
      }
      let statistics = stream.statistics
      var meter = meters[stream.id] ?? Meter(since: statistics.firstArrival ?? now)
      meter.history.endSecond(expected: statistics.expected, lost: statistics.lost)
      var line = LiveStream(name: TextFile.hexadecimal(stream.ssrc))
      line.elapsed = now - (statistics.firstArrival ?? now)
      line.expected = statistics.expected
      line.unique = statistics.unique
      line.lost = statistics.lost
      line.duplicates = statistics.duplicates
      line.reordered = statistics.reordered
      line.jitter = statistics.jitter.last
      line.bufferLevel = stream.bufferedMedia.milliseconds
      let seconds = (now - meter.since).seconds
      let playout = stream.playout
      line.late = playout.late
      if playout.adaptation != nil {
        line.target = playout.target.milliseconds
        line.underruns = playout.underruns
        if seconds > 0 {
          line.stretched.longer = max(0, (playout.insertedDuration - meter.longer).milliseconds / seconds)
          line.stretched.shorter = max(0, (playout.removedDuration - meter.shorter).milliseconds / seconds)
        }
        meter.longer = playout.insertedDuration
        meter.shorter = playout.removedDuration
      }
      if let pictures = stream.pictures { line.frames = (pictures.shown, pictures.expected, pictures.freezes) }
      line.bitrate = seconds > 0 ? Double(statistics.bytes - meter.bytes) * 8 / seconds : 0
      line.history = meter.history
      meter.bytes = statistics.bytes
      meter.since = now
      meters[stream.id] = meter
      lines.append(line)
    }
    return lines
  }
}
