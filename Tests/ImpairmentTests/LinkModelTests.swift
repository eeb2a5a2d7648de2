import Impairment
import Testing
import Timeline

@Suite struct LinkLossTests {
  @Test func `independent loss has the rate asked for and runs as long as chance makes them`() throws {
    var crossing = try Crossing("loss=5%,seed=3")
    crossing.run(count: 200_000)
    let record = crossing.link.record
    #expect(abs(Double(record.lost) / 200_000 - 0.05) < 0.002)
    #expect(abs(Double(record.dropped) / Double(record.lossRuns) - 1 / 0.95) < 0.01)
  }

  @Test(arguments: [(3.0, 0.03), (1.0, 0.1), (8.0, 0.3), (1.5, 0.02)])
  func `bursts have the loss and the mean length asked for`(burst: Double, loss: Double) throws {
    var crossing = try Crossing("loss=\(loss),burst=\(burst),seed=11")
    crossing.run(count: 400_000)
    let record = crossing.link.record
    #expect(abs(Double(record.lost) / 400_000 / loss - 1) < 0.06)
    #expect(abs(Double(record.lost) / Double(record.lossRuns) / burst - 1) < 0.05)
    #expect(burst > 1 || record.longestLossRun == 1)
  }

  @Test func `Gilbert-Elliott loss has the rate of its four probabilities`() throws {
    var crossing = try Crossing("ge=1%:20%:0.5%:60%,seed=5")
    crossing.run(count: 400_000)
    let expected = crossing.link.spec.expectedLoss
    #expect(abs(expected - (0.005 * 20 / 21 + 0.6 / 21)) < 1e-12)
    #expect(abs(Double(crossing.link.record.lost) / 400_000 / expected - 1) < 0.05)
  }

  @Test func `all packets are lost at 100 % and none at 0 %`() throws {
    for text in ["loss=100%", "loss=100%,burst=3", "ge=100%:0%"] {
      var crossing = try Crossing(text)
      crossing.run(count: 1000)
      #expect(crossing.link.record.lost == 1000 && crossing.deliveries.isEmpty, "\(text)")
      #expect(crossing.link.record.lossRuns == 1 && crossing.link.record.longestLossRun == 1000)
    }
    var clean = try Crossing("loss=0%")
    clean.run(count: 1000)
    #expect(clean.deliveries.map(\.sentIndex) == Array(0..<1000))
    #expect(clean.delays.allSatisfy { $0 == 0 })
  }

  @Test func `the same packets are lost whatever else the link does`() throws {
    var plain = try Crossing("loss=5%,burst=2,seed=1")
    plain.run(count: 5000)
    let others = [
      "delay=40ms,jitter=10ms", "jitter=5ms,jitter-order=break,jitter-shape=heavy", "reorder=10%,duplicate=20%",
      "corrupt=50%", "rate=10mbit,queue=1s", "duplicate=100%,reorder=100%",
    ]
    #expect(plain.lostIndices.count > 150)
    for other in others {
      var crossing = try Crossing("loss=5%,burst=2,seed=1," + other)
      crossing.run(count: 5000)
      #expect(crossing.lostIndices == plain.lostIndices, "\(other)")
    }
    // A packet that falls to an outage may be one that would have been lost, but no other one is lost.
    var fading = try Crossing("loss=5%,burst=2,seed=1,outage=2s:200ms")
    fading.run(count: 5000)
    let gone = Set(fading.fates.filter { $0.cause == .outage }.map(\.index))
    #expect(!gone.isEmpty && fading.lostIndices == plain.lostIndices.filter { !gone.contains($0) })
  }

