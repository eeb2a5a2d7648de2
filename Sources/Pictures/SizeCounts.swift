/// Counts of sizes, in bins a thirty-second of the value wide: the median is right to 3 %, below 64 exactly.
struct SizeCounts: Sendable {
  private var counts = [UInt32](repeating: 0, count: Self.binCount)
  private var total = 0
  /// The largest.
  private(set) var most = 0

  private static let exact = 64
  /// 32 bins for each power of two from 64 to 2^31.
  private static let binCount = exact + 26 * 32

  mutating func add(_ size: Int) {
    let size = max(size, 0)
    counts[Self.bin(of: size)] &+= 1
    total += 1
    most = max(most, size)
  }

  /// The middle of the bin that half of the sizes don't exceed; 0 when there are none.
  var median: Int {
    var left = (total + 1) / 2
    guard left > 0 else { return 0 }
    for bin in counts.indices {
      left -= Int(counts[bin])
      if left <= 0 { return min(Self.middle(of: bin), most) }
    }
    return most
  }

  private static func bin(of size: Int) -> Int {
    guard size >= exact else { return size }
    let power = Int.bitWidth - 1 - size.leadingZeroBitCount
    return min(exact + (power - 6) * 32 + (size >> (power - 5)) - 32, binCount - 1)
  }

  private static func middle(of bin: Int) -> Int {
    guard bin >= exact else { return bin }
    let power = (bin - exact) / 32 + 6
    let step = 1 << (power - 5)
    return (1 << power) + (bin - exact) % 32 * step + step / 2
  }
}
