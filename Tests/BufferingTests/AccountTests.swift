import Buffering
import Testing
import Timeline

/// What is counted of the audio that leaves the buffer, by hand.
struct AccountTests {
  @Test func `a packet waits from its arrival until its time`() {
    var listener = Listener(target: 60)
    // The second is 10 ms slower than the others, so it waits for 50 ms.
    listener.take(0, at: 0)
    listener.take(1, at: 30)
    listener.take(2, at: 40)
    listener.buffer.end()
    listener.listen(until: 1000)
    let counts = listener.buffer.counts
    #expect(counts.playedUnits == 3 * 960)
    #expect(abs(counts.waited / 960 - (0.060 + 0.050 + 0.060)) < 1e-6)
    #expect(abs(counts.targeted / 960 - 0.180) < 1e-6)
    #expect(counts.needed == 0)
  }

  @Test func `a run of losses is one event, and what goes on for long falls silent`() {
    var listener = Listener(target: 60)
    // 200 ms are concealed; of 15 packets lost in a row 100 ms remain, and of a single one nothing.
    for number in Int64(0)..<60 where !(10..<25).contains(number) && number != 40 {
      listener.take(number, at: number * 20)
    }
    listener.buffer.end()
    listener.listen(until: 3000)
    let counts = listener.buffer.counts
    #expect(counts.concealedUnits == 16 * 960)
    #expect(counts.silentConcealedUnits == 5 * 960)
    #expect(counts.concealmentEvents == 2)
  }

  @Test(arguments: [45, 55, 65] as [Int64])
  func `a packet is recovered when all of it was, and concealed when its beginning was before the copy came`(
    arrival: Int64
  ) {
    for policy in Policy.allCases {
      var listener = Listener(policy, target: 20)
      listener.take(0, at: 0)
      listener.take(1, at: 20)
      // Number 2 is lost. At 60 ms it is due, and the copy in number 3 is there or isn't.
      listener.take(3, at: arrival, carriesFEC: true)
      listener.take(4, at: 80)
      listener.buffer.end()
      listener.listen(until: 500)
      listener.buffer.settle(expected: 5)
      let counts = listener.buffer.counts
      let recovered = listener.decisions.reduce(Int64(0)) { sum, entry in
        if case .recover(_, let duration) = entry.decision { sum + duration } else { sum }
      }
      #expect(counts.recoveredUnits == recovered)
      #expect(counts.recovered == (recovered == Listener.tick ? 1 : 0), "\(policy) \(listener.story)")
      #expect(counts.played == 4 && counts.played + counts.recovered + counts.concealed == 5)
      #expect(listener.played == [0, 1, 3, 4])
    }
  }

  @Test func `an underrun is a stall when the packet came late, and a gap when it never came`() {
    var listener = Listener(target: 0) { $0.adaptation = JitterBuffer.Adaptation() }
    for number in Int64(0)..<100 {
      // Number 30 is lost, 60 is 50 ms late and holds the next two up.
      if number == 30 { continue }
      listener.take(number, at: (60...62).contains(number) ? 60 * 20 + 50 : number * 20)
    }
    listener.buffer.end()
    listener.listen(until: 5000)
    let counts = listener.buffer.counts
    #expect(counts.underruns == 2)
    #expect(counts.stalls == 1)
    #expect(counts.stalledUnits > 0 && counts.concealed == 1)
  }

  /// A second of packets, a second of nothing, and then it is known that no more come.
  private func deserted(_ adapts: Bool) -> Listener {
    var listener = Listener(target: 60) { if adapts { $0.adaptation = JitterBuffer.Adaptation() } }
    for number in Int64(0)..<50 { listener.take(number, at: number * 20) }
    listener.listen(until: 2000)
    listener.buffer.end()
    listener.listen(until: 3000)
    return listener
  }

  @Test(arguments: [false, true])
  func `what is filled in behind the last packet is counted apart`(adapts: Bool) {
    let listener = deserted(adapts)
    let counts = listener.buffer.counts
    #expect(counts.end.units > 40_000)
    #expect(counts.end.concealedUnits == counts.end.units)
    #expect(counts.end.silentUnits == counts.end.units - 9600)
    let filled = counts.end.units + counts.stalledUnits
    #expect(listener.heardUnits + counts.insertedUnits - counts.removedUnits - counts.units == filled)
  }

