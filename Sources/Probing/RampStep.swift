public import Timeline

/// One step of a ramp.
public struct RampStep: Equatable, Sendable {
  /// The rate that was aimed at, in bits a second with RTP, UDP and IPv4 headers.
  public internal(set) var rate: Double
  /// When it began.
  public internal(set) var begin: Instant
  /// How long it sent.
  public internal(set) var sendingTime = Interval.zero
  /// Packets sent, and their bytes with all headers.
  public internal(set) var sent = 0
  /// Bytes sent with RTP, UDP and IPv4 headers.
  public internal(set) var sentBytes = 0
  /// Packets that arrived, duplicates not counted.
  public internal(set) var arrived = 0
  /// How much longer even the fastest packets took at its end than at its beginning.
  public internal(set) var delayGrowth = Interval.zero
  /// How far the delays of its first packets lay apart.
  public internal(set) var spread = Interval.zero
  /// How much longer the slowest packet took than the fastest so far.
  public internal(set) var mostDelay = Interval.zero
  /// Bits a second that arrived while it was sent, with all headers; 0 when that isn't known.
  public internal(set) var deliveredRate = 0.0
  /// Whether it was more than the path carries.
  public internal(set) var isOverload = false

  init(rate: Double, begin: Instant) {
    self.rate = rate
    self.begin = begin
  }

  /// Packets that didn't arrive.
  public var lost: Int { max(sent - arrived, 0) }
  /// Their share of those sent.
  public var loss: Double { sent == 0 ? 0 : Double(lost) / Double(sent) }
  /// Bits a second that were truly sent.
  public var sentRate: Double { sendingTime > .zero ? Double(sentBytes) * 8 / sendingTime.seconds : 0 }

  /// The share of what was to be sent in `duration` that was sent.
  func sentShare(of duration: Interval) -> Double {
    let due = rate * duration.seconds / 8
    return due > 0 ? Double(sentBytes) / due : 1
  }
}

/// Follows the far end's totals through one step after the other.
struct RampAccount: Sendable {
  /// The last number sent.
  var lastSequence: UInt32 = 0
  private var latest: ProbeFeedback.Stream?
  /// Where the totals stood when the step began, and at its first feedback with arrivals.
  private var base: ProbeFeedback.Stream?
  private var first: ProbeFeedback.Stream?
  /// Feedbacks in a row in which nothing new had arrived.
  private var unchanged = 0
  /// The smallest transit of all, in µs.
  private var leastTransit: Int32?
  /// The transits of the step's first and last feedbacks with arrivals, and the largest of all.
  private var firstTransits: [ClosedRange<Int32>] = []
  private var lastTransits: [ClosedRange<Int32>] = []
  private var mostTransit: Int32?

  /// Feedbacks whose smallest transits are compared: so many that jitter doesn't look like a queue.
  private static let window = 3

  mutating func open() {
    base = latest
    first = nil
    unchanged = 0
    firstTransits = []
    lastTransits = []
    mostTransit = nil
  }

  mutating func take(_ stream: ProbeFeedback.Stream) {
    unchanged = stream.received == latest?.received ? unchanged + 1 : 0
    if stream.received != base?.received ?? 0, first == nil { first = stream }
    latest = stream
    guard let transit = stream.transit else { return }
    leastTransit = min(leastTransit ?? transit.lowerBound, transit.lowerBound)
    mostTransit = max(mostTransit ?? transit.upperBound, transit.upperBound)
    if firstTransits.count < Self.window { firstTransits.append(transit) }
    lastTransits = lastTransits.suffix(Self.window - 1) + [transit]
  }

  /// Whether everything that was sent has arrived or is lost.
  func hasSettled(after silence: Interval) -> Bool {
    guard let latest else { return false }
    let ahead = Int16(truncatingIfNeeded: latest.highest &- lastSequence)
    // The last ones may be lost, and stragglers may follow the last one.
    return ahead >= 0 ? unchanged >= 1 && silence >= .milliseconds(100) : unchanged >= 5 && silence >= .seconds(1)
  }

  /// Closes the step's account.
  mutating func close(into step: inout RampStep) {
    guard let latest else { return }
    step.arrived = Int(latest.unique &- (base?.unique ?? 0))
    let least = leastTransit ?? 0
    if let early = firstTransits.map(\.lowerBound).min(), let late = lastTransits.map(\.lowerBound).min(),
      let high = firstTransits.map(\.upperBound).max()
    {
      step.delayGrowth = .microseconds(Int64(late) - Int64(early))
      step.spread = .microseconds(Int64(high) - Int64(early))
    }
    if let mostTransit { step.mostDelay = .microseconds(Int64(mostTransit) - Int64(least)) }
    guard let first, first.lastArrival != latest.lastArrival else { return }
    let bytes = Int(latest.bytes &- first.bytes) + Int(latest.received &- first.received) * ProbeProfile.lowerLayers
    let micros = Double(latest.lastArrival &- first.lastArrival)
    step.deliveredRate = Double(bytes) * 8e6 / micros
  }
}
