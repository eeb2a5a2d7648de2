public import Timeline

/// How much the delay changes from one packet to the next in order of number (IPDV, RFC 5481 section 4.1).
///
/// Only where both neighbours arrived: a lost packet doesn't enter as a change of zero. A pair is found whichever of the
/// two arrived first, as long as fewer than 512 numbers lie between their arrivals. Mean and extremes are exact,
/// percentiles are right to 1.6 % or 0.5 µs of the value.
public struct InterPacketVariation: Sendable {
  private struct Neighbour {
    var number: Int64
    var transit: Int64
  }

  /// Pairs of neighbours that both arrived.
  public private(set) var count = 0
  /// The smallest change of the delay: the largest fall, where it ever fell; zero without a pair.
  public private(set) var min = Interval.zero
  /// The largest change of the delay: the largest growth, where it ever grew; zero without a pair.
  public private(set) var max = Interval.zero

  private var sum = 0.0
  private var ring = [Neighbour](repeating: Neighbour(number: .min, transit: 0), count: Self.capacity)
  /// The packet with the highest number.
  private var newest = Neighbour(number: .min, transit: 0)
  private var growths = LogarithmicHistogram()
  private var falls = LogarithmicHistogram()

  /// Starts with no packet.
  public init() {}

  /// The mean size of a change, whatever its direction; zero without a pair.
  public var meanMagnitude: Interval { count == 0 ? .zero : Interval(nanoseconds: Int64(sum / Double(count))) }

  /// Takes in the first copy of a packet with its transit.
  public mutating func record(number: Int64, transit: Interval) {
    defer { ring[Self.slot(number)] = Neighbour(number: number, transit: transit.nanoseconds) }
    // Most packets follow the one before, and need no look at what left the cache long ago.
    if number == newest.number &+ 1 {
      add(transit.nanoseconds, less: newest.transit)
      newest = Neighbour(number: number, transit: transit.nanoseconds)
      return
    }
    if number > newest.number { newest = Neighbour(number: number, transit: transit.nanoseconds) }
    let before = ring[Self.slot(number &- 1)]
    let after = ring[Self.slot(number &+ 1)]
    if before.number == number &- 1 { add(transit.nanoseconds, less: before.transit) }
    if after.number == number &+ 1 { add(after.transit, less: transit.nanoseconds) }
  }

  /// The next timestamps stand in no relation to those so far.
  public mutating func restart() {
    for slot in 0..<Self.capacity { ring[slot].number = .min }
    newest = Neighbour(number: .min, transit: 0)
  }

  /// The change that a share of the pairs doesn't exceed, by nearest rank; nil without a pair.
  public func percentile(_ share: Double) -> Interval? {
    guard count > 0 else { return nil }
    let rank = Swift.max(Int((share * Double(count)).rounded(.up)), 1)
    guard rank > falls.total else {
      // The falls from the largest: rank 1 is the largest fall.
      let value = falls.value(atRank: falls.total - rank + 1) ?? 0
      return Swift.max(Interval(nanoseconds: -value), min)
    }
    let value = growths.value(atRank: rank - falls.total) ?? max.nanoseconds
    return Swift.min(Interval(nanoseconds: value), max)
  }

  private mutating func add(_ later: Int64, less earlier: Int64) {
    let change = Interval(nanoseconds: later) - Interval(nanoseconds: earlier)
    min = count == 0 ? change : Swift.min(min, change)
    max = count == 0 ? change : Swift.max(max, change)
    sum += Double(change.nanoseconds).magnitude
    count += 1
    if change < .zero { falls.add((-change).nanoseconds) } else { growths.add(change.nanoseconds) }
  }

  @inline(__always) private static func slot(_ number: Int64) -> Int {
    Int(truncatingIfNeeded: number) & (capacity - 1)
  }

  private static let capacity = 512
}
