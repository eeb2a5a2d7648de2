import Buffering
import Timeline

/// A jitter buffer with 20 ms packets on a 48 kHz clock, and a record of what it decided.
struct Listener {
  static let tick: Int64 = 960

  var buffer: JitterBuffer
  /// Decisions with the time at which they were made.
  var decisions: [(at: Instant, decision: PlayoutDecision)] = []
  /// Numbers in the order in which they were played.
  var played: [Int64] = []

  init(target: Int64 = 60, isContinuous: Bool = true, change: (inout JitterBuffer.Configuration) -> Void = { _ in }) {
    var configuration = JitterBuffer.Configuration(
      clockRate: 48_000, target: .milliseconds(target), isContinuous: isContinuous)
    change(&configuration)
    buffer = JitterBuffer(configuration)
  }

  /// Lets the buffer decide whatever it decides until `milliseconds`.
  mutating func listen(until milliseconds: Int64) {
    listen(until: Instant.zero + .milliseconds(milliseconds))
  }

  mutating func listen(until end: Instant) {
    var now = decisions.last?.at ?? .zero
    while true {
      let decision = buffer.poll(at: now)
      switch decision {
      case .wait(let until?) where until <= end: now = max(now, until)
      case .wait:
        if now >= end { return }
        now = end
      case .ended: return
      default:
        decisions.append((now, decision))
        if case .play(let packet, _, _) = decision { played.append(packet.sequence) }
      }
    }
  }

  /// Hands in packet `sequence`, which arrives at `arrival` ms; everything due before that is decided first.
  @discardableResult
  mutating func take(
    _ sequence: Int64, at arrival: Int64, timestamp: Int64? = nil, duration: Int64 = tick, isSilence: Bool = false,
    carriesFEC: Bool = false, bytes: Int = 40
  ) -> Insertion {
    listen(until: arrival)
    let packet = BufferedPacket(
      sequence: sequence, timestamp: timestamp ?? sequence * Self.tick, duration: duration,
      arrival: .zero + .milliseconds(arrival), isSilence: isSilence, carriesFEC: carriesFEC,
      tag: UInt64(bitPattern: sequence))
    let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: bytes)
    return buffer.insert(packet, payload: payload.span.bytes)
  }

  /// The decisions without the packets: `play 3`, `conceal 960` and so on.
  var story: [String] {
    decisions.prefix(200).map { entry in
      switch entry.decision {
      case .wait: "wait"
      case .play(let packet, _, 0): "play \(packet.sequence)"
      case .play(let packet, _, let skip): "play \(packet.sequence) from \(skip)"
      case .recover(_, let duration): "recover \(duration)"
      case .conceal(let duration): "conceal \(duration)"
      case .silence(let duration): "silence \(duration)"
      case .discard(let packet): "discard \(packet.sequence)"
      case .ended: "ended"
      }
    }
  }

  /// All that was put out, in clock units.
  var heardUnits: Int64 {
    decisions.reduce(0) { sum, entry in
      switch entry.decision {
      case .play(let packet, _, let skip): sum + packet.duration - skip
      case .recover(_, let duration), .conceal(let duration), .silence(let duration): sum + duration
      case .wait, .discard, .ended: sum
      }
    }
  }
}

extension PlayoutCounts {
  /// All media accounted for.
  var units: Int64 { playedUnits + recoveredUnits + concealedUnits + silenceUnits }
}
