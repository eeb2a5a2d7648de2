import Buffering
import Testing
import Timeline

/// Copies, pauses and stalls: what can still be played is, and where nobody hears it.
struct RecoveryTests {
  private func playback(loss: Double, carriesFEC: Bool, seconds: Int64 = 120) -> Playback {
    var generator = SeededGenerator(seed: 21)
    var playback = Playback()
    var network = Network(seconds * 50) { $0 > 0 && generator.nextUnit() < loss ? nil : generator.exponential(mean: 1) }
    for index in network.packets.indices { network.packets[index].carriesFEC = carriesFEC }
    playback.run(network, until: .seconds(seconds - 1))
    return playback
  }

  @Test(arguments: [0.05, 0.1, 0.2])
  func `copies of lost packets are waited for where many are lost`(loss: Double) {
    let with = playback(loss: loss, carriesFEC: true)
    let without = playback(loss: loss, carriesFEC: false)
    #expect(with.target(at: .seconds(118)) >= 20)
    #expect(without.target(at: .seconds(118)) < 18)
    let counts = with.buffer.counts
    // Of two lost in a row the first has no copy, and some are lost before it is known that it pays.
    #expect(Double(counts.recovered) > Double(counts.concealed) * 1.5, "\(counts.recovered) : \(counts.concealed)")
    #expect(without.buffer.counts.recovered == 0)
  }

  @Test(arguments: [0, 0.001, 0.005])
  func `a few of them aren't worth 20 ms of delay`(loss: Double) {
    let playback = playback(loss: loss, carriesFEC: true)
    #expect(playback.target(at: .seconds(60)) < 18)
    #expect(playback.target(at: .seconds(118)) < 18)
    #expect(playback.meanDelay(from: .seconds(20), to: .seconds(118)) < 25)
  }

