/// Cuts pages into packets by their segment lengths (RFC 3533 section 5); a packet may run over many pages.
///
/// Holds the packets that complete on one page and the beginning of the one that doesn't. Of a packet longer than
/// `limit` only the first `limit` bytes are kept, so memory has a bound whatever the input says.
struct OggPacketAssembly {
  /// A packet that completes on the current page.
  struct Packet {
    /// Where its bytes lie in `bytes`.
    let range: Range<Int>
    /// Its length in the stream, more than the range's when it was over the limit.
    let length: Int
  }

  /// The bytes of the packets of the current page, and of an unfinished one after them.
  private(set) var bytes: [UInt8] = []
  /// The packets that complete on the current page.
  private(set) var packets: [Packet] = []
  /// How many packets lost their beginning or end with a missing page.
  private(set) var brokenPackets = 0
  /// Whether a packet has begun and not ended.
  var isInsidePacket: Bool { state == .inside }
  /// The length so far of the packet that has begun.
  private(set) var unfinishedLength = 0

  private enum State { case between, inside, passingOver }
  private var state = State.between
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Forgets everything, for a new logical stream.
  mutating func restart() {
    bytes.removeAll(keepingCapacity: true)
    packets.removeAll(keepingCapacity: true)
    state = .between
    unfinishedLength = 0
  }

  /// Replaces the packets of the last page by those that complete on the current page of `reader`.
  mutating func take(_ header: OggPageHeader, of reader: borrowing OggPageReader, afterHole: Bool) {
    bytes.removeFirst(packets.last?.range.upperBound ?? 0)
    packets.removeAll(keepingCapacity: true)
    if state == .inside && (afterHole || !header.isContinued) { dropUnfinished() }
    if header.isContinued && state != .inside {
      if state == .between { brokenPackets += 1 }
      state = .passingOver
    } else if !header.isContinued {
      state = .between
    }
    // A copy out and back in, since the closure cannot change `self`; the arrays move without being copied.
    var copy = OggPacketAssembly(limit: limit)
    swap(&copy, &self)
    reader.withSegments { lengths, body in copy.append(lengths, body) }
    swap(&copy, &self)
  }

  private mutating func dropUnfinished() {
    brokenPackets += 1
    bytes.removeAll(keepingCapacity: true)
    unfinishedLength = 0
    state = .between
  }

  private mutating func append(_ lengths: Span<UInt8>, _ body: RawSpan) {
    var offset = 0
    for index in lengths.indices {
      let length = Int(lengths[index])
      guard offset + length <= body.byteCount else { return }
      append(body.extracting(offset..<(offset + length)), endsPacket: length < 255)
      offset += length
    }
  }

  private mutating func append(_ segment: RawSpan, endsPacket: Bool) {
    if state == .passingOver {
      if endsPacket { state = .between }
      return
    }
    state = .inside
    let start = packets.last?.range.upperBound ?? 0
    let room = min(segment.byteCount, limit - (bytes.count - start))
    segment.extracting(first: room).withUnsafeBytes { bytes.append(contentsOf: $0) }
    unfinishedLength = min(unfinishedLength, Int.max - 255) + segment.byteCount
    guard endsPacket else { return }
    packets.append(Packet(range: start..<bytes.count, length: unfinishedLength))
    unfinishedLength = 0
    state = .between
  }
}
