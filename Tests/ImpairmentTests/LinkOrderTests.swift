import Impairment
import Testing
import Timeline

@Suite struct LinkOrderTests {
  @Test func `a packet held back is overtaken by exactly as many as asked for`() throws {
    for by in [1, 3, 7] {
      var crossing = try Crossing("reorder=4%,reorder-by=\(by),delay=20ms,jitter=6ms,seed=9")
      crossing.run(count: 10_000)
      let position = Dictionary(uniqueKeysWithValues: crossing.deliveries.enumerated().map { ($1.sentIndex, $0) })
      let heldBack = Set(crossing.fates.filter(\.isHeldBack).map(\.index))
      #expect(abs(heldBack.count - 400) < 80)
      for index in heldBack where index < 9900 {
        let place = try #require(position[index])
        let overtakers = crossing.deliveries[..<place].filter { $0.sentIndex > index }
        #expect(overtakers.count { !heldBack.contains($0.sentIndex) } == by)
        let last = try #require(overtakers.last { !heldBack.contains($0.sentIndex) })
        #expect(last.deliveredAt == crossing.deliveries[place].deliveredAt)
      }
      // All but those at the very end count as reordered, and no other packet does.
      #expect(crossing.link.record.reordered <= heldBack.count)
      #expect(Int(crossing.link.record.reordered) >= heldBack.count - by)
      #expect(crossing.link.record.reordered == crossing.reorderedIndices.count)
    }
  }

  @Test func `only packets held back are reordered, however long the jitter blocks the way`() throws {
    // Now and then a delay of more than a second holds up all that come behind, for longer than a packet is held back.
    var crossing = try Crossing("delay=120ms,jitter=60ms,jitter-shape=heavy,reorder=2%,reorder-wait=20ms,seed=3")
    crossing.run(count: 100_000, every: .milliseconds(1))
    #expect(crossing.delays.max() ?? 0 > 1000)
    #expect(crossing.link.record.reordered > 500)
    #expect(crossing.reorderedIndices.allSatisfy { crossing.fates[Int($0)].isHeldBack })
  }

  @Test func `a packet is held back no longer than its wait`() throws {
    var crossing = try Crossing("reorder=5%,reorder-by=3,reorder-wait=30ms,delay=10ms,seed=9")
    crossing.run(count: 2000)
    // One packet every 20 ms: the second overtaker comes after 40 ms, too late.
    let heldBack = crossing.deliveries.filter { crossing.fates[Int($0.sentIndex)].isHeldBack }
    #expect(heldBack.count > 50)
    #expect(heldBack.allSatisfy { $0.deliveredAt - $0.sentAt == .milliseconds(40) })
    #expect(Int(crossing.link.record.reordered) <= heldBack.count && crossing.link.record.reordered > 50)
  }

  @Test func `when all packets are held back they only come later`() throws {
    var crossing = try Crossing("reorder=100%,reorder-wait=30ms,delay=10ms")
    crossing.run(count: 500)
    #expect(crossing.deliveries.map(\.sentIndex) == Array(0..<500))
    #expect(crossing.delays.allSatisfy { $0 == 40 })
    #expect(crossing.link.record.reordered == 0)
  }

  @Test func `a duplicate follows right behind the first copy, or as much later as asked for`() throws {
    var close = try Crossing("duplicate=10%,delay=10ms,jitter=30ms,seed=2")
    close.run(count: 5000)
    #expect(abs(Int(close.link.record.duplicated) - 500) < 90)
    for (place, delivery) in close.deliveries.enumerated() where delivery.copy == 1 {
      let first = close.deliveries[place - 1]
      #expect(first.sentIndex == delivery.sentIndex && first.copy == 0 && first.deliveredAt == delivery.deliveredAt)
    }
    var far = try Crossing("duplicate=10%,duplicate-delay=50ms,seed=2")
    far.run(count: 5000)
    for delivery in far.deliveries {
      #expect(delivery.deliveredAt - delivery.sentAt == .milliseconds(delivery.copy == 0 ? 0 : 50))
    }
    // A duplicate that comes after later packets isn't reordered (RFC 4737: the first copy counts).
    #expect(far.link.record.reordered == 0 && far.link.record.duplicated == close.link.record.duplicated)
  }