  @Test func `the end of a stream conceals nothing that counts`() {
    for adapts in [false, true] {
      let counts = deserted(adapts).buffer.counts
      #expect(counts.played == 50)
      #expect(counts.concealmentEvents == 0 && counts.underruns == 0 && counts.concealedUnits == 0)
    }
  }

  @Test func `what the stretcher made of a wish replaces the wish in the accounts`() {
    var buffer = JitterBuffer(
      {
        var configuration = JitterBuffer.Configuration(clockRate: 48_000, target: .zero)
        configuration.adaptation = JitterBuffer.Adaptation()
        return configuration
      }())
    var generator = SeededGenerator(seed: 7)
    var (inserted, removed, wishes) = (Int64(0), Int64(0), 0)
    var arrivals: [(at: Int64, number: Int64)] = (Int64(0)..<1500).map { number in
      (number * 20 + Int64.random(in: 0..<60, using: &generator), number)
    }
    arrivals.sort { $0.at < $1.at }
    let payload = [UInt8](repeating: 0, count: 40)
    for arrival in arrivals {
      let now = Instant.zero + .milliseconds(arrival.at)
      decisions: while true {
        switch buffer.poll(at: now) {
        case .wait, .ended: break decisions
        case .play:
          let stretch = buffer.stretch
          guard stretch.most != 0 else { continue }
          wishes += 1
          // Sometimes nothing, sometimes less, sometimes all of it.
          let done = [0, stretch.most / 2, stretch.most][wishes % 3]
          if done > 0 { inserted += done } else { removed -= done }
          buffer.settleStretch(done)
        default: continue
        }
      }
      _ = buffer.insert(
        BufferedPacket(sequence: arrival.number, timestamp: arrival.number * 960, duration: 960, arrival: now),
        payload: payload.span.bytes)
    }
    #expect(wishes > 10)
    #expect(buffer.counts.insertedUnits == inserted)
    #expect(buffer.counts.removedUnits == removed)
  }

  @Test func `a packet played as it is doesn't end the rest after a change`() {
    // A player reports each packet, also those that nothing was wished of; one that doesn't must be given the same.
    var counts: [PlayoutCounts] = []
    for reportsAll in [true, false] {
      var listener = Listener(.adaptive, target: 0)
      var generator = SeededGenerator(seed: 5)
      for number in Int64(0)..<3000 {
        let now = Instant.zero + .milliseconds(number * 20 + (number % 200 < 10 ? 180 - number % 200 * 18 : 0))
        decisions: while true {
          switch listener.buffer.poll(at: now) {
          case .wait, .ended: break decisions
          case .play:
            let wish = listener.buffer.stretch
            if wish.most != 0 {
              listener.buffer.settleStretch(wish.most / Int64.random(in: 1...2, using: &generator))
            } else if reportsAll {
              listener.buffer.settleStretch(0)
            }
          default: continue
          }
        }
        _ = listener.buffer.insert(
          BufferedPacket(sequence: number, timestamp: number * 960, duration: 960, arrival: now),
          payload: [UInt8](repeating: 0, count: 40).span.bytes)
      }
      counts.append(listener.buffer.counts)
    }
    #expect(counts[0].stretches > 20)
    #expect(counts[0].stretches == counts[1].stretches)
    #expect(counts[0].removedUnits == counts[1].removedUnits)
  }

  @Test func `losses without jitter are concealed and stretch nothing`() {
    var listener = Listener(.adaptive, target: 0)
    var generator = SeededGenerator(seed: 9)
    var lost: Int64 = 0
    for number in Int64(0)..<5000 {
      if number > 50, number < 4990, Int.random(in: 0..<20, using: &generator) == 0 {
        lost += 1
      } else {
        listener.take(number, at: number * 20)
      }
    }
    listener.listen(until: 101_000)
    let counts = listener.buffer.counts
    #expect(lost > 200)
    #expect(counts.stretches == 0 && counts.insertedUnits == 0 && counts.removedUnits == 0)
    #expect(counts.concealed == Int(lost))
  }
}
