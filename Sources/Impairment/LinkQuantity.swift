import Timeline

/// One value in the text of a link spec: reads it with its unit and checks its range.
struct LinkQuantity {
  let key: LinkSpec.Key
  let text: Substring

  /// What `delay`, `jitter` and the like accept.
  static let times = Interval.zero...Interval.seconds(60)

  private var refusal: LinkSpecError { LinkSpecError(key, text, because: "\(key.rawValue) takes \(key.values)") }

  /// A decimal number; not the hexadecimal numbers, infinities and NaNs that `Double` would read as well.
  private func number(_ digits: Substring) throws(LinkSpecError) -> Double {
    let plain = digits.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
      default: false
      }
    }
    guard plain, let value = Double(digits), value.isFinite else { throw refusal }
    return value
  }

  /// A number and the unit behind it, as the factor that `units` gives it; longer units must come first.
  private func scaled(_ units: [(String, Double)], as text: Substring) throws(LinkSpecError) -> Double {
    for (unit, factor) in units where text.hasSuffix(unit) { return try number(text.dropLast(unit.count)) * factor }
    throw refusal
  }

  func share() throws(LinkSpecError) -> Double { try share(text) }

  private func share(_ text: Substring) throws(LinkSpecError) -> Double {
    let isPercent = text.hasSuffix("%")
    let number = try number(isPercent ? text.dropLast() : text)
    let value = isPercent ? number / 100 : number
    if !isPercent, value >= 1, value <= 100 {
      let percent = LinkQuantity.text(number: value) + "%"
      throw LinkSpecError(key, self.text, because: "write \(percent) for a percentage, or a fraction below 1")
    }
    guard value >= 0, value <= 1 else { throw refusal }
    // Not the negative zero that "-0" gives.
    return value == 0 ? 0 : value
  }

  func meanBurst() throws(LinkSpecError) -> Double {
    let value = try number(text)
    guard value == 0 || (value >= 1 && value <= 10_000) else { throw refusal }
    return value == 0 ? 0 : value
  }

  func gilbertElliott() throws(LinkSpecError) -> GilbertElliott {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 2 || fields.count == 4 else { throw refusal }
    var model = GilbertElliott(p: try share(fields[0]), r: try share(fields[1]))
    if fields.count == 4 {
      model.goodLoss = try share(fields[2])
      model.badLoss = try share(fields[3])
    }
    return model
  }

  func outage() throws(LinkSpecError) -> Outage {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 2 else { throw refusal }
    let range = Interval.milliseconds(1)...Interval.seconds(3600)
    return Outage(up: try time(fields[0], in: range), down: try time(fields[1], in: range))
  }

  func time(in range: ClosedRange<Interval>) throws(LinkSpecError) -> Interval { try time(text, in: range) }

  private func time(_ text: Substring, in range: ClosedRange<Interval>) throws(LinkSpecError) -> Interval {
    if text == "0" { return try checked(.zero, in: range) }
    let nanoseconds = try scaled([("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)], as: text)
    guard nanoseconds >= 0, nanoseconds < 1e15 else { throw refusal }
    return try checked(Interval(nanoseconds: Int64(nanoseconds.rounded())), in: range)
  }

  private func checked(_ time: Interval, in range: ClosedRange<Interval>) throws(LinkSpecError) -> Interval {
    guard range.contains(time) else { throw refusal }
    return time
  }

  func rate() throws(LinkSpecError) -> UInt64 {
    let bits = try scaled([("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9), ("bit", 1)], as: text)
    guard bits >= 1e3, bits <= 1e11 else { throw refusal }
    return UInt64(bits.rounded())
  }

  func queue() throws(LinkSpecError) -> QueueLimit {
    guard text.hasSuffix("b") else { return .time(try time(in: Self.times)) }
    let bytes = try scaled([("kb", 1e3), ("mb", 1e6), ("b", 1)], as: text)
    guard bytes >= 0, bytes <= 1e9 else { throw refusal }
    return .bytes(Int(bytes.rounded()))
  }

  func whole(in range: ClosedRange<UInt64>) throws(LinkSpecError) -> UInt64 {
    let isPlain = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isPlain, let value = UInt64(text), range.contains(value) else { throw refusal }
    return value
  }

  func choice<Choice: RawRepresentable<String>>() throws(LinkSpecError) -> Choice {
    guard let choice = Choice(rawValue: String(text)) else { throw refusal }
    return choice
  }
}

extension LinkQuantity {
  /// The shortest text that reads back as the same number.
  static func text(number: Double) -> String {
    number.rounded() == number && abs(number) < 1e15 ? String(Int64(number)) : "\(number)"
  }

  /// A share in percent where that reads back as the same number, else as a fraction.
  static func text(share: Double) -> String {
    for percent in [(share * 1e8).rounded() / 1e6, share * 100] where percent / 100 == share {
      return text(number: percent) + "%"
    }
    return text(number: share)
  }

  static func text(gilbertElliott model: GilbertElliott) -> String {
    [model.p, model.r, model.goodLoss, model.badLoss].map(text(share:)).joined(separator: ":")
  }

  /// A time in the largest unit in which it is a whole number.
  static func text(time: Interval) -> String {
    let units: [(String, Int64)] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)]
    for (unit, size) in units where time != .zero && time.nanoseconds % size == 0 {
      return "\(time.nanoseconds / size)\(unit)"
    }
    return time == .zero ? "0ms" : "\(time.nanoseconds)ns"
  }

  static func text(rate: UInt64) -> String {
    let units: [(String, UInt64)] = [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000)]
    for (unit, size) in units where rate % size == 0 { return "\(rate / size)\(unit)" }
    return "\(rate)bit"
  }

  static func text(queue: QueueLimit) -> String {
    switch queue {
    case .time(let time): text(time: time)
    case .bytes(let bytes) where bytes > 0 && bytes % 1_000_000 == 0: "\(bytes / 1_000_000)MB"
    case .bytes(let bytes) where bytes > 0 && bytes % 1_000 == 0: "\(bytes / 1_000)kB"
    case .bytes(let bytes): "\(bytes)B"
    }
  }
}