  @Test func `a corrupted packet has one bit flipped, any of them, the same in both copies`() throws {
    var crossing = try Crossing("corrupt=20%,duplicate=50%,seed=2")
    crossing.run(count: 20_000, bytes: 10)
    var seen = Set<Int>()
    for delivery in crossing.deliveries {
      #expect(delivery.corruptedBit == crossing.fates[Int(delivery.sentIndex)].corruptedBit)
      let original: [UInt8] = Array(repeating: 0x55, count: 10)
      var datagram = original
      delivery.corrupt(&datagram)
      let flipped = zip(original, datagram).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
      #expect(flipped == (delivery.corruptedBit == nil ? 0 : 1))
      if let bit = delivery.corruptedBit {
        seen.insert(bit)
        #expect((original[bit / 8] ^ datagram[bit / 8]) << (bit % 8) == 0x80)
      }
    }
    #expect(seen == Set(0..<80))
    let corrupted = crossing.fates.filter { $0.corruptedBit != nil }
    #expect(abs(corrupted.count - 4000) < 250)
    #expect(crossing.link.record.corrupted == crossing.deliveries.count { $0.corruptedBit != nil })
  }

  @Test func `a bit beyond a short datagram wraps around, and an empty one has none`() throws {
    var link = Link<Int>(try LinkSpec(parsing: "corrupt=100%,seed=2"))
    for _ in 0..<100 { link.send(0, bytes: 200, at: .zero) }
    while let delivery = link.receive(at: .zero) {
      var datagram: [UInt8] = [0, 0]
      delivery.corrupt(&datagram)
      #expect(datagram[0].nonzeroBitCount + datagram[1].nonzeroBitCount == 1)
      var empty: [UInt8] = []
      delivery.corrupt(&empty)
      #expect(empty.isEmpty)
    }
    #expect(link.send(0, bytes: 0, at: .zero).corruptedBit == nil)
  }

  @Test func `time that runs backwards never delivers before an earlier delivery`() throws {
    var link = Link<Int>(try LinkSpec(parsing: "delay=10ms"))
    link.send(0, bytes: 1, at: Instant.zero + .milliseconds(100))
    #expect(link.receive(at: Instant.zero + .milliseconds(109)) == nil)
    #expect(link.nextDelivery == Instant.zero + .milliseconds(110))
    #expect(link.receive(at: Instant.zero + .milliseconds(200))?.deliveredAt == Instant.zero + .milliseconds(110))
    #expect(link.send(1, bytes: 1, at: .zero).delay == .milliseconds(10))
    #expect(link.nextDelivery == Instant.zero + .milliseconds(120))
  }
}

@Suite struct LinkPropertyTests {
  /// What holds for every link, whatever it is told to do.
  private func check(_ crossing: Crossing, count: Int, seed: Int) {
    let record = crossing.link.record
    let story: Comment = "seed \(seed): \(crossing.link.spec)"
    #expect(record.offered == count && record.inFlight == 0 && record.bytesInFlight == 0, story)
    #expect(crossing.link.nextDelivery == nil, story)
    #expect(record.delivered == crossing.deliveries.count, story)
    for cause in LinkFate.Cause.allCases {
      let counted = crossing.fates.count { $0.cause == cause }
      switch cause {
      case .delivered: #expect(record.offered - record.dropped == counted, story)
      case .lost: #expect(record.lost == counted, story)
      case .queueFull: #expect(record.queueDropped == counted, story)
      case .outage: #expect(record.outageLost == counted, story)
      }
    }
    #expect(record.duplicated == crossing.fates.count { $0.copies == 2 }, story)
    #expect(record.reordered == crossing.reorderedIndices.count, story)
    #expect(record.corrupted == crossing.deliveries.count { $0.corruptedBit != nil }, story)
    #expect(record.bytesDelivered == crossing.deliveries.reduce(0) { $0 + UInt64($1.bytes) }, story)
    if crossing.link.spec.jitterOrder == .keep {
      #expect(crossing.reorderedIndices.allSatisfy { crossing.fates[Int($0)].isHeldBack }, story)
    }
    var arrived = Array(repeating: 0, count: count)
    var last = Instant.zero
    for delivery in crossing.deliveries {
      #expect(delivery.deliveredAt >= last && delivery.deliveredAt >= delivery.sentAt, story)
      #expect(delivery.payload == delivery.sentIndex && delivery.copy == arrived[delivery.payload], story)
      last = delivery.deliveredAt
      arrived[delivery.payload] += 1
    }
    #expect(arrived == crossing.fates.map(\.copies), story)
    var runs = 0
    var longest = 0
    var current = 0
    for fate in crossing.fates {
      current = fate.copies == 0 ? current + 1 : 0
      runs += current == 1 ? 1 : 0
      longest = max(longest, current)
    }
    #expect(record.lossRuns == runs && record.longestLossRun == longest, story)
  }

