import Buffering
import TestSupport
import Testing
import Timeline

/// What holds for an adaptive buffer on any network, with any sender and any sink.
struct AdaptivePropertyTests {
  /// A sender, a network and a sink, made from a seed.
  private struct Story {
    var packets: [BufferedPacket] = []
    var restarts: [Int64] = []
    var rate: UInt32
    var limits: ClosedRange<Interval>
    var end = Interval.zero
    /// Whether nothing happens that a receiver must give up packets for.
    var isHonest: Bool
  }

  private func story(seed: UInt64) -> Story {
    var generator = SeededGenerator(seed: seed)
    let rates: [UInt32] = [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000]
    let rate = rates[Int(generator.number(8))]
    let lengths: [Double] = [2.5, 5, 10, 20, 40, 60, 80, 100, 120]
    let lower = Interval.milliseconds(generator.number(3) == 0 ? generator.number(200) : 0)
    var story = Story(
      rate: rate, limits: lower...(lower + .milliseconds(100 + generator.number(2000))),
      isHonest: generator.number(2) == 0)
    let jitter = [0, 0.3, 3, 20, 60][Int(generator.number(5))]
    let loss = [0, 0.01, 0.1, 0.4][Int(generator.number(4))]
    let carriesFEC = generator.number(2) == 0
    let hasPauses = generator.number(2) == 0
    let isMixed = generator.number(4) == 0
    let skew = Double(generator.number(1001) - 500) * 1e-6
    var length = lengths[Int(generator.number(9))]
    var sequence = generator.number(70_000)
    var timestamp = generator.number(1 << 33)
    var sent = 0.05
    var queue = 0.0
    for _ in 0..<600 {
      if isMixed { length = lengths[Int(generator.number(9))] }
      let duration = Int64((length / 1000 * Double(rate)).rounded())
      // Now and then the network keeps everything back for up to three seconds.
      if generator.number(150) == 0 { queue = generator.nextUnit() * (story.isHonest ? 0.3 : 3) }
      queue = max(0, queue - length / 1000)
      let arrival = Interval(seconds: sent * (1 + skew) + queue + generator.exponential(mean: jitter) / 1000)
      let isSilence = hasPauses && generator.number(20) == 0
      if generator.nextUnit() >= loss {
        story.packets.append(
          BufferedPacket(
            sequence: sequence, timestamp: timestamp, duration: duration, arrival: .zero + arrival,
            isSilence: isSilence, carriesFEC: carriesFEC, tag: UInt64(story.packets.count)))
      }
      sequence += 1
      timestamp += duration
      sent += length / 1000
      if isSilence, generator.number(2) == 0 {
        let pause = generator.number(40)
        timestamp += pause * duration
        sent += Double(pause) * length / 1000
      }
      guard !story.isHonest else { continue }
      if generator.number(200) == 0 { timestamp += generator.number(1 << 30) - 1 << 29 }
      if generator.number(200) == 0 { sequence += generator.number(600) }
      if generator.number(250) == 0 {
        sequence += JitterBuffer.restartMargin
        timestamp = generator.number(1 << 33)
        story.restarts.append(sequence)
      }
    }
    story.packets.sort { ($0.arrival, $0.tag) < ($1.arrival, $1.tag) }
    story.end = Interval(seconds: sent + 4)
    return story
  }

  /// What happened to the packets that were handed in.
  private struct Account {
    var stored = 0
    var refused = 0
    var played = 0
    var discarded = 0
    var lastPassed = Int64.min
    var waiting: Set<Int64> = []

    mutating func insert(_ packet: BufferedPacket, into buffer: inout JitterBuffer, bytes: Int) {
      let payload = [UInt8](repeating: 0, count: bytes)
      let before = buffer.packetCount
      let insertion = buffer.insert(packet, payload: payload.span.bytes)
      #expect(buffer.packetCount == before + (insertion == .stored ? 1 : 0))
      #expect(buffer.packetCount <= 256)
      if insertion == .stored {
        stored += 1
        #expect(packet.sequence > lastPassed)
        #expect(waiting.insert(packet.sequence).inserted)
      } else {
        refused += 1
        #expect(insertion != .duplicate || waiting.contains(packet.sequence))
      }
    }

