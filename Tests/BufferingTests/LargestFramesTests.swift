import Buffering
import Testing
import Timeline

/// An adaptive buffer whose packets are parts of frames.
@Suite struct `The largest frames` {
  private static let interval: Int64 = 3_000

  /// How many packets are late of frames of one packet, 30 a second, and one of twenty every eight seconds, whose packets
  /// come in the course of 18 to 20 ms.
  private func late(lateBudget: Double) -> (late: Int, target: Interval) {
    var configuration = JitterBuffer.Configuration(clockRate: 90_000, target: .zero, isContinuous: false)
    configuration.isFramed = true
    configuration.adaptation = JitterBuffer.Adaptation(lateBudget: lateBudget)
    var buffer = JitterBuffer(configuration)
    var (sequence, late) = (Int64(0), 0)
    for frame in 0..<2_400 {
      let isKey = frame % 240 == 0
      let count = isKey ? 20 : 1
      let spread = Interval.milliseconds(18 + Int64(frame / 240 % 3))
      let start = Instant.zero + .seconds(1) + Interval(units: Int64(frame) * Self.interval, rate: 90_000)
      for part in 0..<count {
        let now = start + (isKey ? spread * Int64(part) / 19 : .zero)
        while case .play = buffer.poll(at: now) {}
        let packet = BufferedPacket(
          sequence: sequence, timestamp: Int64(frame) * Self.interval, duration: part == count - 1 ? Self.interval : 0,
          arrival: now)
        let payload: [UInt8] = [1, 2, 3]
        if case .late = buffer.insert(packet, payload: payload.span.bytes) { late += 1 }
        sequence += 1
      }
    }
    return (late, buffer.target)
  }

  @Test(arguments: [0.0001, 0.005, 0.05]) func `are waited for, however few they are`(lateBudget: Double) {
    let (late, target) = late(lateBudget: lateBudget)
    #expect(late == 0)
    #expect(target > .milliseconds(20) && target < .milliseconds(30), "\(target)")
  }
}
