internal import Timeline

/// Follows the order of arrival, for ``ReorderingMetrics``.
///
/// A reordered packet's extent is its place in the order of arrival less the place of the earliest packet with a greater
/// sequence number; duplicates have no place. The earliest such packet is always one that was the highest of its time,
/// so the last 1,024 of those suffice: an extent that reaches further back is given as far as they reach.
struct ReorderingTracker: Sendable {
  /// What was found so far.
  private(set) var metrics = ReorderingMetrics()

  /// A packet that was the highest when it came.
  private struct Record {
    var number: Int64
    var place: Int
    var arrival: Instant
  }

  private var ring: [Record] = []
  /// Where the next record goes once the ring is full; the oldest stands there.
  private var next = 0
  /// The numbers of the last packets, in order of arrival, in a ring by place.
  private var recent = [Int64](repeating: .min, count: Self.recentCount)

  private var places: Int { metrics.unique }

  /// A packet arrived that is the highest so far.
  mutating func recordHighest(_ number: Int64, arrival: Instant) {
    let record = Record(number: number, place: places, arrival: arrival)
    take(number)
    guard ring.count == Self.capacity else {
      ring.append(record)
      return
    }
    ring[next] = record
    next = (next + 1) % Self.capacity
  }

  /// A packet arrived for the first time that is below the highest.
  mutating func recordReordered(_ number: Int64, arrival: Instant) {
    defer { take(number) }
    metrics.count += 1
    countN(number)
    // The records grow in number and in place, so the first greater one is found by halving.
    var low = 0
    var high = ring.count
    while low < high {
      let middle = (low + high) / 2
      if ring[index(middle)].number > number { high = middle } else { low = middle + 1 }
    }
    guard low < ring.count else { return }
    let record = ring[index(low)]
    let extent = places - record.place
    metrics.maxExtent = max(metrics.maxExtent, extent)
    metrics.extentSum += Double(extent)
    metrics.maxLateTime = max(metrics.maxLateTime, arrival - record.arrival)
    metrics.lateSum += (arrival - record.arrival).milliseconds
  }

  /// Begins a new run of numbers; what was found stays.
  mutating func restart() {
    ring.removeAll(keepingCapacity: true)
    next = 0
    for place in 0..<Self.recentCount { recent[place] = .min }
  }

  /// Counts how many packets right before this one had greater numbers (RFC 4737 section 5.3).
  private mutating func countN(_ number: Int64) {
    var n = 0
    while n < Self.recentCount - 1, recent[(places - 1 - n) & (Self.recentCount - 1)] > number { n += 1 }
    guard n > 0 else { return }
    metrics.histogram[min(n, 10) - 1] += 1
    metrics.maxN = max(metrics.maxN, n)
  }

  private mutating func take(_ number: Int64) {
    recent[places & (Self.recentCount - 1)] = number
    metrics.unique += 1
  }

  /// The place in the ring of the record with `age` older ones before it.
  private func index(_ age: Int) -> Int { ring.count < Self.capacity ? age : (next + age) % Self.capacity }

  private static let capacity = 1024
  private static let recentCount = 1024
}