    mutating func pass(_ packet: BufferedPacket) {
      #expect(packet.sequence > lastPassed, "again or out of order")
      #expect(waiting.remove(packet.sequence) != nil)
      lastPassed = packet.sequence
    }
  }

  @Test(arguments: LongRun.seeds(300))
  func `whatever the network, the sender and the sink do, the listener gets whole blocks and the sums close`(
    seed: UInt64
  ) {
    let story = story(seed: seed)
    var generator = SeededGenerator(seed: seed &+ 1000)
    var configuration = JitterBuffer.Configuration(clockRate: story.rate, target: .zero)
    configuration.adaptation = JitterBuffer.Adaptation(lateBudget: 0.005, limits: story.limits)
    configuration.packetLimit = 256
    configuration.byteLimit = 100_000
    var buffer = JitterBuffer(configuration)
    var account = Account()
    let isRandom = generator.number(2) == 0
    let isSettling = generator.number(2) == 0
    var restarts = story.restarts
    var next = 0
    var now = Interval.zero
    var queued = Interval.zero
    while now < story.end {
      while next < story.packets.count, story.packets[next].arrival - .zero <= now {
        let packet = story.packets[next]
        if let restart = restarts.first, packet.sequence >= restart {
          buffer.restart(at: restart)
          restarts.removeFirst()
        }
        account.insert(packet, into: &buffer, bytes: Int(generator.number(200)))
        if generator.number(30) == 0 { account.insert(packet, into: &buffer, bytes: 3) }
        next += 1
        if next == story.packets.count { buffer.end() }
      }
      let block = isRandom ? Interval.microseconds(9000 + generator.number(2001)) : .milliseconds(10)
      let hasEnded = pull(
        block, at: now, from: &buffer, queued: &queued, account: &account, rate: story.rate,
        settling: isSettling ? generator.next() : nil)
      #expect(buffer.target >= story.limits.lowerBound && buffer.target <= story.limits.upperBound)
      #expect(buffer.level >= .zero)
      #expect(abs(buffer.driftCorrection) <= 0.001)
      if hasEnded { break }
      now += block
    }
    #expect(next == story.packets.count)
    #expect(buffer.packetCount == 0)
    #expect(account.waiting.isEmpty)
    let counts = buffer.counts
    #expect(account.stored == account.played + account.discarded)
    #expect(counts.played == account.played)
    #expect(counts.discarded == account.discarded)
    #expect(!story.isHonest || account.played * 2 > account.stored, "\(account.played) of \(account.stored)")
    #expect(counts.concealed >= 0 && counts.concealedUnits >= 0 && counts.stalledUnits >= 0)
    #expect(counts.insertedUnits >= 0 && counts.removedUnits >= 0 && counts.stretches >= 0)
    #expect(counts.silenceUnits >= 0 && counts.recoveredUnits >= 0 && counts.waited >= 0)
  }

