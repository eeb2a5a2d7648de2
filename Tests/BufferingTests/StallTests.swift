import Buffering
import Testing
import Timeline

/// Lost, late, held up and paused are told apart.
struct StallTests {
  /// How a network lets go of what it had kept back.
  enum Release: CaseIterable {
    /// All in one instant, a packet each 0.1 or 4 ms, or in heaps of ten every 30 ms.
    case atOnce, quickly, slowly, inHeaps
  }

  /// 10 s, then nothing for `hold`, then what was sent meanwhile and 20 s more.
  private func network(hold: Double, _ release: Release, jitter: Double = 0) -> Network {
    var generator = SeededGenerator(seed: 5)
    var network = Network(1500 + Int64(hold * 50)) { number in
      let sent = Double(number) * 0.02
      let late = sent >= 10 && sent < 10 + hold ? (10 + hold - sent) * 1000 : 0
      return late + (jitter == 0 ? 0 : generator.exponential(mean: jitter))
    }
    network.packets.sort { $0.sequence < $1.sequence }
    guard release != .atOnce else { return network }
    for index in network.packets.indices.dropFirst(501) {
      let spacing: Interval =
        switch release {
        case .atOnce, .quickly: .microseconds(100)
        case .slowly: .milliseconds(4)
        case .inHeaps: index % 10 == 0 ? .milliseconds(30) : .microseconds(100)
        }
      network.packets[index].arrival = max(
        network.packets[index].arrival, network.packets[index - 1].arrival + spacing)
    }
    return network
  }

  /// When the path takes no longer than before again, in seconds.
  private func end(of network: Network) -> Double {
    let last = network.packets.last { packet in
      let transit = (packet.arrival - .zero) - Interval(units: packet.timestamp, rate: 48_000) - Network.transit
      return transit > .milliseconds(30)
    }
    return ((last?.arrival ?? .zero) - .zero).seconds
  }

  @Test(arguments: [1.1, 1.5, 4, 8, 30], Release.allCases)
  func `a network held up for more than a second stalls: nothing stale is heard, and it is back within 3 s`(
    hold: Double, release: Release
  ) {
    for (jitter, phase) in [(0.0, 0), (0, 4), (2, 2), (2, 7)] as [(Double, Int64)] {
      let network = network(hold: hold, release, jitter: jitter)
      let end = end(of: network)
      var playback = Playback()
      playback.run(network, .steady(phase: .milliseconds(phase)), until: .seconds(25) + Interval(seconds: hold))
      let before = playback.meanDelay(from: .seconds(5), to: .seconds(10))
      // Not one packet that is older than what any other waits.
      let stale = playback.heard.filter { $0.delay > .milliseconds(60) }
      #expect(stale.isEmpty, "\(stale.prefix(3).map(\.delay.milliseconds)) \(jitter) \(phase)")
      let after = playback.meanDelay(
        from: Interval(seconds: end) + .seconds(3), to: .seconds(25) + Interval(seconds: hold))
      #expect(after <= before + 10, "\(before) -> \(after)")
      let resumed = playback.heard.first { ($0.at - .zero).seconds > end - 0.1 && $0.packet.sequence > 500 }
      #expect(((resumed?.at ?? .distantFuture) - .zero).seconds < end + 0.1)

      let counts = playback.buffer.counts
      #expect(counts.silenceUnits <= 480)
      #expect(abs(Double(counts.stalledUnits) / 48_000 - (end - 10)) < 0.1, "\(counts.stalledUnits)")
      #expect(counts.underruns >= 1 && counts.concealmentEvents >= 1 && counts.recoveries >= 1)
      #expect(counts.resynchronisations == 0)
      #expect(counts.played + counts.concealed == Int(playback.played.last ?? 0) + 1)
      let told = playback.events.map(\.event)
      let isTold = told.contains {
        if case .ranDry(let length) = $0 { length > Interval(seconds: hold - 0.1) } else { false }
      }
      #expect(isTold, "\(told)")
      #expect(told.contains { if case .gaveUp = $0 { true } else { false } })
      #expect(!told.contains { if case .routeChanged = $0 { true } else { false } }, "\(told)")
    }
  }

