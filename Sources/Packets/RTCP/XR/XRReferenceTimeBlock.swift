public import Timeline

/// A Receiver Reference Time block (RFC 3611 section 4.4): the reporter's clock, to be answered by `XRDelayBlock`.
public struct XRReferenceTimeBlock: Equatable, Sendable {
  /// Its length in bytes.
  public static let size = 12

  /// The time of the report; 0 when the reporter has no clock.
  public var ntp: NTPTimestamp
  private var reserved: UInt8 = 0

  /// Makes a block.
  public init(ntp: NTPTimestamp) { self.ntp = ntp }

  init?(parsing header: XRBlockHeader, in datagram: RawSpan) {
    guard header.range.count == Self.size, datagram.contains(header.range) else { return nil }
    ntp = NTPTimestamp(rawValue: datagram.bigEndian(at: header.body.lowerBound, as: UInt64.self))
    reserved = header.specific
  }

  /// Writes the block at `offset`; false when it doesn't fit, and then nothing is written.
  func write(into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    guard bytes.count - offset >= Self.size else { return false }
    XRBlockHeader.write(
      type: XRBlockHeader.BlockType.referenceTime, specific: reserved, length: Self.size, into: &bytes, at: offset)
    bytes.writeBigEndian(ntp.rawValue, at: offset + XRBlockHeader.size)
    return true
  }
}