  /// One block; true at the end of the stream.
  private func pull(
    _ block: Interval, at now: Interval, from buffer: inout JitterBuffer, queued: inout Interval,
    account: inout Account, rate: UInt32, settling: UInt64?
  ) -> Bool {
    var hasStarted = false
    var hasQueued = false
    var longest = Interval.milliseconds(140)
    for _ in 0..<2000 {
      var units: Int64 = 0
      var change: Int64 = 0
      switch buffer.pull(block, at: .zero + now) {
      case .wait:
        #expect(!hasStarted || queued >= block - .microseconds(100), "\(queued) for \(block)")
        // What is decided ahead is a packet, lengthened, or a piece of a pause; what is given up meanwhile adds nothing.
        #expect(!hasQueued || queued <= longest + block, "\(queued)")
        // A block may lack what lengths in units are rounded by.
        queued = hasStarted || queued >= block ? queued - block : max(.zero, queued - block)
        while buffer.pollEvent() != nil {}
        return false
      case .ended: return true
      case .play(let packet, _, let skip):
        #expect(skip >= 0 && skip <= packet.duration)
        account.pass(packet)
        account.played += 1
        // What is resampled is the wish, as far as the buffer knows.
        units = packet.duration - skip + buffer.stretch.preferred
        change = stretch(&buffer, settling)
        #expect(units + change >= 0)
      case .discard(let packet):
        account.pass(packet)
        account.discarded += 1
        hasStarted = true
        continue
      case .conceal(let duration), .silence(let duration), .recover(_, let duration):
        #expect(duration > 0)
        units = duration
        // A second of a pause, made longer to get to the target.
        #expect(Interval(units: duration, rate: rate) <= .milliseconds(3400), "\(duration)")
        longest = max(longest, Interval(units: duration, rate: rate))
      }
      (hasStarted, hasQueued) = (true, true)
      let length = Interval(units: units, rate: rate)
      queued += Interval(seconds: length.seconds * (1 + buffer.driftCorrection)) + Interval(units: change, rate: rate)
    }
    Issue.record("a pull doesn't end")
    return true
  }

  private func stretch(_ buffer: inout JitterBuffer, _ settling: UInt64?) -> Int64 {
    let wish = buffer.stretch
    #expect(min(0, wish.most) <= wish.preferred && wish.preferred <= max(0, wish.most))
    guard let settling else { return 0 }
    // Anything between nothing and the most may have been possible.
    let share = Double(settling % 5) / 4
    let units = Int64((Double(wish.most) * share).rounded())
    buffer.settleStretch(units)
    return units - wish.preferred
  }

  @Test(arguments: LongRun.seeds(75))
  func `on an honest network the delay stays within its limits and comes back`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let jitter = generator.nextUnit() * 30
    let lower = generator.number(80)
    var playback = Playback(limits: .milliseconds(lower) ... .milliseconds(lower + 300))
    if generator.number(2) == 0 {
      var settler = SeededGenerator(seed: seed &+ 1)
      playback.settle = { Int64((Double($0.most) * settler.nextUnit()).rounded()) }
    }
    let network = Network(1500) { _ in min(generator.exponential(mean: jitter), 200) }.inOrder
    playback.run(network, seed % 2 == 0 ? .random(seed: seed) : .steady(phase: .milliseconds(3)), until: .seconds(29))
    for entry in playback.targets where entry.at - .zero > .seconds(1) {
      #expect(entry.target >= .milliseconds(lower) && entry.target <= .milliseconds(lower + 300))
    }
    // A block, and what a stall has added, which goes within seconds.
    #expect(playback.longestDelay(from: .seconds(10), to: .seconds(29)) < Double(lower) + 300 + 260)
    #expect(playback.played == playback.played.sorted())
    #expect(Set(playback.played).count == playback.played.count)
    #expect(playback.heard.count + playback.late + playback.discarded.count > 1400)
    #expect(playback.late < 150)
  }

  @Test(arguments: LongRun.seeds(20))
  func `the same packets and pulls give the same decisions`(seed: UInt64) {
    func decisions() -> [Int64] {
      var generator = SeededGenerator(seed: seed)
      var playback = Playback()
      let network = Network(500) { _ in generator.number(20) == 0 ? nil : generator.exponential(mean: 15) }
      playback.run(network, .random(seed: seed), until: .seconds(11))
      return playback.heard.flatMap { [$0.packet.sequence, $0.at.nanoseconds, $0.stretch, $0.skip] }
        + playback.filled.flatMap { [$0.at.nanoseconds, $0.length.nanoseconds] }
    }
    #expect(decisions() == decisions())
  }
}
