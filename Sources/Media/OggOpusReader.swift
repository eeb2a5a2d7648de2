import Packets

/// One Opus packet of an Ogg Opus file and where it belongs.
public struct OggOpusPacket: Equatable, Sendable {
  /// How much audio it holds, in samples at 48 kHz, by its table of contents: 120 to 5,760.
  public var duration: Int
  /// The granule position at its end, in samples at 48 kHz, pre-skip included; it never decreases within a link.
  ///
  /// Spread back over the packets of a page from the page's own (RFC 7845 section 4).
  public var granulePosition: Int64
  /// How many samples are missing between the packet before and this one, by the granule positions.
  public var gapBefore: Int64
  /// How many samples at its end are not to be played (RFC 7845 section 4.4), at most `duration`.
  public var discardAtEnd: Int
  /// It is the last of its link, and the file says so.
  public var isLast: Bool
  /// It is the first of a further link of a chained file; `head` is that link's.
  public var startsNewChain: Bool
  /// Something between the packet before and this one was broken and left out.
  public var precededByDamage: Bool

  /// The granule position at its beginning.
  public var start: Int64 { granulePosition - Int64(duration) }
}

/// Reads the Opus packets of an Ogg Opus file (RFC 7845) one by one, without decoding them.
///
/// The input may be a pipe: it is read once, forward, and at most about 300 KiB of it are held. Streams multiplexed
/// with the Opus stream are passed over; chained files are read link by link.
///
/// What is broken never hides what is whole: reading goes on behind a broken page (`precededByDamage`), and only after
/// the last whole packet does ``next(into:)`` throw one ``MediaError/damaged(path:detail:)`` that sums up everything
/// that was wrong; after that it returns nil. A file that ends after a whole page without an end mark, as a killed
/// recorder leaves it, is no error (``hasEndMark``). A granule position lower than the audio before it is not
/// believed and positions count on from the last one; RFC 7845 section 4.5 would have such a first page rejected.
public struct OggOpusReader: ~Copyable {
  /// The header of the link that the last packet came from; before the first packet, that of the first link.
  public private(set) var head: OpusHead
  /// What was found broken so far.
  public private(set) var damage = OggDamage()
  /// Whether the last link read ended with the mark that ends a stream.
  public private(set) var hasEndMark = false

  private var pages: OggPageReader
  private var assembly = OggPacketAssembly(limit: Self.longestPacket)
  private var queue: [(range: Range<Int>, packet: OggOpusPacket)] = []
  private var queueIndex = 0
  private var stage = Stage.headers(foundOpus: false)
  private var serial: UInt32 = 0
  private var nextSequence: UInt32 = 0
  private var position: Int64?
  private var links = 0
  private var damageIsAhead = false
  private var chainIsAhead = false
  private var hasEnded = false

  private enum Stage: Equatable {
    /// Among the first pages of a link's streams.
    case headers(foundOpus: Bool)
    /// The OpusTags packet is due or has begun.
    case tags
    case audio
    /// Behind the link's end mark; or nothing but other streams was found.
    case betweenLinks
  }

  /// RFC 7845 section 6: no valid packet of one stream needs more.
  private static let longestPacket = 61_440
  /// RFC 7845 section 6: larger comment headers may be rejected.
  private static let longestTags = 125_829_120
  /// Granule positions beyond this (three million years) are taken for damage.
  private static let highestGranulePosition: Int64 = 1 << 62

  /// Whether a file that begins with `prefix` is Ogg Opus; 512 bytes are enough.
  public static func recognizes(_ prefix: [UInt8]) -> Bool {
    guard prefix.starts(with: Array("OggS".utf8)) else { return false }
    return prefix.indices.contains { prefix[$0...].starts(with: OpusHead.magic) }
  }

  /// Opens a file, or standard input for `-`, and reads up to the end of its header.
  public init(path: String) throws(MediaError) {
    try self.init(descriptor: InputDescriptor(path: path).release(), name: path, prefix: [])
  }

