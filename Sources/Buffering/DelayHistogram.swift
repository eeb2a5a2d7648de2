import Timeline

/// How the delays of the past are spread, the recent past counting most.
///
/// The bins are 2 ms wide below 128 ms, 8 ms below 512 ms and 64 ms below 4.1 s: a quantile is as fine as the delays
/// that a listener can tell apart. Forgetting costs nothing: instead of shrinking every bin with each sample, each
/// sample weighs a little more than the one before it.
struct DelayHistogram: Sendable {
  /// Delays from here on share the last bin.
  static let limit = Interval.milliseconds(4096)
  private static let binCount = 168
  /// Above this weight all bins are scaled down, so that no number grows without limit.
  private static let heaviest = 1e12

  private var weights: [Double]
  /// What a packet of this length weighs.
  private var total = 0.0
  private var scale = 1.0
  /// No bin above this one holds anything that counts.
  private var highest = 0
  /// One over the memory's length.
  private let rate: Double
  /// How many samples there were.
  private(set) var count = 0

  /// Makes an empty histogram.
  ///
  /// - Parameters:
  ///   - memory: the time constant with which the past is forgotten, in media time.
  ///   - isUsed: whether anything will be added.
  init(memory: Interval, isUsed: Bool = true) {
    weights = Array(repeating: 0, count: isUsed ? Self.binCount : 0)
    rate = 1 / memory.seconds
  }

  var isEmpty: Bool { total <= 0 }

  /// Takes in the delay of a packet that plays `seconds`, which is what it weighs.
  mutating func add(_ delay: Interval, seconds: Double) {
    scale *= 1 + seconds * rate
    let place = Self.bin(of: delay)
    let weight = seconds * scale
    weights[place] += weight
    total += weight
    highest = max(highest, place)
    count += 1
    if scale > Self.heaviest { rescale() }
  }

  /// The smallest delay that at most the share `tail` of the past exceeded, interpolated within its bin.
  func quantile(tail: Double) -> Interval {
    let limit = tail * total
    guard total > 0 else { return .zero }
    var above = 0.0
    var place = highest
    while place > 0, above + weights[place] <= limit {
      above += weights[place]
      place -= 1
    }
    guard weights[place] > 0 else { return Self.lowerEdge(of: place) }
    let share = min(1, (limit - above) / weights[place])
    let lower = Self.lowerEdge(of: place)
    let width = Self.lowerEdge(of: place + 1) - lower
    return lower + Interval(nanoseconds: Int64((1 - share) * Double(width.nanoseconds)))
  }

  /// The share of the past, 0...1, that was delayed by more than `delay`.
  func share(beyond delay: Interval) -> Double {
    guard total > 0 else { return 0 }
    guard delay >= .zero else { return 1 }
    let place = Self.bin(of: delay)
    var above = 0.0
    for higher in stride(from: highest, to: place, by: -1) { above += weights[higher] }
    let lower = Self.lowerEdge(of: place)
    let width = Double((Self.lowerEdge(of: place + 1) - lower).nanoseconds)
    let rest = 1 - Double((delay - lower).nanoseconds) / width
    return (above + weights[place] * min(1, max(0, rest))) / total
  }

  /// Forgets everything.
  mutating func removeAll() {
    for place in 0...highest { weights[place] = 0 }
    total = 0
    scale = 1
    highest = 0
    count = 0
  }

  private mutating func rescale() {
    total = 0
    highest = 0
    for place in weights.indices {
      weights[place] /= scale
      // What has been forgotten doesn't count any more, so that a search from the top ends soon.
      if weights[place] < 1e-9 { weights[place] = 0 }
      if weights[place] > 0 { highest = place }
      total += weights[place]
    }
    scale = 1
  }

  @inline(__always) private static func bin(of delay: Interval) -> Int {
    let microseconds = delay.nanoseconds / 1000
    if microseconds < 128_000 { return Int(max(0, microseconds) / 2000) }
    if microseconds < 512_000 { return 64 + Int((microseconds - 128_000) / 8000) }
    return min(binCount - 1, 112 + Int((microseconds - 512_000) / 64_000))
  }

  private static func lowerEdge(of bin: Int) -> Interval {
    if bin < 64 { return .milliseconds(Int64(2 * bin)) }
    if bin < 112 { return .milliseconds(Int64(128 + 8 * (bin - 64))) }
    return .milliseconds(Int64(512 + 64 * (bin - 112)))
  }
}
