import Timeline

/// What packets tell of delays that don't tell how long they last.
///
/// There may be thousands a second: those of a few milliseconds of media count as one, the slowest for all, so that the
/// estimator's memories reach as far as they do with audio.
struct DelayGroup: Sendable {
  private static let length = Interval.milliseconds(5)

  /// How far timestamps go on from one packet to the next, on average, and from which one.
  private var meanStep = 0.0
  private var timestamp: Int64 = 0
  /// The media time of the group so far, in units of the clock, and the longest delay in it.
  private var units = 0.0
  private var delay = Interval.zero

  /// Takes in a packet that came so long after the fastest one; what the group tells once it is whole.
  ///
  /// Packets may share a timestamp, or come out of order: what they weigh adds up to the time that passes all the same.
  mutating func take(_ packet: BufferedPacket, delay: Interval, rate: UInt32) -> (delay: Interval, seconds: Double)? {
    let longest = Int64(rate) / 10
    let step = min(max(-longest, packet.timestamp - timestamp), longest)
    timestamp = packet.timestamp
    meanStep += (Double(step) - meanStep) / 16
    units += max(0, meanStep)
    self.delay = max(self.delay, delay)
    let seconds = units / Double(rate)
    guard seconds >= Self.length.seconds else { return nil }
    defer { (units, self.delay) = (0, .zero) }
    return (self.delay, seconds)
  }
}
