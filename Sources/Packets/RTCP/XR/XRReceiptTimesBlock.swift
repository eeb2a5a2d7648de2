/// A Packet Receipt Times block (RFC 3611 section 4.3): when each packet of a run without loss arrived first.
///
/// The times are in units of the RTP timestamp, from an origin of the reporter's choice.
public struct XRReceiptTimesBlock: Equatable, Sendable {
  /// The numbers reported on; each of them was received.
  public let numbers: XRSequenceRange
  /// Where the times lie in the datagram.
  public let times: Range<Int>
  private let header: XRBlockHeader

  init?(parsing header: XRBlockHeader, in datagram: RawSpan) {
    guard header.body.count >= XRSequenceRange.size, datagram.contains(header.range) else { return nil }
    numbers = XRSequenceRange(parsing: header, in: datagram)
    times = (header.body.lowerBound + XRSequenceRange.size)..<header.body.upperBound
    self.header = header
  }

  /// The number of times that are there: no more than the numbers reported on.
  public var count: Int { min(numbers.count, times.count / 4) }

  /// The time with `index`, or nil when there are fewer.
  public func time(_ index: Int, in datagram: RawSpan) -> UInt32? {
    guard index >= 0, index < count, datagram.contains(times) else { return nil }
    return datagram.bigEndian(at: times.lowerBound + 4 * index, as: UInt32.self)
  }

  func rewrite(from source: RawSpan, into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    guard bytes.count - offset >= header.range.count else { return false }
    let specific = header.specific & 0xf0 | UInt8(numbers.thinning)
    XRBlockHeader.write(
      type: XRBlockHeader.BlockType.receiptTimes, specific: specific, length: header.range.count, into: &bytes,
      at: offset)
    numbers.write(into: &bytes, at: offset + XRBlockHeader.size)
    for index in 0..<count {
      guard let time = time(index, in: source) else { return false }
      bytes.writeBigEndian(time, at: offset + XRBlockHeader.size + XRSequenceRange.size + 4 * index)
    }
    return true
  }
}
