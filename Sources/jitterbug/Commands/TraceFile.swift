import Receiving
import Reporting
import Sockets
import Timeline

/// `--trace`: a line of CSV for every RTP datagram, in order of arrival at its session.
///
/// A datagram's fate is known only when it has been played, so lines wait for those before them; as many wait as the
/// jitter buffers hold.
final class TraceFile {
  private let file: TextFile
  private let clock: ClockOffset
  private struct Queue {
    var waiting: [UInt64: DatagramFate] = [:]
    var next: UInt64 = 0
  }

  private var queues: [Queue]

  init(path: String, clock: ClockOffset, sessions: Int) throws(CommandError) {
    queues = [Queue](repeating: Queue(), count: sessions)
    file = try TextFile(path: path)
    self.clock = clock
    file.write(TraceLine.header)
  }

  func write(_ fate: DatagramFate, of session: Int) {
    queues[session].waiting[fate.index] = fate
    while let ready = queues[session].waiting.removeValue(forKey: queues[session].next) {
      queues[session].next += 1
      file.write(
        TraceLine(
          arrival: ready.arrival.nanoseconds &+ clock.realtimeMinusMonotonic.nanoseconds, ssrc: ready.ssrc,
          sequence: ready.sequence, extended: ready.extended, timestamp: RTPTimestamp(ready.timestamp),
          bytes: ready.size, fate: Self.fate(ready.fate)
        ).text)
    }
  }

  func close() throws(CommandError) { try file.close() }

  private static func fate(_ fate: DatagramFate.Fate) -> TraceLine.Fate {
    switch fate {
    case .played: .played
    case .late: .late
    case .duplicate: .duplicate
    case .buffered: .buffered
    case .discarded(let reason): .discarded(reason)
    }
  }
}
