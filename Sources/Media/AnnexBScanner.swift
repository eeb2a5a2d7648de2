import Packets

/// Finds the NAL units of an input with start codes, one by one, holding one of them at a time.
struct AnnexBScanner: ~Copyable {
  /// The longest NAL unit.
  static let unitLimit = VideoEncoding.frameLimit
  /// How many bytes may come before the first start code.
  static let leadLimit = 1 << 20
  private static let chunk = 16_384

  private var input: InputBytes
  /// What was read and isn't used up; the ranges that ``next()`` gives lie here until it is called again.
  private(set) var bytes: [UInt8] = []
  /// Where the content of the NAL unit begins that is being read.
  private var begin: Int?
  /// Where the next start code is looked for.
  private var scanned = 0
  /// Bytes of the input that are no longer in `bytes`.
  private var dropped: Int64 = 0
  private var hasEnded = false

  init(_ input: consuming InputBytes) { self.input = input }

  /// The name of the input, for messages.
  var name: String { input.name }
  /// What to wait for with `poll(2)` before a read, so that it doesn't block.
  var descriptor: CInt { input.descriptor.value }
  /// Where in the input an offset of `bytes` lies.
  func place(of offset: Int) -> Int64 { dropped + Int64(offset) }

  /// The next NAL unit without its start code and the zeros behind it, as a range of ``bytes``; nil at the end.
  ///
  /// It is empty when nothing lies between two start codes, or behind the last.
  mutating func next() throws(MediaError) -> Range<Int>? {
    while true {
      if let code = AnnexBCursor.startCode(in: bytes.span.bytes, from: scanned) {
        scanned = code + 3
        let start = begin
        begin = code + 3
        if let start { return trimmed(start..<code) }
        continue
      }
      if hasEnded {
        guard let start = begin else { return nil }
        begin = nil
        scanned = bytes.count
        return trimmed(start..<bytes.count)
      }
      scanned = max(begin ?? 0, bytes.count - 2)
      try readMore()
    }
  }

  /// What is there of the NAL unit that ``next()`` will give, at least `count` bytes of it unless it is whole.
  ///
  /// Nil when the input ends before it. It waits for no more than it needs, so that a live picture can go on as soon as
  /// the next one begins.
  mutating func lookAhead(to count: Int) throws(MediaError) -> (range: Range<Int>, isWhole: Bool)? {
    while true {
      guard let begin else { return nil }
      if let code = AnnexBCursor.startCode(in: bytes.span.bytes, from: begin) { return (trimmed(begin..<code), true) }
      if hasEnded { return (trimmed(begin..<bytes.count), true) }
      if bytes.count - begin >= count { return (begin..<bytes.count, false) }
      try readMore()
    }
  }

  private mutating func readMore() throws(MediaError) {
    if let begin, bytes.count - begin > Self.unitLimit {
      throw .damaged(
        path: name,
        detail: "the NAL unit at byte \(place(of: begin)) is longer than \(Self.unitLimit >> 20) MiB")
    }
    if begin == nil, place(of: bytes.count) > Self.leadLimit {
      throw .notVideo(path: name, detail: "no start code is in its first MiB")
    }
    let used = min(begin ?? scanned, scanned)
    if used > 0 {
      bytes.removeFirst(used)
      dropped += Int64(used)
      scanned -= used
      begin = begin.map { $0 - used }
    }
    if try input.read(into: &bytes, count: Self.chunk) == 0 { hasEnded = true }
  }

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var end = range.upperBound
    while end > range.lowerBound, bytes[end - 1] == 0 { end -= 1 }
    return range.lowerBound..<end
  }
}
