import Impairment
import Receiving
import Simulation
import Statistics
import Testing
import Timeline

struct LinkTests {
  @Test func `on a clean link everything is played in time and in order`() throws {
    let world = try world([.packets(count: 1500)])
    audit(world, "clean")
    try compareWithTruth(world, "clean")
    let stream = world.receiver.streams[0]
    #expect(stream.playout.played == 1500)
    #expect(stream.playout.late == 0)
    #expect(stream.playout.concealed == 0)
    #expect(stream.playout.concealedDuration == .zero)
    #expect(stream.statistics.jitter.max == 0)
    #expect(stream.resynchronisations == 0)
    #expect(stream.end == .goodbye)
    #expect(stream.cname == "sender@simulation")
    // Looked at when a packet is played: what is in store then is the target, less what was just taken out.
    #expect(stream.playout.bufferLevel.mean > 39)
    #expect(stream.playout.bufferLevel.max <= 60)
    #expect(world.record.events.map(\.event) == [.began, .ended(.goodbye)])
  }

  @Test(arguments: Array(UInt64(1)...20))
  func `loss, duplicates and reordering are counted as the link made them`(seed: UInt64) throws {
    let world = try world(
      [.packets(count: 1500)], link: "loss=5%,duplicate=2%,reorder=3%,delay=20ms,jitter=5ms,seed=\(seed)", seed: seed)
    audit(world, "seed \(seed)")
    try compareWithTruth(world, "seed \(seed)")
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.lost > 0)
    #expect(stream.statistics.duplicates > 0)
    #expect(stream.statistics.reordered > 0)
  }

  @Test(arguments: Array(UInt64(1)...120))
  func `the accounts close whatever the link does`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed &* 7919)
    let spec = Self.randomSpec(using: &generator)
    let steps = Self.randomSteps(using: &generator)
    let comment: Comment = "seed \(seed), link \(spec), steps \(steps)"
    let world = try world(steps, link: spec, seed: seed) { configuration in
      configuration.receiver.target = .milliseconds(Int64(generator.next() % 200))
      configuration.scripts[0].firstSequence = UInt16(truncatingIfNeeded: generator.next())
      configuration.scripts[0].firstTimestamp = UInt32(truncatingIfNeeded: generator.next())
      configuration.scripts[0].driftPPM = Int64(generator.next() % 401) - 200
    }
    audit(world, comment)
  }

  @Test(arguments: LinkSpec.profiles.map(\.name))
  func `every profile's accounts close`(profile: String) throws {
    let world = try world([.packets(count: 3000)], link: profile)
    audit(world, "\(profile)")
  }

  static func randomSpec(using generator: inout SeededGenerator) -> String {
    func number(_ limit: UInt64) -> UInt64 { generator.next() % limit }
    var parts = ["seed=\(number(1000))", "delay=\(number(200))ms"]
    if number(3) > 0 { parts.append("loss=\(1 + number(30))%") }
    if parts.count > 2, number(2) == 0 { parts.append("burst=\(1 + number(8))") }
    if number(3) > 0 { parts.append("duplicate=\(number(20))%") }
    if number(3) > 0 { parts.append("reorder=\(number(30))%") }
    let jitter = number(2) * number(60)
    if jitter > 0 { parts.append("jitter=\(jitter)ms") }
    if jitter > 0, number(3) == 0 { parts.append("jitter-order=break") }
    if jitter > 0, number(3) == 0 { parts.append("jitter-shape=heavy") }
    if number(4) == 0 { parts.append("corrupt=\(number(10))%") }
    if number(4) == 0 { parts.append("rate=\(20 + number(200))kbit") }
    return parts.joined(separator: ",")
  }

  static func randomSteps(using generator: inout SeededGenerator) -> [MediaScript.Step] {
    func number(_ limit: UInt64) -> Int64 { Int64(generator.next() % limit) }
    let durations: [Int64] = [120, 240, 480, 960, 960, 960, 1920, 2880]
    var steps: [MediaScript.Step] = []
    for _ in 0..<(2 + number(6)) {
      switch number(10) {
      case 0: steps.append(.silence(.milliseconds(number(4000))))
      case 1: steps.append(.stall(.milliseconds(number(3000))))
      case 2: steps.append(.jump(units: number(1 << 33) - 1 << 32))
      case 3:
        let ssrc: UInt32 = number(2) == 0 ? 0x1a2b_3c4d : UInt32(number(1 << 32))
        steps.append(
          .restart(
            ssrc: ssrc, sequence: UInt16(number(65_536)), timestamp: UInt32(number(1 << 32)),
            pause: .milliseconds(number(2000))))
      case 4: steps.append(.blackout(.milliseconds(number(4000))))
      default: break
      }
      let duration = durations[Int(number(8))]
      let isFEC = duration == 960 && number(2) == 0
      let count = 20 + number(UInt64(400 * 960 / duration))
      steps.append(.packets(count: Int(count), duration: duration, fec: isFEC))
    }
    return steps
  }
}
