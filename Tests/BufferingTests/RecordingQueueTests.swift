import Buffering
import Testing
import Timeline

/// A recording of all that arrives: in order, nothing twice, and nothing left out but what comes far too late.
struct RecordingQueueTests {
  private struct Tape {
    var queue = RecordingQueue(clockRate: 48_000)
    var written: [Int64] = []
    var timelines: [Int64] = []

    mutating func take(_ sequence: Int64, at milliseconds: Int64, timestamp: Int64? = nil) {
      drain(at: milliseconds)
      let packet = BufferedPacket(
        sequence: sequence, timestamp: timestamp ?? sequence * 960, duration: 960,
        arrival: .zero + .milliseconds(milliseconds))
      let payload = withUnsafeBytes(of: sequence.littleEndian) { Array($0) }
      queue.insert(packet, payload: payload.span.bytes)
      drain(at: milliseconds)
    }

    mutating func drain(at milliseconds: Int64) {
      while let entry = queue.poll(at: .zero + .milliseconds(milliseconds)) {
        let named = queue.withPayload(in: entry.slot) { $0.unsafeLoadUnaligned(as: Int64.self) }
        #expect(named == entry.packet.sequence)
        written.append(entry.packet.sequence)
        if entry.beginsTimeline { timelines.append(entry.packet.sequence) }
      }
    }

    mutating func finish() {
      queue.end()
      drain(at: 1 << 40)
    }
  }

  @Test func `packets in order go on at once, but for the first half second`() {
    var tape = Tape()
    for number in Int64(0)..<100 { tape.take(number, at: number * 20) }
    #expect(tape.written == Array(0..<100))
    #expect(tape.timelines == [0])
  }

  @Test func `what was overtaken is written at its place, nine seconds late too`() {
    var tape = Tape()
    for number in Int64(0)..<600 where number != 100 {
      if number == 550 { tape.take(100, at: 550 * 20) }
      tape.take(number, at: number * 20)
    }
    tape.finish()
    #expect(tape.written == Array(0..<600))
    #expect(tape.queue.omitted == 0)
  }

  @Test func `a lost packet holds the others up for ten seconds, and is left out when it comes later`() {
    var tape = Tape()
    for number in Int64(0)..<700 where number != 100 { tape.take(number, at: number * 20) }
    #expect(tape.written.last == 699)
    tape.take(100, at: 14_000)
    tape.finish()
    #expect(tape.written == (0..<700).filter { $0 != 100 })
    #expect(tape.queue.omitted == 1)
  }

  @Test func `a sender that begins anew is written behind what it sent before`() {
    var tape = Tape()
    for number in Int64(0)..<50 where number != 30 { tape.take(number, at: number * 20) }
    tape.queue.restart()
    for number in Int64(200)..<250 { tape.take(number, at: number * 20 - 3000, timestamp: number * 960 + (1 << 33)) }
    tape.finish()
    #expect(tape.written == (0..<50).filter { $0 != 30 } + Array(200..<250))
    #expect(tape.timelines == [0, 200])
  }

  @Test func `a jump over more numbers than there is room for loses nothing`() {
    var tape = Tape()
    for number in Int64(0)..<50 where number != 30 { tape.take(number, at: number * 20) }
    for number in Int64(20_000)..<20_050 { tape.take(number, at: 1000 + (number - 20_000) * 20) }
    tape.finish()
    #expect(tape.written == (0..<50).filter { $0 != 30 } + Array(20_000..<20_050))
    #expect(tape.queue.omitted == 0)
  }

  @Test(arguments: 0..<20)
  func `every packet is written once and in order, or counted as left out`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var arrivals: [(at: Int64, number: Int64)] = []
    for number in Int64(0)..<2000 where Int.random(in: 0..<10, using: &generator) > 0 {
      let delay =
        Int.random(in: 0..<50, using: &generator) == 0
        ? Int64.random(in: 0..<15_000, using: &generator) : Int64.random(in: 0..<100, using: &generator)
      arrivals.append((number * 20 + delay, number))
    }
    arrivals.sort { ($0.at, $0.number) < ($1.at, $1.number) }
    var tape = Tape()
    for arrival in arrivals { tape.take(arrival.number, at: arrival.at) }
    tape.finish()
    #expect(tape.written == tape.written.sorted())
    #expect(Set(tape.written).count == tape.written.count)
    #expect(tape.written.count + tape.queue.omitted == arrivals.count)
    let late = arrivals.count { $0.at - $0.number * 20 >= 9_000 }
    #expect(tape.queue.omitted <= late)
  }
}
