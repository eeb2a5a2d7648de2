/// What a far end says became of our packets, number by number (RFC 3611 sections 4.1 and 4.2), as the sender adds it up.
///
/// A number may be reported on several times: once received is received, because a later report may report a receipt
/// that an earlier one didn't know of. The last 65,536 numbers up to the highest are bitmaps in a ring (24 KiB); a number
/// that falls out of them is settled. Numbers nobody reported on are neither lost nor received: they end a run of losses.
public struct ReportedReception: Sendable {
  /// What the reports add up to.
  public struct Summary: Hashable, Sendable {
    /// Numbers that were reported on.
    public var covered = 0
    /// Those among them that never arrived, but for those at the end.
    public var lost = 0
    /// Those that never arrived behind the last one that did.
    public var lostAtEnd = 0
    /// Those that arrived more than once.
    public var duplicated = 0
    /// The runs of losses among numbers that follow each other and were reported on.
    public var runs = LossRuns()
    /// The lowest number reported on.
    public var first: Int64 = 0
    /// The highest number reported on.
    public var last: Int64 = 0

    /// A report has room for so many numbers (RFC 3611 section 4.1: fewer than 65,534).
    private static let reportLimit = 65_533

    /// Packets that came again, by RFC 3550's loss, which is what never came less what came again.
    ///
    /// Nil where numbers were not reported on, or may not have been: a first report as long as one can be needn't reach
    /// back to the first packet that the receiver counts from, and first reports may be lost. Then fewer seem to have come
    /// again than are known to have.
    public func duplicates(cumulativeLost: Int) -> Int? {
      guard Int64(covered) == last - first + 1, first == 0 || covered < Self.reportLimit,
        lost - cumulativeLost >= duplicated
      else { return nil }
      return lost - cumulativeLost
    }

    /// The share of the numbers reported on, up to the last that arrived, that never did; 0 when there are none.
    public var lossRatio: Double { covered == lostAtEnd ? 0 : Double(lost) / Double(covered - lostAtEnd) }
  }

  /// The numbers that the bitmaps hold.
  public static let capacity: Int64 = 65_536

  private var settled = Summary()
  /// The lowest number in the bitmaps; those below are settled.
  private var floor: Int64 = 0
  private var highest: Int64 = -1
  private var isEmpty = true
  /// Losses settled since the last number that was received or not reported on.
  private var openLost = 0
  private var covered: [UInt64] = []
  private var received: [UInt64] = []
  private var duplicated: [UInt64] = []

  /// Starts with no report.
  public init() {}

  /// Takes in that `count` numbers, `stride` apart and from `first` on, were received, or not so far.
  public mutating func record(_ first: Int64, count: Int, stride: Int = 1, isReceived: Bool) {
    guard let range = admit(first, count: count, stride: stride) else { return }
    for number in Swift.stride(from: range.lowerBound, through: range.upperBound, by: stride) {
      let (word, bit) = Self.place(number)
      covered[word] |= bit
      if isReceived { received[word] |= bit }
    }
  }

  /// Takes in that `count` numbers, `stride` apart and from `first` on, were received more than once.
  public mutating func recordDuplicates(_ first: Int64, count: Int, stride: Int = 1) {
    guard let range = admit(first, count: count, stride: stride) else { return }
    for number in Swift.stride(from: range.lowerBound, through: range.upperBound, by: stride) {
      let (word, bit) = Self.place(number)
      duplicated[word] |= bit
    }
  }

  /// The share of the numbers reported on that never arrived, those at the end among them; nil before any was.
  ///
  /// The same as the summary tells, for a fraction of the work.
  public var lossRatio: Double? {
    var (count, lost) = (settled.covered, settled.lost)
    for word in covered.indices {
      count += covered[word].nonzeroBitCount
      lost += (covered[word] & ~(received[word] | duplicated[word])).nonzeroBitCount
    }
    return count == 0 ? nil : Double(lost) / Double(count)
  }

  /// What the reports add up to so far, computed on a copy.
  public func summary() -> Summary {
    guard !isEmpty else { return settled }
    var copy = self
    copy.settle(below: highest + 1)
    copy.settled.lostAtEnd = copy.openLost
    copy.settled.lost -= copy.openLost
    return copy.settled
  }

  /// Moves the bitmaps on so that they hold the numbers; nil when all of them are settled already.
  private mutating func admit(_ first: Int64, count: Int, stride: Int) -> ClosedRange<Int64>? {
    guard count > 0, stride > 0, first >= 0, Int64(count) * Int64(stride) <= Self.capacity else { return nil }
    let last = first + Int64(count - 1) * Int64(stride)
    if isEmpty {
      isEmpty = false
      for path in [\Self.covered, \.received, \.duplicated] {
        self[keyPath: path] = [UInt64](repeating: 0, count: Int(Self.capacity) / 64)
      }
      floor = max(first - Self.capacity / 2, 0)
      highest = first - 1
    }
    if last > highest {
      settle(below: last - Self.capacity + 1)
      highest = last
    }
    // The lowest number of the same stride that is still open.
    let skipped = max(floor - first, 0)
    let start = first + (skipped + Int64(stride) - 1) / Int64(stride) * Int64(stride)
    return start <= last ? start...last : nil
  }

  private mutating func settle(below limit: Int64) {
    if limit - floor > Self.capacity {
      // A jump past everything: no number above the highest has a bit.
      settle(below: highest + 1)
      floor = limit
    }
    while floor < limit {
      let (word, bit) = Self.place(floor)
      if covered[word] & bit != 0 { count(floor, word: word, bit: bit) } else { endRun() }
      covered[word] &= ~bit
      received[word] &= ~bit
      duplicated[word] &= ~bit
      floor += 1
    }
  }

  private mutating func count(_ number: Int64, word: Int, bit: UInt64) {
    if settled.covered == 0 { settled.first = number }
    settled.last = number
    settled.covered += 1
    if duplicated[word] & bit != 0 { settled.duplicated += 1 }
    if (received[word] | duplicated[word]) & bit != 0 {
      endRun()
    } else {
      openLost += 1
      settled.lost += 1
      settled.runs.appendLost(1)
    }
  }

  private mutating func endRun() {
    openLost = 0
    settled.runs.appendReceived()
  }

  private static func place(_ number: Int64) -> (word: Int, bit: UInt64) {
    let index = Int(truncatingIfNeeded: number) & Int(capacity - 1)
    return (index >> 6, 1 << UInt64(index & 63))
  }
}
