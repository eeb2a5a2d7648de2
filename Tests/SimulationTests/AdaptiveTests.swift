import Buffering
import Impairment
import Receiving
import Simulation
import Statistics
import Testing
import Timeline

/// A receiver whose buffer follows the network, on a virtual clock.
struct AdaptiveTests {
  private func adaptive(
    _ steps: [MediaScript.Step], link: String = "none", seed: UInt64 = 1, driftPPM: Int64 = 0,
    change: (inout World.Configuration) -> Void = { _ in }
  ) throws -> World {
    try world(steps, link: link, seed: seed) { configuration in
      configuration.receiver.adaptation = JitterBuffer.Adaptation()
      configuration.scripts[0].driftPPM = driftPPM
      change(&configuration)
    }
  }

  /// What the names of the W3C promise of each other.
  private func checkSamples(_ playout: PlayoutStatistics, _ comment: Comment) throws {
    let samples = try #require(playout.samples, comment)
    #expect(samples.emitted == Int(playout.playedDuration.units(rate: 48_000)), comment)
    #expect(samples.silentConcealed <= samples.concealed, comment)
    #expect(samples.concealmentEvents <= samples.concealed, comment)
    #expect((samples.concealed == 0) == (samples.concealmentEvents == 0), comment)
    let filled = playout.recoveredDuration + playout.silenceDuration
    let sum =
      samples.emitted + samples.concealed + samples.inserted - samples.removed + Int(filled.units(rate: 48_000))
    #expect(abs(samples.total - sum) <= 2, comment)
    #expect(samples.delay >= 0, comment)
  }

  @Test(arguments: ["none", "lan", "wifi", "wifi-busy", "lte", "awful,seed=3", "loss=20%,burst=4,jitter=80ms"])
  func `the accounts close on every network`(link: String) throws {
    for seed in UInt64(1)...3 {
      let steps: [MediaScript.Step] = [
        .packets(count: 500), .silence(.seconds(3)), .packets(count: 500, fec: true), .stall(.seconds(2)),
        .packets(count: 500),
      ]
      let world = try adaptive(steps, link: link, seed: seed)
      audit(world, "\(link) \(seed)")
      try checkSamples(world.receiver.streams[0].playout, "\(link) \(seed)")
    }
  }

  @Test(arguments: [20, 60])
  func `on a clean link every packet is played, and nothing is stretched, concealed or resampled`(length: Int) throws {
    let world = try adaptive([.packets(count: 60_000 / length, duration: Int64(length) * 48)])
    audit(world, "clean")
    let playout = world.receiver.streams[0].playout
    #expect(playout.played == 60_000 / length && playout.late == 0 && playout.concealed == 0)
    #expect(playout.stretches == 0 && playout.underruns == 0 && playout.driftCorrection == 0)
    let isOnlyPlayed = world.record.playout.allSatisfy { if case .play(_, _, 0) = $0.decision { true } else { false } }
    #expect(isOnlyPlayed)
    let samples = try #require(playout.samples)
    #expect(samples.total == 60_000 * 48 && samples.concealed == 0)
    // Though the first packet has to wait for the second, which proves the source.
    #expect(try #require(samples.meanDelay) < 0.010)
  }

  @Test func `delay above what a fixed buffer of 60 ms has is only kept where the network calls for it`() throws {
    let calm = try adaptive([.packets(count: 3000)], link: "delay=20ms,jitter=4ms")
    let rough = try adaptive([.packets(count: 3000)], link: "delay=20ms,jitter=40ms")
    let (low, high) = (calm.receiver.streams[0].playout, rough.receiver.streams[0].playout)
    #expect(try #require(low.samples?.meanDelay) < 0.040)
    #expect(try #require(high.samples?.meanDelay) > 0.040)
    #expect(Double(low.late) < 0.01 * 3000)
    #expect(Double(high.late) < 0.01 * 3000)
    #expect(low.target < high.target)
  }

  @Test func `limits hold whatever the network does`() throws {
    let limits = Interval.milliseconds(30)...Interval.milliseconds(80)
    for link in ["none", "awful,seed=3"] {
      let world = try adaptive([.packets(count: 2000)], link: link) {
        $0.receiver.adaptation = JitterBuffer.Adaptation(limits: limits)
      }
      audit(world, "\(link)")
      let rows = world.receiver.streams[0].timeline?.rows(atMost: 4096) ?? []
      let targets = rows.compactMap(\.bufferTarget)
      #expect(!targets.isEmpty && targets.allSatisfy { $0 >= 30 && $0 <= 80 }, "\(targets)")
    }
  }

  @Test func `after one spike the delay is back within three seconds, and it is told`() throws {
    var recording = LinkRecording()
    for packet in 0..<2000 {
      // A spike of 300 ms: what was held up comes at once.
      let late = packet >= 1000 && packet < 1015 ? 300 - Int64(packet - 1000) * 20 : 0
      recording.append([.milliseconds(5 + late)])
    }
    let link = try LinkSpec(replaying: recording, named: "spike.link")
    let world = try adaptive([.packets(count: 2000)]) { $0.link = link }
    audit(world, "spike")
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.lost == 0)
    let rows = stream.timeline?.rows(atMost: 4096) ?? []
    let before = try #require(rows.first { $0.start >= .seconds(15) }?.bufferTarget)
    let after = try #require(rows.first { $0.start >= .seconds(24) }?.bufferTarget)
    #expect(after <= before + 10, "\(before) \(after)")
    let told = world.record.events.compactMap { if case .buffer(let event) = $0.event { event } else { nil } }
    #expect(told.contains { if case .ranDry = $0 { true } else { false } }, "\(told)")
  }

  @Test(arguments: [200, -200] as [Int64])
  func `a clock that drifts is corrected without an underrun or a growing delay`(ppm: Int64) throws {
    let world = try adaptive([.packets(count: 30_000)], link: "delay=20ms,jitter=2ms", driftPPM: ppm)
    audit(world, "drift \(ppm)")
    let playout = world.receiver.streams[0].playout
    // A sender that is fast delivers more than is played: audio is made shorter.
    #expect(abs(playout.driftCorrection * 1e6 + Double(ppm)) < 100, "\(playout.driftCorrection)")
    #expect(playout.late < 300)
    #expect(try #require(playout.samples?.meanDelay) < 0.060)
  }

  @Test func `a recording of all that arrived has every packet once, in order, however late`() throws {
    var configuration = World.Configuration(
      [MediaScript([.packets(count: 1500)])],
      link: try LinkSpec(parsing: "jitter=300ms,reorder=10%,duplicate=5%,loss=5%"), seed: 5)
    configuration.receiver.recordsAll = true
    configuration.receiver.target = .milliseconds(20)
    var world = World(configuration)
    world.run()
    let stream = world.receiver.streams[0]
    #expect(stream.playout.late > 50)
    var session = world.receiver
    var numbers: [Int64] = []
    while let entry = session.pollRecording(of: stream.id, at: .distantFuture, isLast: true) {
      numbers.append(entry.packet.sequence)
    }
    #expect(numbers.count == stream.statistics.unique)
    #expect(numbers == numbers.sorted())
    #expect(stream.recording?.omitted == 0)
  }
}