  /// Takes over an open descriptor (unless it is standard input) and reads up to the end of the header.
  ///
  /// `prefix` is what was already read from the descriptor to see what it is; `name` is for messages.
  public init(descriptor: CInt, name: String, prefix: [UInt8]) throws(MediaError) {
    pages = OggPageReader(descriptor: descriptor, name: name, prefix: prefix)
    head = OpusHead(channels: 1)
    while stage != .audio {
      guard let page = try pages.next() else { throw whyThereIsNoAudio() }
      try take(page)
      if case .betweenLinks = stage {
        throw MediaError.notAudio(path: name, detail: "an Ogg file without an Opus stream")
      }
    }
    noteSkippedBytes()
  }

  /// The next packet, its bytes in `payload`; nil at the end.
  ///
  /// Throws ``MediaError/damaged(path:detail:)`` once, after the last packet, if anything was broken.
  public mutating func next(into payload: inout [UInt8]) throws(MediaError) -> OggOpusPacket? {
    while queueIndex == queue.count {
      guard !hasEnded else { return nil }
      guard let page = try pages.next() else {
        hasEnded = true
        noteSkippedBytes()
        damage.unfinishedOffset = pages.unfinishedOffset
        if assembly.isInsidePacket { damage.endsInsidePacket = true }
        if !damage.isEmpty { throw .damaged(path: pages.name, detail: damage.detail) }
        return nil
      }
      try take(page)
      noteSkippedBytes()
    }
    let (range, packet) = queue[queueIndex]
    queueIndex += 1
    payload.removeAll(keepingCapacity: true)
    payload.append(contentsOf: assembly.bytes[range])
    return packet
  }

  private mutating func noteSkippedBytes() {
    guard pages.skippedBytes > damage.skippedBytes else { return }
    damage.skippedBytes = pages.skippedBytes
    if damage.firstOffset == nil { damage.firstOffset = pages.firstSkippedOffset }
  }

  /// What to say when the input ended before its audio began.
  private func whyThereIsNoAudio() -> MediaError {
    switch pages.beginsWithCapturePattern {
    case nil: .empty(path: pages.name)
    case .some(false): .notAudio(path: pages.name, detail: "it does not begin as an Ogg file does")
    case .some(true) where pages.unfinishedOffset != nil:
      .damaged(path: pages.name, detail: "it ends inside an Ogg page, before its audio begins")
    case .some(true) where pages.skippedBytes > 0:
      .damaged(path: pages.name, detail: "the Ogg pages it begins with are broken")
    case .some(true): .damaged(path: pages.name, detail: "it ends before its audio begins")
    }
  }
}

// MARK: - Pages

extension OggOpusReader {
  private mutating func take(_ page: OggPageHeader) throws(MediaError) {
    queue.removeAll(keepingCapacity: true)
    queueIndex = 0
    if page.isFirst { return try takeFirst(page) }
    switch stage {
    case .headers(foundOpus: false):
      if links == 0 && pages.skippedBytes > 0 {
        throw .damaged(path: pages.name, detail: "its first Ogg page is broken")
      }
      stage = .betweenLinks
    case .headers, .tags:
      if case .headers = stage { stage = .tags }
      if page.serial == serial { try takeTags(page) }
    case .audio:
      if page.serial == serial { takeAudio(page) }
    case .betweenLinks: break
    }
  }

  /// A stream's first page: of a further stream of this link, or the beginning of the next link.
  private mutating func takeFirst(_ page: OggPageHeader) throws(MediaError) {
    if stage == .headers(foundOpus: true) { return }
    var candidate = OggPacketAssembly(limit: 1024)
    candidate.take(page, of: pages, afterHole: false)
    guard let range = candidate.packets.first?.range, candidate.bytes[range].starts(with: OpusHead.magic) else {
      return
    }
    if assembly.isInsidePacket { damage.endsInsidePacket = true }
    head = try OpusHead(packet: candidate.bytes[range], name: pages.name)
    stage = .headers(foundOpus: true)
    serial = page.serial
    nextSequence = page.sequence &+ 1
    position = nil
    hasEndMark = false
    chainIsAhead = links > 0
    links += 1
    assembly.restart()
  }

