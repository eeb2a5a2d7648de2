import Foundation
import Testing
import Timeline

@testable import Statistics

/// The plainest account of a pattern of losses: one number after the other.
private struct PatternModel {
  var distances: [Int] = []
  var losses = 0
  /// Lengths and missing packets of bursts and gaps.
  var bursts: [(packets: Int, missing: Int)] = []
  var gaps: [(packets: Int, missing: Int)] = []

  /// Takes in one run of numbers: whether each arrived, and whether it was of use.
  mutating func add(arrived: [Bool], good: [Bool]) {
    var last: Int?
    for (place, isThere) in arrived.enumerated() where !isThere {
      losses += 1
      if let last { distances.append(place - last) }
      last = place
    }
    // Missing packets with fewer than 16 good ones between them belong together.
    var groups: [[Int]] = []
    for (place, isGood) in good.enumerated() where !isGood {
      if let before = groups.last?.last, place - before - 1 < 16 {
        groups[groups.count - 1].append(place)
      } else {
        groups.append([place])
      }
    }
    var gapStart = 0
    var gapMissing = 0
    func endGap(_ end: Int) {
      if end > gapStart { gaps.append((end - gapStart, gapMissing)) }
      gapMissing = 0
    }
    for group in groups {
      guard group.count > 1, let first = group.first, let end = group.last else {
        gapMissing += 1
        continue
      }
      endGap(first)
      bursts.append((end - first + 1, group.count))
      gapStart = end + 1
    }
    endGap(good.count)
  }
}

struct LossPatternTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `distances, bursts and gaps equal a walk over every number`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var statistics = ReceptionStatistics(clockRate: 8000)
    var model = PatternModel()
    let rate = [0.001, 0.01, 0.1, 0.5][Int(seed % 4)]
    let stay = [0.1, 0.7][Int(seed / 4 % 2)]
    var base: Int64 = 0
    for segment in 0..<3 {
      // More than the window holds in one of the segments, so that settling on the way and at the end both count.
      let count = segment == 1 ? 150_000 : 3000
      var arrived = [Bool](repeating: true, count: count)
      var good = arrived
      var losing = false
      for place in 0..<count where place > 0 && place < count - 1 {
        losing = random.nextUnit() < (losing ? stay : rate)
        arrived[place] = !losing
        good[place] = !losing && random.nextUnit() > rate / 3
      }
      model.add(arrived: arrived, good: good)
      // In order, but with one packet in ten late by a few places.
      var order = arrived.indices.filter { arrived[$0] }
      for place in stride(from: 0, to: order.count - 5, by: 10) { order.swapAt(place + 1, place + 4) }
      for place in order {
        let number = base + Int64(place)
        _ = statistics.take(number)
        if !good[place] { statistics.noteUseless(sequence: number) }
      }
      base += Int64(count) + 64
      if segment < 2 { statistics.restart() }
    }
    let summary = statistics.summary()
    let distance = summary.lossDistance
    #expect(distance.losses == model.losses && distance.count == model.distances.count)
    #expect(distance.max == model.distances.max() ?? 0)
    for value in 1...17 {
      let count = model.distances.count { min($0, 17) == value }
      #expect(distance.histogram[value - 1] == count)
    }
    #expect((distance.mean - Double(model.distances.reduce(0, +)) / Double(model.distances.count)).magnitude < 1e-6)
    let near = model.distances.count { $0 <= 16 }
    #expect(distance.noticeableRate() == Double(near) / Double(model.losses))

    let metrics = summary.burstGap
    #expect(metrics.burstCount == model.bursts.count && metrics.gapCount == model.gaps.count)
    #expect(metrics.burstPackets == model.bursts.reduce(0) { $0 + $1.packets })
    #expect(metrics.burstMissing == model.bursts.reduce(0) { $0 + $1.missing })
    #expect(metrics.gapPackets == model.gaps.reduce(0) { $0 + $1.packets })
    #expect(metrics.gapMissing == model.gaps.reduce(0) { $0 + $1.missing })
    #expect(metrics.burstPackets + metrics.gapPackets == summary.expected)
  }

  @Test func `the stream of RFC 3357's example`() {
    // Ten packets, of which 2, 5, 7, 9 and 10 are lost; an eleventh arrives.
    var distance = LossDistance()
    for isLost in [false, true, false, false, true, false, true, false, true, true, false] {
      if isLost { distance.appendLost(1) } else { distance.appendReceived(1) }
    }
    #expect(distance.losses == 5 && distance.count == 4)
    #expect(Array(distance.histogram[0..<3]) == [1, 2, 1])
    #expect(distance.noticeableRate(delta: 2) == 0.6 && distance.noticeableRate(delta: 1) == 0.2)
    #expect(distance.noticeableRate(delta: 0) == 0 && distance.noticeableRate(delta: 99) == 0.8)
  }

  @Test func `fifteen good packets hold a burst together, sixteen end it`() {
    var together = BurstGapMetrics()
    together.packetInterval = .milliseconds(20)
    for (good, missing) in [(100, 1), (15, 1), (100, 0)] {
      together.appendGood(good)
      together.appendMissing(missing)
    }
    together.close()
    #expect(together.burstCount == 1 && together.burstPackets == 17 && together.burstMissing == 2)
    #expect(together.gapCount == 2 && together.gapPackets == 200 && together.gapMissing == 0)
    #expect(together.burstDensity == 2.0 / 17 && together.meanBurst == .milliseconds(340))
    #expect(together.gapDensity == 0 && together.meanGap == .milliseconds(2000))

    var apart = BurstGapMetrics()
    for (good, missing) in [(100, 1), (16, 1), (100, 0)] {
      apart.appendGood(good)
      apart.appendMissing(missing)
    }
    apart.close()
    #expect(apart.burstCount == 0 && apart.burstDensity == 0 && apart.meanBurst == .zero)
    #expect(apart.gapCount == 1 && apart.gapPackets == 218 && apart.gapMissing == 2)
  }

  @Test func `the longest loss the numbers can show neither traps nor walks`() {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    for number: Int64 in [0, 1 << 40, 1 << 41] { _ = statistics.take(number) }
    let summary = statistics.summary()
    #expect(summary.burstGap.burstMissing == summary.lost && summary.lossDistance.losses == summary.lost)
    #expect(summary.fitGilbertElliott().verdict == .notEnoughData)
  }
}