  @Test func `a better copy replaces one that waits, and a worse or an equal one doesn't`() {
    var listener = Listener(.adaptive, target: 100)
    func offer(_ copy: BufferedPacket.Copy, _ byte: UInt8, at arrival: Int64) -> Insertion {
      var packet = BufferedPacket(
        sequence: 1, timestamp: 960, duration: 960, arrival: .zero + .milliseconds(arrival), tag: UInt64(byte))
      packet.copy = copy
      return listener.buffer.insert(packet, payload: [UInt8](repeating: byte, count: 10 + Int(byte)).span.bytes)
    }
    listener.take(0, at: 0)
    #expect(offer(.redundant, 1, at: 40) == .stored)
    #expect(offer(.redundant, 2, at: 41) == .duplicate)
    #expect(offer(.retransmission, 3, at: 42) == .improved)
    #expect(offer(.redundant, 4, at: 43) == .duplicate)
    #expect(offer(.retransmission, 5, at: 44) == .duplicate)
    #expect(offer(.primary, 6, at: 45) == .improved)
    #expect(offer(.primary, 7, at: 46) == .duplicate)
    #expect(listener.buffer.packetCount == 2)
    listener.buffer.end()
    var bytes: [UInt8] = []
    var now = Instant.zero
    polling: while true {
      switch listener.buffer.poll(at: now) {
      case .wait(let until): now = until ?? now + .milliseconds(1)
      case .ended: break polling
      case .play(let packet, let slot, _) where packet.sequence == 1:
        #expect(packet.copy == .primary)
        #expect(packet.tag == 6)
        // The earliest copy says when the network brought it.
        #expect(packet.arrival == .zero + .milliseconds(40))
        bytes = listener.buffer.withPayload(in: slot) { payload in
          (0..<payload.byteCount).map { payload.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
      default: break
      }
    }
    #expect(bytes == [UInt8](repeating: 6, count: 16))
    #expect(listener.buffer.counts.played == 2)
  }

  /// Speech for three seconds, a pause of as long with a packet of silence each 20 ms, and so on.
  private func conversation(_ seconds: Int64, delay: (Int64) -> Double) -> Network {
    var network = Network(seconds * 50, delay: delay)
    for index in network.packets.indices {
      network.packets[index].isSilence = network.packets[index].sequence / 150 % 2 == 1
    }
    return network
  }

  @Test func `delay that is too long goes in a pause, where nobody hears it`() {
    var generator = SeededGenerator(seed: 22)
    var playback = Playback()
    // A stall of 150 ms in a pause: it is over before speech begins again.
    let network = conversation(40) { number in
      let sent = number * 20
      return (21_100..<21_250).contains(sent) ? Double(21_250 - sent) : generator.exponential(mean: 0.5)
    }
    playback.run(network, until: .seconds(39))
    func removed(isSilence: Bool) -> Int64 {
      -playback.heard.filter { $0.packet.isSilence == isSilence }.reduce(0) { $0 + $1.stretch }
    }
    #expect(removed(isSilence: true) > 48 * 80)
    #expect(removed(isSilence: true) > removed(isSilence: false))
    #expect(playback.heard.allSatisfy { abs($0.stretch) <= 720 })
    #expect(playback.longestDelay(from: .seconds(28), to: .seconds(40)) <= 30)
  }

  @Test func `where nothing is sent in pauses they are made longer and shorter, and speech stays as it was`() {
    var generator = SeededGenerator(seed: 23)
    var playback = Playback()
    // The network becomes worse in the middle and better again.
    var network = Network(6000) { number in
      generator.exponential(mean: (1500..<3000).contains(number) ? 12 : 0.5)
    }
    network.packets.removeAll { $0.sequence / 50 % 2 == 1 }
    var numbers: [Int64: Int64] = [:]
    for timestamp in network.packets.map(\.timestamp).sorted() { numbers[timestamp] = Int64(numbers.count) }
    for index in network.packets.indices {
      network.packets[index].sequence = numbers[network.packets[index].timestamp] ?? 0
      // Opus says so in the last packet before it.
      network.packets[index].isSilence = network.packets[index].timestamp / 960 % 50 == 49
    }
    playback.run(network, until: .seconds(119))
    let changed = playback.heard.filter { $0.stretch != 0 && !$0.packet.isSilence }
    #expect(changed.count * 20 < playback.heard.count, "\(changed.count) of \(playback.heard.count)")
    #expect(playback.buffer.counts.removedUnits + playback.buffer.counts.insertedUnits > 0)
    #expect(playback.buffer.counts.concealed * 30 < playback.heard.count)
    let calm = playback.meanDelay(from: .zero, to: .seconds(30))
    #expect(playback.meanDelay(from: .seconds(40), to: .seconds(60)) > calm)
  }

  @Test(arguments: [60, 150, 300, 700, 900] as [Int64], [0, 4] as [Int64])
  func `after a stall everything that was kept back is played, in order`(stall: Int64, phase: Int64) {
    var playback = Playback()
    let network = Network(1500) { number in
      let sent = number * 20
      return (10_000..<10_000 + stall).contains(sent) ? Double(10_000 + stall - sent) : 0
    }
    playback.run(network, .steady(phase: .milliseconds(phase)), until: .seconds(32), isEnding: true)
    #expect(playback.played == Array(0..<1500))
    #expect(playback.heard.allSatisfy { $0.skip == 0 })
    #expect(playback.late + playback.discarded.count == 0)
    #expect(playback.buffer.counts.concealed == 0)
    #expect(playback.buffer.counts.underruns == 1)
    #expect(playback.events.contains { if case .ranDry = $0.event { true } else { false } })
    #expect(playback.events.contains { if case .recovered = $0.event { true } else { false } })
  }

  @Test func `a long gap before a restart doesn't keep the new timeline waiting`() {
    var playback = Playback()
    playback.run(Network(100) { _ in 0 }, until: .seconds(2) + .milliseconds(40))
    // A number far ahead, with a time to match, and then the sender begins anew.
    for (sequence, timestamp) in [(900, 900 * 960), (901, 901 * 960)] as [(Int64, Int64)] {
      playback.insert(
        BufferedPacket(sequence: sequence, timestamp: timestamp, duration: 960, arrival: playback.now))
    }
    let first = 901 + JitterBuffer.restartMargin
    playback.buffer.restart(at: first)
    let network = Network(100, from: first, firstTimestamp: 1 << 30, start: .seconds(2)) { _ in 0 }
    playback.run(network, until: .seconds(5))
    #expect(playback.played.contains(901))
    let start = playback.heard.first { $0.packet.sequence == first }
    #expect((start?.at ?? .distantFuture) - .zero < .milliseconds(2500))
  }
}
