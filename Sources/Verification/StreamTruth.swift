public import Timeline

/// What truly happened to one stream, and what a report has to say of it: worked out from every packet by the plainest
/// code there is, which shares nothing with the code that counts.
public struct StreamTruth: Sendable {
  /// A packet that arrived.
  public struct Arrival: Sendable {
    /// Its run of sequence numbers: 0 until the sender restarts.
    public var run: Int
    /// Its place among the packets sent in that run.
    public var index: Int
    /// Its timestamp.
    public var timestamp: UInt32
    /// When it arrived, in nanoseconds of any clock.
    public var time: Int64

    /// Describes an arrival.
    public init(run: Int, index: Int, timestamp: UInt32, time: Int64) {
      self.run = run
      self.index = index
      self.timestamp = timestamp
      self.time = time
    }
  }

  /// The stream's source.
  public var ssrc: UInt32
  /// For each run of sequence numbers, for each packet in the order of sending: how many copies the link delivered.
  public var sent: [[Int]]
  /// What arrived, in order.
  public var arrivals: [Arrival]
  /// Ticks of the timestamp a second.
  public var clockRate: UInt32
  /// The delay of the receiver's buffer beyond the smallest transit.
  public var buffer: Interval
  /// Whether the socket may have dropped what the link delivered.
  public var socketDrops: Bool
  /// Whether the receiver hears the sender's final count.
  public var knowsSent = true

  /// Describes a stream.
  public init(
    ssrc: UInt32, sent: [[Int]], arrivals: [Arrival], clockRate: UInt32, buffer: Interval, socketDrops: Bool = false
  ) {
    self.ssrc = ssrc
    self.sent = sent
    self.arrivals = arrivals
    self.clockRate = clockRate
    self.buffer = buffer
    self.socketDrops = socketDrops
  }

  /// The first copy of each packet, in order of arrival.
  var firstCopies: [Arrival] {
    var seen: Set<Int> = []
    return arrivals.filter { seen.insert($0.run << 32 | $0.index).inserted }
  }

  /// Whether each packet between the first and the last that arrived was received, run by run.
  var received: [[Bool]] {
    sent.indices.map { run in
      let indices = Set(arrivals.filter { $0.run == run }.map(\.index))
      guard let first = indices.min(), let last = indices.max() else { return [] }
      return (first...last).map { indices.contains($0) }
    }
  }

  /// Copies that the link delivered.
  public var delivered: Int { sent.joined().reduce(0, +) }

  /// What the link delivered and the socket dropped.
  public var droppedBySocket: Int { delivered - arrivals.count }

  /// Packets of which no copy arrived: all that were sent less those seen.
  public var missing: Int { sent.joined().count - firstCopies.count }

  /// What the report has to say.
  var expectations: [Expectation] {
    counts + places + runs + distances + burstsAndGaps + order + displacements + delays + steps + lateness
  }

  /// The packets that arrived as often as the link delivered them: all, unless the socket dropped some.
  var faithful: Int {
    var copies = sent.map { [Int](repeating: 0, count: $0.count) }
    for arrival in arrivals where copies.indices.contains(arrival.run) {
      if copies[arrival.run].indices.contains(arrival.index) { copies[arrival.run][arrival.index] += 1 }
    }
    return zip(copies.joined(), sent.joined()).count { socketDrops ? $0 <= $1 : $0 == $1 }
  }

  private var counts: [Expectation] {
    let seen = firstCopies.count
    let expected = received.joined().count
    let all = sent.joined().count
    return [
      Expectation("packets.expected", expected), Expectation("packets.received", arrivals.count),
      Expectation("packets.unique", seen), Expectation("packets.lost", expected - seen),
      Expectation("packets.duplicates", arrivals.count - seen),
      Expectation("packets.rfc3550_lost", expected - arrivals.count), Expectation("packets.too_old", 0),
      Expectation("packets.discarded", 0), Expectation("packets.still_buffered", 0),
      Expectation("loss_ratio", expected == 0 ? 0 : Double(expected - seen) / Double(expected), within: 1e-6),
      Expectation("restarts", sent.count - 1),
      Expectation("packets seen as often as the link delivered them", all, isOwn: true, reported: Double(faithful)),
    ] + (knowsSent ? [Expectation("sender.packets", sent.last?.count ?? 0)] : [])
  }

  private var runs: [Expectation] {
    var lengths: [Int] = []
    var (fromReceived, fromReceivedToLost, fromLost, fromLostToReceived) = (0, 0, 0, 0)
    for run in received {
      var length = 0
      for hasArrived in run {
        if !hasArrived {
          length += 1
        } else if length > 0 {
          lengths.append(length)
          length = 0
        }
      }
      for (left, right) in zip(run, run.dropFirst()) {
        if left {
          fromReceived += 1
          fromReceivedToLost += right ? 0 : 1
        } else {
          fromLost += 1
          fromLostToReceived += right ? 1 : 0
        }
      }
    }
    let mean = lengths.isEmpty ? 0 : Double(lengths.reduce(0, +)) / Double(lengths.count)
    func share(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }
    var expectations = [
      Expectation("bursts.count", lengths.count), Expectation("bursts.max", lengths.max() ?? 0),
      Expectation("bursts.mean", mean, within: 1e-3),
      Expectation("gilbert.p", share(fromReceivedToLost, fromReceived), within: 1e-6),
      Expectation("gilbert.r", share(fromLostToReceived, fromLost), within: 1e-6),
    ]
    for length in 1...10 {
      let count = lengths.count { length == 10 ? $0 >= 10 : $0 == length }
      expectations.append(Expectation("bursts.histogram.\(length - 1)", count))
    }
    return expectations
  }

  /// RFC 4737 by its definitions: section 3.3, then sections 4.2 and 4.3 with the earliest packet that has overtaken.
  private var order: [Expectation] {
    var (reordered, extent, extents) = (0, 0, 0)
    var (latest, lateTimes): (Int64, Int64) = (0, 0)
    let firstCopies = firstCopies
    for run in sent.indices {
      let packets = firstCopies.filter { $0.run == run }
      var highest = -1
      for (place, packet) in packets.enumerated() {
        if packet.index < highest, let earliest = packets[..<place].firstIndex(where: { $0.index > packet.index }) {
          reordered += 1
          extent = max(extent, place - earliest)
          extents += place - earliest
          latest = max(latest, packet.time - packets[earliest].time)
          lateTimes += packet.time - packets[earliest].time
        }
        highest = max(highest, packet.index)
      }
    }
    let count = Double(max(reordered, 1))
    return [
      Expectation("packets.reordered", reordered), Expectation("reordering.max_extent", extent),
      Expectation("reordering.ratio", Double(reordered) / Double(max(firstCopies.count, 1)), within: 1e-6),
      Expectation("reordering.mean_extent", Double(extents) / count, within: 1e-3),
      Expectation("reordering.mean_late_ms", Double(lateTimes) / count / 1e6, within: 1e-3),
      Expectation("reordering.max_late_ms", Double(latest) / 1e6, within: 1e-3),
    ]
  }
}
