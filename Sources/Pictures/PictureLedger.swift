import Statistics
import Timeline

/// Adds frames up once nothing more can come of them, in the order in which they are shown.
struct PictureLedger: Sendable {
  /// A frame, in sending order.
  struct Entry: Sendable {
    var timestamp: Int64
    var fate: PictureHistory.Fate
    var isKey: Bool
    var bytes: Int
    var packets: Int
    /// How many whole frames may be missing between the one sent before it and this one.
    var missingBefore: Int
    /// Whether it stands in no relation to those before it.
    var startsRun = false
    /// Whether it is never to be seen.
    var isHidden = false
  }

  /// By W3C's webrtc-stats (freezeCount): so many frames make the average.
  private static let averaged = 30
  private static let freezeMargin = Interval.milliseconds(150)
  /// Steps of which the median is the frame interval.
  private static let steps = 31
  /// Gaps remembered: many more than the frames that can stand between them and their holes.
  static let gapLimit = 64

  private let clockRate: UInt32
  private let leap: Int64
  private(set) var result = PictureStatistics()
  /// Entries that a frame sent later may be shown before, by their timestamps.
  private var waiting: [Entry] = []
  private var depth = 0
  private var added = 0
  private var shownUp = 0
  /// Frames that may be missing, by the place of the frame before which they are.
  private var gaps: [(place: Int, count: Int)] = []
  private var first: Int64?
  private var last: Int64?
  private var lastShown: Int64?
  /// How long the runs lasted of which nothing was shown, before the first picture.
  private var unseen = Interval.zero
  private var durations: [Int64] = []
  private var durationsNext = 0
  private var intervals: [Int64] = []
  private var intervalsNext = 0
  private var bytes = SizeCounts()
  private var packets = SizeCounts()

  init(clockRate: UInt32) {
    self.clockRate = clockRate
    leap = DecodeClock.leap.units(rate: clockRate)
  }

  /// Takes in the next frame in sending order.
  mutating func add(_ entry: Entry) {
    if let newest = waiting.last?.timestamp ?? last, entry.startsRun || isLeap(to: entry, from: newest) { restart() }
    added += 1
    if entry.missingBefore > 0 { gaps.append((added, entry.missingBefore)) }
    if gaps.count > Self.gapLimit { gaps.removeFirst() }
    var place = waiting.count
    while place > 0, waiting[place - 1].timestamp > entry.timestamp { place -= 1 }
    depth = max(depth, min(waiting.count - place, DecodeClock.deepest))
    waiting.insert(entry, at: place)
    if waiting.count > DecodeClock.deepest { show(waiting.removeFirst()) }
  }

  /// What is left is shown, and the timestamps begin anew.
  mutating func restart() {
    while !waiting.isEmpty { show(waiting.removeFirst()) }
    endFreeze()
    gaps.removeAll()
    first = nil
    last = nil
    lastShown = nil
  }

  /// Everything has come.
  mutating func finish() {
    restart()
    result.frameBytes = PictureStatistics.Sizes(median: bytes.median, most: bytes.most)
    result.packetsPerFrame = PictureStatistics.Sizes(median: packets.median, most: packets.most)
    result.frameInterval = Interval(units: interval ?? 0, rate: clockRate)
  }

  /// Gaps in the numbers for which no hole in the timestamps has been found yet.
  var gapCount: Int { gaps.count }

  // MARK: Private

  /// The usual time between two frames; nil until it has shown.
  private var interval: Int64? { intervals.isEmpty ? nil : intervals.sorted()[intervals.count / 2] }

  /// Whether a frame's timestamp is one of another timeline: far from the newest, and no frames are missing that explain
  /// it.
  private func isLeap(to entry: Entry, from newest: Int64) -> Bool {
    let step = entry.timestamp &- newest
    guard step > leap, let interval, interval > 0 else { return step > leap || step < -leap }
    return step / interval > Int64(entry.missingBefore) + 1
  }

  private mutating func show(_ entry: Entry) {
    shownUp += 1
    countMissing(before: entry)
    first = min(first ?? entry.timestamp, entry.timestamp)
    last = max(last ?? entry.timestamp, entry.timestamp)
    result.expected += 1
    result.history.add(entry.fate)
    switch entry.fate {
    case .shown:
      result.complete += 1
      if entry.isHidden { result.hidden += 1 } else { noteShown(entry.timestamp) }
    case .undecodable:
      result.complete += 1
      result.undecodable += 1
    case .damaged:
      result.damaged += 1
    case .late:
      result.late += 1
    case .lost:
      result.lost += 1
    }
    guard entry.fate == .shown || entry.fate == .undecodable else { return }
    if entry.isKey { result.keyFrames += 1 }
    bytes.add(entry.bytes)
    packets.add(entry.packets)
  }

  /// Frames of which nothing came show as a hole in the timestamps, near a gap in the numbers.
  private mutating func countMissing(before entry: Entry) {
    guard let last, entry.timestamp > last else { return }
    let step = entry.timestamp - last
    gaps.removeAll { $0.place + depth + 1 < shownUp }
    let near = gaps.indices.filter { gaps[$0].place <= shownUp + depth + 1 }
    guard !near.isEmpty else { return noteInterval(step) }
    guard let interval, interval > 0 else { return }
    var missing = max(0, (step + interval / 2) / interval - 1)
    for index in near {
      let taken = min(missing, Int64(gaps[index].count))
      gaps[index].count -= Int(taken)
      missing -= taken
      result.expected += Int(taken)
      result.lost += Int(taken)
      for _ in 0..<min(taken, Int64(PictureHistory.cellLimit)) { result.history.add(.lost) }
    }
    gaps.removeAll { $0.count == 0 }
  }

  private mutating func noteInterval(_ step: Int64) {
    if intervals.count < Self.steps {
      intervals.append(step)
    } else {
      intervals[intervalsNext] = step
      intervalsNext = (intervalsNext + 1) % Self.steps
    }
  }

  private mutating func noteShown(_ timestamp: Int64) {
    guard let before = lastShown else {
      lastShown = timestamp
      return endWait(after: timestamp - (first ?? timestamp))
    }
    guard timestamp > before else { return }
    lastShown = timestamp
    noteFreeze(timestamp - before)
    if durations.count < Self.averaged {
      durations.append(timestamp - before)
    } else {
      durations[durationsNext] = timestamp - before
      durationsNext = (durationsNext + 1) % Self.averaged
    }
  }

  private mutating func noteFreeze(_ duration: Int64) {
    let average = durations.isEmpty ? interval : durations.reduce(0, +) / Int64(durations.count)
    guard let average else { return }
    let limit = max(3 * average, average + Self.freezeMargin.units(rate: clockRate))
    guard duration >= limit else { return }
    let length = Interval(units: duration, rate: clockRate)
    result.freezes += 1
    result.frozen += length
    result.longestFreeze = max(result.longestFreeze, length)
  }

  /// The first picture of a run is there, so long after its first frame.
  ///
  /// What was shown of the run before stood still until now; before the very first picture there was none to freeze.
  private mutating func endWait(after duration: Int64) {
    if result.waited == nil {
      result.waited = unseen + Interval(units: duration, rate: clockRate)
    } else {
      noteFreeze(duration)
    }
  }

  /// The picture may have stood still until the end, or there was none.
  private mutating func endFreeze() {
    guard let last, let since = lastShown ?? first, last > since else { return }
    if result.waited == nil {
      unseen += Interval(units: last - since, rate: clockRate)
    } else {
      noteFreeze(last - since)
    }
  }
}