  @Test func `the other effects don't depend on each other either`() throws {
    var plain = try Crossing("jitter=3ms,delay=40ms,jitter-order=break,reorder=5%,duplicate=5%,corrupt=5%,seed=8")
    var lossy = try Crossing(
      "jitter=3ms,delay=40ms,jitter-order=break,reorder=5%,duplicate=5%,corrupt=5%,seed=8,loss=30%,outage=1s:50ms")
    plain.run(count: 5000)
    lossy.run(count: 5000)
    var compared = 0
    for (left, right) in zip(plain.fates, lossy.fates) where right.cause == .delivered {
      #expect(left.copies == right.copies && left.corruptedBit == right.corruptedBit)
      #expect(left.isHeldBack == right.isHeldBack && left.delay == right.delay)
      compared += 1
    }
    #expect(compared > 3000)
  }

  @Test func `what is lost at 5 % is lost at 10 % as well`() throws {
    var mild = try Crossing("loss=5%,seed=4")
    var harsh = try Crossing("loss=10%,seed=4")
    mild.run(count: 10_000)
    harsh.run(count: 10_000)
    #expect(Set(mild.lostIndices).isStrictSubset(of: harsh.lostIndices))
  }

  @Test func `streams and seeds are independent of each other, and each repeats itself`() throws {
    func lost(seed: Int, stream: UInt64) throws -> Set<UInt64> {
      var crossing = try Crossing("loss=20%,seed=\(seed)", stream: stream)
      crossing.run(count: 20_000)
      return Set(crossing.lostIndices)
    }
    let first = try lost(seed: 1, stream: 0)
    #expect(try lost(seed: 1, stream: 0) == first)
    for other in [try lost(seed: 1, stream: 1), try lost(seed: 2, stream: 0), try lost(seed: 0, stream: 1)] {
      // 20 % of 20 % of 20 000.
      #expect(abs(first.intersection(other).count - 800) < 120)
    }
  }

  @Test func `an outage takes everything for a while, by time and not by packets`() throws {
    var slow = try Crossing("outage=1s:250ms,seed=2")
    var fast = try Crossing("outage=1s:250ms,seed=2")
    slow.run(count: 100_000, every: .milliseconds(20))
    fast.run(count: 400_000, every: .milliseconds(5))
    #expect(abs(Double(slow.link.record.outageLost) / 100_000 - 0.2) < 0.02)
    let sampled = stride(from: 0, to: 400_000, by: 4).map { fast.fates[$0].cause }
    #expect(sampled == slow.fates.map(\.cause))
    // Mean 250 ms at one packet every 5 ms, but outages between two packets aren't seen.
    let record = fast.link.record
    #expect(abs(Double(record.dropped) / Double(record.lossRuns) - 51) < 4)
  }

  @Test func `a jump of years over an outage takes no time`() throws {
    var link = Link<Int>(try LinkSpec(parsing: "outage=1ms:1ms,seed=2"))
    var down = 0
    for year in 0..<1000 {
      let fate = link.send(0, bytes: 1, at: Instant(nanoseconds: Int64(year) * 9_000_000_000_000_000))
      down += fate.cause == .outage ? 1 : 0
    }
    #expect(abs(down - 500) < 80)
    _ = link.send(0, bytes: 1, at: .distantFuture)
    _ = link.send(0, bytes: 1, at: .distantFuture)
    #expect(link.record.offered == 1002)
  }
}

@Suite struct LinkDelayTests {
  /// Quantiles of the standard normal distribution, from tables.
  static let normal = [(0.001, -3.0902), (0.05, -1.6449), (0.5, 0.0), (0.95, 1.6449), (0.99, 2.3263), (0.999, 3.0902)]

  @Test func `normal jitter has the mean, the deviation and the tails of the normal distribution`() throws {
    var crossing = try Crossing("delay=100ms,jitter=10ms,jitter-order=break,seed=6")
    crossing.run(count: 200_000)
    let sample = Sample(crossing.delays)
    #expect(abs(sample.mean - 100) < 0.1)
    #expect(abs(sample.deviation - 10) < 0.1)
    for (share, deviate) in Self.normal {
      #expect(abs(sample.quantile(share) - 100 - 10 * deviate) < (abs(deviate) > 3 ? 1 : 0.2), "at \(share)")
    }
  }

