import Buffering
import Receiving
import Statistics
import Testing
import Timeline

/// How long what is heard lags when a source begins that nobody knows yet.
struct StartTests {
  /// A network that takes `jitter` at most, and packets of one length.
  private func hear(
    packet length: Int64, contents: UInt8, jitter: UInt64, seconds: Int64, _ watch: (Ear, Int64) -> Void
  ) {
    var ear = Ear { $0.adaptation = JitterBuffer.Adaptation() }
    var generator = SeededGenerator(seed: 9)
    for number in 0..<(seconds * 1000 / length) {
      let late = jitter == 0 ? 0 : Int64(generator.next() % jitter)
      ear.take(
        Ear.rtp(UInt16(number), timestamp: UInt32(number * length * 48), payload: [contents, 1, 2, 3]),
        at: number * length + late)
      watch(ear, number * length)
    }
    ear.finish()
    #expect(ear.isClosed)
  }

  @Test(arguments: [(10, 0xf0), (20, 0xf8), (60, 0x18)] as [(Int64, UInt8)], [0, 2] as [UInt64])
  func `a source that has to be proven is heard from its first sample on, with the shortest delay`(
    packet: (length: Int64, contents: UInt8), jitter: UInt64
  ) throws {
    let length = packet.length
    var marks: [(delay: Double, emitted: Int)] = []
    hear(packet: length, contents: packet.contents, jitter: jitter, seconds: 12) { ear, now in
      guard let playout = ear.session.streams.first?.playout, let samples = playout.samples else { return }
      guard now == 300 || now == 11_940 else { return }
      marks.append((samples.delay, samples.emitted))
      #expect(playout.late == 0 && playout.underruns == 0)
      #expect(playout.stretches == 0 && playout.removedDuration == .zero && playout.insertedDuration == .zero)
    }
    try #require(marks.count == 2)
    let mean = (marks[1].delay - marks[0].delay) / Double(marks[1].emitted - marks[0].emitted) * 1000
    #expect(mean <= 10, "\(mean)")
  }

  @Test func `where the proof took long, what it took is taken back after a second, and nothing more`() throws {
    var ear = Ear { $0.adaptation = JitterBuffer.Adaptation() }
    // A stretcher removes whole periods, here two of 5.4 ms.
    ear.settle = { $0.most < 0 ? max($0.most, -519) : 0 }
    var marks: [(delay: Double, emitted: Int, stretches: Int)] = []
    // Of the first packets each second one is lost: none follows another.
    for number in Int64(0)..<600 where number > 14 || number % 2 == 0 {
      ear.take(Ear.rtp(UInt16(number)), at: number * 20)
      guard number == 200 || number == 599, let playout = ear.session.streams.first?.playout,
        let samples = playout.samples
      else { continue }
      marks.append((samples.delay, samples.emitted, playout.stretches))
    }
    try #require(marks.count == 2)
    let mean = (marks[1].delay - marks[0].delay) / Double(marks[1].emitted - marks[0].emitted) * 1000
    #expect(mean <= 10, "\(mean)")
    #expect(marks[0].stretches > 0 && marks[0].stretches == marks[1].stretches)
  }
}
