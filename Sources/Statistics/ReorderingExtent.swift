internal import Timeline

/// How far packets arrive out of place: the reordering extent and late time of RFC 4737 sections 4.2 and 4.3.
///
/// A reordered packet's extent is its place in the order of arrival less the place of the earliest packet with a greater
/// sequence number; duplicates have no place. The earliest such packet is always one that was the highest of its time,
/// so the last 1,024 of those suffice: an extent that reaches further back is given as far as they reach.
struct ReorderingExtent: Sendable {
  /// The largest extent in packets.
  private(set) var most = 0
  /// The largest late time: how long after the earliest greater one a packet came.
  private(set) var latest = Interval.zero

  /// A packet that was the highest when it came.
  private struct Record {
    var number: Int64
    var place: Int
    var arrival: Instant
  }

  private var ring: [Record] = []
  /// Where the next record goes once the ring is full; the oldest stands there.
  private var next = 0
  private var places = 0

  /// A packet arrived that is the highest so far.
  mutating func recordHighest(_ number: Int64, arrival: Instant) {
    let record = Record(number: number, place: places, arrival: arrival)
    places += 1
    guard ring.count == Self.capacity else {
      ring.append(record)
      return
    }
    ring[next] = record
    next = (next + 1) % Self.capacity
  }

  /// A packet arrived for the first time that is below the highest.
  mutating func recordReordered(_ number: Int64, arrival: Instant) {
    defer { places += 1 }
    // The records grow in number and in place, so the first greater one is found by halving.
    var low = 0
    var high = ring.count
    while low < high {
      let middle = (low + high) / 2
      if ring[index(middle)].number > number { high = middle } else { low = middle + 1 }
    }
    guard low < ring.count else { return }
    let record = ring[index(low)]
    most = max(most, places - record.place)
    latest = max(latest, arrival - record.arrival)
  }

  /// Begins a new run of numbers; the largest values stay.
  mutating func restart() {
    ring.removeAll(keepingCapacity: true)
    next = 0
  }

  /// The place in the ring of the record with `age` older ones before it.
  private func index(_ age: Int) -> Int { ring.count < Self.capacity ? age : (next + age) % Self.capacity }

  private static let capacity = 1024
}
