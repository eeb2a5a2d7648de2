import Buffering
import Testing
import Timeline

/// GStreamer's scenarios for what is lost and what is late.
struct LossScenarioTests {
  @Test(arguments: Policy.allCases)
  func `lost_event: a missing packet is told once, for its length, between its neighbours`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<20 where number != 7 { listener.take(number, at: number * 20) }
    listener.buffer.end()
    listener.listen(until: 2000)
    #expect(listener.story == (0..<20).map { $0 == 7 ? "conceal 960" : "play \($0)" })
    #expect(listener.buffer.counts.concealed == 1)
  }

  @Test(arguments: Policy.allCases, [40, 300, 900] as [Int64])
  func `only_one_lost_event_on_large_gaps: a gap is one stall, and each number in it counts once`(
    policy: Policy, missing: Int64
  ) {
    var listener = Listener(policy)
    for number in Int64(0)..<200 {
      let sequence = number < 100 ? number : number + missing
      listener.take(sequence, at: sequence * 20)
    }
    listener.buffer.end()
    listener.listen(until: 100_000)
    let counts = listener.buffer.counts
    #expect(listener.played == Array(0..<100) + Array(100 + missing..<200 + missing))
    #expect(counts.concealed == Int(missing))
    #expect(counts.concealedUnits == missing * 960)
    #expect(counts.silenceUnits == 0)
    #expect(policy == .fixed || counts.underruns == 1)
    // It fades: what goes on for longer than can be concealed is silent.
    #expect(listener.concealments.reduce(0) { $0 + $1.units } <= 10_560)
  }

  @Test(arguments: Policy.allCases)
  func `two_lost_one_arrives_in_time: of two that are missing the one that comes in time is played`(policy: Policy) {
    var listener = Listener(policy)
    for number in Int64(0)..<9 where number != 5 && number != 6 { listener.take(number, at: number * 20) }
    #expect(listener.played.max() ?? 0 < 6)
    #expect(listener.take(6, at: 175) == .stored)
    for number in Int64(9)..<20 { listener.take(number, at: number * 20) }
    listener.buffer.end()
    listener.listen(until: 2000)
    #expect(listener.played == Array(0..<5) + Array(6..<20))
    #expect(listener.buffer.counts.concealed == 1)
    #expect(listener.concealments.count == 1)
  }

  @Test(arguments: Policy.allCases)
  func `out_of_order_loss_not_reported: what comes out of order but in time isn't lost`(policy: Policy) {
    var listener = Listener(policy)
    for (number, arrival) in [(0, 0), (1, 20), (4, 80), (3, 81), (2, 82), (5, 100), (8, 160), (6, 161), (7, 162)]
      as [(Int64, Int64)]
    {
      #expect(listener.take(number, at: arrival) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 1000)
    #expect(listener.played == Array(0..<9))
    #expect(listener.buffer.counts.concealed == 0)
    #expect(listener.concealments.isEmpty)
  }

  @Test func `late_packets_still_makes_lost_events: packets that are all too late are concealed one by one`() {
    var listener = Listener()
    for number in Int64(0)..<10 { listener.take(number, at: number * 20) }
    for number in Int64(10)..<20 { #expect(listener.take(number, at: number * 20 + 100) == .late) }
    for number in Int64(20)..<30 { listener.take(number, at: max(number * 20, 481)) }
    listener.listen(until: 2000)
    #expect(listener.buffer.counts.concealed >= 10)
    #expect(listener.buffer.counts.played + listener.buffer.counts.concealed == 30)
    #expect(listener.concealments.count >= 10)
  }

  @Test func `num_late_when_considered_lost_arrives: a packet that was concealed is late, and counts once`() {
    var listener = Listener()
    for number in Int64(0)..<20 where number != 5 { listener.take(number, at: number * 20) }
    #expect(listener.take(5, at: 400) == .late)
    #expect(listener.take(5, at: 420) == .late)
    listener.buffer.end()
    listener.listen(until: 2000)
    let counts = listener.buffer.counts
    #expect(counts.played == 19)
    #expect(counts.concealed == 1)
    #expect(listener.played == Array(0..<5) + Array(6..<20))
  }

  @Test func `lost_event_uses_pts: a gap is filled at its media time, not when packets around it came`() {
    var listener = Listener()
    // Its neighbours come late, but in time; the gap is filled at the missing packet's time.
    for (number, arrival) in [(0, 0), (1, 20), (2, 75), (4, 130), (5, 131)] as [(Int64, Int64)] {
      listener.take(number, at: arrival)
    }
    listener.listen(until: 1000)
    #expect(listener.concealments.first?.at == .milliseconds(3 * 20 + 60))
    #expect(listener.time(of: 4) == .milliseconds(4 * 20 + 60))
  }

  @Test func `lost_event_with_backwards_rtptime: a gap between timestamps that step back is filled for no time`() {
    var listener = Listener()
    // As with frames that are sent in another order than shown: 0 3 1 (lost) 6.
    let timestamps: [Int64] = [0, 3, 1, 2, 6, 4, 5]
    for number in Int64(0)..<7 where number != 3 {
      listener.take(number, at: number * 20, timestamp: timestamps[Int(number)] * 960)
    }
    listener.buffer.end()
    listener.listen(until: 5000)
    #expect(listener.played == listener.played.sorted())
    #expect(listener.concealments.allSatisfy { $0.units > 0 })
    #expect(listener.heardUnits <= 12 * 960)
  }

  @Test func `lost_event_with_backwards_rtptime: where media isn't one timeline nothing is filled`() {
    var listener = Listener(isContinuous: false)
    let timestamps: [Int64] = [0, 3, 1, 2, 6, 4, 5]
    for number in Int64(0)..<7 where number != 3 {
      listener.take(number, at: number * 20, timestamp: timestamps[Int(number)] * 960, duration: 0)
    }
    listener.buffer.end()
    listener.listen(until: 5000)
    #expect(listener.story == ["play 0", "play 1", "play 2", "play 4", "play 5", "play 6"])
    #expect(listener.buffer.counts.concealed == 1)
  }

  @Test func `loss_equidistant_spacing_with_parameter_packets: packets without length share a time`() {
    var listener = Listener(isContinuous: false)
    // Each picture is preceded by two packets of parameters with its timestamp; one of them is lost.
    for number in Int64(0)..<30 where number != 13 {
      let picture = number / 3
      #expect(listener.take(number, at: picture * 40 + number % 3, timestamp: picture * 1920, duration: 0) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 5000)
    #expect(listener.played == Array(0..<13) + Array(14..<30))
    #expect(listener.buffer.counts.concealed == 1)
    for picture in Int64(0)..<10 where picture != 4 {
      #expect(listener.time(of: picture * 3) == listener.time(of: picture * 3 + 2))
    }
  }

  @Test(arguments: Policy.allCases, [1, 2, 3, 5, 7] as [Int64])
  func `no_fractional_lost_event_durations: a gap is filled by whole packets that add up to it`(
    policy: Policy, missing: Int64
  ) {
    var listener = Listener(policy) { $0.clockRate = 44_100 }
    // 23.2 ms: no whole number of ms, nor of units in 10 ms.
    for number in Int64(0)..<30 where !(10..<10 + missing).contains(number) {
      listener.listen(until: .zero + Interval(units: number * 1023, rate: 44_100))
      let packet = BufferedPacket(
        sequence: number, timestamp: number * 1023, duration: 1023,
        arrival: .zero + Interval(units: number * 1023, rate: 44_100))
      #expect(listener.buffer.insert(packet, payload: [UInt8](repeating: 0, count: 4).span.bytes) == .stored)
    }
    listener.buffer.end()
    listener.listen(until: 5000)
    let counts = listener.buffer.counts
    #expect(counts.concealed == Int(missing))
    #expect(counts.concealedUnits == missing * 1023)
    #expect(counts.units == 30 * 1023)
    if policy == .fixed { #expect(listener.concealments.allSatisfy { $0.units == 1023 }) }
  }

  @Test func `late_lost_with_same_pts: late packets with a timestamp that was played aren't played after it`() {
    var listener = Listener(isContinuous: false)
    for number in [0, 1, 4, 5] as [Int64] {
      listener.take(number, at: number / 2 * 40, timestamp: number / 2 * 1920, duration: 0)
    }
    listener.listen(until: 160)
    #expect(listener.take(2, at: 160, timestamp: 1920, duration: 0) == .late)
    #expect(listener.take(3, at: 160, timestamp: 1920, duration: 0) == .late)
    listener.take(6, at: 161, timestamp: 3 * 1920, duration: 0)
    listener.buffer.end()
    listener.listen(until: 1000)
    #expect(listener.played == [0, 1, 4, 5, 6])
    #expect(listener.buffer.counts.concealed == 2)
  }

  @Test func `drop_messages_too_late: a packet that comes too late is told to be late, each time`() {
    var listener = Listener()
    var late = 0
    for number in Int64(0)..<100 {
      let delay: Int64 = number % 10 == 9 ? 90 : 0
      // The late one comes after its successors.
      if delay == 0 { listener.take(number, at: number * 20) }
      if number % 10 == 3, number > 10 {
        late += listener.take(number - 4, at: number * 20 + 10) == .late ? 1 : 0
      }
    }
    listener.buffer.end()
    listener.listen(until: 5000)
    #expect(late == 9)
    #expect(listener.buffer.counts.played == 90)
    #expect(listener.buffer.counts.concealed == 9)
  }
}
