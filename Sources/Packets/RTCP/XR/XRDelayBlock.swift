/// A DLRR block (RFC 3611 section 4.5): for each receiver its last reference time, and how long ago that came.
public struct XRDelayBlock: Equatable, Sendable {
  /// The answer to one receiver.
  public struct Answer: Equatable, Sendable {
    /// Its length in bytes.
    public static let size = 12

    /// The receiver that is answered.
    public var ssrc: UInt32
    /// The middle 32 bits of the NTP timestamp in its last reference time block; 0 when there was none.
    public var lastReceiverReport: UInt32
    /// The time since that came in, in 1/65536 s.
    public var delay: UInt32

    /// Makes an answer.
    public init(ssrc: UInt32, lastReceiverReport: UInt32, delay: UInt32) {
      self.ssrc = ssrc
      self.lastReceiverReport = lastReceiverReport
      self.delay = delay
    }

    func write(into bytes: inout MutableSpan<UInt8>, at offset: Int) {
      bytes.writeBigEndian(ssrc, at: offset)
      bytes.writeBigEndian(lastReceiverReport, at: offset + 4)
      bytes.writeBigEndian(delay, at: offset + 8)
    }
  }

  private let header: XRBlockHeader

  init?(parsing header: XRBlockHeader) {
    guard header.body.count % Answer.size == 0 else { return nil }
    self.header = header
  }

  /// The number of answers.
  public var count: Int { header.body.count / Answer.size }

  /// Answer number `index`, or nil when there are fewer.
  public func answer(_ index: Int, in datagram: RawSpan) -> Answer? {
    guard index >= 0, index < count, datagram.contains(header.range) else { return nil }
    let offset = header.body.lowerBound + index * Answer.size
    return Answer(
      ssrc: datagram.bigEndian(at: offset, as: UInt32.self),
      lastReceiverReport: datagram.bigEndian(at: offset + 4, as: UInt32.self),
      delay: datagram.bigEndian(at: offset + 8, as: UInt32.self))
  }

  func rewrite(from source: RawSpan, into bytes: inout MutableSpan<UInt8>, at offset: Int) -> Bool {
    guard bytes.count - offset >= header.range.count else { return false }
    XRBlockHeader.write(
      type: XRBlockHeader.BlockType.delay, specific: header.specific, length: header.range.count, into: &bytes,
      at: offset)
    for index in 0..<count {
      guard let answer = answer(index, in: source) else { return false }
      answer.write(into: &bytes, at: offset + XRBlockHeader.size + index * Answer.size)
    }
    return true
  }
}
