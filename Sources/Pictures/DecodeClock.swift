public import Timeline

/// Tells when each packet of a video stream is to be decoded, up to a constant.
///
/// RTP timestamps are presentation times, and with B-frames they don't grow in sending order. A decoder that reorders
/// by d frames shows the smallest timestamp of those that it has when a frame comes in; so that one's timestamp is the
/// new frame's decoding time. d is learned: the most frames that were sent before one and are shown after it.
///
/// While it isn't known yet a frame that is shown much later than the one before may be the first of them. So the times
/// of the first frames grow no faster than they arrived, and are revised once eight have come; they are also revised
/// whenever d grows.
///
/// A sender that stood still goes on at later timestamps. What it had sent before has waited as long to be shown: else
/// the first d frames after a pause would have been due before it.
public struct DecodeClock: Sendable {
  /// The deepest reordering there is (H.264 has at most 16 frames in its buffer).
  public static let deepest = 16
  /// Frames remembered, so that a late packet gets its frame's time.
  static let remembered = 128
  /// The most frames there ever are: the oldest are forgotten 32 at once.
  public static let frameLimit = remembered + 32
  /// After so many frames the beginning is revised.
  static let learning = 8
  /// A step of the timestamps by more than this begins anew.
  static let leap = Interval.seconds(5)
  /// What tells of less is the unit of times of a film without a steady rate, not how long its frames last.
  private static let shortest = Interval.milliseconds(4)
  /// Nothing has come for so long, besides the usual interval, when a sender may have stood still.
  private static let stillness = Interval.milliseconds(30)
  /// What counts for the base transit, as in the jitter buffer.
  private static let window = Interval.seconds(2)

  private struct Frame: Sendable {
    var timestamp: Int64
    var first: Int64
    var last: Int64
    var arrival: Instant
    var time: Int64
    /// For how long the sender had stood still before it.
    var pause: Int64 = 0
  }

  /// The reordering learned so far, in frames.
  public private(set) var depth = 0
  /// The usual time between two frames in units of the clock.
  public private(set) var interval: Int64
  /// Whether `interval` is what was seen since the sender began.
  private var isMeasured = false
  private let clockRate: UInt32
  private let leapUnits: Int64
  /// In sending order.
  private var frames: [Frame] = []
  /// Timestamps that aren't shown yet, the smallest first: at most `depth`.
  private var waiting: [Int64] = []
  /// Frames since the beginning, as far as they matter.
  private var seen = 0

  /// Begins with a clock of this rate.
  public init(clockRate: UInt32) {
    self.clockRate = clockRate
    interval = max(1, Int64(clockRate / 30))
    leapUnits = Self.leap.units(rate: clockRate)
    frames.reserveCapacity(Self.frameLimit)
  }

  /// Takes in a packet; true when times that were told before have been revised.
  public mutating func note(_ sequence: Int64, timestamp: Int64, at arrival: Instant) -> Bool {
    guard let newest = frames.last else {
      begin(sequence, timestamp: timestamp, at: arrival)
      return false
    }
    if let place = frames.lastIndex(where: { $0.timestamp == timestamp }) {
      frames[place].first = min(frames[place].first, sequence)
      frames[place].last = max(frames[place].last, sequence)
      return false
    }
    guard sequence > newest.last else {
      insert(sequence, timestamp: timestamp, at: arrival)
      return false
    }
    guard abs(timestamp &- newest.timestamp) <= leapUnits else {
      frames.removeAll(keepingCapacity: true)
      waiting.removeAll(keepingCapacity: true)
      begin(sequence, timestamp: timestamp, at: arrival)
      return false
    }
    return append(sequence, timestamp: timestamp, at: arrival, after: newest)
  }

  /// The stream says that it reorders by so many frames; true when times that were told before have been revised.
  public mutating func raise(depth: Int) -> Bool {
    guard min(depth, Self.deepest) > self.depth else { return false }
    self.depth = min(depth, Self.deepest)
    guard !frames.isEmpty else { return false }
    revise()
    return true
  }

  /// The stream says how long a frame lasts, which is taken until the steps between frames have been seen.
  public mutating func expect(interval: Interval) {
    guard !isMeasured, interval >= Self.shortest, interval <= Self.leap else { return }
    self.interval = max(1, interval.units(rate: clockRate))
  }

  /// The frames remembered: never more than ``frameLimit``.
  public var count: Int { frames.count }

  /// When the packet is to be decoded, in units of the clock; nil when its frame is forgotten.
  public func time(of sequence: Int64) -> Int64? {
    frames.last { $0.first <= sequence && sequence <= $0.last }?.time
  }

  /// When the last frame was to be decoded that begins no later than with this number.
  public func time(upTo sequence: Int64) -> Int64? { frames.last { $0.first <= sequence }?.time }

  /// The smallest transit of the frames of the last two seconds, by their first packets.
  public var base: Interval? {
    guard let newest = frames.last?.arrival else { return nil }
    return frames.filter { newest - $0.arrival < Self.window }.map {
      ($0.arrival - .zero) - Interval(units: $0.time, rate: clockRate)
    }.min()
  }

  /// The sender has begun anew, on another timeline.
  public mutating func restart() {
    frames.removeAll(keepingCapacity: true)
    waiting.removeAll(keepingCapacity: true)
    isMeasured = false
    seen = 0
  }

  // MARK: Private

