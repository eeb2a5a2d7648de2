import Buffering
import Testing
import Timeline

struct DecisionTests {
  @Test func `packets on time are played in order, each at its time`() {
    var listener = Listener()
    for number in Int64(0)..<10 { #expect(listener.take(number, at: 100 + number * 20) == .stored) }
    listener.listen(until: 341)
    #expect(listener.story == (0..<10).map { "play \($0)" })
    for (number, entry) in listener.decisions.enumerated() {
      #expect(entry.at == .zero + .milliseconds(160 + Int64(number) * 20))
    }
  }

  @Test func `an empty buffer waits for a packet, and ends when it is told to`() {
    var listener = Listener()
    #expect(listener.buffer.poll(at: .zero) == .wait(until: nil))
    listener.buffer.end()
    #expect(listener.buffer.poll(at: .zero) == .ended)
  }

  @Test func `it names the instant at which the next packet is due`() {
    var listener = Listener()
    listener.take(0, at: 100)
    #expect(listener.buffer.poll(at: .zero + .milliseconds(100)) == .wait(until: .zero + .milliseconds(160)))
  }

  @Test func `swapped packets are played in order`() {
    var listener = Listener()
    for (number, arrival) in [(0, 0), (2, 40), (1, 41), (3, 60)] as [(Int64, Int64)] {
      #expect(listener.take(number, at: arrival) == .stored)
    }
    listener.listen(until: 121)
    #expect(listener.story == ["play 0", "play 1", "play 2", "play 3"])
  }

  @Test func `the first packets may be swapped`() {
    var listener = Listener()
    for (number, arrival) in [(2, 0), (1, 5), (0, 10), (3, 20)] as [(Int64, Int64)] {
      #expect(listener.take(number, at: arrival) == .stored)
    }
    listener.listen(until: 200)
    #expect(listener.played == [0, 1, 2, 3])
    #expect(listener.buffer.counts.concealed == 0)
  }

  @Test func `a missing packet is concealed for its length`() {
    var listener = Listener()
    for number in [0, 1, 3, 4] as [Int64] { listener.take(number, at: number * 20) }
    listener.listen(until: 141)
    #expect(listener.story == ["play 0", "play 1", "conceal 960", "play 3", "play 4"])
    #expect(listener.buffer.counts.concealed == 1)
    #expect(listener.buffer.counts.concealedUnits == 960)
  }

  @Test func `only the last of several missing packets is rebuilt from the next one's copy`() {
    var listener = Listener()
    for number in [0, 4] as [Int64] { listener.take(number, at: number * 20, carriesFEC: true) }
    listener.listen(until: 139)
    #expect(listener.story == ["play 0", "conceal 960", "conceal 960", "recover 960"])
    listener.listen(until: 141)
    #expect(listener.story.last == "play 4")
    #expect(listener.buffer.counts.recovered == 1)
    #expect(listener.buffer.counts.concealed == 2)
  }

  @Test func `a copy isn't used when nothing is missing`() {
    var listener = Listener()
    for number in Int64(0)..<5 { listener.take(number, at: number * 20, carriesFEC: true) }
    listener.listen(until: 141)
    #expect(listener.buffer.counts.recovered == 0)
    #expect(listener.played == [0, 1, 2, 3, 4])
  }

  @Test func `a packet whose time was concealed is late`() {
    var listener = Listener()
    listener.take(0, at: 0)
    #expect(listener.take(1, at: 85) == .late)
    #expect(listener.story == ["play 0", "conceal 960"])
    #expect(listener.buffer.counts.concealed == 1)
    #expect(listener.buffer.counts.concealedUnits == 960)
  }

  @Test func `a pause of the sender is silence, not loss`() {
    var listener = Listener()
    listener.take(0, at: 0)
    listener.take(1, at: 20)
    listener.take(2, at: 420, timestamp: 21 * 960)
    listener.listen(until: 481)
    let counts = listener.buffer.counts
    #expect(counts.concealed == 0)
    #expect(counts.concealedUnits == 0)
    #expect(counts.silenceUnits == 19 * 960)
    #expect(listener.played == [0, 1, 2])
    #expect(counts.units == 22 * 960)
  }

  @Test func `after a packet that announces silence there is silence`() {
    var listener = Listener()
    listener.take(0, at: 0)
    listener.take(1, at: 20, isSilence: true, bytes: 1)
    listener.listen(until: 200)
    #expect(listener.story.dropFirst(2).allSatisfy { $0 == "silence 960" })
    #expect(listener.story.count > 4)
  }

  @Test func `of a pause in which one packet was lost, only that packet's time counts as concealed`() {
    var listener = Listener()
    listener.take(0, at: 0, isSilence: true, bytes: 1)
    listener.take(2, at: 800, timestamp: 40 * 960, isSilence: true, bytes: 1)
    listener.listen(until: 861)
    #expect(listener.buffer.counts.concealed == 1)
    #expect(listener.buffer.counts.concealedUnits == 960)
    #expect(listener.buffer.counts.silenceUnits == 38 * 960)
  }

  @Test func `a late packet after a pause makes its own time concealed, not the pause`() {
    var listener = Listener()
    listener.take(0, at: 0)
    #expect(listener.take(1, at: 500, timestamp: 20 * 960) == .late)
    listener.take(2, at: 501, timestamp: 30 * 960)
    listener.listen(until: 700)
    #expect(listener.buffer.counts.concealed == 1)
    #expect(listener.buffer.counts.concealedUnits == 960)
    #expect(listener.buffer.counts.units == 31 * 960)
  }

  @Test func `concealment fades to silence after its limit`() {
    var listener = Listener()
    listener.take(0, at: 0)
    listener.listen(until: 1000)
    let conceals = listener.story.filter { $0 == "conceal 960" }.count
    #expect(conceals == 10)
    #expect(listener.story.last == "silence 960")
  }

  @Test(arguments: [120, 240, 480, 960, 1920, 2880, 5760] as [Int64])
  func `a lost packet of another length than the one before is concealed, not silent`(duration: Int64) {
    var listener = Listener()
    listener.take(0, at: 0)
    listener.take(1, at: 20)
    // Packet 2, the first of the new length, is lost.
    listener.take(3, at: 40, timestamp: 1920 + duration, duration: duration)
    listener.take(4, at: 41, timestamp: 1920 + 2 * duration, duration: duration)
    listener.listen(until: 600)
    let counts = listener.buffer.counts
    #expect(counts.concealed == 1)
    #expect(counts.silenceUnits == 0)
    #expect(listener.played == [0, 1, 3, 4])
  }

  @Test func `packets that aren't one timeline are played when due, without concealment`() {
    var listener = Listener(isContinuous: false)
    for number in [0, 1, 5, 4, 6] as [Int64] {
      listener.take(number, at: number == 4 ? 110 : number * 20, duration: 0)
    }
    listener.listen(until: 1000)
    #expect(listener.story == ["play 0", "play 1", "play 4", "play 5", "play 6"])
    #expect(listener.buffer.counts.concealed == 2)
  }

  @Test func `the bytes of a packet are there when it is played`() {
    var listener = Listener()
    for number in Int64(0)..<3 { listener.take(number, at: 0, bytes: 10 + Int(number)) }
    for number in Int64(0)..<3 {
      guard case .play(_, let slot, _) = listener.buffer.poll(at: .zero + .milliseconds(200)) else {
        Issue.record("packet \(number) isn't played")
        return
      }
      let bytes = listener.buffer.withPayload(in: slot) { payload in
        (0..<payload.byteCount).map { payload.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
      }
      #expect(bytes == [UInt8](repeating: UInt8(number), count: 10 + Int(number)))
    }
  }
}