  @Test(arguments: [0.5, 0.7, 0.9], [0, 4] as [Int64])
  func `after a shorter hold all is heard, and the delay is back within 3 s`(hold: Double, phase: Int64) {
    for jitter in [0.0, 2] {
      let network = network(hold: hold, .quickly, jitter: jitter)
      var playback = Playback()
      playback.run(network, .steady(phase: .milliseconds(phase)), until: .seconds(25))
      #expect(playback.late + playback.discarded.count == 0)
      let before = playback.meanDelay(from: .seconds(5), to: .seconds(10))
      let end = Interval(seconds: 10 + hold)
      let after = playback.meanDelay(from: end + .seconds(3), to: end + .seconds(4))
      #expect(after <= before + 10, "\(before) -> \(after), \(jitter)")
    }
  }

  @Test(arguments: [1.1, 1.5, 4, 8, 30], Release.allCases)
  func `with a fixed delay what was held up is late, and concealed in its place`(hold: Double, release: Release) {
    let network = network(hold: hold, release)
    var listener = Listener(target: 60)
    var late = 0
    for packet in network.packets {
      listener.listen(until: packet.arrival)
      let insertion = listener.buffer.insert(packet, payload: ([1] as [UInt8]).span.bytes)
      #expect(insertion == .stored || insertion == .late)
      late += insertion == .late ? 1 : 0
    }
    listener.buffer.end()
    listener.listen(until: 100_000)
    let counts = listener.buffer.counts
    #expect(counts.silenceUnits == 0)
    #expect(counts.resynchronisations == 0)
    // A network that lets go slowly may bring one packet in time before the last late ones.
    #expect(counts.concealmentEvents <= 2)
    let missed = end(of: network) - 10
    #expect(abs(Double(late + counts.discarded) * 0.02 - missed) < 0.15)
    #expect(abs(Double(counts.concealedUnits) / 48_000 - missed) < 0.15)
    // 200 ms of each gap are concealed.
    #expect(counts.concealedUnits - counts.silentConcealedUnits >= 9600)
    #expect(counts.concealedUnits - counts.silentConcealedUnits <= 2 * 9600)
    #expect(counts.played + counts.concealed == network.packets.count)
    #expect(counts.units == Int64(network.packets.count) * 960)
    // What is heard is heard at its time, the last packet like the first.
    for entry in listener.decisions {
      guard case .play(let packet, _, let skip) = entry.decision else { continue }
      let media = Interval(units: packet.timestamp + skip, rate: 48_000)
      #expect(entry.at - .zero - Network.transit - media < .milliseconds(61))
    }
  }

  /// 10 s, then nothing for `hold`, then what was kept back at `pace` times its own, the first packets each 20 ms.
  private func network(hold: Double, pace: Double, slowFirst: Int = 0, jitter: Double = 0) -> Network {
    var generator = SeededGenerator(seed: 7)
    let rest = hold / (pace - 1) + 20
    var network = Network(Int64((10 + hold + rest) * 50)) { _ in 0 }
    var free = Instant.zero
    for index in network.packets.indices.dropFirst(500) {
      free = index == 500 ? network.packets[index].arrival + Interval(seconds: hold) : free
      network.packets[index].arrival = max(network.packets[index].arrival, free)
      if jitter > 0 { network.packets[index].arrival += Interval(seconds: generator.exponential(mean: jitter) / 1000) }
      network.packets[index].arrival = max(network.packets[index].arrival, network.packets[index - 1].arrival)
      free += index < 500 + slowFirst ? .milliseconds(20) : Interval(seconds: 0.02 / pace)
    }
    return network
  }

