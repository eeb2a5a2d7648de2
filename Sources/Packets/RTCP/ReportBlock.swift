/// What a receiver tells about one source, in sender and receiver reports (RFC 3550 section 6.4.1).
public struct ReportBlock: Equatable, Sendable {
  /// Its length in bytes.
  public static let size = 24
  /// The most blocks in one report.
  public static let maximumCount = 31

  /// The source that the block is about.
  public var ssrc: UInt32
  /// The part of the packets lost since the last report, in 1/256.
  public var fractionLost: UInt8
  /// Packets expected less packets received since the beginning: 24 bits signed, -8388608 to 8388607.
  ///
  /// Negative when there were duplicates. Numbers beyond that are written as the nearest that fits.
  public var cumulativeLost: Int32
  /// The extended highest sequence number: cycles in the upper 16 bits.
  public var highestSequence: UInt32
  /// The interarrival jitter in units of the payload's clock.
  public var jitter: UInt32
  /// The middle 32 bits of the NTP timestamp of the source's last sender report, or 0 when there was none.
  public var lastSenderReport: UInt32
  /// The time since that report came in, in 1/65536 s, or 0 when there was none.
  public var delaySinceLastSenderReport: UInt32

  /// Makes a block from its fields.
  public init(
    ssrc: UInt32, fractionLost: UInt8, cumulativeLost: Int32, highestSequence: UInt32, jitter: UInt32,
    lastSenderReport: UInt32, delaySinceLastSenderReport: UInt32
  ) {
    self.ssrc = ssrc
    self.fractionLost = fractionLost
    self.cumulativeLost = cumulativeLost
    self.highestSequence = highestSequence
    self.jitter = jitter
    self.lastSenderReport = lastSenderReport
    self.delaySinceLastSenderReport = delaySinceLastSenderReport
  }

  /// Reads the block at `offset`, or nil when the 24 bytes aren't there.
  public init?(parsing bytes: RawSpan, at offset: Int) {
    guard offset >= 0, bytes.byteCount - offset >= Self.size else { return nil }
    ssrc = bytes.bigEndian(at: offset, as: UInt32.self)
    let lost = bytes.bigEndian(at: offset + 4, as: UInt32.self)
    fractionLost = UInt8(lost >> 24)
    cumulativeLost = Int32(bitPattern: lost << 8) >> 8
    highestSequence = bytes.bigEndian(at: offset + 8, as: UInt32.self)
    jitter = bytes.bigEndian(at: offset + 12, as: UInt32.self)
    lastSenderReport = bytes.bigEndian(at: offset + 16, as: UInt32.self)
    delaySinceLastSenderReport = bytes.bigEndian(at: offset + 20, as: UInt32.self)
  }

  /// Writes the 24 bytes at `offset`; false when they don't fit, and then nothing is written.
  public func write(into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    guard offset >= 0, bytes.count - offset >= Self.size else { return false }
    let lost = UInt32(bitPattern: min(max(cumulativeLost, -0x80_0000), 0x7f_ffff)) & 0xff_ffff
    bytes.writeBigEndian(ssrc, at: offset)
    bytes.writeBigEndian(UInt32(fractionLost) << 24 | lost, at: offset + 4)
    bytes.writeBigEndian(highestSequence, at: offset + 8)
    bytes.writeBigEndian(jitter, at: offset + 12)
    bytes.writeBigEndian(lastSenderReport, at: offset + 16)
    bytes.writeBigEndian(delaySinceLastSenderReport, at: offset + 20)
    return true
  }

  /// Reads block number `index` of those in `range`, or nil when there are fewer.
  static func block(_ index: Int, of range: Range<Int>, in datagram: RawSpan) -> ReportBlock? {
    guard index >= 0, index < range.count / size, datagram.contains(range) else { return nil }
    return ReportBlock(parsing: datagram, at: range.lowerBound + index * size)
  }

  /// Writes the blocks in `range` of `source` by reading and writing each; false when one doesn't fit.
  static func rewrite(
    _ range: Range<Int>, of source: RawSpan, into bytes: inout MutableSpan<UInt8>, at offset: Int
  ) -> Bool {
    for index in 0..<(range.count / size) {
      guard let block = block(index, of: range, in: source),
        block.write(into: &bytes, at: offset + index * size)
      else { return false }
    }
    return true
  }
}
