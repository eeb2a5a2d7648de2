import Buffering
import Testing
import Timeline

/// What holds after any sequence of operations.
struct PropertyTests {
  /// What a run of operations has shown so far.
  private struct Watch {
    var waiting: Set<Int64> = []
    var lastPlayed: Int64 = -1 << 60
    var decisions = 0
    var units: Int64 = 0
    var late = 0
    var refused = 0
    var stored = 0
  }

  @Test(arguments: Array(UInt64(1)...60))
  func `whatever comes, nothing is played twice or out of order, and the limits hold`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func number(_ limit: UInt64) -> Int64 { Int64(generator.next() % limit) }
    var listener = Listener(target: number(120), isContinuous: number(4) > 0) {
      $0.packetLimit = 64
      $0.byteLimit = 2000
    }
    // Some runs are hostile: numbers and timestamps that no sender makes.
    let wildness = seed % 3 == 0 ? UInt64(4) : seed % 3 == 1 ? 50 : 1_000_000
    var watch = Watch()
    var now = Instant.zero + .seconds(number(1000))
    var sequence = number(1 << 32)
    var timestamp = number(1 << 40)
    for _ in 0..<3000 {
      switch number(20) {
      case 0: now += .nanoseconds(number(3_000_000_000))
      case 1 where number(wildness) == 0:
        sequence += JitterBuffer.restartMargin
        listener.buffer.restart(at: sequence)
      case 2 where number(wildness) == 0: now = now - .milliseconds(number(1000))
      default: now += .nanoseconds(number(25_000_000))
      }
      var packet = BufferedPacket(
        sequence: sequence, timestamp: timestamp, duration: [0, 120, 960, 2880, 5760][Int(number(5))], arrival: now,
        isSilence: number(10) == 0, carriesFEC: number(2) == 0)
      if number(4) == 0 { packet.sequence += number(40) - 20 }
      if number(wildness) == 0 { packet.sequence += number(6000) - 3000 }
      if number(wildness) == 0 {
        timestamp += number(1 << 33) - 1 << 32
        packet.timestamp = timestamp
      }
      if packet.sequence <= watch.lastPlayed - 100_000 { continue }
      sequence += 1
      timestamp += packet.duration
      insert(packet, bytes: Int(number(120)), into: &listener.buffer, watch: &watch)
      poll(&listener.buffer, at: now, watch: &watch)
    }
    listener.buffer.end()
    for _ in 0..<100 {
      now += .seconds(3600)
      poll(&listener.buffer, at: now, watch: &watch)
    }
    #expect(listener.buffer.poll(at: now) == .ended)
    #expect(watch.waiting.isEmpty)
    #expect(listener.buffer.packetCount == 0)
    #expect(listener.buffer.counts.played + listener.buffer.counts.discarded == watch.stored)
    // With a fixed delay only what the network had kept back for long is given up, one packet each time.
    #expect(listener.buffer.counts.discarded * 20 <= watch.stored + 20)
    #expect(watch.stored > 0)
  }

  private func insert(
    _ packet: BufferedPacket, bytes: Int, into buffer: inout JitterBuffer, watch: inout Watch
  ) {
    let payload = [UInt8](repeating: 1, count: bytes)
    let before = buffer.packetCount
    let insertion = buffer.insert(packet, payload: payload.span.bytes)
    #expect(buffer.packetCount == before + (insertion == .stored ? 1 : 0))
    #expect(buffer.packetCount <= 64)
    #expect(buffer.level >= .zero)
    switch insertion {
    case .stored:
      #expect(packet.sequence > watch.lastPlayed)
      #expect(watch.waiting.insert(packet.sequence).inserted)
      watch.stored += 1
    case .duplicate, .improved: #expect(watch.waiting.contains(packet.sequence))
    case .late: watch.late += 1
    case .misplaced, .full: watch.refused += 1
    }
  }

  private func poll(_ buffer: inout JitterBuffer, at now: Instant, watch: inout Watch) {
    // Even an hour of waiting is filled in 2.5 ms steps at worst.
    for _ in 0..<3_000_000 {
      switch buffer.poll(at: now) {
      case .wait(let until):
        if let until { #expect(until > now) }
        return
      case .ended: return
      case .discard(let packet):
        #expect(packet.sequence > watch.lastPlayed)
        #expect(watch.waiting.remove(packet.sequence) != nil)
        watch.lastPlayed = packet.sequence
      case .play(let packet, _, let skip):
        #expect(packet.sequence > watch.lastPlayed)
        #expect(watch.waiting.remove(packet.sequence) != nil)
        #expect(skip >= 0 && skip <= packet.duration)
        watch.lastPlayed = packet.sequence
      case .recover(_, let duration), .conceal(let duration), .silence(let duration):
        guard duration > 0 else {
          Issue.record("nothing is filled")
          return
        }
      }
    }
    Issue.record("polling doesn't end")
  }

  @Test(arguments: Array(UInt64(1)...40))
  func `on an honest stream the running counts close without being settled`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var listener = Listener(target: Int64(generator.next() % 100))
    var arrivals: [(at: Int64, sequence: Int64)] = []
    for sequence in Int64(0)..<500 where sequence == 0 || sequence == 499 || generator.next() % 10 > 0 {
      arrivals.append((sequence * 20 + Int64(generator.next() % 80), sequence))
    }
    arrivals.sort { $0.at < $1.at }
    var late = 0
    var lowest = Int64.max
    var highest = Int64.min
    for (at, sequence) in arrivals {
      let insertion = listener.take(sequence, at: at, carriesFEC: sequence % 2 == 0)
      #expect(insertion == .stored || insertion == .late)
      late += insertion == .late ? 1 : 0
      lowest = min(lowest, sequence)
      highest = max(highest, sequence)
    }
    listener.buffer.end()
    listener.listen(until: 100_000)
    let counts = listener.buffer.counts
    #expect(counts.played + late == arrivals.count)
    #expect(counts.played + counts.recovered + counts.concealed == Int(highest - lowest + 1))
    #expect(listener.played == listener.played.sorted())
  }
}
