public import Timeline

/// What happened to one stream when: rows by second, the fate of each number in order, delays, events.
///
/// Whatever the length of the run, memory has a limit: 4,096 rows (they begin at one second, and become twice as long
/// each time the table is full), 4,096 cells of the strip (one number each, then 2, 4, ...), 2,048 samples of delay
/// (5 ms each, then 10 ms, ...) that keep the extremes of each stretch, and 256 events; in all less than 2 MiB. A packet
/// costs constant time on average, a reordered one the logarithm of the number of rows.
///
/// - Inputs: `record`, `recordPlayout`, `restart`, `recordEvent`.
/// - Outputs: `rows`, `cells`, `delaySamples`, `events`.
public struct StreamTimeline: Sendable {
  /// A packet that was counted.
  public struct Packet: Sendable {
    /// What became of it as far as its arrival decides it.
    public enum Fate: Sendable {
      /// It came in time to be played.
      case inTime
      /// It came after its place in the playout was over.
      case late
      /// It was thrown away.
      case discarded
    }

    /// Its extended sequence number.
    public var sequence: Int64
    /// Its arrival less its extended timestamp.
    public var transit: Interval
    /// When it arrived.
    public var arrival: Instant
    /// Its size in bytes.
    public var bytes: Int
    /// What it was counted as.
    public var reception: Reception
    /// What became of it; of no meaning for duplicates.
    public var fate: Fate
    /// The interarrival jitter after it, in milliseconds.
    public var jitter: Double

    /// Describes a packet.
    public init(
      sequence: Int64, transit: Interval, arrival: Instant, bytes: Int, reception: Reception, fate: Fate, jitter: Double
    ) {
      self.sequence = sequence
      self.transit = transit
      self.arrival = arrival
      self.bytes = bytes
      self.reception = reception
      self.fate = fate
      self.jitter = jitter
    }
  }

  /// The most rows.
  public static let rowLimit = 4096
  /// The most cells of the strip.
  public static let cellLimit = 4096
  /// The most samples of delay.
  public static let sampleLimit = 2048
  /// The most events.
  public static let eventLimit = 256
  /// Silence that lasts longer is an event.
  public static let gapLength = Interval.seconds(1)
  /// A transit that differs by more from the one before isn't delay but another timeline.
  static let discontinuity = Interval.seconds(5)

  /// What happened to the stream as a whole, in order.
  public private(set) var events: [TimelineEvent] = []
  /// Events for which there was no room, of the stream itself and of its buffer.
  public private(set) var forgottenEvents = (stream: 0, buffer: 0)
  /// How many of `events` are of the buffer.
  private var bufferEvents = 0

  private var tallies = CoarseningSeries<TimelineTally>(width: 1_000_000_000, limit: rowLimit)
  /// The cells of the strip.
  ///
  /// How many were expected follows from a cell's place; `expected` counts those that are more: numbers before the first
  /// one that was seen, for which there is no place of their own.
  private var cells = CoarseningSeries<FateCounts>(width: 1, limit: cellLimit)
  private var delays = CoarseningSeries<DelayTally>(width: 5_000_000, limit: sampleLimit)
  /// The arrivals of the first and of the last packet.
  private var span: (first: Instant, last: Instant)?
  /// The present run of numbers: the first one seen and its place in the strip, the lowest, the highest.
  private var run: (first: Int64, place: Int64, lowest: Int64)?
  private var highest = Int64.min
  /// Places in the strip that are taken.
  private var placeCount: Int64 = 0
  /// The transit that delays are counted from, and the last one.
  private var reference: Interval?
  private var lastTransit = Interval.zero
  /// The smallest delay so far, and the buffer's base, in milliseconds from the reference.
  private var leastDelay = Double.infinity
  private var lastBase = 0.0

  /// Starts with nothing seen.
  public init() {}

  // MARK: Inputs

