/// Rates, lengths of time and decimals as `--synthetic` writes them, read exactly.
enum SyntheticQuantities {
  /// Bits a second: `500000`, `800kbit`, `2.5mbit`, `1gbit`; nil when it isn't one, or not a whole number of bits.
  static func bitrate(_ text: Substring) -> Int? {
    scaled(text, units: [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000), ("bit", 1), ("", 1)])
  }

  /// Nanoseconds: `20ms`, `2.5ms`, `1s`, `500us`; nil when it isn't one, or finer than a nanosecond.
  static func nanoseconds(_ text: Substring) -> Int? {
    scaled(text, units: [("ms", 1_000_000), ("us", 1_000), ("ns", 1), ("s", 1_000_000_000)])
  }

  /// Thousandths: `30`, `29.97`; nil when it isn't a decimal, or has more than three places.
  static func thousandths(_ text: Substring) -> Int? { scaled(text, units: [("", 1_000)]) }

  /// A decimal followed by one of the units, times the unit; the first unit that is the end of the text counts.
  private static func scaled(_ text: Substring, units: [(name: String, factor: Int)]) -> Int? {
    guard let unit = units.first(where: { text.hasSuffix($0.name) }) else { return nil }
    let parts = text.dropLast(unit.name.count).split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }) else {
      return nil
    }
    guard let whole = Int(parts[0]) else { return nil }
    let (product, overflow) = whole.multipliedReportingOverflow(by: unit.factor)
    guard !overflow else { return nil }
    guard parts.count == 2 else { return product }
    // Each digit behind the point is worth a tenth of the one before, and must be a whole number of the result.
    var worth = unit.factor
    var fraction = 0
    for digit in parts[1].utf8 {
      let value = Int(digit - 0x30)
      if worth % 10 != 0 {
        guard value == 0 else { return nil }
        continue
      }
      worth /= 10
      fraction += value * worth
    }
    let (sum, tooBig) = product.addingReportingOverflow(fraction)
    return tooBig ? nil : sum
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
