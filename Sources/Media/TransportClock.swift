import Packets

/// When each packet of a transport stream is to be sent: its place between two program clock references (ISO/IEC 13818-1
/// section 2.4.2.2), in ticks of 27 MHz from the first packet on.
///
/// The references of one program are followed, those that come first. Where the clock leaps, time goes on at the rate
/// before.
struct TransportClock: Sendable {
  /// Ticks a second.
  static let rate: Int64 = 27_000_000
  /// References further apart than this, 10 s, or that go back, are those of a clock that was set anew.
  static let longestStep = 10 * rate
  /// After so many packets without a reference another program's are followed.
  static let patience: Int64 = 8_192
  /// The rate of a stream that doesn't tell: 4 Mbit/s, in ticks a packet.
  private static let assumedStep = Double(TransportPacket.size * 8) / 4_000_000 * Double(rate)

  /// Packets with a reference around those that are waiting to be sent, the oldest first.
  private var points: [(index: Int64, time: Int64)] = []
  private var lastValue: Int64 = 0
  private var pid: Int?
  /// Ticks a packet between the last two references.
  private var step = Self.assumedStep

  /// The number of times that the clock was set anew.
  private(set) var leaps = 0

  /// Whether a reference has been seen.
  var hasBegun: Bool { !points.isEmpty }

  /// Takes the packet number `index`.
  mutating func take(_ packet: TransportPacket, index: Int64) {
    guard let value = packet.clock else { return }
    guard let last = points.last, let pid else {
      (lastValue, pid) = (value, packet.pid)
      points.append((index, 0))
      return
    }
    let isOther = packet.pid != pid
    if isOther, index - last.index < Self.patience { return }
    self.pid = packet.pid
    let advance = (value - lastValue + TransportPacket.clockModulus) % TransportPacket.clockModulus
    let count = index - last.index
    lastValue = value
    if packet.isDiscontinuous || isOther || advance > Self.longestStep {
      leaps += 1
      points.append((index, last.time + Int64(Double(count) * step)))
    } else {
      step = Double(advance) / Double(count)
      points.append((index, last.time + advance))
    }
  }

  /// When the packet number `index` is to be sent; nil while the reference behind it is awaited.
  ///
  /// With `isForced` the rate so far is taken to go on.
  mutating func time(of index: Int64, isForced: Bool = false) -> Int64? {
    while points.count > 2, points[1].index <= index { points.removeFirst() }
    guard let first = points.first, let last = points.last else { return nil }
    guard points.count > 1, points[1].index >= index else {
      return isForced ? last.time + Int64(Double(index - last.index) * step) : nil
    }
    let second = points[1]
    let share = Double(index - first.index) / Double(second.index - first.index)
    return first.time + Int64(share * Double(second.time - first.time))
  }
}
