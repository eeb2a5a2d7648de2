import Packets

/// Finds the NAL units of an input with start codes, one by one, holding one of them at a time.
///
/// Of one that is too long only the beginning is kept, and what follows it is read on.
struct AnnexBScanner: ~Copyable {
  /// The longest NAL unit.
  static let unitLimit = VideoEncoding.frameLimit
  /// What is kept of one that is longer: more than it takes to tell pictures apart.
  static let headLength = 128
  /// So many bytes without a start code are no video any more.
  static let passedLimit: Int64 = 256 << 20
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
  private let unitLimit: Int
  private let passedLimit: Int64
  /// Where the NAL unit that ``next()`` gave lies in the input, if that was only the beginning of one that is too long.
  private(set) var cutPlace: Int64?

  init(
    _ input: consuming InputBytes, unitLimit: Int = Self.unitLimit, passedLimit: Int64 = Self.passedLimit
  ) {
    self.input = input
    self.unitLimit = unitLimit
    self.passedLimit = passedLimit
  }

  /// The name of the input, for messages.
  var name: String { input.name }
  /// What to wait for with `poll(2)` before a read, so that it doesn't block.
  var descriptor: CInt { input.descriptor.value }
  /// Where in the input an offset of `bytes` lies.
  func place(of offset: Int) -> Int64 { dropped + Int64(offset) }

  /// The next NAL unit without its start code and the zeros behind it, as a range of ``bytes``; nil at the end.
  ///
  /// It is empty when nothing lies between two start codes, or behind the last. With ``cutPlace`` it is the beginning of
  /// a unit that is too long.
  mutating func next() throws(MediaError) -> Range<Int>? {
    cutPlace = nil
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
      if let begin, bytes.count - begin > unitLimit { return try pass(unitAt: begin) }
      try readMore()
    }
  }

  /// Reads up to the next start code, and gives the unit's beginning.
  private mutating func pass(unitAt start: Int) throws(MediaError) -> Range<Int> {
    let head = start..<(start + Self.headLength)
    let place = place(of: start)
    cutPlace = place
    while true {
      // The last two bytes may belong to a start code.
      let passed = head.upperBound..<max(head.upperBound, bytes.count - 2)
      bytes.removeSubrange(passed)
      dropped += Int64(passed.count)
      guard self.place(of: head.upperBound) - place <= passedLimit else {
        throw .damaged(
          path: name, detail: "no start code comes within \(passedLimit >> 20) MiB behind byte \(place)")
      }
      if try input.read(into: &bytes, count: Self.chunk) == 0 {
        hasEnded = true
        begin = nil
        scanned = bytes.count
        return head
      }
      if let code = AnnexBCursor.startCode(in: bytes.span.bytes, from: head.upperBound) {
        begin = code + 3
        scanned = code + 3
        return head
      }
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