  @Test func `heavy jitter has the same mean and deviation and log-normal tails`() throws {
    var crossing = try Crossing("delay=100ms,jitter=10ms,jitter-shape=heavy,jitter-order=break,seed=6")
    crossing.run(count: 400_000)
    let sample = Sample(crossing.delays)
    #expect(abs(sample.mean - 100) < 0.15)
    #expect(abs(sample.deviation - 10) < 0.4)
    // (e^z - √e) / √(e(e - 1)) for the z of each share, worked out by hand.
    let expected = [(0.001, -0.7418), (0.05, -0.6736), (0.5, -0.3002), (0.95, 1.6340), (0.99, 3.9748), (0.999, 9.4089)]
    for (share, deviate) in expected {
      #expect(abs(sample.quantile(share) - 100 - 10 * deviate) < (deviate > 3 ? 4 : 0.3), "at \(share)")
    }
    #expect((sample.sorted.first ?? 0) > 100 - 10 * 0.7629)
  }

  @Test func `no packet takes less than no time`() throws {
    var crossing = try Crossing("delay=5ms,jitter=20ms,jitter-order=break,seed=6")
    crossing.run(count: 10_000)
    let sample = Sample(crossing.delays)
    #expect(sample.sorted.first == 0)
    // A delay of zero stands for all that the normal distribution puts below it: 40.1 %.
    #expect(abs(Double(crossing.delays.count { $0 == 0 }) / 10_000 - 0.4013) < 0.02)
  }

  @Test func `jitter keeps the order unless it is told to break it`() throws {
    var kept = try Crossing("delay=50ms,jitter=30ms,seed=2")
    var broken = try Crossing("delay=50ms,jitter=30ms,jitter-order=break,seed=2")
    kept.run(count: 20_000)
    broken.run(count: 20_000)
    #expect(kept.deliveries.map(\.sentIndex) == Array(0..<20_000))
    #expect(kept.link.record.reordered == 0)
    #expect(broken.link.record.reordered > 4000)
    #expect(broken.link.record.reordered == broken.reorderedIndices.count)
    // Keeping the order only ever makes a packet later.
    for (left, right) in zip(kept.fates, broken.fates) {
      #expect((left.delay ?? .zero) >= (right.delay ?? .zero))
    }
  }

  @Test func `the fate foretells when each copy arrives`() throws {
    var crossing = try Crossing("delay=9ms,jitter=3ms,jitter-shape=heavy,duplicate=30%,duplicate-delay=7ms,rate=1mbit")
    crossing.run(count: 3000)
    for delivery in crossing.deliveries {
      let fate = crossing.fates[Int(delivery.sentIndex)]
      #expect(delivery.deliveredAt - delivery.sentAt == (delivery.copy == 0 ? fate.delay : fate.duplicateDelay))
      #expect(delivery.sentAt == Instant.zero + .milliseconds(20) * Int64(delivery.sentIndex))
    }
  }
}

@Suite struct LinkLineTests {
  @Test func `a saturated line passes exactly its rate`() throws {
    // 1000 B take 8/3 ms: no whole number of nanoseconds, and the fractions must not be lost.
    var crossing = try Crossing("rate=3mbit,queue=60s")
    crossing.run(count: 20_000, bytes: 1000, every: .milliseconds(1))
    #expect(crossing.link.record.queueDropped == 0)
    for packet in [0, 1, 2, 3, 299, 2999, 19_999] {
      let nanoseconds = (packet + 1) * 8_000_000 / 3
      #expect(crossing.deliveries[packet].deliveredAt == Instant(nanoseconds: Int64(nanoseconds)))
    }
  }

