import Timeline

/// Readers of option values; each error says what is accepted.
enum Values {
  @Sendable static func text(_ text: String) throws(UsageError) -> String {
    guard !text.isEmpty else { throw UsageError("the value is empty") }
    return text
  }

  /// A length of time: `20ms`, `1.5s`, `2m`, `1:30` or `1:02:03`; a bare number counts seconds.
  @Sendable static func time(_ text: String) throws(UsageError) -> Interval {
    let sentence = "not a length of time; write 60ms, 2.5s, 10m or 1:30"
    if text.contains(":") {
      var seconds = 0.0
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard (2...3).contains(parts.count) else { throw UsageError(sentence) }
      for part in parts {
        guard let value = Double(part), value >= 0, value < 1e6 else { throw UsageError(sentence) }
        seconds = seconds * 60 + value
      }
      return Interval(seconds: seconds)
    }
    let units: [(suffix: String, seconds: Double)] = [
      ("ms", 1e-3), ("us", 1e-6), ("s", 1), ("m", 60), ("h", 3600), ("", 1),
    ]
    for unit in units where text.hasSuffix(unit.suffix) {
      let digits = text.dropLast(unit.suffix.count)
      guard let value = Double(digits), value >= 0, value * unit.seconds < 1e9 else { throw UsageError(sentence) }
      return Interval(seconds: value * unit.seconds)
    }
    throw UsageError(sentence)
  }

  /// Bits a second: `96k`, `96kbit`, `2mbit`, `64000`.
  @Sendable static func bitrate(_ text: String) throws(UsageError) -> Int {
    let units: [(suffix: String, factor: Double)] = [
      ("kbit", 1e3), ("mbit", 1e6), ("k", 1e3), ("m", 1e6), ("", 1),
    ]
    for unit in units where text.lowercased().hasSuffix(unit.suffix) {
      guard let value = Double(text.dropLast(unit.suffix.count)), value > 0, value * unit.factor < 1e12 else { break }
      return Int(value * unit.factor)
    }
    throw UsageError("not a bit rate; write 64000, 96k or 2mbit")
  }

  /// A bit rate that Opus can be encoded with.
  @Sendable static func opusBitrate(_ text: String) throws(UsageError) -> Int {
    let value = try bitrate(text)
    guard (6_000...510_000).contains(value) else { throw UsageError("Opus takes 6k to 510k") }
    return value
  }

  /// A share: `5%` or `0.05`.
  @Sendable static func share(_ text: String) throws(UsageError) -> Double {
    let value = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    guard let value, value >= 0, value <= 1 else { throw UsageError("not a share; write 5% or 0.05, from 0 to 100%") }
    return value
  }

  /// A whole number within a range.
  static func number(_ range: ClosedRange<Int>) -> @Sendable (String) throws(UsageError) -> Int {
    { (text) throws(UsageError) in
      guard let value = Int(text), range.contains(value) else {
        throw UsageError("not a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
  }

  /// A number of up to 64 bits, decimal or hexadecimal with `0x`.
  @Sendable static func seed(_ text: String) throws(UsageError) -> UInt64 {
    guard let value = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text) else {
      throw UsageError("not a number; write 7 or 0x1a2b3c4d")
    }
    return value
  }

  /// A synchronisation source: 32 bits, decimal or hexadecimal with `0x`.
  @Sendable static func ssrc(_ text: String) throws(UsageError) -> UInt32 {
    guard let value = UInt32(exactly: try seed(text)) else {
      throw UsageError("not a synchronisation source; write up to 32 bits, such as 0x1a2b3c4d")
    }
    return value
  }

  /// One of a few words.
  static func choice<Value: Sendable>(
    _ choices: [(word: String, value: Value)]
  ) -> @Sendable (String) throws(UsageError) -> Value {
    { (text) throws(UsageError) in
      guard let found = choices.first(where: { $0.word == text.lowercased() }) else {
        throw UsageError("not known here; write one of " + choices.map(\.word).joined(separator: ", "))
      }
      return found.value
    }
  }
}
