public import Buffering
import Packets
public import Receiving
public import Timeline

/// One lane's receiving end: the session and jitter buffer of `receive`, and an account of every packet of the race.
///
/// Inputs: ``receive(_:at:)`` in order of arrival, ``stop()``. Before an input, and whenever there is time, call
/// ``pollPlayout(until:)`` up to the arrival until it returns nil: everything depends on when datagrams arrived, and on
/// nothing else.
public struct LaneReceiver: Sendable {
  /// How a listener came by a packet's media.
  public enum Heard: UInt8, Sendable {
    /// Not at all: it was concealed, or left out.
    case nothing
    /// It was played from the packet.
    case played
    /// It was rebuilt from the copy in a later packet.
    case rebuilt
  }

  /// What is known of one packet.
  public struct Packet: Hashable, Sendable {
    /// When its first copy arrived; nil while none has.
    public var arrival: Instant?
    /// How many copies arrived.
    public var copies = 0
    /// What the listener got of it.
    public var heard = Heard.nothing
    /// Whether the receiver said that it came too late.
    public var isTooLate = false
  }

  /// What is being raced.
  public let stream: RaceStream
  /// When packet 0 is due to be sent.
  public let start: Instant
  /// The receiving session.
  public private(set) var session: ReceiveSession
  /// The packets, in the order in which they are due.
  public private(set) var packets: [Packet]
  /// How many packets have arrived.
  public private(set) var arrivedCount = 0
  /// The smallest delay of a packet; nil while none has arrived.
  public private(set) var leastDelay: Interval?
  /// Datagrams that aren't byte for byte what was sent, as a checksum would have told: thrown away.
  public private(set) var damagedCount = 0
  /// The packet that the last `.play` decision was about.
  public private(set) var lastPlayed: Int?
  /// Up to when everything has been played.
  public private(set) var clock: Instant

  private var extender: SequenceExtender
  private let firstNumber: Int64
  /// The packet of each datagram handed to the session.
  private var handed: [Int32] = []
  private var rebuilds = 0
  private var scratch: [UInt8] = []

  /// Sets up the receiving end, with the seed of its own random numbers.
  public init(
    _ stream: RaceStream, start: Instant, target: Interval, adaptation: JitterBuffer.Adaptation?, seed: UInt64,
    keepsTimeline: Bool = false
  ) {
    self.stream = stream
    self.start = start
    clock = start
    packets = [Packet](repeating: Packet(), count: stream.frames.count)
    extender = SequenceExtender(first: stream.firstSequence)
    firstNumber = Int64(stream.firstSequence.rawValue)
    var configuration = ReceiveSession.Configuration(
      ssrc: stream.ssrc &+ 1, cname: "race@jitterbug", seed: seed)
    configuration.target = target
    configuration.adaptation = adaptation
    configuration.sendsExtendedReports = false
    configuration.keepsTimelines = keepsTimeline
    configuration.isTracing = true
    session = ReceiveSession(configuration)
  }

  /// Whether every packet has arrived.
  public var hasAll: Bool { arrivedCount == packets.count }

  /// When packet `index` is due to be sent.
  public func due(_ index: Int) -> Instant { start + stream.due(index) }

  /// How long after it was due packet `index` arrived; nil while it hasn't.
  public func delay(_ index: Int) -> Interval? { packets[index].arrival.map { $0 - due(index) } }

  // MARK: Inputs

  /// Takes in a datagram; returns the number of its packet when it is the first copy of one.
  @discardableResult
  public mutating func receive(_ datagram: RawSpan, at arrival: Instant) -> Int? {
    let arrival = max(arrival, clock)
    guard let header = (try? RTPPacket(parsing: datagram))?.header, header.ssrc == stream.ssrc else {
      damagedCount += 1
      return nil
    }
    let number = extender.extended(header.sequenceNumber) - firstNumber
    guard number >= 0, number < Int64(packets.count),
      stream.isPacket(Int(number), datagram, in: &scratch)
    else {
      damagedCount += 1
      return nil
    }
    _ = extender.extend(header.sequenceNumber)
    let index = Int(number)
    packets[index].copies += 1
    handed.append(Int32(index))
    session.handleRTP(datagram, from: Peer(id: 1), at: arrival)
    guard packets[index].arrival == nil else { return nil }
    packets[index].arrival = arrival
    arrivedCount += 1
    let delay = arrival - due(index)
    leastDelay = leastDelay.map { min($0, delay) } ?? delay
    return index
  }

  /// Nothing more comes: what is in the buffer is played out.
  public mutating func stop() { session.stop() }

  /// What the player made of the last packet: so many ticks inserted, or removed when negative.
  public mutating func settleStretch(of stream: Int, by ticks: Int64) { session.settleStretch(of: stream, by: ticks) }

  // MARK: Outputs

  /// The next thing that the player does by `limit`; nil when everything by then has been done.
  public mutating func pollPlayout(until limit: Instant) -> (stream: Int, decision: PlayoutDecision)? {
    while true {
      if let (id, decision) = session.pollPlayout(at: clock) {
        note(decision)
        return (id, decision)
      }
      settle()
      guard clock < limit else { return nil }
      guard session.hasOpenStreams else {
        // Nobody waits for anything but reports, which never end.
        clock = limit
        return nil
      }
      // A wake that isn't in the future would be waited for for ever.
      let wake = session.nextWake.flatMap { $0 > clock ? $0 : nil }
      clock = min(wake ?? limit, limit)
    }
  }

  // MARK: Private

  private mutating func note(_ decision: PlayoutDecision) {
    switch decision {
    case .play(let packet, _, _):
      guard packet.tag < UInt64(handed.count) else { return }
      let index = Int(handed[Int(packet.tag)])
      packets[index].heard = .played
      lastPlayed = index
      // The copy in a packet is that of the media right before it.
      for back in stride(from: 1, through: rebuilds, by: 1) where index - back >= 0 {
        packets[index - back].heard = .rebuilt
      }
      rebuilds = 0
    case .recover: rebuilds += 1
    case .wait, .conceal, .silence, .discard, .ended: break
    }
  }

  /// Takes up what the session tells besides; nobody hears its reports.
  private mutating func settle() {
    while let fate = session.pollFate() {
      guard fate.fate == .late, fate.index < UInt64(handed.count) else { continue }
      packets[Int(handed[Int(fate.index)])].isTooLate = true
    }
    while session.pollEvent() != nil {}
    guard let due = session.nextReport, due <= clock else { return }
    var unheard = [UInt8](repeating: 0, count: 1500)
    var span = unheard.mutableSpan
    while session.pollReport(into: &span, at: clock) != nil {}
  }
}