  /// Passes over the comment header, however long, and begins with the audio if its page was lost.
  private mutating func takeTags(_ page: OggPageHeader) throws(MediaError) {
    let hole = noteHole(page)
    if hole {
      stage = .audio
      return takeAudio(page, afterHole: true)
    }
    assembly.take(page, of: pages, afterHole: false)
    guard let packet = assembly.packets.first else {
      guard assembly.unfinishedLength <= Self.longestTags else {
        throw .damaged(path: pages.name, detail: "its comment header is longer than \(Self.longestTags) bytes")
      }
      return
    }
    guard assembly.bytes[packet.range].starts(with: Array("OpusTags".utf8)) else {
      throw .damaged(path: pages.name, detail: "its comment header, OpusTags, is missing")
    }
    hasEndMark = page.isLast
    stage = .audio
  }

  private mutating func takeAudio(_ page: OggPageHeader) { takeAudio(page, afterHole: noteHole(page)) }

  private mutating func takeAudio(_ page: OggPageHeader, afterHole: Bool) {
    let broken = assembly.brokenPackets
    assembly.take(page, of: pages, afterHole: afterHole)
    if afterHole || assembly.brokenPackets != broken { damageIsAhead = true }
    if assembly.brokenPackets != broken && !afterHole && damage.damagedPages == 0 { damage.damagedPages = 1 }
    enqueue(page)
    guard page.isLast else { return }
    hasEndMark = true
    stage = .betweenLinks
  }

  /// Compares the page's number with the one due; true when pages are missing before it.
  private mutating func noteHole(_ page: OggPageHeader) -> Bool {
    let missing = page.sequence &- nextSequence
    nextSequence = page.sequence &+ 1
    guard missing != 0 else { return false }
    // A jump beyond any real loss is a muxer's mistake and counts as one.
    damage.damagedPages += missing < 65_536 ? Int(missing) : 1
    if damage.firstOffset == nil { damage.firstOffset = pages.firstSkippedOffset ?? pages.offset }
    return true
  }

  /// Gives the valid packets of the page their places, backwards from its granule position.
  private mutating func enqueue(_ page: OggPageHeader) {
    var total: Int64 = 0
    let assembly = self.assembly
    for packet in assembly.packets {
      let bytes = assembly.bytes.span.bytes.extracting(packet.range)
      guard packet.length == packet.range.count, let duration = OpusPacket.duration(of: bytes) else {
        damage.invalidPackets += 1
        damageIsAhead = true
        continue
      }
      total += Int64(duration)
      queue.append(
        (
          packet.range,
          OggOpusPacket(
            duration: duration, granulePosition: 0, gapBefore: 0, discardAtEnd: 0, isLast: false,
            startsNewChain: chainIsAhead, precededByDamage: damageIsAhead)
        ))
      chainIsAhead = false
      damageIsAhead = false
    }
    guard !queue.isEmpty else { return }
    let end = page.granulePosition
    let isKnown = (0...Self.highestGranulePosition).contains(end)
    let earliest = position ?? 0
    let start = isKnown ? max(earliest, end - total) : earliest
    queue[0].packet.gapBefore = position.map { start - $0 } ?? 0
    var place = start
    for index in queue.indices {
      let duration = Int64(queue[index].packet.duration)
      place += duration
      queue[index].packet.granulePosition = place
      if page.isLast && isKnown { queue[index].packet.discardAtEnd = Int(max(0, min(duration, place - end))) }
    }
    position = place
    queue[queue.count - 1].packet.isLast = page.isLast
  }
}
