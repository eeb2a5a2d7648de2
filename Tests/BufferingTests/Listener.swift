import Buffering
import Timeline

/// How the delay of a buffer under test is chosen.
enum Policy: CaseIterable {
  case fixed, adaptive
}

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

  /// A buffer with a delay of `target` that follows the network or doesn't; the adaptive one never has less than it.
  init(_ policy: Policy, target: Int64 = 60, change: (inout JitterBuffer.Configuration) -> Void = { _ in }) {
    self.init(target: target) {
      if policy == .adaptive {
        $0.adaptation = JitterBuffer.Adaptation(limits: .milliseconds(target) ... .seconds(2))
      }
      change(&$0)
    }
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

  /// Hands in packet `sequence`, which arrives at `arrival` ms; everything due before that is decided first, unless the
  /// sink stands still.
  @discardableResult
  mutating func take(
    _ sequence: Int64, at arrival: Int64, timestamp: Int64? = nil, duration: Int64 = tick, isSilence: Bool = false,
    carriesFEC: Bool = false, bytes: Int = 40, isListening: Bool = true
  ) -> Insertion {
    if isListening { listen(until: arrival) }
    let packet = BufferedPacket(
      sequence: sequence, timestamp: timestamp ?? sequence * Self.tick, duration: duration,
      arrival: .zero + .milliseconds(arrival), isSilence: isSilence, carriesFEC: carriesFEC,
      tag: UInt64(bitPattern: sequence))
    let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: bytes)
    return buffer.insert(packet, payload: payload.span.bytes)
  }

  /// All that was concealed, in clock units, with the instants at which each piece was.
  var concealments: [(at: Interval, units: Int64)] {
    decisions.compactMap { entry in
      if case .conceal(let duration) = entry.decision { (entry.at - .zero, duration) } else { nil }
    }
  }

  /// When packet `sequence` was handed over to be played.
  func time(of sequence: Int64) -> Interval? {
    let entry = decisions.first {
      if case .play(let packet, _, _) = $0.decision { packet.sequence == sequence } else { false }
    }
    return entry.map { $0.at - .zero }
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
