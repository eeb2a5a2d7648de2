import Receiving
import Reporting
import Sockets
import Timeline

/// `--trace`: a line of CSV for every RTP datagram, in order of arrival.
///
/// A datagram's fate is known only when it has been played, so lines wait for those before them; as many wait as the
/// jitter buffers hold.
final class TraceFile {
  private let file: TextFile
  private let clock: ClockOffset
  private var waiting: [UInt64: DatagramFate] = [:]
  private var next: UInt64 = 0

  init(path: String, clock: ClockOffset) throws(CommandError) {
    file = try TextFile(path: path)
    self.clock = clock
    file.write(TraceLine.header)
  }

  func write(_ fate: DatagramFate) {
    waiting[fate.index] = fate
    while let ready = waiting.removeValue(forKey: next) {
      next += 1
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
