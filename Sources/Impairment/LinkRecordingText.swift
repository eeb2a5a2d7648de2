internal import Timeline

/// Why a text isn't a recording of a link, and in which line.
public struct LinkRecordingError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Error, Equatable, Sendable {
    /// The first line doesn't say that this is a recording of a link.
    case notARecording
    /// It is a recording of a version that isn't known.
    case unknownVersion
    /// A line is longer than any line needs to be.
    case lineTooLong
    /// A word is neither `lost` nor a delay.
    case notADelay(String)
    /// A delay is longer than is accepted.
    case delayTooLong(String)
    /// There is something beside `lost`.
    case lostWithDelays
    /// More copies of one packet than are accepted.
    case tooManyCopies
    /// More packets than are accepted.
    case tooManyPackets
    /// No packet at all.
    case empty
  }

  /// The line, counted from 1.
  public let line: Int
  /// What is wrong with it.
  public let reason: Reason

  /// One sentence that says what was found, what is accepted, and where.
  public var description: String {
    let sentence =
      switch reason {
      case .notARecording: "this is no recording of a link: the first line must be jitterbug-link 1"
      case .unknownVersion: "the recording has a version that isn't known here: the first line must be jitterbug-link 1"
      case .lineTooLong: "the line is longer than \(LinkRecording.lineLimit) bytes: write one packet a line"
      case .notADelay(let word):
        "\(LinkSpecError.quoted(word)) is neither lost nor a delay: write milliseconds with at most six decimals, "
          + "such as 12.5"
      case .delayTooLong(let word): "\(LinkSpecError.quoted(word)) is too long: a delay is at most 3600000 ms"
      case .lostWithDelays: "a lost packet has no delay: write lost alone, or the delay of each copy that arrived"
      case .tooManyCopies: "a packet has at most \(LinkRecording.copyLimit) copies: leave the others out"
      case .tooManyPackets: "a recording has at most \(LinkRecording.packetLimit) packets: cut it"
      case .empty: "the recording has no packets: write one line for each, lost or its delay in ms"
      }
    return "line \(line): \(sentence)"
  }
}

extension LinkRecording {
  /// The most bytes in a line, its end not counted.
  static var lineLimit: Int { 1024 }
  /// The first line of every recording.
  private static var header: String { "jitterbug-link 1" }

  /// Reads a recording: the line `jitterbug-link 1`, then for each packet `lost` or the delays of its copies in ms.
  ///
  /// Empty lines, and what follows `#` in a line, have no meaning.
  public init(parsing text: Span<UInt8>) throws(LinkRecordingError) {
    self.init()
    var number = 0
    var start = 0
    while start < text.count {
      number += 1
      var end = start
      while end < text.count, text[end] != UInt8(ascii: "\n") {
        guard end - start <= Self.lineLimit else {
          throw LinkRecordingError(line: number, reason: number == 1 ? .notARecording : .lineTooLong)
        }
        end += 1
      }
      let words = Self.words(in: text, start..<end)
      start = end + 1
      do throws(LinkRecordingError.Reason) {
        if number == 1 { try Self.checkHeader(words) } else if !words.isEmpty { try append(words) }
      } catch {
        throw LinkRecordingError(line: number, reason: error)
      }
    }
    guard number > 0 else { throw LinkRecordingError(line: 1, reason: .notARecording) }
    guard count > 0 else { throw LinkRecordingError(line: number, reason: .empty) }
  }

  /// The text that reads back as this recording, with `comment` behind the first line.
  ///
  /// It is given out piece by piece, because a recording may be long.
  public func write(comment: String, to output: (String) -> Void) {
    var text = Self.header + "\n"
    for line in comment.split(separator: "\n") { text += "# \(line)\n" }
    for packet in 0..<count {
      let copies = copies(of: packet)
      text += copies.isEmpty ? "lost\n" : copies.map(Self.milliseconds).joined(separator: " ") + "\n"
      if text.utf8.count > 1 << 16 {
        output(text)
        text = ""
      }
    }
    output(text)
  }

  // MARK: Private

  private static func checkHeader(_ words: [String]) throws(LinkRecordingError.Reason) {
    guard words.count == 2, words[0] == "jitterbug-link" else { throw .notARecording }
    guard words[1] == "1" else { throw .unknownVersion }
  }

  private mutating func append(_ words: [String]) throws(LinkRecordingError.Reason) {
    var copies: [Interval] = []
    if words.contains("lost") {
      guard words.count == 1 else { throw .lostWithDelays }
    } else {
      guard words.count <= Self.copyLimit else { throw .tooManyCopies }
      for word in words { copies.append(try Self.delay(word)) }
    }
    guard append(copies) else { throw .tooManyPackets }
  }

  /// The words of a line, without a comment; what isn't ASCII becomes a question mark.
  private static func words(in text: Span<UInt8>, _ range: Range<Int>) -> [String] {
    var words: [String] = []
    var word = ""
    for place in range {
      let byte = text[place]
      if byte == UInt8(ascii: "#") { break }
      if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.unicodeScalars.append(byte < 0x80 ? Unicode.Scalar(byte) : "?")
      }
    }
    if !word.isEmpty { words.append(word) }
    return words
  }

  /// A number of milliseconds with up to six decimals, exact to the nanosecond.
  private static func delay(_ word: String) throws(LinkRecordingError.Reason) -> Interval {
    var nanoseconds: Int64 = 0
    var decimals: Int?
    var hasDigits = false
    for byte in word.utf8 {
      if byte == UInt8(ascii: "."), decimals == nil {
        decimals = 0
        continue
      }
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), decimals != 6 else { throw .notADelay(word) }
      hasDigits = true
      nanoseconds = nanoseconds * 10 + Int64(byte - UInt8(ascii: "0"))
      // Checked at every step: it never comes near what would overflow.
      guard nanoseconds <= longestDelay.nanoseconds else { throw .delayTooLong(word) }
      decimals = decimals.map { $0 + 1 }
    }
    guard hasDigits, decimals != 0 else { throw .notADelay(word) }
    for _ in (decimals ?? 0)..<6 {
      nanoseconds *= 10
      guard nanoseconds <= longestDelay.nanoseconds else { throw .delayTooLong(word) }
    }
    return Interval(nanoseconds: nanoseconds)
  }

  /// A delay as ``delay(_:)`` reads it, without zeros at the end.
  private static func milliseconds(_ interval: Interval) -> String {
    var fraction = String(interval.nanoseconds % 1_000_000)
    let whole = String(interval.nanoseconds / 1_000_000)
    guard fraction != "0" else { return whole }
    fraction = String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    return whole + "." + fraction
  }
}
