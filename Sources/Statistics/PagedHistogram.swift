internal import Timeline

/// Counts of values in nanoseconds, in bins of one width, whose memory is made page by page where values fall.
///
/// There are 262,144 bins, half of them below 0, in 1,024 slots of which at most 24 get memory (26 KiB in all). When
/// values fall into more, the bins become twice as wide, again and again if need be.
struct PagedHistogram: Sendable {
  /// The width of a bin in nanoseconds.
  private(set) var width: Int64

  /// For each stretch of 256 bins its page's number plus one, or 0 when nothing fell there.
  private var slots: [UInt16] = []
  /// The pages one after the other.
  private var counts: [UInt32] = []
  /// Values below, and values above what the bins cover or could be given memory for.
  private var below = 0
  private var above = 0

  /// Starts empty, with bins `width` nanoseconds wide.
  init(width: Int64) { self.width = max(width, 1) }

  /// Counts a value.
  mutating func add(_ nanoseconds: Int64) {
    let bin = bin(of: nanoseconds)
    let slot = bin >> Self.pageBits
    // Most fall where others fell before; the array of slots is empty until the first.
    guard slot >= 0, slot < slots.count, slots[slot] > 0 else { return add(nanoseconds, times: 1) }
    let index = Int(slots[slot] - 1) << Self.pageBits | bin & (Self.pageSize - 1)
    counts[index] = max(counts[index], counts[index] &+ 1)
  }

  /// Counts a value that came so often.
  mutating func add(_ nanoseconds: Int64, times: UInt32) {
    var bin = bin(of: nanoseconds)
    var slot = bin >> Self.pageBits
    guard (0..<Self.slotCount).contains(slot) else {
      if nanoseconds < 0 { below += Int(times) } else { above += Int(times) }
      return
    }
    var place = page(for: slot)
    while place == nil {
      widen()
      bin = self.bin(of: nanoseconds)
      slot = bin >> Self.pageBits
      place = page(for: slot)
    }
    guard let page = place else { return }
    let index = page << Self.pageBits | bin & (Self.pageSize - 1)
    counts[index] = counts[index].addingReportingOverflow(times).overflow ? .max : counts[index] + times
  }

  /// Adds another histogram's counts, each `shift` nanoseconds lower.
  mutating func merge(_ other: PagedHistogram, shiftedDown shift: Int64) {
    for (slot, page) in other.slots.enumerated() where page > 0 {
      for offset in 0..<Self.pageSize {
        let times = other.counts[Int(page - 1) << Self.pageBits | offset]
        guard times > 0 else { continue }
        let middle = Interval(nanoseconds: other.middle(of: slot << Self.pageBits | offset))
        // The middle of the lowest bin may lie below the smallest value itself.
        add(max((middle - Interval(nanoseconds: shift)).nanoseconds, 0), times: times)
      }
    }
    below += other.below
    above += other.above
  }

  /// The middle of the bin that holds the value of a rank counted from 1.
  ///
  /// - Returns: the least number there is when the value lies below the bins, nil when it lies above them.
  func value(atRank rank: Int) -> Int64? {
    var left = rank - below
    if left <= 0 { return .min }
    for (slot, page) in slots.enumerated() where page > 0 {
      for offset in 0..<Self.pageSize {
        left -= Int(counts[Int(page - 1) << Self.pageBits | offset])
        if left <= 0 { return middle(of: slot << Self.pageBits | offset) }
      }
    }
    return nil
  }

  /// Runs `body` for each bin that holds something, from the lowest, with its middle; what lies outside comes as the
  /// least and the greatest number there is.
  func forEach(_ body: (_ middle: Int64, _ times: Int) -> Void) {
    if below > 0 { body(.min, below) }
    for (slot, page) in slots.enumerated() where page > 0 {
      for offset in 0..<Self.pageSize {
        let times = Int(counts[Int(page - 1) << Self.pageBits | offset])
        if times > 0 { body(middle(of: slot << Self.pageBits | offset), times) }
      }
    }
    if above > 0 { body(.max, above) }
  }

  /// Makes every bin twice as wide.
  private mutating func widen() {
    let (oldSlots, oldCounts) = (slots, counts)
    width *= 2
    slots = [UInt16](repeating: 0, count: Self.slotCount)
    counts.removeAll(keepingCapacity: true)
    for (slot, page) in oldSlots.enumerated() where page > 0 {
      for offset in 0..<Self.pageSize {
        let times = oldCounts[Int(page - 1) << Self.pageBits | offset]
        guard times > 0 else { continue }
        let old = slot << Self.pageBits | offset
        let bin = Self.zeroBin + (old - Self.zeroBin) >> 1
        // There are at most as many pages as before.
        guard let page = self.page(for: bin >> Self.pageBits) else { continue }
        let index = page << Self.pageBits | bin & (Self.pageSize - 1)
        counts[index] = counts[index].addingReportingOverflow(times).overflow ? .max : counts[index] + times
      }
    }
  }

  /// The page of a slot, made when there is none; nil when no more may be made.
  private mutating func page(for slot: Int) -> Int? {
    if slots.isEmpty { slots = [UInt16](repeating: 0, count: Self.slotCount) }
    if slots[slot] > 0 { return Int(slots[slot]) - 1 }
    let made = counts.count >> Self.pageBits
    guard made < Self.pageLimit else { return nil }
    counts.append(contentsOf: repeatElement(0, count: Self.pageSize))
    slots[slot] = UInt16(made + 1)
    return made
  }

  private func bin(of nanoseconds: Int64) -> Int {
    // Known beforehand, a division is a multiplication.
    let (quotient, remainder) =
      width == Self.usualWidth
      ? nanoseconds.quotientAndRemainder(dividingBy: Self.usualWidth)
      : nanoseconds.quotientAndRemainder(dividingBy: width)
    return Int(quotient) - (remainder < 0 ? 1 : 0) + Self.zeroBin
  }

  private func middle(of bin: Int) -> Int64 {
    Int64(bin - Self.zeroBin) * width + width / 2
  }

  /// The width that most have.
  static let usualWidth: Int64 = 100_000
  private static let pageBits = 8
  private static let pageSize = 1 << pageBits
  private static let slotCount = 1024
  private static let pageLimit = 24
  /// The bin that begins at 0.
  private static let zeroBin = slotCount / 2 * pageSize
}
