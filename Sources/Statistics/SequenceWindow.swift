/// The set of sequence numbers received in one run of numbers, exact and in constant memory.
///
/// The last 65,536 numbers up to the highest are two bitmaps in rings (16 KiB): arrived, and arrived in vain. A number
/// that falls out of them is settled: received or lost for good; it is counted then, in order of sequence number. RTP's
/// 16-bit numbers extend to at most 32,768 below the highest, so no packet of a real stream can come too late for the
/// window.
struct SequenceWindow: Sendable {
  /// What a number turned out to be.
  enum Outcome {
    /// The highest so far, or the first.
    case inOrder
    /// Seen for the first time, below the highest.
    case reordered
    /// Seen before.
    case duplicate
    /// Below the window: nobody knows any more whether it was seen.
    case tooOld
  }

  /// The lowest number seen in this run of numbers.
  private(set) var first: Int64 = 0
  /// The highest number seen in this run of numbers.
  private(set) var highest: Int64 = 0
  /// Whether nothing was seen yet in this run of numbers.
  private(set) var isEmpty = true
  /// The loss runs among settled numbers of all runs of numbers.
  private(set) var runs = LossRuns()
  /// How far apart those losses are.
  private(set) var distance = LossDistance()
  /// The pattern of those losses.
  private(set) var log = LossRunLog()
  /// The bursts and gaps among settled numbers, where one that arrived but was of no use counts as missing.
  private(set) var bursts = BurstGapMetrics()

  /// The bursts and gaps among all numbers so far, without settling any: nothing else is counted, and no bitmap copied.
  var burstsSoFar: BurstGapMetrics {
    var result = bursts
    guard !isEmpty else { return result }
    if unfed > 0 { result.appendGood(unfed) }
    var number = settled
    while number <= highest {
      let (word, offset) = (Self.index(of: number) >> 6, Self.index(of: number) & 63)
      let count = Int(min(64 - Int64(offset), highest - number + 1))
      var runs = BitRuns((words[word] & ~useless[word]) >> offset, count: count)
      while let (isSet, length) = runs.next() {
        if isSet { result.appendGood(length) } else { result.appendMissing(length) }
      }
      number += Int64(count)
    }
    result.close()
    return result
  }

  /// Numbers below this one are settled, from `first` on.
  private var settled: Int64 = 0
  /// Numbers below this one belong to a run of numbers that was closed.
  private var floor = Int64.min
  /// One bit a number, at its low 16 bits; a bit outside `settled ... highest` is 0.
  private var words = [UInt64](repeating: 0, count: Self.capacity / 64)
  /// The same for numbers that arrived but were of no use.
  private var useless = [UInt64](repeating: 0, count: Self.capacity / 64)
  private var hasUseless = false
  /// Settled numbers up to the last, received and of use, that the accounts haven't got yet.
  private var unfed = 0

  /// Adds a number to the set.
  mutating func insert(_ number: Int64) -> Outcome {
    if number < floor { return .tooOld }
    if isEmpty {
      isEmpty = false
      first = number
      highest = number
      settled = number
      mark(number)
      return .inOrder
    }
    if number > highest {
      settle(below: number - Int64(Self.capacity) + 1)
      highest = number
      mark(number)
      return .inOrder
    }
    if number < settled {
      // Before the very first one, nothing of which is settled yet: the run of numbers began earlier than it seemed.
      guard settled == first, number > highest - Int64(Self.capacity) else { return .tooOld }
      first = number
      settled = number
      mark(number)
      return .reordered
    }
    return mark(number) ? .reordered : .duplicate
  }

  /// Notes that a number arrived too late or was thrown away; ignored for one that is settled.
  mutating func markUseless(_ number: Int64) {
    guard !isEmpty, number >= settled, number <= highest else { return }
    let index = Self.index(of: number)
    useless[index >> 6] |= 1 << (index & 63)
    hasUseless = true
  }