struct GilbertElliottTests {
  /// A run of the model: whether each packet is lost.
  static func losses(p: Double, r: Double, k: Double, h: Double, count: Int, seed: UInt64) -> [Bool] {
    var random = SeededGenerator(seed: seed)
    var isBad = false
    return (0..<count).map { _ in
      isBad = random.nextUnit() < (isBad ? 1 - r : p)
      return random.nextUnit() >= (isBad ? h : k)
    }
  }

  static func fit(_ losses: [Bool]) -> GilbertElliottFit {
    var log = LossRunLog()
    log.appendReceived(1)
    for isLost in losses { if isLost { log.appendLost(1) } else { log.appendReceived(1) } }
    log.appendReceived(1)
    log.close()
    return GilbertElliottFit(log)
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `the figures of 60,000 packets come back within their errors`(seed: UInt64) throws {
    let truth = HiddenStateModel(p: 0.005, r: 0.1, k: 0.999, h: 0.4)
    let fit = Self.fit(Self.losses(p: truth.p, r: truth.r, k: truth.k, h: truth.h, count: 60_000, seed: seed))
    #expect(fit.verdict == .fitted && fit.losses > 500)
    for (figure, value) in [(fit.p, truth.p), (fit.r, truth.r), (fit.k, truth.k), (fit.h, truth.h)] {
      let figure = try #require(figure)
      // Four standard errors: one run in 4,000 would lie outside by chance.
      #expect((figure.value - value).magnitude < 4 * figure.error, "\(figure) for \(value)")
      #expect(figure.error < max(value, 1 - value) / 4)
    }
  }

  @Test func `runs as one step are as good as packet by packet`() {
    let losses = Self.losses(p: 0.02, r: 0.2, k: 0.99, h: 0.3, count: 5000, seed: 9)
    var log = LossRunLog()
    log.appendReceived(1)
    for isLost in losses { if isLost { log.appendLost(1) } else { log.appendReceived(1) } }
    log.appendReceived(1)
    log.close()
    let likelihood = HiddenStateLikelihood(log.entries)
    #expect(likelihood.packets == 5002)
    let model = HiddenStateModel(p: 0.03, r: 0.15, k: 0.98, h: 0.35)
    // The forward algorithm as in every textbook.
    var (good, bad, sum) = (model.r / (model.p + model.r), model.p / (model.p + model.r), 0.0)
    for isLost in [false] + losses + [false] {
      let next = (
        (good * (1 - model.p) + bad * model.r) * (isLost ? 1 - model.k : model.k),
        (good * model.p + bad * (1 - model.r)) * (isLost ? 1 - model.h : model.h)
      )
      let total = next.0 + next.1
      sum += log2(total) * M_LN2
      (good, bad) = (next.0 / total, next.1 / total)
    }
    #expect((likelihood.logLikelihood(of: model) - sum).magnitude < 1e-6 * sum.magnitude)
  }

  @Test func `too few losses, and losses that a simpler model explains, are said to be so`() {
    #expect(Self.fit(Self.losses(p: 0.005, r: 0.1, k: 0.999, h: 0.4, count: 2000, seed: 1)).verdict == .notEnoughData)
    let plain = Self.fit(Self.losses(p: 0.02, r: 0.4, k: 1, h: 0, count: 60_000, seed: 2))
    #expect(plain.verdict == .simpler && plain.p == nil)
    let single = Self.fit(Self.losses(p: 0.05, r: 0.95, k: 1, h: 0, count: 60_000, seed: 3))
    #expect(single.verdict != .fitted)
    #expect(Self.fit([]).verdict == .notEnoughData)
    #expect(Self.fit([Bool](repeating: true, count: 10_000)).verdict == .notEnoughData)
  }

  @Test func `the log keeps the last 2,048 runs and marks where numbers begin anew`() {
    var log = LossRunLog()
    for length in 1...3000 {
      log.appendReceived(length)
      log.appendLost(1)
    }
    log.appendReceived(5)
    log.close()
    #expect(log.entries.count == 2048)
    #expect(log.entries.first?.received == 954 && log.entries.last == LossRunLog.Entry(received: 5, lost: 0))
  }

  @Test func `Gilbert's figures have Wilson's bounds`() throws {
    var statistics = ReceptionStatistics(clockRate: 48_000)
    for number: Int64 in 0..<1000 where number % 50 != 7 { _ = statistics.take(number) }
    let fit = statistics.summary().gilbert
    // 20 single losses among 980 received: p = 20 / 979, r = 20 / 20.
    #expect(fit.p == 20.0 / 979 && fit.r == 1 && fit.isReliable)
    let bounds = try #require(fit.pBounds)
    #expect((bounds.lowerBound - 0.013_27).magnitude < 1e-4 && (bounds.upperBound - 0.031_32).magnitude < 1e-4)
    let other = try #require(fit.rBounds)
    #expect((other.lowerBound - 0.838_87).magnitude < 1e-4 && other.upperBound > 0.999_999)
  }
}