  @Test(arguments: [1.5, 4, 8, 30], [(1.6, 0), (1.8, 0), (1.95, 0), (5, 2), (50, 4)] as [(Double, Int)])
  func `a network that lets go slowly, or whose first packets came far apart, is found out before a second is heard`(
    hold: Double, release: (pace: Double, slowFirst: Int)
  ) {
    for (jitter, phase) in [(0.0, 0), (0, 4), (2, 7)] as [(Double, Int64)] {
      let network = network(hold: hold, pace: release.pace, slowFirst: release.slowFirst, jitter: jitter)
      let end = end(of: network)
      var playback = Playback()
      playback.run(network, .steady(phase: .milliseconds(phase)), until: Interval(seconds: end + 10))
      let before = playback.meanDelay(from: .seconds(5), to: .seconds(10))
      let resumed = Instant.zero + Interval(seconds: 10 + hold) + Network.transit
      let stale = playback.heard.filter { $0.delay > .milliseconds(60) }
      #expect(stale.count < 60, "\(stale.count)")
      #expect(stale.allSatisfy { $0.at > resumed && $0.at < resumed + .seconds(1) }, "\(stale.last as Any)")
      let after = playback.meanDelay(from: Interval(seconds: end + 3), to: Interval(seconds: end + 10))
      // What is within a block and its hysteresis of the target is left alone.
      #expect(after <= before + 12, "\(before) -> \(after)")
      let counts = playback.buffer.counts
      #expect(counts.played + counts.concealed == Int(playback.played.last ?? 0) + 1)
      #expect(counts.discarded == playback.discarded.count)
      #expect(playback.events.contains { if case .gaveUp = $0.event { true } else { false } })
    }
  }

  @Test func `what was given up late counts towards the limit until it is handed out`() {
    let network = network(hold: 4, pace: 1.6)
    var playback = Playback { $0.packetLimit = 64 }
    playback.run(network, until: .milliseconds(14_200))
    let rest = network.packets.filter { $0.arrival > .zero + .milliseconds(14_200) }
    for packet in rest { playback.insert(packet) }
    #expect((50...65).contains(playback.buffer.packetCount), "\(playback.buffer.packetCount)")
    #expect(playback.mostPackets <= 65)
    let abandoned = playback.buffer.counts.discarded
    #expect(abandoned > 2)
    while playback.discarded.count < abandoned, playback.pull(.milliseconds(10)) {}
    #expect(playback.discarded.count == abandoned)
  }

  @Test(arguments: [1.1, 1.3])
  func `a network that lets go at less than one and a half times its pace is caught up with, not waited for`(
    pace: Double
  ) {
    let network = network(hold: 1.5, pace: pace)
    var playback = Playback()
    playback.run(network, until: Interval(seconds: end(of: network) + 10))
    #expect(playback.discarded.isEmpty && playback.late == 0)
    #expect(playback.heard.count == Int(playback.played.last ?? 0) + 1)
    let end = end(of: network)
    #expect(playback.meanDelay(from: Interval(seconds: end + 3), to: Interval(seconds: end + 10)) < 30)
  }

  @Test(arguments: [1.2, 6])
  func `a sender that stood still isn't taken for a network that lets go slowly, whatever the jitter`(pause: Double) {
    for seed in UInt64(1)...20 {
      var generator = SeededGenerator(seed: seed)
      // Packets come in time, or in heaps after up to 200 ms.
      var network = Network(1000) { number in
        (number >= 500 ? pause * 1000 : 0) + generator.exponential(mean: 5)
          + Double(number % 10 == 0 ? generator.number(200) : 0)
      }.inOrder
      network.packets[501].arrival = max(network.packets[501].arrival, network.packets[500].arrival + .milliseconds(20))
      for index in network.packets.indices.dropFirst(502) {
        network.packets[index].arrival = max(network.packets[index].arrival, network.packets[index - 1].arrival)
      }
      var playback = Playback()
      playback.run(network, until: .seconds(20) + Interval(seconds: pause))
      #expect(playback.discarded.isEmpty && playback.late == 0, "\(seed) \(playback.discarded.count)")
    }
  }

