import Buffering
import Testing
import Timeline

/// The scenarios by which pjmedia's, speexdsp's and Asterisk's buffers are tested.
struct PlayerScenarioTests {
  @Test func `pjmedia ideal: a packet in, a packet out, with no more delay than a block`() {
    var playback = Playback()
    playback.run(Network(3000) { _ in 0 }, until: .seconds(61), isEnding: true)
    #expect(playback.played == Array(0..<3000))
    #expect(playback.longestDelay(from: .zero, to: .seconds(61)) <= 10)
    #expect(playback.stretched == 0)
    #expect(playback.buffer.counts.underruns == 0)
    #expect(playback.mostPackets <= 2)
  }

  @Test(arguments: Array(UInt64(1)...4))
  func `pjmedia DTX: speech and pauses, with no packet in them or one in 400 ms`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var network = Network(0) { _ in nil }
    var number: Int64 = 0
    var sequence: Int64 = 0
    var speech = 0
    while number < 6000 {
      for _ in 0..<20 + generator.number(200) {
        network.packets.append(packet(sequence, number, &generator))
        speech += 1
        number += 1
        sequence += 1
      }
      // Opus announces a pause by a packet of one byte and sends another now and then.
      for place in 0..<10 + generator.number(150) {
        if place % 20 == 0 {
          var silence = packet(sequence, number, &generator)
          silence.isSilence = true
          network.packets.append(silence)
          sequence += 1
        }
        number += 1
      }
    }
    network.sort()
    var playback = Playback()
    playback.run(network, until: .milliseconds(number * 20 + 1000), isEnding: true)
    #expect(playback.late <= 3)
    #expect(playback.played.count + playback.late == network.packets.count)
    #expect(playback.buffer.counts.concealed <= 3)
    #expect(playback.meanDelay(from: .seconds(10), to: .seconds(200)) < 40)
    // Speech stays as it was sent: what has to change is a pause's length.
    let changed = playback.heard.count { !$0.packet.isSilence && $0.stretch != 0 }
    #expect(changed * 50 < speech, "\(changed) of \(speech)")
  }

  private func packet(_ sequence: Int64, _ number: Int64, _ generator: inout SeededGenerator) -> BufferedPacket {
    let transit = Network.transit + Interval(seconds: generator.exponential(mean: 2) / 1000)
    return BufferedPacket(
      sequence: sequence, timestamp: number * 960, duration: 960, arrival: .zero + .milliseconds(number * 20) + transit)
  }

  @Test(arguments: [2, 5, 10] as [Int64])
  func `pjmedia bursts: packets that come several at once are played evenly`(burst: Int64) {
    var playback = Playback()
    let network = Network(3000) { number in Double((burst - 1 - number % burst) * 20) }
    playback.run(network, until: .seconds(61), isEnding: true)
    #expect(playback.late == 0)
    #expect(playback.played == Array(0..<3000))
    #expect(playback.filled(from: .seconds(5), to: .seconds(60)) == 0)
    #expect(playback.longestDelay(from: .seconds(10), to: .seconds(60)) <= Double(burst * 20 + 20))
  }

  @Test(arguments: [-1000, -300, 300, 1000] as [Double])
  func `pjmedia drift: a sender that is too fast or too slow piles nothing up and runs nothing dry`(skew: Double) {
    var playback = Playback()
    let network = Network(15_000, skew: skew) { _ in 0 }
    playback.run(network, until: .seconds(299))
    #expect(playback.late == 0)
    #expect(playback.buffer.counts.discarded == 0)
    #expect(playback.mostPackets <= 4)
    let waits = playback.heard.suffix(5000).map { ($0.at - $0.packet.arrival).milliseconds }
    #expect(waits.max() ?? 1000 < 40)
    #expect(playback.filled(from: .seconds(60), to: .seconds(299)) == 0)
  }

  @Test(arguments: [0.01, 0.1, 0.3], Array(UInt64(1)...3))
  func `pjmedia loss: what is lost is concealed for its time, and nothing else is`(loss: Double, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var playback = Playback()
    let network = Network(3000) { $0 > 0 && $0 < 2999 && generator.nextUnit() < loss ? nil : 0 }
    playback.run(network, until: .seconds(62), isEnding: true)
    let missing = 3000 - network.packets.count
    let counts = playback.buffer.counts
    #expect(counts.played == network.packets.count)
    #expect(counts.concealed == missing)
    #expect(counts.concealedUnits == Int64(missing) * 960)
  }

  @Test(arguments: [-100_000_000, 960, 7_777_777] as [Int64])
  func `pjmedia restart: a source that begins anew is heard at once, and nothing of before after it`(timestamp: Int64) {
    var playback = Playback()
    let before = Network(500) { _ in 0 }
    let first = 500 + JitterBuffer.restartMargin
    let after = Network(500, from: first, firstTimestamp: timestamp, start: .seconds(10)) { _ in 0 }
    let network = before + after
    var hasRestarted = false
    playback.run(network, until: .seconds(20)) { playback in
      guard !hasRestarted, playback.now - .zero >= .milliseconds(10_040) else { return }
      hasRestarted = true
      playback.buffer.restart(at: first)
    }
    #expect(playback.played.prefix(500) == Array(0..<500)[...])
    #expect(playback.played.suffix(from: 500) == Array(first..<first + Int64(playback.played.count) - 500)[...])
    #expect(playback.played.count > 995)
    let heard = playback.heard.filter { $0.packet.sequence >= first }
    #expect(heard.allSatisfy { $0.at - $0.packet.arrival < .milliseconds(40) })
  }

  @Test(arguments: Policy.allCases)
  func `pjmedia duplicates: a packet that comes several times is played once`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<500 {
      #expect(listener.take(number, at: number * 20) == .stored)
      #expect(listener.take(number, at: number * 20 + 1) == .duplicate)
    }
    listener.buffer.end()
    listener.listen(until: 20_000)
    #expect(listener.played == Array(0..<500))
    #expect(listener.buffer.counts.concealed == 0)
  }

  @Test func `pjmedia late: packets that are always late make the delay longer until they aren't`() {
    var playback = Playback()
    // Every fifth packet is 90 ms late, from the tenth second on.
    let network = Network(2000) { $0 >= 500 && $0 % 5 == 0 ? 90 : 0 }
    playback.run(network, until: .seconds(40))
    let late = playback.filled(from: .seconds(15), to: .seconds(40))
    #expect(late < 100, "\(late) ms")
    #expect(playback.target(at: .seconds(39)) >= 85)
    #expect(playback.target(at: .seconds(39)) <= 115)
  }

  @Test(arguments: [0, 40, 200, 1000] as [Int64])
  func `pjmedia fixed prefetch: a fixed delay is that delay from the first packet to the last`(delay: Int64) {
    var listener = Listener(target: delay)
    var generator = SeededGenerator(seed: 9)
    var network = Network(1000) { _ in generator.nextUnit() * Double(delay) }
    // The first sets the origin.
    network.packets[0].arrival = .zero + Network.transit
    for packet in network.packets {
      listener.listen(until: packet.arrival)
      #expect(listener.buffer.insert(packet, payload: [UInt8](repeating: 0, count: 4).span.bytes) != .full)
    }
    listener.listen(until: 25_000)
    for number in stride(from: Int64(100), to: 1000, by: 100) {
      guard let time = listener.time(of: number) else { continue }
      let late = (time - .milliseconds(number * 20) - Network.transit).milliseconds - Double(delay)
      // The smallest transit of the last two seconds isn't always the path's.
      #expect(late >= 0 && late <= Double(delay) / 8, "\(late)")
    }
  }

  @Test(arguments: Array(UInt64(1)...4))
  func `speexdsp: after wild swings the delay isn't stuck`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var playback = Playback()
    var swing = 0.0
    // Half a minute of delays that jump between nothing and a second, in order; then a quiet network.
    var last = 0.0
    let network = Network(19_000) { number in
      guard number >= 500, number < 2000 else { return 0 }
      if generator.number(15) == 0 { swing = generator.nextUnit() * 1000 }
      last = max(last - 20, swing)
      return last
    }
    playback.run(network, until: .seconds(380), isEnding: true)
    #expect(playback.meanDelay(from: .seconds(5), to: .seconds(10)) <= 10)
    // The swings are over at 40 s; their last packets come up to a second later. What hasn't come for 40 s is forgotten.
    #expect(playback.meanDelay(from: .seconds(45), to: .seconds(46)) > 100)
    #expect(playback.longestDelay(from: .seconds(86), to: .seconds(381)) <= 20)
    #expect(playback.played == playback.played.sorted())
    #expect(playback.filled(from: .seconds(45), to: .seconds(379)) == 0)
  }

  /// The pair of captures holds 3000 packets of 20 ms, and the same without each hundredth: 29 are missing.
  @Test(arguments: [false, true])
  func `Asterisk's Opus FEC pair: of 3000 packets 29 are dropped, and each is rebuilt`(isDropping: Bool) {
    var playback = Playback(limits: .milliseconds(40) ... .seconds(2))
    var generator = SeededGenerator(seed: 2)
    var network = Network(3000, from: 13_400, firstTimestamp: 288) { number in
      isDropping && number < 2900 && number % 100 == 99 ? nil : generator.exponential(mean: 0.5)
    }
    for index in network.packets.indices { network.packets[index].carriesFEC = true }
    playback.run(network, until: .seconds(62), isEnding: true)
    let counts = playback.buffer.counts
    #expect(network.packets.count == (isDropping ? 2971 : 3000))
    #expect(counts.played == network.packets.count)
    #expect(counts.recovered == (isDropping ? 29 : 0))
    #expect(playback.recovered == counts.recovered)
    #expect(counts.recoveredUnits == Int64(counts.recovered) * 960)
    #expect(counts.concealed == 0)
    #expect(playback.stretched == 0)
  }
}
