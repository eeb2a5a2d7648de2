/// Spreads the packets of one frame over a part of the time until the next one.
///
/// A switch that has to hand a burst on to a slower port keeps what it can't send yet, and small ones keep 128 KiB. By
/// itself a frame takes half of its interval, and 20 ms at most; one that would then come at more than 90 Mbit/s, nearly
/// what Fast Ethernet carries, takes up to 35 ms to stay below. Longer it never takes, however big it is: what has left
/// after a receiver's usual buffer of 60 ms is never seen.
public struct FramePacing: Sendable {
  /// The share of the interval asked for: 0 sends all packets at once; nil when the frame's size is to say.
  public var share: Double?
  /// Ticks of the stream's clock a second.
  public var clockRate: Int64

  /// Bits a second that any port of a LAN carries.
  private static let gentleRate = 90_000_000.0

  /// Seconds that a frame takes at most by itself: a third of a receiver's usual buffer.
  private static let usual = 0.02

  /// Seconds that a frame takes at most to stay below the gentle rate.
  private static let longest = 0.035

  /// Spreads frames of a stream with such a clock.
  public init(share: Double?, clockRate: Int64) {
    self.share = share
    self.clockRate = clockRate
  }

  /// When a packet is to be sent, in ticks after its frame: whole milliseconds, so that a fast stream wakes the sender
  /// a thousand times a second and not for every packet.
  public func offset(ofPacket index: Int, of count: Int, frameBytes: Int, duration: Int64) -> Int64 {
    guard index > 0, count > 1, duration > 0 else { return 0 }
    let exact = span(frameBytes: frameBytes, duration: Double(duration)) * Double(index) / Double(count)
    let tick = max(1, clockRate / 1_000)
    return Int64(exact) / tick * tick
  }

  private func span(frameBytes: Int, duration: Double) -> Double {
    if let share { return duration * share }
    let gentle = Double(frameBytes * 8) / Self.gentleRate
    return min(duration / 2, min(max(Self.usual, gentle), Self.longest) * Double(clockRate))
  }
}