  private mutating func begin(_ sequence: Int64, timestamp: Int64, at arrival: Instant) {
    seen += 1
    let time = takeTime(of: timestamp)
    frames.append(Frame(timestamp: timestamp, first: sequence, last: sequence, arrival: arrival, time: time))
  }

  private mutating func append(_ sequence: Int64, timestamp: Int64, at arrival: Instant, after newest: Frame) -> Bool {
    seen = min(seen + 1, .max / 2)
    var overtaken = 0
    for frame in frames.suffix(2 * Self.deepest) where frame.timestamp > timestamp { overtaken += 1 }
    let isDeeper = min(overtaken, Self.deepest) > depth
    if isDeeper { depth = min(overtaken, Self.deepest) }
    let pause = pause(before: timestamp, sequence, at: arrival, after: newest)
    delay(by: pause)
    var time = takeTime(of: timestamp)
    // In the middle of a film the first frame may be one that is shown after those that follow.
    let isBehind = seen <= Self.learning && time < newest.time
    if seen <= Self.learning {
      time = min(time, newest.time &+ max(.zero, arrival - newest.arrival).units(rate: clockRate))
    }
    frames.append(
      Frame(
        timestamp: timestamp, first: sequence, last: sequence, arrival: arrival, time: max(time, newest.time &+ 1),
        pause: pause))
    forgetOldest()
    if seen % 16 == 0 { measureInterval() }
    // The first time that isn't a guess: as many frames came before it as can be shown later.
    let isFirstExact = seen <= Self.learning && frames.count == depth + 1
    guard isDeeper || seen == Self.learning else { return (isBehind || isFirstExact) && revise() }
    measureInterval()
    revise()
    return true
  }

  /// For how long the sender stood still before a frame; 0 unless both its arrival and its timestamp tell of that.
  private func pause(before timestamp: Int64, _ sequence: Int64, at arrival: Instant, after newest: Frame) -> Int64 {
    let pause = (arrival - newest.arrival).units(rate: clockRate) &- interval
    guard pause > Self.stillness.units(rate: clockRate), let first = frames.first else { return 0 }
    // How far a frame's timestamp has been above all before it, and how many are still to come that are shown before.
    var (highest, longest, outstanding, next) = (first.timestamp, interval, Int64(0), first.last &+ 1)
    for frame in frames.dropFirst() {
      if frame.timestamp > highest {
        let rise = frame.timestamp &- highest &- frame.pause
        longest = max(longest, rise)
        outstanding = (rise &+ interval / 2) / interval &- 1
        highest = frame.timestamp
      } else {
        outstanding &-= 1
      }
      // What is missing may have been those.
      if frame.first != next { outstanding = 0 }
      next = frame.last &+ 1
    }
    let rise = timestamp &- highest
    let usual = outstanding > 0 && sequence == next ? 0 : longest
    guard rise > usual else { return 0 }
    return min(max(pause, rise &- usual), rise &+ longest)
  }

  /// What isn't shown yet waits for longer.
  private mutating func delay(by pause: Int64) {
    guard pause > 0 else { return }
    for place in waiting.indices { waiting[place] &+= pause }
  }

  /// A frame of which nothing was known lies between others.
  private mutating func insert(_ sequence: Int64, timestamp: Int64, at arrival: Instant) {
    guard !frames.contains(where: { $0.first <= sequence && sequence <= $0.last }),
      let place = frames.firstIndex(where: { $0.first > sequence })
    else { return }
    // What lies before all that are remembered is forgotten already.
    guard place > 0 || frames.count < Self.remembered else { return }
    var time = min(timestamp, frames[place].time - 1)
    if place > 0 { time = max(time, frames[place - 1].time + 1) }
    frames.insert(
      Frame(timestamp: timestamp, first: sequence, last: sequence, arrival: arrival, time: time), at: place)
    forgetOldest()
  }

  private mutating func forgetOldest() {
    if frames.count >= Self.frameLimit { frames.removeFirst(Self.frameLimit - Self.remembered) }
  }

  /// The smallest timestamp that isn't shown when this one comes in.
  private mutating func takeTime(of timestamp: Int64) -> Int64 {
    var place = waiting.count
    while place > 0, waiting[place - 1] > timestamp { place -= 1 }
    waiting.insert(timestamp, at: place)
    if waiting.count > depth { return waiting.removeFirst() }
    return waiting[0] &- Int64(depth - waiting.count + 1) &* interval
  }

  /// Tells all times anew; true when any has changed.
  @discardableResult private mutating func revise() -> Bool {
    let before = frames.map(\.time)
    waiting.removeAll(keepingCapacity: true)
    for place in frames.indices {
      delay(by: frames[place].pause)
      frames[place].time = takeTime(of: frames[place].timestamp)
    }
    // Each is decoded before those that follow; those whose time is a guess, by as much as frames are apart.
    for place in frames.indices.reversed().dropFirst() {
      let step = place < depth ? interval : 1
      frames[place].time = min(frames[place].time, frames[place + 1].time &- step)
    }
    return zip(frames, before).contains { $0.time != $1 }
  }

  /// The median of the steps between timestamps in the order in which they are shown.
  private mutating func measureInterval() {
    let timestamps = frames.map(\.timestamp).sorted()
    let steps = zip(timestamps.dropFirst(), timestamps).map { $0 &- $1 }.filter { $0 > 0 }.sorted()
    guard !steps.isEmpty else { return }
    interval = steps[steps.count / 2]
    isMeasured = true
  }
}
