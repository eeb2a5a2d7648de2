public import Timeline

/// What one sender does, from its first packet to its last: steps one after the other.
public struct MediaScript: Sendable {
  /// One thing that a sender does.
  public enum Step: Sendable {
    /// Sends `count` Opus packets that play `duration` units of 48 kHz each: 120, 240, 480, 960, 1920 or 2880.
    ///
    /// With `fec` they are SILK packets that carry a copy of the one before: 480 or 960 units.
    case packets(count: Int, duration: Int64 = 960, bytes: Int = 80, fec: Bool = false)
    /// Discontinuous transmission for about that long: an empty packet at once and then every 400 ms.
    case silence(Interval)
    /// The source doesn't deliver for that long: the send schedule catches up, or makes a pause.
    case stall(Interval)
    /// The timestamps jump by so many units, as when another file follows.
    case jump(units: Int64)
    /// The sender process is started anew after `pause`: a new session with these first numbers.
    case restart(ssrc: UInt32, sequence: UInt16, timestamp: UInt32, pause: Interval = .zero)
    /// The path takes nothing for that long from now on; the sender doesn't notice.
    case blackout(Interval)
  }

  /// The steps.
  public var steps: [Step]
  /// The first source.
  public var ssrc: UInt32
  /// The first sequence number.
  public var firstSequence: UInt16
  /// The timestamp of the first packet.
  public var firstTimestamp: UInt32
  /// When it begins.
  public var start: Instant
  /// By how many millionths the sender's clock is faster than the receiver's.
  public var driftPPM: Int64
  /// Whether it says goodbye at the end.
  public var saysGoodbye: Bool

  /// Describes a sender.
  public init(
    _ steps: [Step], ssrc: UInt32 = 0x1a2b_3c4d, firstSequence: UInt16 = 1000, firstTimestamp: UInt32 = 100_000,
    start: Instant = .zero + .seconds(1), driftPPM: Int64 = 0, saysGoodbye: Bool = true
  ) {
    self.steps = steps
    self.ssrc = ssrc
    self.firstSequence = firstSequence
    self.firstTimestamp = firstTimestamp
    self.start = start
    self.driftPPM = driftPPM
    self.saysGoodbye = saysGoodbye
  }

  /// The payload of an Opus packet, valid as far as RFC 6716 section 3 tells.
  static func payload(duration: Int64, bytes: Int, fec: Bool) -> [UInt8] {
    var payload = [UInt8](repeating: 0x55, count: max(bytes, 3))
    if fec {
      // SILK, wideband, mono: VAD bit and LBRR bit lead the first frame.
      payload[0] = (duration == 480 ? 8 : 9) << 3
      payload[1] = 0xc0
      return payload
    }
    switch duration {
    case 120: payload[0] = 28 << 3
    case 240: payload[0] = 29 << 3
    case 480: payload[0] = 30 << 3
    case 1920: payload[0] = 10 << 3
    case 2880: payload[0] = 11 << 3
    default: payload[0] = 31 << 3
    }
    // A SILK packet's first bit after the voice activity must not look like a copy.
    if duration >= 1920 { payload[1] = 0 }
    return payload
  }
}
