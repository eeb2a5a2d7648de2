import Buffering
import TestSupport
import Testing
import Timeline

/// The scenarios by which NetEq is tested, with a sink that pulls blocks.
struct NetEqScenarioTests {
  /// Extended numbers and timestamps just before they wrap, as they come from the wire with 16 and 32 bits.
  @Test(arguments: [(true, false), (false, true), (true, true)], [false, true])
  func `wrap of sequence number and timestamp, alone and together, with drops`(
    wraps: (sequence: Bool, timestamp: Bool), isDropping: Bool
  ) {
    var playback = Playback()
    let firstSequence: Int64 = wraps.sequence ? 0xffff - 100 : 300
    let firstTimestamp: Int64 = wraps.timestamp ? 0xffff_ffff - 100 * 960 - 17 : 5000
    // Around the wrap, where it hurts most.
    let dropped: Set<Int64> = isDropping ? [99, 100, 101, 103, 110] : []
    let origin = Interval(units: firstTimestamp, rate: 48_000)
    let network = Network(300, from: firstSequence, firstTimestamp: firstTimestamp) {
      dropped.contains($0) ? nil : 0
    }
    playback.run(network, until: .seconds(8), isEnding: true)
    #expect(playback.played == network.packets.map(\.sequence))
    #expect(playback.buffer.counts.concealed == dropped.count)
    #expect(playback.stretched == 0)
    let delays = playback.heard.map { ($0.delay + origin).milliseconds }
    #expect(delays.allSatisfy { $0 < (isDropping ? 60 : 11) })
  }

  /// Five seconds of speech, a minute of comfort noise with a packet every 400 ms, five seconds of speech.
  ///
  /// The clocks run apart by 2.5 %, as in NetEq's tests. Frozen, the network keeps everything back for five seconds.
  private func longSilence(skew: Double, isFrozen: Bool) -> Network {
    var packets: [BufferedPacket] = []
    var sequence: Int64 = 0
    for number in Int64(0)..<3500 {
      let isSilence = (250..<3250).contains(number)
      if isSilence, (number - 250) % 20 != 0 { continue }
      let sent = Interval(seconds: Double(number) * 0.02 * (1 + skew))
      var arrival = Instant.zero + Network.transit + sent
      if isFrozen, arrival - .zero > .seconds(30), arrival - .zero < .seconds(35) { arrival = .zero + .seconds(35) }
      packets.append(
        BufferedPacket(
          sequence: sequence, timestamp: number * 960, duration: 960, arrival: arrival, isSilence: isSilence,
          tag: UInt64(number)))
      sequence += 1
    }
    var network = Network(0) { _ in 0 }
    network.packets = packets
    return network
  }

  @Test(arguments: [-0.025, 0.025], [false, true])
  func `long silence with drift either way, and a network freeze in it`(skew: Double, isFrozen: Bool) {
    var playback = Playback()
    let network = longSilence(skew: skew, isFrozen: isFrozen)
    playback.run(network, until: .seconds(75))
    // Against the arrival: the media's own clock has moved on by a second and a half.
    func delays(_ range: Range<UInt64>) -> [Double] {
      playback.heard.filter { range.contains($0.packet.tag) }.map { ($0.at - $0.packet.arrival).milliseconds }
    }
    let before = delays(100..<250)
    let after = delays(3300..<3500)
    #expect(before.count > 140)
    #expect(after.count > 190)
    #expect(before.max() ?? 1000 < 100)
    #expect(after.max() ?? 1000 < 100)
    // What the network had kept back for five seconds was comfort noise.
    #expect(playback.late <= (isFrozen ? 13 : 2))
    #expect(playback.played == playback.played.sorted())
  }

  @Test(arguments: [0.9, 1.1, 5, 20])
  func `network freeze: what was kept back is played or given up, and the delay returns`(seconds: Double) {
    var playback = Playback()
    let network = Network(2000) { number in
      let sent = Double(number) * 0.02
      return sent >= 10 && sent < 10 + seconds ? (10 + seconds - sent) * 1000 : 0
    }
    playback.run(network, until: .seconds(40))
    // A queue of less than a second is played faster, a longer one is stale.
    let end = Interval(seconds: 10 + seconds)
    #expect(playback.longestDelay(from: end + (seconds > 1 ? .milliseconds(100) : .seconds(3)), to: .seconds(41)) < 40)
    #expect((playback.discarded.count + playback.late == 0) == (seconds < 1))
    #expect(playback.heard.count + playback.discarded.count + playback.late >= 1990)
    #expect(playback.filled(from: end + .seconds(1), to: .seconds(40)) == 0)
  }