  /// Takes in a packet in order of arrival, after it was counted.
  public mutating func record(_ packet: Packet) {
    guard packet.reception != .tooOld else { return }
    let first = span?.first ?? packet.arrival
    let last = span?.last ?? packet.arrival
    if packet.arrival - last > Self.gapLength { recordEvent(.gap(packet.arrival - last), at: last) }
    span = (first, max(last, packet.arrival))
    let now = (packet.arrival - first).nanoseconds
    var row = tallies.place(of: now, filler: TimelineTally(highest: highest))
    tallies.elements[row].bytes += packet.bytes
    tallies.elements[row].jitter.record(packet.jitter)
    guard packet.reception.isUnique else {
      tallies.elements[row].fates.duplicates += 1
      cells.elements[cell(of: packet.sequence)].duplicates += 1
      return
    }
    recordDelay(of: packet, row: row, at: now)
    let added = extend(to: packet.sequence)
    if packet.sequence < highest {
      row = self.row(of: packet.sequence)
    } else {
      tallies.elements[row].highest = highest
    }
    tallies.elements[row].fates.expected += added
    tallies.elements[row].fates.record(packet)
    cells.elements[cell(of: packet.sequence)].record(packet)
  }

  /// A packet that had come in time is given up by the buffer after all.
  public mutating func recordStale(sequence: Int64) {
    guard let run, sequence >= run.lowest, sequence <= highest else { return }
    tallies.elements[row(of: sequence)].fates.discarded += 1
    cells.elements[cell(of: sequence)].discarded += 1
  }

  /// Looks at the buffer when something is played; `base` is the transit that its delay is counted from.
  public mutating func recordPlayout(level: Interval, target: Interval, base: Interval?, at instant: Instant) {
    guard let span, !tallies.elements.isEmpty else { return }
    // Only arrivals make rows: an instant far in the future, at which a buffer is emptied, belongs to the last one.
    let offset = (min(instant, span.last) - span.first).nanoseconds
    let row = tallies.place(of: offset, filler: TimelineTally(highest: highest))
    tallies.elements[row].level.record(level.milliseconds)
    tallies.elements[row].target = target.milliseconds
    guard let base, let reference, Self.isNear(base, lastTransit) else { return }
    lastBase = (base - reference).milliseconds
    tallies.elements[row].base.record(lastBase)
  }

  /// The sender began anew: the next number begins another run, and no number before it is expected.
  public mutating func restart() {
    run = nil
    reference = nil
  }

  /// Notes what happened to the stream as a whole.
  ///
  /// A buffer on a bad network has something to tell each second. So once there is no room, whoever has more than half
  /// of it gives: of the stream's own events the last, of the buffer's the oldest of the least important that there are.
  public mutating func recordEvent(_ kind: TimelineEvent.Kind, at instant: Instant) {
    let time = span.map { max(instant - $0.first, .zero) } ?? .zero
    events.append(TimelineEvent(time: time, kind: kind))
    if kind.bufferRank != nil { bufferEvents += 1 }
    guard kind != .ended, events.count > Self.eventLimit else { return }
    if bufferEvents > Self.eventLimit / 2 { forgetBufferEvent() } else { forgetStreamEvent() }
  }

  private mutating func forgetBufferEvent() {
    let least = events.indices.min { (events[$0].kind.bufferRank ?? .max) < (events[$1].kind.bufferRank ?? .max) }
    guard let least, events[least].kind.bufferRank != nil else { return }
    events.remove(at: least)
    bufferEvents -= 1
    forgottenEvents.buffer += 1
  }

  private mutating func forgetStreamEvent() {
    guard let last = events.lastIndex(where: { $0.kind.bufferRank == nil && $0.kind != .ended }) else { return }
    events.remove(at: last)
    forgottenEvents.stream += 1
  }

  // MARK: Outputs

  /// From the first packet to the last.
  public var duration: Interval { span.map { $0.last - $0.first } ?? .zero }