  /// Settles every number and begins a new run of numbers above the highest.
  mutating func close() {
    guard !isEmpty else { return }
    settle(below: highest + 1)
    flush()
    distance.close()
    log.close()
    bursts.close()
    floor = highest + 1
    isEmpty = true
  }

  /// Sets a number's bit; false when it was set already.
  @discardableResult
  private mutating func mark(_ number: Int64) -> Bool {
    let index = Self.index(of: number)
    let bit: UInt64 = 1 << (index & 63)
    defer { words[index >> 6] |= bit }
    return words[index >> 6] & bit == 0
  }

  /// Counts the runs among the numbers below `limit`, a word of bits at a time, and clears their bits.
  private mutating func settle(below limit: Int64) {
    if limit == settled + 1, settleReceived() { return }
    flush()
    while settled < limit {
      guard settled <= highest else {
        // A jump past the whole window: none of these can have a bit.
        append(Int(limit - settled), areReceived: false)
        bursts.appendMissing(Int(limit - settled))
        settled = limit
        return
      }
      let index = Self.index(of: settled)
      let offset = index & 63
      let count = Int(min(64 - Int64(offset), limit - settled, highest - settled + 1))
      let mask = (count == 64 ? UInt64.max : (1 << count) - 1) << offset
      let bits = (words[index >> 6] & mask) >> offset
      words[index >> 6] &= ~mask
      var good = bits
      if hasUseless {
        good &= ~((useless[index >> 6] & mask) >> offset)
        useless[index >> 6] &= ~mask
      }
      append(bits: bits, good: good, count: count)
      settled += Int64(count)
    }
  }

  /// Settles the next number if it was received and of use, as most are; else nothing happens.
  private mutating func settleReceived() -> Bool {
    let index = Self.index(of: settled)
    let bit: UInt64 = 1 << (index & 63)
    let isUseless = hasUseless && useless[index >> 6] & bit != 0
    guard !isUseless, words[index >> 6] & bit != 0 else { return false }
    words[index >> 6] &= ~bit
    settled += 1
    unfed += 1
    return true
  }

  /// Feeds the accounts the good numbers that they haven't got yet.
  private mutating func flush() {
    guard unfed > 0 else { return }
    append(unfed, areReceived: true)
    bursts.appendGood(unfed)
    unfed = 0
  }

  /// Feeds `count` settled numbers to the accounts, lowest bit first.
  private mutating func append(bits: UInt64, good: UInt64, count: Int) {
    var runs = BitRuns(bits, count: count)
    while let (isSet, length) = runs.next() { append(length, areReceived: isSet) }
    runs = BitRuns(good, count: count)
    while let (isSet, length) = runs.next() {
      if isSet { bursts.appendGood(length) } else { bursts.appendMissing(length) }
    }
  }

  private mutating func append(_ count: Int, areReceived: Bool) {
    if areReceived {
      runs.appendReceived()
      distance.appendReceived(count)
      log.appendReceived(count)
    } else {
      runs.appendLost(count)
      distance.appendLost(count)
      log.appendLost(count)
    }
  }

  private static func index(of number: Int64) -> Int { Int(truncatingIfNeeded: number) & (capacity - 1) }

  /// The number of sequence numbers that the window holds.
  static let capacity = 65_536
}

/// Cuts up to 64 bits, the lowest first, into runs of equal ones.
private struct BitRuns {
  private var rest: UInt64
  private var left: Int

  init(_ bits: UInt64, count: Int) {
    rest = bits
    left = count
  }

  mutating func next() -> (isSet: Bool, length: Int)? {
    guard left > 0 else { return nil }
    let isSet = rest & 1 == 1
    let length = min((isSet ? ~rest : rest).trailingZeroBitCount, left)
    rest = length == 64 ? 0 : rest >> UInt64(length)
    left -= length
    return (isSet, length)
  }
}
