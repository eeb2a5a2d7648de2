import Timeline

/// How much delay the largest frames need, which are the key frames, as a rule.
///
/// They take longest to come, and all up to the next one refer to them; but they are few: to a histogram the one of every
/// few seconds is a spike that stands alone.
struct LargestFrames: Sendable {
  /// Of so many the longest delay counts.
  private static let memory = 4
  /// The next one may be larger than those before by a quarter, and a little.
  private static let margin = Interval.milliseconds(2)
  /// By this share of itself what counts as large becomes smaller with each frame that isn't.
  private static let decay = 1.0 / 1024

  /// The decoding time of the frame that is coming, and how many packets of it have come.
  private var time = Int64.min
  private var packets = 0
  private var largest = 0.0
  private var delays = InlineArray<4, Interval>(repeating: .zero)
  private var place = 0
  /// The delay beyond the smallest transit with which they would not have been late.
  private(set) var need = Interval.zero

  /// Takes in a packet that came so long after the fastest one; the last of its frame has a duration.
  mutating func take(_ packet: BufferedPacket, delay: Interval) {
    if packet.timestamp != time { (time, packets) = (packet.timestamp, 0) }
    packets += 1
    guard packet.duration > 0 else { return }
    guard Double(packets) * 2 >= largest else { return largest -= largest * Self.decay }
    largest = max(largest, Double(packets))
    delays[place] = delay
    place = (place + 1) % Self.memory
    var longest = Interval.zero
    for index in delays.indices { longest = max(longest, delays[index]) }
    need = longest + longest / 4 + Self.margin
  }
}
