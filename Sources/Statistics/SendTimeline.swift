public import Timeline

/// What a sender sent when, by second: packets, bytes, and how late they left.
///
/// Memory has a limit, as that of `StreamTimeline`: 4,096 rows, which become twice as long each time the table is full.
public struct SendTimeline: Sendable {
  /// One stretch of the run.
  public struct Row: Hashable, Sendable {
    /// When it begins, from the first packet on.
    public var start: Interval
    /// How long it is.
    public var duration: Interval
    /// Packets sent.
    public var packets: Int
    /// Their bytes with RTP headers.
    public var bytes: Int
    /// The instants of sending less those at which packets were due; nil when nothing was sent.
    public var lateness: TimelineExtent?
  }

  private struct Tally: Coarsenable {
    var packets = 0
    var bytes = 0
    var lateness = TimelineSpread()

    mutating func absorb(_ later: Tally) {
      packets += later.packets
      bytes += later.bytes
      lateness.absorb(later.lateness)
    }
  }

  private var tallies = CoarseningSeries<Tally>(width: 1_000_000_000, limit: StreamTimeline.rowLimit)
  private var span: (first: Instant, last: Instant)?

  /// Starts with nothing sent.
  public init() {}

  /// Takes in a packet that was due at `deadline` and sent at `now`.
  public mutating func record(bytes: Int, deadline: Instant, at now: Instant) {
    let first = span?.first ?? now
    span = (first, max(span?.last ?? now, now))
    let row = tallies.place(of: (now - first).nanoseconds, filler: Tally())
    tallies.elements[row].packets += 1
    tallies.elements[row].bytes += bytes
    tallies.elements[row].lateness.record((now - deadline).milliseconds)
  }

  /// From the first packet to the last.
  public var duration: Interval { span.map { $0.last - $0.first } ?? .zero }

  /// Rows in order of time, at most `count`: neighbours are merged until they are so few.
  public func rows(atMost count: Int = StreamTimeline.rowLimit) -> [Row] {
    var series = tallies
    series.coarsen(toAtMost: count)
    return series.elements.enumerated().map { place, tally in
      Row(
        start: Interval(nanoseconds: series.width) * Int64(place), duration: Interval(nanoseconds: series.width),
        packets: tally.packets, bytes: tally.bytes, lateness: tally.lateness.extent())
    }
  }
}
