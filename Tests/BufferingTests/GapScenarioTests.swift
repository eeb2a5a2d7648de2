import Buffering
import Testing
import Timeline

/// GStreamer's scenarios for gaps, jumps and full buffers, none of which may stall playout.
struct GapScenarioTests {
  private let payload: [UInt8] = [1, 2, 3, 4]

  @Test(arguments: Policy.allCases, [100, 500, 900] as [Int64])
  func `big_gap_seqnum: numbers that jump while the time goes on are taken up at once`(policy: Policy, jump: Int64) {
    var listener = Listener(policy)
    for number in Int64(0)..<100 { listener.take(number, at: number * 20) }
    for number in Int64(100)..<200 {
      #expect(listener.take(number + jump, at: number * 20, timestamp: number * 960) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 10_000)
    #expect(listener.played == Array(0..<100) + Array(100 + jump..<200 + jump))
    #expect(listener.heardUnits <= 205 * 960)
    #expect(listener.buffer.counts.concealed == Int(jump))
  }

  @Test(arguments: Policy.allCases, [100, 500, 900] as [Int64])
  func `big_gap_seqnum: numbers and timestamps that jump as one are taken up without minutes of silence`(
    policy: Policy, jump: Int64
  ) {
    var listener = Listener(policy)
    for number in Int64(0)..<100 { listener.take(number, at: number * 20) }
    for number in Int64(100)..<200 { #expect(listener.take(number + jump, at: number * 20) == .stored) }
    listener.buffer.end()
    listener.listen(until: 30_000)
    #expect(listener.played.suffix(100) == Array(100 + jump..<200 + jump))
    // What was in store before is news no more, where the timestamps say that it is two seconds old.
    #expect(listener.played.count >= (policy == .fixed ? 200 : 196))
    // Up to five seconds a jump may be delay; more is another timeline.
    if jump * 20 > 5000 {
      #expect(listener.heardUnits <= 210 * 960)
      #expect(listener.buffer.counts.resynchronisations == 1)
    }
  }

  @Test(arguments: Policy.allCases, [1100, 3000, 20_000, 1 << 40] as [Int64])
  func `big_gap_seqnum: a jump longer than the store costs no more than what waits in it`(
    policy: Policy, jump: Int64
  ) {
    var listener = Listener(policy)
    for number in Int64(0)..<100 { listener.take(number, at: number * 20) }
    var refused = 0
    for number in Int64(100)..<200 {
      let insertion = listener.take(number + jump, at: number * 20, timestamp: number * 960)
      #expect(insertion == .stored || insertion == .full)
      refused += insertion == .full ? 1 : 0
    }
    listener.buffer.end()
    listener.listen(until: 10_000)
    #expect(refused <= 4)
    #expect(listener.played == Array(0..<100) + Array(100 + jump + Int64(refused)..<200 + jump))
    #expect(listener.heardUnits <= 205 * 960)
  }

  @Test(arguments: Policy.allCases, [2, 30, 600] as [Int64])
  func `big_gap_arrival_time: packets that go on after a long time without any are played at once`(
    policy: Policy, seconds: Int64
  ) {
    var listener = Listener(policy)
    for number in Int64(0)..<100 { listener.take(number, at: number * 20) }
    // The sender was stopped: neither its numbers nor its timestamps went on.
    for number in Int64(100)..<200 { #expect(listener.take(number, at: number * 20 + seconds * 1000) == .stored) }
    listener.buffer.end()
    listener.listen(until: seconds * 1000 + 10_000)
    #expect(listener.played == Array(0..<200))
    #expect(listener.buffer.counts.concealed == 0)
    let first = listener.time(of: 100)
    #expect(first ?? .seconds(1000) <= .milliseconds(2000 + seconds * 1000 + 80))
  }

  @Test(arguments: [2, 30, 600] as [Int64])
  func `big_gap_arrival_time: timestamps that went on meanwhile keep their time`(seconds: Int64) {
    var listener = Listener()
    for number in Int64(0)..<100 { listener.take(number, at: number * 20) }
    for number in Int64(100)..<200 {
      listener.take(number, at: number * 20 + seconds * 1000, timestamp: number * 960 + seconds * 48_000)
    }
    listener.listen(until: seconds * 1000 + 10_000)
    #expect(listener.played == Array(0..<200))
    #expect(listener.time(of: 150) == .milliseconds(150 * 20 + seconds * 1000 + 60))
    #expect(listener.buffer.counts.silenceUnits == seconds * 48_000)
  }

  @Test(arguments: Policy.allCases)
  func `considered_lost_packet_in_large_gap_arrives: it is late, and what follows goes on`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<50 { listener.take(number, at: number * 20) }
    listener.take(550, at: 550 * 20)
    listener.listen(until: 550 * 20 + 200)
    #expect(listener.played.last == 550)
    #expect(listener.take(300, at: 551 * 20 + 200) == .late)
    #expect(listener.take(549, at: 551 * 20 + 200) == .late)
    for number in Int64(551)..<600 { listener.take(number, at: max(number * 20, 551 * 20 + 201)) }
    listener.buffer.end()
    listener.listen(until: 20_000)
    #expect(listener.played.suffix(20) == Array(580..<600))
    #expect(listener.played == listener.played.sorted())
    #expect(listener.buffer.counts.played + listener.buffer.counts.concealed == 600)
  }

  @Test(arguments: Policy.allCases)
  func `fill_queue: 40,000 packets of which one is missing are all kept and played`(policy: Policy) {
    var configuration = JitterBuffer.Configuration(clockRate: 48_000, target: .seconds(900))
    configuration.packetLimit = 40_001
    if policy == .adaptive {
      configuration.adaptation = JitterBuffer.Adaptation(limits: .seconds(900) ... .seconds(900))
    }
    var buffer = JitterBuffer(configuration)
    for number in Int64(0)...40_000 where number != 1000 {
      let packet = BufferedPacket(
        sequence: number, timestamp: number * 960, duration: 960, arrival: .zero + .milliseconds(number * 20))
      #expect(buffer.insert(packet, payload: payload.span.bytes) == .stored)
    }
    #expect(buffer.packetCount == 40_000)
    buffer.end()
    var listener = Listener()
    listener.buffer = buffer
    listener.listen(until: .zero + .seconds(2000))
    #expect(listener.played == Array(0..<1000) + Array(1001...40_000))
    #expect(listener.buffer.counts.concealed == 1)
    #expect(listener.buffer.counts.concealedUnits == 960)
  }

  @Test func `fill_queue: beyond the limit packets are refused, and playing makes room for more`() {
    var listener = Listener { $0.packetLimit = 64 }
    for number in Int64(0)..<80 {
      let insertion = listener.take(number, at: number * 20, bytes: 10, isListening: false)
      #expect(insertion == (number < 64 ? .stored : .full))
    }
    #expect(listener.buffer.packetCount == 64)
    listener.listen(until: 1700)
    for number in Int64(85)..<120 { #expect(listener.take(number, at: number * 20, bytes: 10) == .stored) }
    listener.buffer.end()
    listener.listen(until: 9000)
    #expect(listener.played == Array(0..<64) + Array(85..<120))
    #expect(listener.buffer.counts.concealed == 21)
  }

  @Test func `fill_queue: so they are beyond the limit in bytes`() {
    var listener = Listener { $0.byteLimit = 1000 }
    for number in Int64(0)..<80 {
      let insertion = listener.take(number, at: number * 20, bytes: 100, isListening: false)
      #expect(insertion == (number < 10 ? .stored : .full))
    }
    listener.listen(until: 1700)
    for number in Int64(85)..<120 { #expect(listener.take(number, at: number * 20, bytes: 100) == .stored) }
    listener.buffer.end()
    listener.listen(until: 9000)
    #expect(listener.played == Array(0..<10) + Array(85..<120))
  }

  @Test(arguments: Policy.allCases, Array(UInt64(1)...5))
  func `multiple_lost_do_not_stall: gap after gap, the media time never stands still`(policy: Policy, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var listener = Listener(policy)
    var sequence: Int64 = 0
    var packets = 0
    while sequence < 1500 {
      listener.take(sequence, at: sequence * 20)
      packets += 1
      sequence += 1 + (generator.number(3) == 0 ? generator.number(12) : 0)
    }
    listener.buffer.end()
    listener.listen(until: 60_000)
    let counts = listener.buffer.counts
    #expect(counts.played == packets)
    #expect(counts.played + counts.concealed + counts.recovered == Int(listener.played.last ?? 0) + 1)
    let end = listener.decisions.last?.at ?? .zero
    #expect(end - .zero < .milliseconds((listener.played.last ?? 0) * 20 + 700))
  }

  @Test(arguments: Policy.allCases)
  func `reset_timers_does_not_stall: a jump while a gap waits to be filled is played through`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    // 20...24 are missing when everything jumps.
    for number in Int64(25)..<30 { listener.take(number, at: number * 20) }
    for number in Int64(30)..<80 {
      #expect(listener.take(number + 900, at: number * 20, timestamp: 77_000_000 + number * 960) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 10_000)
    #expect(listener.played == Array(0..<20) + Array(25..<30) + Array(930..<980))
    #expect((listener.decisions.last?.at ?? .zero) - .zero < .milliseconds(80 * 20 + 300))
  }

  @Test(arguments: Policy.allCases)
  func `reset_timers_does_not_stall_2: a sender that restarts in a gap is played through`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    listener.take(25, at: 500)
    let first = 25 + JitterBuffer.restartMargin
    listener.buffer.restart(at: first)
    for number in Int64(0)..<50 {
      #expect(listener.take(first + number, at: 520 + number * 20, timestamp: -9_000_000 + number * 960) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 10_000)
    #expect(listener.played == Array(0..<20) + [25] + Array(first..<first + 50))
    #expect((listener.decisions.last?.at ?? .zero) - .zero < .milliseconds(1520 + 300))
  }

  @Test(arguments: [true, false])
  func `a packet without bytes, or whose bytes aren't kept, has none wherever it lies`(keepsPayloads: Bool) {
    var listener = Listener { $0.keepsPayloads = keepsPayloads }
    for number in Int64(0)..<30 {
      listener.take(number, at: number * 20, bytes: keepsPayloads ? 0 : 40, isListening: false)
    }
    var slots = 0
    for _ in 0..<100 {
      guard case .play(_, let slot, _) = listener.buffer.poll(at: .zero + .seconds(2)) else { continue }
      slots += 1
      #expect(listener.buffer.withPayload(in: slot) { $0.byteCount } == 0)
    }
    #expect(slots == 30)
  }
}
