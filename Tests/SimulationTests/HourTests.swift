import Impairment
import Receiving
import Simulation
import Statistics
import TestSupport
import Testing
import Timeline

/// Hours of stream on the virtual clock.
struct HourTests {
  /// 20 ms packets of an hour.
  static let hour = 180_000

  private func wrapping(_ configuration: inout World.Configuration) {
    // The sequence number wraps after 100 packets, then twice more; the timestamp after 10 s.
    configuration.scripts[0].firstSequence = 65_436
    configuration.scripts[0].firstTimestamp = .max - 480_000
  }

  @Test func `an hour with wraps on a perfect link: nothing lost, late or concealed`() throws {
    let clock = ContinuousClock()
    let begin = clock.now
    let world = try world([.packets(count: Self.hour)], change: wrapping)
    print("an hour of stream on a perfect link took \(clock.now - begin)")
    try compareWithTruth(world, "hour")
    let stream = world.receiver.streams[0]
    #expect(stream.playout.played == Self.hour)
    #expect(stream.playout.late == 0)
    #expect(stream.playout.concealed == 0)
    #expect(stream.statistics.lost == 0)
    #expect(stream.resynchronisations == 0)
    #expect(stream.playout.playedDuration == .seconds(3600))
  }

  @Test(.optimisedOnly) func `an hour with wraps on a lossy link is counted packet for packet`() throws {
    let clock = ContinuousClock()
    let begin = clock.now
    let world = try world(
      [.packets(count: Self.hour)],
      link: "loss=5%,burst=2,duplicate=2%,reorder=3%,delay=20ms,jitter=5ms,seed=1", change: wrapping)
    print("an hour of stream on a lossy link took \(clock.now - begin)")
    try compareWithTruth(world, "lossy hour")
    let stream = world.receiver.streams[0]
    #expect(stream.statistics.lost > 8000)
    let playout = stream.playout
    #expect(stream.statistics.unique == playout.played + playout.late)
    #expect(stream.statistics.expected == playout.played + playout.concealed)
    let total = playout.playedDuration + playout.concealedDuration + playout.silenceDuration
    #expect(abs(total.milliseconds - Double(stream.statistics.expected) * 20) < 1)
  }

  @Test(.optimisedOnly, arguments: [-200, 200] as [Int64])
  func `clocks that drift apart for three hours make nothing late`(driftPPM: Int64) throws {
    // Packets of 60 ms: the drift is what matters here.
    let world = try world(
      [.packets(count: 180_000, duration: 2880)], link: "delay=20ms,jitter=2ms,seed=9"
    ) { configuration in
      configuration.scripts[0].driftPPM = driftPPM
      configuration.receiver.target = .milliseconds(40)
    }
    let stream = world.receiver.streams[0]
    // Jitter of 2 ms stays far below the target of 40 ms; without following the clock, all were late after 200 s.
    #expect(stream.playout.played == 180_000)
    #expect(stream.playout.late == 0)
    #expect(stream.playout.bufferLevel.max < 120)
  }
}