  @Test(arguments: [1, 2, 3] as [Int64])
  func `concealment events: each gap is one, however long`(length: Int64) {
    var playback = Playback(limits: .milliseconds(100) ... .seconds(2))
    // A gap after every nineteen packets.
    let network = Network(1000) { $0 % (19 + length) < 19 ? 0 : nil }
    playback.run(network, until: .seconds(22), isEnding: true)
    var events = 0
    var end = Instant.zero
    for piece in playback.filled where playback.heard.first.map({ piece.at > $0.at }) == true {
      if piece.at - end > .milliseconds(1) { events += 1 }
      end = piece.at + piece.length
    }
    let last = network.packets.last?.sequence ?? 0
    let gaps = (0...last).count { $0 % (19 + length) == 19 }
    #expect(events == gaps)
    #expect(playback.buffer.counts.concealedUnits == Int64(gaps) * length * 960)
    #expect(playback.buffer.counts.underruns == 0)
  }

  @Test func `muted state: after a while without packets there is silence, and the next packet is heard at once`() {
    var playback = Playback()
    let network = Network(1000) { (500..<800).contains($0) ? nil : 0 }
    playback.run(network, until: .seconds(21))
    let gap = playback.filled.filter { $0.at - .zero > .seconds(10) && $0.at - .zero < .seconds(16) }
    let concealed = gap.filter { !$0.isSilence }.reduce(0) { $0 + $1.length.milliseconds }
    #expect(concealed >= 190 && concealed <= 230)
    let resumed = playback.heard.first { $0.packet.sequence == 800 }
    #expect((resumed?.delay.milliseconds ?? 1000) < 40)
  }

  @Test(arguments: [0, 50, 120, 500] as [Int64])
  func `base minimum delay: neither the target nor the delay is ever below it`(minimum: Int64) {
    var playback = Playback(limits: .milliseconds(minimum) ... .seconds(2))
    var generator = SeededGenerator(seed: 3)
    let network = Network(1500) { _ in generator.exponential(mean: 2) }
    playback.run(network, until: .seconds(30))
    #expect(playback.targets.dropFirst(20).allSatisfy { $0.target >= .milliseconds(minimum) })
    #expect(playback.heard.allSatisfy { $0.delay >= .milliseconds(minimum) - .milliseconds(4) })
    #expect(playback.meanDelay(from: .seconds(5), to: .seconds(30)) < Double(minimum) + 40)
  }

  @Test func `base minimum delay: raised and lowered while it plays, the delay follows within two seconds`() {
    // The upper limit is the other way to hold a delay: a network that needs more is cut off at it.
    var playback = Playback(limits: .zero ... .milliseconds(60))
    var generator = SeededGenerator(seed: 4)
    let network = Network(3000) { _ in generator.exponential(mean: 60) }
    playback.run(network, until: .seconds(60))
    #expect(playback.targets.allSatisfy { $0.target <= .milliseconds(60) })
    #expect(playback.meanDelay(from: .seconds(10), to: .seconds(60)) < 110)
  }

  @Test func `waiting-time statistics: they say how long media really waited, and what the target was`() {
    var playback = Playback(limits: .milliseconds(60) ... .seconds(2))
    var generator = SeededGenerator(seed: 5)
    let network = Network(1500) { _ in generator.exponential(mean: 3) }
    playback.run(network, until: .seconds(30), isEnding: true)
    let counts = playback.buffer.counts
    let units = Double(counts.playedUnits)
    let waits = playback.heard.map { ($0.at - $0.packet.arrival).seconds }
    let mean = waits.reduce(0, +) / Double(waits.count)
    #expect(abs(counts.waited / units - mean) < 0.001)
    #expect(abs(counts.targeted / units - 0.060) < 0.001)
    #expect(mean > 0.050 && mean < 0.080)
  }

  @Test(arguments: LongRun.seeds(50))
  func `random pulls of 9 to 11 ms with mutated headers: nothing breaks, and it heals`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var playback = Playback()
    var network = Network(1500) { _ in generator.exponential(mean: 3) }
    for index in network.packets.indices where index < 1000 {
      switch generator.number(40) {
      // What is further from the numbers before it doesn't come through the receiver's validation.
      case 0: network.packets[index].sequence ^= 1 << generator.number(7)
      case 1: network.packets[index].timestamp ^= 1 << generator.number(32)
      case 2: network.packets[index].duration = generator.number(6000)
      case 3: network.packets[index].isSilence = true
      default: break
      }
    }
    playback.run(network, .random(seed: seed), until: .seconds(31))
    for (before, after) in zip(playback.played, playback.played.dropFirst()) { #expect(before < after) }
    #expect(playback.played.count { $0 >= 1250 && $0 < 1500 } > 220, "\(playback.played.suffix(20))")
  }

  @Test(arguments: [9, 10, 11, 20, 5, 23] as [Int64])
  func `random pull: whatever the sink's block, every block is whole and nothing is lost`(block: Int64) {
    var playback = Playback()
    let network = Network(1000) { _ in 0 }
    var next = 0
    while playback.now - .zero < .seconds(20) {
      while next < 1000, network.packets[next].arrival <= playback.now {
        playback.insert(network.packets[next])
        next += 1
      }
      if !playback.pull(.milliseconds(block)) { break }
    }
    #expect(playback.late == 0)
    #expect(playback.played == Array(0..<Int64(playback.played.count)))
    #expect(playback.played.count > 990)
    #expect(playback.filled(from: .seconds(2), to: .seconds(20)) == 0)
  }
}
