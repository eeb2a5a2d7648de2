import Buffering
import Testing
import Timeline

/// GStreamer's scenarios for the order in which packets come and for the time at which they are played.
struct OrderScenarioTests {
  @Test(arguments: Policy.allCases)
  func `push_forward_seq: packets in order are played in order, none concealed`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<50 { #expect(listener.take(number, at: number * 20) == .stored) }
    listener.buffer.end()
    listener.listen(until: 3000)
    #expect(listener.played == Array(0..<50))
    #expect(listener.buffer.counts.concealedUnits + listener.buffer.counts.stalledUnits == 0)
  }

  @Test(arguments: Policy.allCases)
  func `push_backward_seq: packets that come last first are played first to last`(policy: Policy) {
    var listener = Listener(policy, target: 200)
    #expect(listener.take(0, at: 0) == .stored)
    for number in (Int64(1)..<8).reversed() { #expect(listener.take(number, at: 150) == .stored) }
    listener.buffer.end()
    listener.listen(until: 3000)
    #expect(listener.played == Array(0..<8))
    #expect(listener.buffer.counts.concealed == 0)
  }

  @Test(arguments: Policy.allCases)
  func `push_backward_seq: so they are when even the first comes last`(policy: Policy) {
    var listener = Listener(policy, target: 200)
    for number in (Int64(0)..<8).reversed() { #expect(listener.take(number, at: 160 - number) == .stored) }
    listener.buffer.end()
    listener.listen(until: 3000)
    #expect(listener.played == Array(0..<8))
  }

  @Test(arguments: Policy.allCases, Array(UInt64(1)...10))
  func `push_unordered: any order within the delay is put right`(policy: Policy, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var listener = Listener(policy, target: 400)
    listener.take(0, at: 0)
    for block in Int64(0)..<10 {
      for number in (1...10).map({ block * 10 + $0 }).shuffled(using: &generator) {
        #expect(listener.take(number, at: (block + 1) * 200) == .stored)
      }
    }
    listener.buffer.end()
    listener.listen(until: 6000)
    #expect(listener.played == Array(0...100))
    #expect(listener.buffer.counts.concealed == 0)
  }

  @Test(arguments: Policy.allCases)
  func `push_eos: what is in store at the end is played at its time, then it has ended`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<5 { listener.take(number, at: number * 20) }
    listener.buffer.end()
    listener.listen(until: 139)
    #expect(listener.played == [0, 1, 2, 3])
    #expect(listener.buffer.poll(at: .zero + .milliseconds(139)) != .ended)
    listener.listen(until: 300)
    #expect(listener.played == [0, 1, 2, 3, 4])
    #expect(listener.buffer.poll(at: .zero + .milliseconds(300)) == .ended)
  }

  @Test func `push_eos: a gap before the end is concealed all the same`() {
    var listener = Listener()
    for number in [0, 1, 4] as [Int64] { listener.take(number, at: number * 20) }
    listener.buffer.end()
    listener.listen(until: 1000)
    #expect(listener.story == ["play 0", "play 1", "conceal 960", "conceal 960", "play 4"])
  }

  @Test(arguments: [0, 1, 7_000, 1 << 40] as [Int64], [0, 123_456_789, -5_000_000] as [Int64])
  func `basetime: the time of playing is the arrival and the delay, whatever the clocks begin with`(
    arrival: Int64, timestamp: Int64
  ) {
    var listener = Listener()
    for number in Int64(0)..<10 {
      listener.take(number, at: arrival + number * 20, timestamp: timestamp + number * 960)
    }
    listener.listen(until: arrival + 500)
    for number in Int64(0)..<10 {
      #expect(listener.time(of: number) == .milliseconds(arrival + 60 + number * 20))
    }
  }

  @Test(arguments: Policy.allCases)
  func `reorder_of_non_equidistant_packets: packets of several lengths are put in order without concealment`(
    policy: Policy
  ) {
    var listener = Listener(policy, target: 150)
    let lengths: [Int64] = [960, 2880, 480, 120, 1920, 960, 5760, 240]
    let starts = lengths.reduce(into: [Int64(0)]) { $0.append($0[$0.count - 1] + $1) }
    for number in [0, 2, 1, 3, 5, 4, 7, 6] {
      let sent = starts[[0, 2, 2, 3, 5, 5, 7, 7][number]] / 48
      #expect(
        listener.take(Int64(number), at: sent, timestamp: starts[number], duration: lengths[number]) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 2000)
    #expect(listener.played == Array(0..<8))
    #expect(listener.buffer.counts.concealed == 0)
    #expect(listener.buffer.counts.silenceUnits == 0)
    #expect(listener.buffer.counts.playedUnits == starts[8])
  }

  @Test func `minor_reorder_does_not_skew: packets that swap places don't move the time of playing`() {
    var listener = Listener()
    for pair in Int64(0)..<500 {
      listener.take(2 * pair + 1, at: pair * 40 + 20)
      listener.take(2 * pair, at: pair * 40 + 21)
    }
    listener.listen(until: 25_000)
    #expect(listener.played == Array(0..<1000))
    #expect(listener.time(of: 10) == .milliseconds(10 * 20 + 60))
    #expect(listener.time(of: 999) == .milliseconds(999 * 20 + 60))
    #expect(listener.buffer.counts.resynchronisations == 0)
  }

  @Test(arguments: Policy.allCases)
  func `all_packets_are_timestamped_zero: packets that all come at once are all played`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<30 { #expect(listener.take(number, at: 0) == .stored) }
    listener.buffer.end()
    listener.listen(until: 3000)
    #expect(listener.played == Array(0..<30))
    #expect(listener.buffer.counts.concealedUnits == 0)
  }

  @Test(arguments: Policy.allCases)
  func `all_packets_are_timestamped_zero: a sender whose timestamps stand still neither stalls nor piles up`(
    policy: Policy
  ) {
    var listener = Listener(policy)
    for number in Int64(0)..<500 { listener.take(number, at: number * 20, timestamp: 0) }
    #expect(listener.buffer.packetCount < 20)
    // Once it counts again, it is heard.
    for number in Int64(500)..<1000 { listener.take(number, at: number * 20) }
    listener.buffer.end()
    listener.listen(until: 30_000)
    #expect(listener.buffer.packetCount == 0)
    #expect(listener.played.count { $0 >= 500 } > 400)
    #expect(listener.played == listener.played.sorted())
  }

  @Test func `all_packets_are_timestamped_zero: where media isn't one timeline each is played when it comes`() {
    var listener = Listener(isContinuous: false)
    for number in Int64(0)..<20 { #expect(listener.take(number, at: number, timestamp: 0, duration: 0) == .stored) }
    listener.listen(until: 500)
    #expect(listener.played == Array(0..<20))
  }

  @Test(arguments: [-300, -40, 40, 300] as [Int64])
  func `dont_drop_packet_based_on_skew: a path that becomes slower or faster at once costs no packet in time`(
    step: Int64
  ) {
    var listener = Listener(target: 350)
    for number in Int64(0)..<200 {
      #expect(listener.take(number, at: 1000 + number * 20 + (number < 100 ? 0 : step)) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 20_000)
    #expect(listener.played == Array(0..<200))
    #expect(listener.buffer.counts.concealed == 0)
  }

  @Test(arguments: [-500, -200, 200, 500] as [Double])
  func `dont_drop_packet_based_on_skew: clocks that run apart cost no packet`(skew: Double) {
    var listener = Listener(target: 40)
    let network = Network(9000, skew: skew) { _ in 0 }
    for packet in network.packets {
      listener.listen(until: packet.arrival)
      #expect(listener.buffer.insert(packet, payload: [UInt8](repeating: 0, count: 4).span.bytes) == .stored)
    }
    listener.listen(until: 200_000)
    #expect(listener.played.count == 9000)
    #expect(listener.buffer.counts.concealed == 0)
  }
}
