import Buffering
import Testing
import Timeline

/// A sink that pulls blocks from an adaptive buffer as a sound card does, and a record of what came out of it.
struct Playback {
  /// A packet that was heard.
  struct Heard {
    var packet: BufferedPacket
    /// When its first unit that was played came out of the speaker.
    var at: Instant
    /// How long after its media time it was heard, beyond the network's smallest transit.
    var delay: Interval
    var stretch: Int64
    var skip: Int64
  }

  /// What is pulled at once, and when.
  enum Clock {
    /// 10 ms, for the first time at this offset.
    case steady(phase: Interval)
    /// Blocks of 9 to 11 ms, each when the one before has been played.
    case random(seed: UInt64)
  }

  var buffer: JitterBuffer
  let rate: UInt32
  /// Carries out a wish for a length; the result lies between 0 and `most`.
  var settle: (Stretch) -> Int64? = { _ in nil }
  /// What has been decided and isn't pulled yet.
  private(set) var queued = Interval.zero
  private(set) var now = Instant.zero
  private(set) var heard: [Heard] = []
  private(set) var discarded: [BufferedPacket] = []
  private(set) var late = 0
  /// Concealed or silent, with the time at which it was heard.
  private(set) var filled: [(at: Instant, length: Interval, isSilence: Bool)] = []
  private(set) var recovered = 0
  private(set) var events: [(event: BufferEvent, at: Instant)] = []
  /// The target at each pull.
  private(set) var targets: [(at: Instant, target: Interval)] = []
  private(set) var longestQueue = Interval.zero
  private(set) var mostPackets = 0

  init(
    rate: UInt32 = 48_000, lateBudget: Double = 0.005, limits: ClosedRange<Interval> = .zero ... .seconds(2),
    change: (inout JitterBuffer.Configuration) -> Void = { _ in }
  ) {
    self.rate = rate
    var configuration = JitterBuffer.Configuration(clockRate: rate, target: .zero)
    configuration.adaptation = JitterBuffer.Adaptation(lateBudget: lateBudget, limits: limits)
    change(&configuration)
    buffer = JitterBuffer(configuration)
  }

  /// Plays what the network brings, until `end` after the first pull.
  ///
  /// - Parameter watch: called before each pull, and may change what it likes.
  mutating func run(
    _ network: Network, _ clock: Clock = .steady(phase: .zero), until end: Interval, isEnding: Bool = false,
    watch: (inout Playback) -> Void = { _ in }
  ) {
    var generator = SeededGenerator(seed: 1)
    var phase = Interval.zero
    switch clock {
    case .steady(let offset): phase = offset
    case .random(let seed): generator = SeededGenerator(seed: seed)
    }
    if now == .zero { now += phase }
    var next = 0
    while now - .zero < end {
      while next < network.packets.count, network.packets[next].arrival <= now {
        insert(network.packets[next])
        next += 1
        if isEnding, next == network.packets.count { buffer.end() }
      }
      watch(&self)
      var block = Interval.milliseconds(10)
      if case .random = clock { block = .microseconds(9000 + generator.number(2001)) }
      guard pull(block) else { return }
    }
  }

  mutating func insert(_ packet: BufferedPacket, bytes: Int = 20) {
    let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: packet.sequence), count: bytes)
    if buffer.insert(packet, payload: payload.span.bytes) == .late { late += 1 }
    mostPackets = max(mostPackets, buffer.packetCount)
  }

  /// Pulls one block; false once everything has been played.
  mutating func pull(_ block: Interval) -> Bool {
    var decisions = 0
    deciding: while true {
      decisions += 1
      guard decisions < 100_000 else {
        Issue.record("a pull doesn't end")
        return false
      }
      switch buffer.pull(block, at: now) {
      case .wait: break deciding
      case .ended: return false
      case .play(let packet, _, let skip): play(packet, skip: skip)
      case .recover(_, let duration):
        recovered += 1
        append(duration)
      case .conceal(let duration): fill(duration, isSilence: false)
      case .silence(let duration): fill(duration, isSilence: true)
      case .discard(let packet): discarded.append(packet)
      }
    }
    while let event = buffer.pollEvent() { events.append(event) }
    targets.append((now, buffer.target))
    longestQueue = max(longestQueue, queued)
    if !heard.isEmpty { #expect(queued >= block - .microseconds(100), "a block isn't whole") }
    // A block may lack what lengths in units are rounded by.
    queued = heard.isEmpty ? max(.zero, queued - block) : queued - block
    now += block
    return true
  }

  private mutating func play(_ packet: BufferedPacket, skip: Int64) {
    let wish = buffer.stretch
    var change = wish.preferred
    if let done = settle(wish) {
      #expect(min(0, wish.most) <= done && done <= max(0, wish.most))
      buffer.settleStretch(done)
      change = done
    }
    let at = now + queued
    let media = Interval(units: packet.timestamp + skip, rate: rate)
    heard.append(
      Heard(packet: packet, at: at, delay: (at - .zero) - media - Network.transit, stretch: change, skip: skip))
    // What is resampled is the wish, as far as the buffer knows.
    append(packet.duration - skip + wish.preferred)
    queued += Interval(units: change - wish.preferred, rate: rate)
  }

  private mutating func fill(_ duration: Int64, isSilence: Bool) {
    filled.append((now + queued, Interval(units: duration, rate: rate), isSilence))
    append(duration)
  }

  private mutating func append(_ units: Int64) {
    let length = Interval(units: units, rate: rate)
    queued += Interval(seconds: length.seconds * (1 + buffer.driftCorrection))
  }

  // MARK: Queries

  /// Numbers in the order in which they were heard.
  var played: [Int64] { heard.map(\.packet.sequence) }

  /// The mean delay of what was heard in a stretch of time, in ms.
  func meanDelay(from start: Interval, to end: Interval) -> Double {
    let delays = heard.filter { $0.at - .zero >= start && $0.at - .zero < end }.map(\.delay.milliseconds)
    return delays.isEmpty ? .infinity : delays.reduce(0, +) / Double(delays.count)
  }

  /// The longest delay of what was heard in a stretch of time, in ms.
  func longestDelay(from start: Interval, to end: Interval) -> Double {
    heard.filter { $0.at - .zero >= start && $0.at - .zero < end }.map(\.delay.milliseconds).max() ?? .infinity
  }

  /// What was filled in a stretch of time, in ms.
  func filled(from start: Interval, to end: Interval) -> Double {
    filled.filter { $0.at - .zero >= start && $0.at - .zero < end }.reduce(0) { $0 + $1.length.milliseconds }
  }

  /// The target at an instant, in ms.
  func target(at instant: Interval) -> Double {
    targets.last { $0.at - .zero <= instant }?.target.milliseconds ?? .infinity
  }

  /// Units inserted and removed, over all.
  var stretched: Int64 { heard.reduce(0) { $0 + abs($1.stretch) } }
}
