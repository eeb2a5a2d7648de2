/// Counts of values that are not negative, in bins that grow with the value: a thirty-second of it, at least 1 µs wide.
///
/// Its 1,056 bins reach to 19 hours and take 4.2 KiB, all at once; a value costs a few instructions.
struct LogarithmicHistogram: Sendable {
  private var counts = [UInt32](repeating: 0, count: Self.binCount)
  private(set) var total = 0

  /// Counts a value in nanoseconds; a negative one counts as 0.
  mutating func add(_ nanoseconds: Int64) {
    let index = Self.index(of: UInt64(max(nanoseconds, 0)) / 1000)
    counts[index] &+= 1
    total += 1
  }

  /// The middle in nanoseconds of the bin that holds the value of a rank counted from 1; nil beyond the last.
  func value(atRank rank: Int) -> Int64? {
    var left = max(rank, 1)
    for index in 0..<Self.binCount {
      left -= Int(counts[index])
      if left <= 0 { return Self.middle(of: index) }
    }
    return nil
  }

  private static func index(of microseconds: UInt64) -> Int {
    guard microseconds >= 32 else { return Int(microseconds) }
    let exponent = 63 - microseconds.leadingZeroBitCount
    let index = (exponent - 4) << 5 + Int(microseconds >> UInt64(exponent - 5)) - 32
    return min(index, binCount - 1)
  }

  private static func middle(of index: Int) -> Int64 {
    guard index >= 32 else { return Int64(index) * 1000 + 500 }
    let shift = Int64(index >> 5 - 1)
    let lowest = Int64(index & 31 + 32) << shift
    return lowest * 1000 + (1000 << shift) / 2
  }

  private static let binCount = 1056
}
