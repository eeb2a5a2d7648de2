import Buffering
import Testing
import Timeline

/// Timestamps and numbers that jump, in good faith or not.
struct TimelineJumpTests {
  @Test(arguments: [10, 1000, -10, -1000, 40_000] as [Int64])
  func `a jump of the timestamps costs no silence and no packet`(seconds: Int64) {
    var listener = Listener()
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    for number in Int64(20)..<40 {
      #expect(listener.take(number, at: number * 20, timestamp: number * 960 + seconds * 48_000) == .stored)
    }
    listener.listen(until: 841)
    #expect(listener.played == Array(0..<40))
    #expect(listener.buffer.counts.resynchronisations == 1)
    #expect(listener.heardUnits <= 43 * 960)
  }

  @Test(arguments: [10, 40_000, -10, -40_000] as [Int64])
  func `the first two packets after a jump may be swapped`(seconds: Int64) {
    var listener = Listener()
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    for (number, arrival) in [(21, 420), (20, 421), (22, 440), (23, 460)] as [(Int64, Int64)] {
      #expect(listener.take(number, at: arrival, timestamp: number * 960 + seconds * 48_000) == .stored)
    }
    listener.listen(until: 525)
    #expect(listener.played == Array(0..<24))
    #expect(listener.heardUnits <= 28 * 960)
  }

  @Test func `a wild timestamp before the first packet is played doesn't pour out hours of silence`() {
    var listener = Listener()
    listener.take(0, at: 0)
    listener.take(1, at: 20, timestamp: 1 << 30)
    listener.take(2, at: 40, timestamp: 2 * 960)
    listener.listen(until: 200)
    #expect(listener.heardUnits < 20 * 960)
  }

  @Test func `a wild timestamp between good packets is refused`() {
    var listener = Listener()
    listener.take(0, at: 0)
    listener.take(2, at: 40)
    #expect(listener.take(1, at: 41, timestamp: 1 << 31) == .misplaced)
    listener.take(3, at: 60)
    listener.listen(until: 121)
    #expect(listener.story == ["play 0", "conceal 960", "play 2", "play 3"])
  }

  @Test func `a wild timestamp that a good packet was overtaken by doesn't pour out hours of silence`() {
    var listener = Listener()
    for number in Int64(0)..<6 { listener.take(number, at: number * 20, isListening: false) }
    listener.take(8, at: 160, timestamp: 386_572_674_494, isListening: false)
    listener.take(10, at: 200, isListening: false)
    #expect(listener.take(7, at: 201, isListening: false) == .misplaced)
    for number in Int64(11)..<30 { listener.take(number, at: number * 20) }
    listener.buffer.end()
    listener.listen(until: 5000)
    #expect(listener.played.suffix(19) == Array(11..<30))
    #expect(listener.heardUnits < 50 * 960)
  }

  @Test func `a late packet with a wild timestamp doesn't move the timeline`() {
    var listener = Listener()
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    #expect(listener.take(2, at: 390, timestamp: 1 << 31) == .late)
    for number in Int64(20)..<40 { #expect(listener.take(number, at: number * 20) == .stored) }
    listener.listen(until: 841)
    #expect(listener.played == Array(0..<40))
  }

  @Test func `a sender that restarts is played from its first packet, without a gap for numbers never sent`() {
    var listener = Listener()
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    // Packets 17 to 19 still wait: they are played first.
    let start = 19 + JitterBuffer.restartMargin
    listener.listen(until: 399)
    listener.buffer.restart(at: start)
    for number in Int64(0)..<20 {
      #expect(listener.take(start + number, at: 400 + number * 20, timestamp: 7_000_000 + number * 960) == .stored)
    }
    listener.listen(until: 841)
    #expect(listener.played == Array(0..<20) + Array(start..<(start + 20)))
    #expect(listener.buffer.counts.concealed == 0)
    #expect(listener.buffer.counts.concealedUnits == 0)
  }

  @Test func `a packet that the restarted sender's second one overtook is still played`() {
    var listener = Listener()
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    let start = 19 + JitterBuffer.restartMargin
    listener.listen(until: 400)
    listener.buffer.restart(at: start)
    for (number, arrival) in [(1, 420), (0, 425), (2, 440)] as [(Int64, Int64)] {
      #expect(listener.take(start - 1 + number, at: arrival, timestamp: 7_000_000 + number * 960) == .stored)
    }
    listener.listen(until: 505)
    #expect(listener.played == Array(0..<20) + [start - 1, start, start + 1])
  }

  @Test func `two restarts at once don't conceal the numbers between`() {
    var listener = Listener()
    for number in Int64(0)..<5 { listener.take(number, at: number) }
    let first = 4 + JitterBuffer.restartMargin
    let second = first + 1 + JitterBuffer.restartMargin
    listener.buffer.restart(at: first)
    let payload = [UInt8](repeating: 0, count: 10)
    for (number, timestamp) in [(first, 1 << 30), (first + 1, 1 << 30 + 960)] as [(Int64, Int64)] {
      let packet = BufferedPacket(
        sequence: number, timestamp: timestamp, duration: 960, arrival: .zero + .milliseconds(5))
      #expect(listener.buffer.insert(packet, payload: payload.span.bytes) == .stored)
    }
    listener.buffer.restart(at: second)
    listener.take(second, at: 6, timestamp: -(1 << 40))
    listener.listen(until: 100)
    #expect(listener.played == [0, 1, 2, 3, 4, first, first + 1, second])
    #expect(listener.heardUnits < 150 * 960)
  }

  @Test func `a sender that was stopped and goes on where it was is taken up, though a packet was lost`() {
    var listener = Listener()
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    for number in Int64(21)..<40 {
      #expect(listener.take(number, at: 10_000 + number * 20) == .stored)
    }
    listener.listen(until: 11_000)
    #expect(listener.played == Array(0..<20) + Array(21..<40))
  }

  @Test func `timestamps that step back a little never play the same time twice`() {
    var listener = Listener()
    for number in Int64(0)..<20 { listener.take(number, at: number * 20) }
    for number in Int64(20)..<60 { listener.take(number, at: number * 20, timestamp: (number - 5) * 960) }
    listener.listen(until: 2000)
    for (before, after) in zip(listener.played, listener.played.dropFirst()) { #expect(before < after) }
    for case .play(let packet, _, let skip) in listener.decisions.map(\.decision) {
      #expect(skip >= 0)
      #expect(skip <= packet.duration)
    }
    #expect(listener.buffer.counts.units <= 120 * 960)
  }

  @Test(arguments: [0, 1, 49] as [UInt32])
  func `a clock too slow for a duration doesn't hang it`(clockRate: UInt32) {
    var buffer = JitterBuffer(JitterBuffer.Configuration(clockRate: clockRate, target: .milliseconds(60)))
    let payload: [UInt8] = [1]
    let packet = BufferedPacket(sequence: 1, timestamp: 0, duration: 0, arrival: .zero)
    #expect(buffer.insert(packet, payload: payload.span.bytes) == .stored)
    var polls = 0
    polling: while polls < 10_000 {
      if case .wait = buffer.poll(at: .zero + .seconds(10)) { break polling }
      polls += 1
    }
    #expect(polls < 10_000)
  }
}