  @Test(arguments: Policy.allCases, [1.5, 4, 8, 30])
  func `a sender that pauses leaves silence, whether its clock stands still or not, and nothing ran dry`(
    policy: Policy, pause: Double
  ) {
    for isClockRunning in [false, true] {
      var listener = Listener(policy, target: policy == .fixed ? 60 : 0)
      let shift = isClockRunning ? Int64(pause * 48_000) : 0
      for number in Int64(0)..<1000 {
        let isAfter = number >= 500
        listener.take(
          number, at: number * 20 + (isAfter ? Int64(pause * 1000) : 0),
          timestamp: number * 960 + (isAfter ? shift : 0))
      }
      listener.buffer.end()
      listener.listen(until: 100_000)
      let counts = listener.buffer.counts
      #expect(listener.played == Array(0..<1000))
      #expect(counts.concealedUnits == 0 && counts.concealed == 0)
      #expect(counts.stalledUnits == 0 && counts.underruns == 0 && counts.concealmentEvents == 0)
      #expect(abs(Double(counts.silenceUnits) / 48_000 - pause) < 0.1)
      #expect(counts.discarded == 0)
    }
  }

  /// What the first packets after a pause come later than their sender's clock says, in ms.
  @Test(arguments: Policy.allCases, [[12.0], [60, 40, 20], [19, 15, 18, 3, 12]])
  func `packets close together after a pause with the clock standing still cost a fifth of a second at most`(
    policy: Policy, late: [Double]
  ) {
    for pause in [1200.0, 3000, 4900, 6000] {
      var listener = Listener(policy, target: policy == .fixed ? 60 : 0)
      for number in Int64(0)..<1000 {
        let index = Int(number) - 500
        let lateness = late.indices.contains(index) ? late[index] : 0
        listener.take(
          number, at: number * 20 + (index >= 0 ? Int64(pause + lateness) : 0), timestamp: number * 960)
      }
      listener.buffer.end()
      listener.listen(until: 100_000)
      let counts = listener.buffer.counts
      #expect(listener.played.count >= 990, "\(listener.played.count) \(pause)")
      #expect(counts.underruns <= 2 && counts.stalledUnits <= 4800, "\(counts.underruns) \(counts.stalledUnits)")
    }
  }

  @Test(arguments: [1.2, 10], [15, 200] as [Int64])
  func `of what comes late after a pause with the clock running nothing is given up`(pause: Double, late: Int64) {
    var listener = Listener(.adaptive, target: 0)
    for number in Int64(0)..<1000 {
      let isAfter = number >= 500
      let arrival = number * 20 + (isAfter ? Int64(pause * 1000) : 0)
      let ready = 10_000 + Int64(pause * 1000) + late
      listener.take(
        number, at: isAfter ? max(arrival, ready) : arrival,
        timestamp: number * 960 + (isAfter ? Int64(pause * 48_000) : 0))
    }
    listener.buffer.end()
    listener.listen(until: 100_000)
    let counts = listener.buffer.counts
    #expect(listener.played == Array(0..<1000))
    #expect(counts.discarded == 0 && counts.concealed == 0)
    #expect(abs(Double(counts.silenceUnits) / 48_000 - pause) < 0.1, "\(counts.silenceUnits)")
    #expect(counts.stalledUnits <= (late + 20) * 48, "\(counts.stalledUnits)")
  }

  @Test func `after a hold one straggler is given up, and the stream goes on with what is new`() {
    var playback = Playback()
    // All that was sent for 5 s is lost but the first of it, which comes at the end.
    let network = Network(2000) { (500..<750).contains($0) ? $0 == 500 ? 5000 : nil : 0 }
    playback.run(network, until: .seconds(39))
    #expect(playback.discarded.map(\.sequence) == [500])
    #expect(playback.longestDelay(from: .seconds(14), to: .seconds(39)) < 40)
  }

  @Test(arguments: [150.0, 400])
  func `a path that is longer after a hold is taken up as it is`(longer: Double) {
    var playback = Playback()
    let network = Network(2000) { number in
      let sent = Double(number) * 0.02
      if sent < 10 { return 0 }
      return sent < 15 ? (15 - sent) * 1000 + longer : longer
    }.inOrder
    playback.run(network, until: .seconds(39))
    let waits = playback.heard.filter { $0.packet.sequence >= 1000 }.map { ($0.at - $0.packet.arrival).milliseconds }
    #expect(waits.count > 900)
    #expect(waits.max() ?? 1000 < 40)
    #expect(playback.buffer.counts.underruns <= 2)
  }
}