  private func balances(_ record: LinkRecord) -> Bool {
    let gone = record.lost + record.queueDropped + record.outageLost
    return record.offered + record.duplicated == record.delivered + gone + record.inFlight
      && record.bytesOffered + record.bytesDuplicated
        == record.bytesDelivered + record.bytesDropped + record.bytesInFlight
  }

  @Test func `in 200 random links the counts add up and agree with a recount, at every moment`() throws {
    for seed in 0..<200 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let text = randomSpecText(&generator)
      var crossing = try Crossing(text, stream: generator.next())
      var now = Instant.zero
      for packet in 0..<400 {
        now += .microseconds(Int64(generator.next() % 15_000))
        crossing.drain(until: now)
        crossing.fates.append(crossing.link.send(packet, bytes: Int(generator.next() % 1500), at: now))
        #expect(balances(crossing.link.record), "seed \(seed), packet \(packet): \(text)")
      }
      crossing.drain(until: .distantFuture)
      #expect(balances(crossing.link.record), "seed \(seed): \(text)")
      check(crossing, count: 400, seed: seed)
    }
  }

  @Test func `what happens doesn't depend on how often one asks`() throws {
    for seed in 0..<60 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let text = randomSpecText(&generator)
      var eager = try Crossing(text)
      eager.run(count: 300, every: .milliseconds(7))
      var lazy = try Crossing(text)
      for packet in 0..<300 {
        let now = Instant.zero + .milliseconds(7) * Int64(packet)
        lazy.fates.append(lazy.link.send(packet, bytes: 172, at: now))
        guard packet % 50 == 49 else { continue }
        while let delivery = lazy.link.receive(at: now) { lazy.deliveries.append(delivery) }
      }
      lazy.drain(until: .distantFuture)
      #expect(eager.fates == lazy.fates, "seed \(seed): \(text)")
      #expect(eager.link.record == lazy.link.record, "seed \(seed): \(text)")
      func story(_ crossing: Crossing) -> [[Int64]] {
        crossing.deliveries.map { [Int64($0.sentIndex), Int64($0.copy), $0.deliveredAt.nanoseconds] }
      }
      #expect(story(eager) == story(lazy), "seed \(seed): \(text)")
    }
  }

  @Test func `a seed keeps its meaning for ever`() throws {
    var crossing = try Crossing(
      "ge=3%:30%:1%:80%,outage=2s:100ms,delay=80ms,jitter=40ms,jitter-shape=heavy,reorder=3%,duplicate=2%,corrupt=1%,"
        + "rate=1mbit,seed=42")
    crossing.run(count: 1000)
    let record = crossing.link.record
    #expect(
      [record.delivered, record.lost, record.outageLost, record.duplicated, record.reordered] == [892, 83, 43, 18, 19])
    #expect(crossing.deliveries.prefix(3).map(\.deliveredAt.nanoseconds) == [54_249_173, 79_109_222, 96_555_968])
  }
}
