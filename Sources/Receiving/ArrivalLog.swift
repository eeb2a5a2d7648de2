public import Buffering
import Packets
public import Timeline

/// The arrivals of one stream, kept so that they can be replayed: with another delay of the buffer, or as a link.
///
/// 32 bytes a packet, up to a limit; what comes after is only counted.
public struct ArrivalLog: Sendable {
  /// One packet that arrived, or a restart of the sender.
  public struct Arrival: Equatable, Sendable {
    /// What the entry says.
    public enum Kind: UInt8, Sendable {
      /// A packet that the buffer was offered.
      case offered
      /// A packet that it wasn't: of another payload type, or not what its format allows.
      case unfit
      /// A copy of a packet that had arrived.
      case copy
      /// The sender began anew with this number.
      case restart
    }

    /// The extended sequence number.
    public var sequence: Int64
    /// The extended timestamp.
    public var timestamp: Int64
    /// When it arrived.
    public var arrival: Instant
    /// How long it plays, in units of the stream's clock.
    public var duration: UInt16
    /// Whether it announces silence.
    public var isSilence: Bool
    /// Whether it carries a copy of the packet before it.
    public var carriesFEC: Bool
    /// What the entry says.
    public var kind: Kind
  }

  /// The entries in order of arrival.
  public private(set) var arrivals: [Arrival] = []
  /// Packets that came after the limit was reached.
  public private(set) var omitted = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func record(_ packet: BufferedPacket, kind: Arrival.Kind) {
    guard arrivals.count < limit else {
      if kind != .restart { omitted += 1 }
      return
    }
    arrivals.append(
      Arrival(
        sequence: packet.sequence, timestamp: packet.timestamp, arrival: packet.arrival,
        duration: UInt16(clamping: packet.duration), isSilence: packet.isSilence, carriesFEC: packet.carriesFEC,
        kind: kind))
  }

  mutating func recordRestart(at sequence: Int64) {
    record(BufferedPacket(sequence: sequence, timestamp: 0, duration: 0, arrival: .zero), kind: .restart)
  }
}

/// What a jitter buffer would have made of the same arrivals with another delay.
public struct Replay: Equatable, Sendable {
  /// The buffer's delay; where it adapts, on average over what is played.
  public var target: Interval
  /// Packets that arrived, each number once.
  public var unique = 0
  /// Those that would have been too late.
  public var late = 0
  /// Sequence numbers from the first to the last.
  public var expected = 0
  /// Those that would have been concealed: lost or late, and not rebuilt.
  public var concealed = 0

  /// The share of the packets that would have been too late.
  public var lateRatio: Double { unique > 0 ? Double(late) / Double(unique) : 0 }
  /// The share of the numbers that would have been concealed.
  public var concealedRatio: Double { expected > 0 ? Double(concealed) / Double(expected) : 0 }
}

extension ReceiveStream {
  /// Plays the arrivals that were kept through a buffer with a fixed delay of `target`; nil when none were.
  public func replay(target: Interval) -> Replay? {
    var delays = DelaySum()
    var configuration = JitterBuffer.Configuration(
      clockRate: format.clockRate, target: target, isContinuous: format == .opus)
    if let track { configuration.holdFrames(of: track) }
    return replay(configuration, &delays)
  }

  /// Plays the arrivals that were kept through a buffer that adapts, for a listener whose player does all that it is
  /// asked for; nil when none were kept, or for media that isn't continuous audio.
  public func replay(adaptation: JitterBuffer.Adaptation) -> Replay? {
    guard format == .opus else { return nil }
    var configuration = JitterBuffer.Configuration(clockRate: format.clockRate, target: adaptation.limits.lowerBound)
    configuration.adaptation = adaptation
    configuration.keepsPayloads = false
    var delays = DelaySum()
    var result = replay(configuration, &delays)
    result?.target = delays.mean ?? .zero
    return result
  }

  /// How much later than the fastest packet media was played.
  private struct DelaySum {
    var sum = 0.0
    var weight = 0.0
    var mean: Interval? { weight > 0 ? Interval(seconds: sum / weight) : nil }
  }

  private func replay(_ configuration: JitterBuffer.Configuration, _ delays: inout DelaySum) -> Replay? {
    guard let log, let first = log.arrivals.first else { return nil }
    var buffer = JitterBuffer(configuration)
    var result = Replay(target: configuration.target)
    let nothing = [UInt8]()
    var lowest = first.sequence
    var highest = first.sequence
    for entry in log.arrivals {
      if entry.kind == .restart {
        result.expected += Int(highest - lowest + 1)
        lowest = entry.sequence
        highest = entry.sequence
        buffer.restart(at: entry.sequence)
        continue
      }
      guard entry.kind != .copy else { continue }
      result.unique += 1
      lowest = min(lowest, entry.sequence)
      highest = max(highest, entry.sequence)
      guard entry.kind == .offered else { continue }
      Self.drain(&buffer, at: entry.arrival, &delays)
      let packet = BufferedPacket(
        sequence: entry.sequence, timestamp: entry.timestamp, duration: Int64(entry.duration), arrival: entry.arrival,
        isSilence: entry.isSilence, carriesFEC: entry.carriesFEC)
      let insertion = unsafe buffer.insert(packet, payload: nothing.span.bytes)
      if insertion == .late { result.late += 1 }
    }
    result.expected += Int(highest - lowest + 1)
    buffer.end()
    Self.drain(&buffer, at: .distantFuture, &delays)
    result.late += buffer.counts.discarded
    buffer.settle(expected: result.expected)
    result.concealed = buffer.counts.concealed
    return result
  }

  private static func drain(_ buffer: inout JitterBuffer, at now: Instant, _ delays: inout DelaySum) {
    while true {
      switch buffer.poll(at: now) {
      case .wait, .ended: return
      case .play(let packet, _, _):
        // Behind the packet, because it is the next one's delay that can be asked for.
        guard now != .distantFuture, let delay = buffer.playoutDelay(at: .zero) else { continue }
        delays.sum += delay.seconds * Double(packet.duration)
        delays.weight += Double(packet.duration)
      default: continue
      }
    }
  }
}
