/// A Statistics Summary block (RFC 3611 section 4.6): losses, duplicates, jitter and hop limits over a range of numbers.
///
/// A figure that the flags don't announce is zero and says nothing.
public struct XRSummaryBlock: Equatable, Sendable {
  /// Its length in bytes.
  public static let size = 40

  /// The relative transit times between packets that follow each other, in units of the RTP timestamp.
  public struct Jitter: Equatable, Sendable {
    /// The least.
    public var least: UInt32
    /// The greatest.
    public var greatest: UInt32
    /// The mean, rounded.
    public var mean: UInt32
    /// The standard deviation.
    public var deviation: UInt32

    /// Makes the figures.
    public init(least: UInt32, greatest: UInt32, mean: UInt32, deviation: UInt32) {
      self.least = least
      self.greatest = greatest
      self.mean = mean
      self.deviation = deviation
    }
  }

  /// The numbers that the figures are about; there is no thinning here.
  public var numbers: XRSequenceRange
  /// The flags L, D, J and ToH, and three reserved bits.
  private var flags: UInt8
  private var lostPackets: UInt32
  private var duplicatePackets: UInt32
  private var jitterFields: Jitter
  /// Least, greatest, mean and deviation of TTL or hop limit, one byte each.
  private var hops: UInt32

  /// Makes a block; figures that are nil aren't announced.
  public init(numbers: XRSequenceRange, lost: UInt32?, duplicates: UInt32?, jitter: Jitter?) {
    self.numbers = numbers
    flags = (lost == nil ? 0 : 0x80) | (duplicates == nil ? 0 : 0x40) | (jitter == nil ? 0 : 0x20)
    lostPackets = lost ?? 0
    duplicatePackets = duplicates ?? 0
    jitterFields = jitter ?? Jitter(least: 0, greatest: 0, mean: 0, deviation: 0)
    hops = 0
  }

  init?(parsing header: XRBlockHeader, in datagram: RawSpan) {
    guard header.range.count == Self.size, datagram.contains(header.range) else { return nil }
    numbers = XRSequenceRange(parsing: header, in: datagram)
    numbers.thinning = 0
    flags = header.specific
    let offset = header.body.lowerBound + XRSequenceRange.size
    lostPackets = datagram.bigEndian(at: offset, as: UInt32.self)
    duplicatePackets = datagram.bigEndian(at: offset + 4, as: UInt32.self)
    jitterFields = Jitter(
      least: datagram.bigEndian(at: offset + 8, as: UInt32.self),
      greatest: datagram.bigEndian(at: offset + 12, as: UInt32.self),
      mean: datagram.bigEndian(at: offset + 16, as: UInt32.self),
      deviation: datagram.bigEndian(at: offset + 20, as: UInt32.self))
    hops = datagram.bigEndian(at: offset + 24, as: UInt32.self)
  }

  /// Packets lost, when announced.
  public var lost: UInt32? { flags & 0x80 == 0 ? nil : lostPackets }
  /// Duplicate packets, when announced.
  public var duplicates: UInt32? { flags & 0x40 == 0 ? nil : duplicatePackets }
  /// The jitter, when announced.
  public var jitter: Jitter? { flags & 0x20 == 0 ? nil : jitterFields }
  /// Whether nothing is filled in that isn't announced: else the block has to be ignored.
  public var isValid: Bool {
    (lost != nil || lostPackets == 0) && (duplicates != nil || duplicatePackets == 0)
      && (jitter != nil || jitterFields == Jitter(least: 0, greatest: 0, mean: 0, deviation: 0))
      && (flags & 0x18 != 0 || hops == 0)
  }

  /// Writes the block at `offset`; false when it doesn't fit, and then nothing is written.
  func write(into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    guard bytes.count - offset >= Self.size else { return false }
    XRBlockHeader.write(
      type: XRBlockHeader.BlockType.summary, specific: flags, length: Self.size, into: &bytes, at: offset)
    numbers.write(into: &bytes, at: offset + XRBlockHeader.size)
    let fields = offset + XRBlockHeader.size + XRSequenceRange.size
    bytes.writeBigEndian(lostPackets, at: fields)
    bytes.writeBigEndian(duplicatePackets, at: fields + 4)
    bytes.writeBigEndian(jitterFields.least, at: fields + 8)
    bytes.writeBigEndian(jitterFields.greatest, at: fields + 12)
    bytes.writeBigEndian(jitterFields.mean, at: fields + 16)
    bytes.writeBigEndian(jitterFields.deviation, at: fields + 20)
    bytes.writeBigEndian(hops, at: fields + 24)
    return true
  }
}
