import COgg
import Glibc

/// What the header of an Ogg page says (RFC 3533 section 6).
struct OggPageHeader {
  let serial: UInt32
  let sequence: UInt32
  /// The position at the end of the last packet that completes on the page; -1 when none does.
  let granulePosition: Int64
  /// The page begins in the middle of a packet.
  let isContinued: Bool
  /// The first page of a logical stream.
  let isFirst: Bool
  /// The last page of a logical stream.
  let isLast: Bool
}

/// Finds the whole pages, those with a right checksum, in what a descriptor holds; owns the descriptor.
///
/// At most about 80 KiB are held: a page of at most 65,307 bytes and one read.
struct OggPageReader: ~Copyable {
  let name: String
  /// Bytes passed over because they belong to no whole page, without an unfinished page at the end.
  private(set) var skippedBytes: Int64 = 0
  /// Where the first of those lies.
  private(set) var firstSkippedOffset: Int64?
  /// Where the page begins that the end of the input cut off.
  private(set) var unfinishedOffset: Int64?
  /// The bytes taken or passed over so far.
  private(set) var offset: Int64 = 0
  /// Whether the input begins as Ogg does; nil until something has been read.
  private(set) var beginsWithCapturePattern: Bool?

  private let descriptor: CInt
  private var prefix: [UInt8]
  private var sync = ogg_sync_state()
  private var page = ogg_page()
  private var hasFoundPage = false

  private static let readSize = 16_384
  /// How much is searched for a first page before the input is called no Ogg at all.
  private static let searchLimit: Int64 = 131_072

  /// Takes over a descriptor open for reading; `prefix` is what was already read from it.
  init(descriptor: CInt, name: String, prefix: [UInt8]) {
    self.descriptor = descriptor
    self.name = name
    self.prefix = prefix
  }

  deinit {
    var sync = self.sync
    ogg_sync_clear(&sync)
    if descriptor > STDERR_FILENO { _ = close(descriptor) }
  }

  /// Steps to the next whole page; nil at the end of the input.
  mutating func next() throws(MediaError) -> OggPageHeader? {
    while true {
      let count = ogg_sync_pageseek(&sync, &page)
      if count > 0 {
        hasFoundPage = true
        if let unfinished = unfinishedOffset {
          // Not cut off after all, but a broken length that had swallowed this page.
          skippedBytes += offset - unfinished
          if firstSkippedOffset == nil { firstSkippedOffset = unfinished }
          unfinishedOffset = nil
        }
        offset += Int64(count)
        return header()
      }
      if count < 0 {
        skip(-count)
      } else if try !fill() {
        let rest = Int(sync.fill - sync.returned)
        guard rest > 0 else { return nil }
        if unfinishedOffset == nil && beginsLikePage(rest) { unfinishedOffset = offset }
        skip(1)
        sync.returned += 1
        sync.headerbytes = 0
        sync.bodybytes = 0
      }
      guard hasFoundPage || skippedBytes < Self.searchLimit else {
        throw .notAudio(path: name, detail: "no Ogg page in its first \(skippedBytes) bytes")
      }
    }
  }

  /// The lengths of the current page's segments; valid inside `body` only.
  func withSegments<Result>(_ body: (_ lengths: Span<UInt8>, _ bytes: RawSpan) -> Result) -> Result {
    let count = Int(page.header[26])
    let lengths = Span(_unsafeStart: page.header + 27, count: count)
    let bytes = RawSpan(_unsafeStart: page.body, byteCount: page.body_len)
    return body(lengths, bytes)
  }

  private func header() -> OggPageHeader {
    var page = self.page
    return OggPageHeader(
      serial: UInt32(truncatingIfNeeded: ogg_page_serialno(&page)),
      sequence: UInt32(truncatingIfNeeded: ogg_page_pageno(&page)),
      granulePosition: ogg_page_granulepos(&page), isContinued: ogg_page_continued(&page) != 0,
      isFirst: ogg_page_bos(&page) != 0, isLast: ogg_page_eos(&page) != 0)
  }

  private mutating func skip(_ count: Int) {
    if unfinishedOffset == nil {
      skippedBytes += Int64(count)
      if firstSkippedOffset == nil { firstSkippedOffset = offset }
    }
    offset += Int64(count)
  }

  /// Whether what is left begins with as much of the capture pattern as fits.
  private func beginsLikePage(_ rest: Int) -> Bool {
    let pattern: [4 of UInt8] = [0x4F, 0x67, 0x67, 0x53]
    for index in 0..<min(4, rest) where sync.data[Int(sync.returned) + index] != pattern[index] { return false }
    return true
  }

  /// Reads more into libogg's buffer; false at the end of the input.
  private mutating func fill() throws(MediaError) -> Bool {
    let size = max(prefix.count, Self.readSize)
    guard let buffer = ogg_sync_buffer(&sync, size) else {
      throw .cannotOpen(path: name, reason: systemReason(ENOMEM))
    }
    let count: Int
    if prefix.isEmpty {
      count = try readSome(into: buffer, size)
    } else {
      count = prefix.count
      for (index, byte) in prefix.enumerated() { buffer[index] = CChar(bitPattern: byte) }
      prefix = []
    }
    ogg_sync_wrote(&sync, count)
    if beginsWithCapturePattern == nil && count > 0 { beginsWithCapturePattern = beginsLikePage(count) }
    return count > 0
  }

  private func readSome(into buffer: UnsafeMutableRawPointer, _ size: Int) throws(MediaError) -> Int {
    while true {
      let count = read(descriptor, buffer, size)
      if count >= 0 { return count }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilReady(descriptor, for: POLLIN)
      case EISDIR: throw .isDirectory(path: name)
      default: throw .cannotOpen(path: name, reason: systemReason(errno))
      }
    }
  }
}
