import Packets

/// Writes Opus packets into an Ogg Opus file (RFC 7845) as they are, each at its place in time.
///
/// ## Missing packets
/// A gap between two packets is filled with packets of zero-byte frames, as RFC 7845 section 4.1 asks of a muxer:
/// every decoder then conceals the gap for as long as it lasted and plays what follows at the right time. The other
/// way, to let the granule position jump, is forbidden there ("MUST NOT increment the granule position for a page by
/// anything other than the number of samples contained in packets that actually complete on that page"), and
/// opusdec 0.2, ffmpeg 5.1 and GStreamer 1.22 all play such a file without the gap, too short. Both are tested.
///
/// ## Killed at any moment
/// Both headers are written at once, and every page by a single `write(2)` as soon as the next packet would make it
/// longer than `pageDuration`. So the file is valid at any moment and lacks at most that much and one packet.
public struct OggOpusWriter: ~Copyable {
  /// What became of a packet.
  public enum Outcome: Equatable, Sendable {
    /// It is in the file, or will be with its page, behind `filled` samples at 48 kHz of concealment.
    case written(filled: Int64)
    /// All of its time is already filled: a duplicate, or too late. It was left out.
    case late
    /// It is not an Opus packet by RFC 6716 section 3. It was left out.
    case invalid
  }

  /// The length of the file's audio so far, in samples at 48 kHz: the granule position of the next page.
  public private(set) var position: Int64 = 0
  /// The samples at 48 kHz of `position` that are concealment.
  public private(set) var filled: Int64 = 0
  /// The samples at 48 kHz of gaps that were longer than ``longestGap``, by which the file is now shorter.
  public private(set) var omitted: Int64 = 0

  /// How much of one gap is filled, in samples at 48 kHz: an hour.
  public static let longestGap: Int64 = 48_000 * 3_600

  private var output: OutputFile
  private var builder: OggPageBuilder
  private var bytes: [UInt8] = []
  private var pagePosition: Int64 = 0
  private let pageDuration: Int64
  /// The packet time that position 0 stands for, moved on by what gaps were cut short.
  private var origin: Int64?
  private var previous: OpusPacket?

  /// Begins a file by writing its two headers.
  ///
  /// - Parameters:
  ///   - output: where the file goes, from its first byte on.
  ///   - head: for a stream joined in the middle a pre-skip of 3,840 is recommended (RFC 7845 section 5.1).
  ///   - serial: the number of the logical stream, any; random ones keep joined files apart.
  ///   - vendor: what wrote the stream, for the comment header.
  ///   - pageDuration: the longest page in samples at 48 kHz, unless a single packet is longer.
  public init(
    output: consuming OutputFile, head: OpusHead, serial: UInt32, vendor: String = "jitterbug",
    pageDuration: Int = 24_000
  ) throws(MediaError) {
    builder = OggPageBuilder(serial: serial)
    self.pageDuration = Int64(max(0, pageDuration))
    bytes.reserveCapacity(65_307)
    self.output = output
    try writeHeaders(head, vendor: vendor)
  }

  /// Adds a packet whose first sample belongs at `time`.
  ///
  /// `time` is in samples at 48 kHz from any beginning, such as an RTP timestamp extended to 64 bits; the first packet's
  /// becomes the beginning of the file. Packets come in order; one whose time is already filled is left out.
  public mutating func write(_ packet: RawSpan, at time: Int64) throws(MediaError) -> Outcome {
    guard let parsed = OpusPacket(parsing: packet) else { return .invalid }
    let duration = Int64(parsed.duration)
    let due = time.subtractingReportingOverflow(origin ?? time)
    let missing = due.partialValue.subtractingReportingOverflow(position)
    guard !due.overflow, !missing.overflow, missing.partialValue > -duration else { return .late }
    if origin == nil { origin = time }
    let gap = try fill(missing.partialValue)
    previous = parsed
    try add(packet, duration: duration)
    return .written(filled: gap)
  }

  /// Ends the file: writes the last page with the end mark and closes it.
  ///
  /// - Parameter discardAtEnd: how many of the last samples at 48 kHz are not to be played (RFC 7845 section 4.4); at
  ///   most those of the last page.
  public consuming func finish(discardAtEnd: Int = 0) throws(MediaError) {
    let end = max(pagePosition, position - Int64(max(0, discardAtEnd)))
    try flush(granulePosition: end, isLast: true)
    try output.close()
  }

  /// Fills a gap as far as frames of 2.5 ms can; the rest is made up for in the next gap.
  private mutating func fill(_ missing: Int64) throws(MediaError) -> Int64 {
    guard let previous, missing > 0 else { return 0 }
    let gap = min(missing, Self.longestGap)
    if gap < missing {
      omitted += missing - gap
      origin = origin.map { $0 + (missing - gap) }
    }
    var filler = OggGapFiller(gap: gap, after: previous)
    while let packet = filler.next() {
      let stand: [2 of UInt8] = [packet.tableOfContents, packet.frameCount ?? 0]
      let size = packet.frameCount == nil ? 1 : 2
      try add(stand.span.bytes.extracting(first: size), duration: Int64(packet.duration))
    }
    let done = gap - filler.remaining
    filled += done
    return done
  }

  private mutating func add(_ packet: RawSpan, duration: Int64) throws(MediaError) {
    let isTooLong = position - pagePosition + duration > pageDuration
    if !builder.isEmpty && (isTooLong || !builder.fits(packet.byteCount)) { try flush(granulePosition: position) }
    var offset = 0
    while let reached = builder.add(packet, from: offset) {
      offset = reached
      try flush(granulePosition: position, insidePacket: true)
    }
    position += duration
  }

  private mutating func flush(
    granulePosition: Int64, isLast: Bool = false, insidePacket: Bool = false
  ) throws(MediaError) {
    bytes.removeAll(keepingCapacity: true)
    builder.finish(granulePosition: granulePosition, isLast: isLast, insidePacket: insidePacket, into: &bytes)
    pagePosition = position
    try output.write(bytes.span.bytes)
  }

  /// OpusHead alone on the first page, OpusTags alone on the next (RFC 7845 section 3), in one write.
  private mutating func writeHeaders(_ head: OpusHead, vendor: String) throws(MediaError) {
    var tags = Array("OpusTags".utf8)
    let name = Array(vendor.utf8.prefix(255))
    tags += [UInt8(name.count), 0, 0, 0] + name + [0, 0, 0, 0]
    for packet in [head.packet, tags] {
      _ = builder.add(packet.span.bytes, from: 0)
      builder.finish(granulePosition: 0, isLast: false, insidePacket: false, into: &bytes)
    }
    try output.write(bytes.span.bytes)
  }
}
