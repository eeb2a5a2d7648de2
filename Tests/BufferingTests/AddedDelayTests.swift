import Buffering
import Testing
import Timeline

/// A delay on top of what the network asks for.
struct AddedDelayTests {
  @Test func `from then on everything is due so much later, and nothing is concealed for it`() {
    var listener = Listener()
    for number in Int64(0)..<5 { listener.take(number, at: 100 + number * 20) }
    listener.listen(until: 200)
    #expect(listener.played == [0, 1, 2])
    listener.buffer.setAddedDelay(.milliseconds(30))
    #expect(listener.buffer.target == .milliseconds(90))
    #expect(listener.buffer.addedDelay == .milliseconds(30))
    for number in Int64(5)..<10 { listener.take(number, at: 100 + number * 20) }
    listener.listen(until: 389)
    #expect(listener.story == (0..<10).map { "play \($0)" })
    for entry in listener.decisions.dropFirst(3).enumerated() {
      #expect(entry.element.at == .zero + .milliseconds(250 + Int64(entry.offset) * 20))
    }
    #expect(listener.buffer.counts.concealedUnits == 0)
    listener.buffer.setAddedDelay(.zero)
    #expect(listener.buffer.target == .milliseconds(60))
  }

  @Test func `what the sender keeps back is waited for beside it`() {
    var listener = Listener()
    listener.buffer.setSenderWait(.milliseconds(40))
    #expect(listener.buffer.target == .milliseconds(100))
    listener.buffer.setAddedDelay(.milliseconds(30))
    #expect(listener.buffer.target == .milliseconds(130))
    // What others have to wait for is the stream's own need, without what it waits for others.
    #expect(listener.buffer.target - listener.buffer.addedDelay == .milliseconds(100))
    listener.buffer.setSenderWait(.milliseconds(40))
    #expect(listener.buffer.target == .milliseconds(130))
    listener.buffer.setAddedDelay(.zero)
    listener.buffer.setSenderWait(.zero)
    #expect(listener.buffer.target == .milliseconds(60))
  }

  @Test func `an adaptive delay goes on adapting below it`() {
    var configuration = JitterBuffer.Configuration(clockRate: 48_000, target: .zero)
    configuration.adaptation = JitterBuffer.Adaptation()
    var buffer = JitterBuffer(configuration)
    let payload: [UInt8] = [0]
    func play(_ numbers: Range<Int64>) {
      for number in numbers {
        let arrival = Instant.zero + .milliseconds(number * 20)
        while case .wait = buffer.poll(at: arrival) { break }
        var decision = buffer.poll(at: arrival)
        while decision.isAction { decision = buffer.poll(at: arrival) }
        _ = buffer.insert(
          BufferedPacket(sequence: number, timestamp: number * 960, duration: 960, arrival: arrival),
          payload: payload.span.bytes)
      }
    }
    play(0..<250)
    let alone = buffer.target
    buffer.setAddedDelay(.milliseconds(50))
    #expect(buffer.target == alone + .milliseconds(50))
    play(250..<500)
    // What the network asks for has hardly changed, and audio has got there by stretching alone.
    #expect(buffer.target >= .milliseconds(50))
    let delay = buffer.playoutDelay(at: .zero + .milliseconds(500 * 20)) ?? .zero
    #expect(delay > .milliseconds(45))
    #expect(delay < buffer.target + .milliseconds(25))
    #expect(buffer.counts.concealedUnits == 0)
    #expect(buffer.counts.discarded == 0)
  }

  @Test func `a delay that was added before the beginning is given back when it is no longer needed`() {
    var configuration = JitterBuffer.Configuration(clockRate: 48_000, target: .zero)
    configuration.adaptation = JitterBuffer.Adaptation()
    var buffer = JitterBuffer(configuration)
    let payload: [UInt8] = [0]
    for number in Int64(0)..<500 {
      let now = Instant.zero + .milliseconds(number * 20)
      while true {
        let decision = buffer.poll(at: now)
        guard decision.isAction else { break }
        // A player that can stretch as it is asked to.
        if case .play = decision { buffer.settleStretch(buffer.stretch.preferred) }
      }
      _ = buffer.insert(
        BufferedPacket(sequence: number, timestamp: number * 960, duration: 960, arrival: now),
        payload: payload.span.bytes)
      if number == 0 { buffer.setAddedDelay(.milliseconds(100)) }
      if number == 250 {
        #expect(buffer.playoutDelay(at: now) ?? .zero > .milliseconds(100))
        buffer.setAddedDelay(.zero)
      }
    }
    let delay = buffer.playoutDelay(at: .zero + .milliseconds(500 * 20)) ?? .zero
    #expect(delay < buffer.target + .milliseconds(60), "\(delay)")
    #expect(delay < .milliseconds(90), "\(delay)")
  }
}

extension PlayoutDecision {
  fileprivate var isAction: Bool {
    switch self {
    case .wait, .ended: false
    default: true
    }
  }
}