  /// Rows in order of time, at most `count`: neighbours are merged until they are so few.
  public func rows(atMost count: Int = rowLimit) -> [TimelineRow] {
    var series = tallies
    series.coarsen(toAtMost: count)
    let origin = leastDelay.isFinite ? leastDelay : 0
    return series.elements.enumerated().map { place, tally in
      TimelineRow(
        start: Interval(nanoseconds: series.width) * Int64(place), duration: Interval(nanoseconds: series.width),
        fates: tally.fates, bytes: tally.bytes, jitter: tally.jitter.extent(),
        delay: tally.delay.extent(above: origin), bufferLevel: tally.level.extent(),
        bufferTarget: tally.target.isFinite ? tally.target : nil,
        bufferBase: tally.base.range(above: origin))
    }
  }

  /// What became of the sequence numbers, in their order, in at most `count` cells.
  public func strip(atMost count: Int = cellLimit) -> FateStrip {
    var series = cells
    series.coarsen(toAtMost: count)
    for place in series.elements.indices {
      series.elements[place].expected += Int(min(series.width, placeCount - Int64(place) * series.width))
    }
    return FateStrip(numbersPerCell: Int(series.width), cells: series.elements)
  }

  /// Delays in order of time, at most `count`; every extreme of the whole run is among them.
  public func delaySamples(atMost count: Int = sampleLimit) -> [DelaySample] {
    var delays = delays
    delays.coarsen(toAtMost: count)
    let origin = leastDelay.isFinite ? leastDelay : 0
    return delays.elements.enumerated().compactMap { place, tally in
      guard tally.inTime.count + tally.late.count > 0 else { return nil }
      let time = Interval(nanoseconds: delays.width) * Int64(place) + Interval(nanoseconds: delays.width / 2)
      return DelaySample(time: time, inTime: tally.inTime.range(above: origin), late: tally.late.range(above: origin))
    }
  }

  // MARK: Private

  /// Makes room for a number; how many more are expected for its sake.
  private mutating func extend(to number: Int64) -> Int {
    guard var run else {
      self.run = (number, placeCount, number)
      highest = number
      placeCount += 1
      return 1
    }
    if number > highest {
      let added = number - highest
      highest = number
      placeCount += added
      return Int(added)
    }
    guard number < run.lowest else { return 0 }
    // The run began earlier than it seemed: the numbers before its first have no places of their own.
    let added = run.lowest - number
    run.lowest = number
    self.run = run
    cells.elements[cell(of: number)].expected += Int(added)
    return Int(added)
  }

  /// The cell of a number of the present run.
  private mutating func cell(of number: Int64) -> Int {
    guard let run else { return cells.place(of: placeCount, filler: FateCounts()) }
    return cells.place(of: run.place + max(number - run.first, 0), filler: FateCounts())
  }

  /// The row in which the highest number passed this one.
  private func row(of number: Int64) -> Int {
    var (low, high) = (0, tallies.elements.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if tallies.elements[middle].highest < number { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func recordDelay(of packet: Packet, row: Int, at offset: Int64) {
    let isNear = Self.isNear(packet.transit, lastTransit)
    if reference == nil || !isNear {
      // A packet that couldn't be used proves nothing about the timeline.
      guard reference == nil || packet.fate == .inTime else { return }
      if reference != nil { recordEvent(.jump, at: packet.arrival) }
      // Nobody knows how delays before and after compare: this packet is taken for one that hardly queued.
      reference = packet.transit - Interval(seconds: lastBase / 1000)
    }
    lastTransit = packet.transit
    let delay = (packet.transit - (reference ?? packet.transit)).milliseconds
    leastDelay = min(leastDelay, delay)
    tallies.elements[row].delay.record(delay)
    let place = delays.place(of: offset, filler: DelayTally())
    if packet.fate == .late {
      delays.elements[place].late.record(delay)
    } else {
      delays.elements[place].inTime.record(delay)
    }
  }

  private static func isNear(_ left: Interval, _ right: Interval) -> Bool {
    let shift = left - right
    return shift <= discontinuity && shift >= -discontinuity
  }
}
