internal import Timeline

/// Numbers as people read them.
enum Figures {
  /// A number with a fixed count of decimals, halves rounded away from zero; one that isn't finite is "?".
  static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return "?" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e18 else { return value.description }
    let digits = String(UInt64(scaled))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + digits }
    let padded = String(repeating: "0", count: max(decimals + 1 - digits.count, 0)) + digits
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// A whole number with a comma between thousands.
  static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return value < 0 ? "-" + result : result
  }

  /// A count with its noun: "1 packet", "2 packets", "3 losses".
  static func count(_ value: Int, _ noun: String, _ plural: String? = nil) -> String {
    grouped(value) + " " + (value == 1 ? noun : plural ?? noun + "s")
  }

  /// A share in percent: "1.5 %"; one that is tiny but not zero is "< 0.01 %".
  static func percent(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "0 %" }
    let share = Double(part) / Double(whole) * 100
    if part > 0, share < 0.005 { return "< 0.01 %" }
    return trimmed(share, decimals: 2) + " %"
  }

  /// Milliseconds: two decimals below 10, one below 100, none above.
  static func milliseconds(_ value: Double) -> String {
    fixed(value, decimals: value.magnitude < 9.995 ? 2 : value.magnitude < 99.95 ? 1 : 0) + " ms"
  }

  /// A length of media or of a run: "0 s", "340 ms", "20.3 s", "3:05 min", "1:02:03 h".
  static func duration(_ interval: Interval) -> String {
    let milliseconds = interval.milliseconds
    if milliseconds == 0 { return "0 s" }
    if milliseconds.magnitude < 999.5 { return trimmed(milliseconds, decimals: 1) + " ms" }
    if milliseconds.magnitude < 119_950 { return fixed(milliseconds / 1000, decimals: 1) + " s" }
    let sign = milliseconds < 0 ? "-" : ""
    let seconds = Int((milliseconds.magnitude / 1000).rounded())
    let (minutes, rest) = (seconds / 60, seconds % 60)
    if minutes < 60 { return "\(sign)\(minutes):\(twoDigits(rest)) min" }
    return "\(sign)\(minutes / 60):\(twoDigits(minutes % 60)):\(twoDigits(rest)) h"
  }

  /// A clock that counts up: "0:07", "1:02:03".
  static func clock(_ interval: Interval) -> String {
    let seconds = max(Int(interval.seconds.rounded(.down)), 0)
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    if hours > 0 { return "\(hours):\(twoDigits(minutes)):\(twoDigits(seconds % 60))" }
    return "\(minutes):\(twoDigits(seconds % 60))"
  }

  /// Bits a second: "64 kbit/s", "2.1 Mbit/s".
  static func bitrate(_ bitsPerSecond: Double) -> String {
    if bitsPerSecond < 999.5 { return fixed(bitsPerSecond, decimals: 0) + " bit/s" }
    if bitsPerSecond < 999_500 { return fixed(bitsPerSecond / 1e3, decimals: bitsPerSecond < 9950 ? 1 : 0) + " kbit/s" }
    return fixed(bitsPerSecond / 1e6, decimals: bitsPerSecond < 99.5e6 ? 1 : 0) + " Mbit/s"
  }

  /// Bytes: "512 bytes", "25.8 kB", "1.2 MB".
  static func bytes(_ value: Int) -> String {
    if value < 10_000 { return count(value, "byte") }
    if value < 1_000_000 { return fixed(Double(value) / 1e3, decimals: 1) + " kB" }
    if value < 1_000_000_000 { return fixed(Double(value) / 1e6, decimals: 1) + " MB" }
    return fixed(Double(value) / 1e9, decimals: 2) + " GB"
  }

  /// A source's identifier as it stands in reports: "0x1a2b3c4d".
  static func identifier(_ ssrc: UInt32) -> String {
    let digits = String(ssrc, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// A number without zeros at the end of its decimals.
  static func trimmed(_ value: Double, decimals: Int) -> String {
    var text = fixed(value, decimals: decimals)
    guard text.contains(".") else { return text }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
