/// The sequence numbers that a block reports on: the source, first and end, and every how many (RFC 3611 section 4.1).
///
/// Eight bytes behind a block's header, with the thinning in the low four bits of the header's type-specific byte. Only
/// the numbers that are 0 modulo 2^thinning are reported on; places count from `begin`.
public struct XRSequenceRange: Equatable, Sendable {
  /// Its length in bytes.
  static let size = 8
  /// The most numbers in a range, of which 65,534 would leave open how often they wrapped.
  public static let limit = 65_533

  /// The source that the block is about.
  public var ssrc: UInt32
  /// The first number.
  public var begin: UInt16
  /// The last number plus one.
  public var end: UInt16
  /// One number in 2^thinning is reported on: 0 to 15.
  public var thinning: Int

  /// Makes a range.
  public init(ssrc: UInt32, begin: UInt16, end: UInt16, thinning: Int = 0) {
    self.ssrc = ssrc
    self.begin = begin
    self.end = end
    self.thinning = thinning
  }

  init(parsing header: XRBlockHeader, in datagram: RawSpan) {
    let offset = header.body.lowerBound
    ssrc = datagram.bigEndian(at: offset, as: UInt32.self)
    begin = datagram.bigEndian(at: offset + 4, as: UInt16.self)
    end = datagram.bigEndian(at: offset + 6, as: UInt16.self)
    thinning = Int(header.specific & 0x0f)
  }

  /// The numbers from first to last, those left out by thinning included.
  public var span: Int { Int(end &- begin) }
  /// How far apart the numbers reported on are.
  public var stride: Int { 1 << thinning }
  /// The place of the first number reported on.
  public var first: Int { (stride - Int(begin) & (stride - 1)) & (stride - 1) }
  /// How many numbers are reported on.
  public var count: Int { first < span ? (span - 1 - first) / stride + 1 : 0 }

  /// The place of the number with `index` among those reported on.
  public func place(of index: Int) -> Int { first + index * stride }

  func write(into bytes: inout MutableSpan<UInt8>, at offset: Int) {
    bytes.writeBigEndian(ssrc, at: offset)
    bytes.writeBigEndian(begin, at: offset + 4)
    bytes.writeBigEndian(end, at: offset + 6)
  }
}