  @Test func `a line below its rate delays each packet by its own length only`() throws {
    var crossing = try Crossing("rate=1mbit,delay=10ms")
    crossing.run(count: 100, bytes: 125)
    #expect(crossing.delays.allSatisfy { $0 == 11 })
  }

  @Test func `a queue in time bounds the wait and drops the rest at the tail`() throws {
    var crossing = try Crossing("rate=1mbit,queue=50ms")
    crossing.run(count: 5000, bytes: 1250, every: .milliseconds(5))
    // Each takes 10 ms and comes every 5 ms: half is dropped, and the wait stays full once it is.
    let record = crossing.link.record
    #expect(abs(Int(record.queueDropped) - 2500) < 10)
    #expect(crossing.delays.max() ?? 0 <= 60 && crossing.delays.max() ?? 0 > 50)
    #expect(crossing.delays.suffix(1000).allSatisfy { $0 > 50 })
  }

  @Test func `a queue in bytes holds that many and no more`() throws {
    var link = Link<Int>(try LinkSpec(parsing: "rate=1mbit,queue=3kB"))
    let causes = (0..<6).map { link.send($0, bytes: 1000, at: .zero).cause }
    #expect(causes == [.delivered, .delivered, .delivered, .queueFull, .queueFull, .queueFull])
    #expect(link.send(6, bytes: 1000, at: Instant.zero + .milliseconds(8)).cause == .delivered)
    #expect(link.send(7, bytes: 1000, at: Instant.zero + .milliseconds(8)).cause == .queueFull)
  }

  @Test func `without a queue a packet passes only an idle line`() throws {
    for queue in ["0ms", "0B"] {
      var link = Link<Int>(try LinkSpec(parsing: "rate=1mbit,queue=\(queue)"))
      #expect(link.send(0, bytes: 1250, at: .zero).cause == .delivered)
      #expect(link.send(1, bytes: 1250, at: Instant.zero + .milliseconds(9)).cause == .queueFull)
      #expect(link.send(2, bytes: 1250, at: Instant.zero + .milliseconds(10)).cause == .delivered)
    }
  }

  @Test func `a packet lost behind the line has taken its time on it`() throws {
    var crossing = try Crossing("rate=1mbit,queue=60s,loss=50%,seed=3")
    crossing.run(count: 100, bytes: 1250, every: .zero)
    for delivery in crossing.deliveries {
      #expect(delivery.deliveredAt == Instant.zero + .milliseconds(10) * Int64(delivery.sentIndex + 1))
    }
  }

  @Test func `packets under way are bounded`() throws {
    var link = Link<Int>(try LinkSpec(parsing: "delay=60s,duplicate=50%"))
    for packet in 0..<120_000 { link.send(packet, bytes: 100, at: .zero) }
    #expect(link.record.inFlight <= UInt64(Link<Int>.capacity))
    #expect(link.record.inFlight >= UInt64(Link<Int>.capacity) - 1)
    #expect(link.record.queueDropped > 50_000)
    while link.receive(at: .distantFuture) != nil {}
    #expect(link.record.inFlight == 0)
  }

  @Test func `absurd sizes and times don't trap`() throws {
    let text =
      "rate=1kbit,queue=60s,delay=60s,jitter=60s,jitter-shape=heavy,reorder=20%,reorder-wait=60s,"
      + "duplicate=50%,duplicate-delay=60s,corrupt=100%,outage=1ms:1ms"
    var link = Link<Int>(try LinkSpec(parsing: text))
    for now in [Instant(nanoseconds: .min), .zero, Instant(nanoseconds: .max - 5), .distantFuture, .zero] {
      for bytes in [Int.min, -1, 0, 1, 65_535, Int(Int32.max), .max] {
        for _ in 0..<20 { link.send(0, bytes: bytes, at: now) }
      }
      while link.receive(at: now) != nil {}
    }
    while link.receive(at: .distantFuture) != nil {}
    #expect(link.record.inFlight == 0 && link.record.offered == 700)
  }
}
