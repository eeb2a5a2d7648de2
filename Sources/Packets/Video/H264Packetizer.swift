/// Cuts access units of H.264 into RTP payloads, for packetization-mode 1 (RFC 6184 section 6.3).
///
/// Small NAL units that follow each other share a packet (STAP-A), one that doesn't fit is fragmented (FU-A); all
/// fragments but the last have the same size. What RTP has no name for is left out: types 0 and 24 to 31, empty NAL
/// units, those with the forbidden bit.
///
///     repeat {
///       guard let length = packetizer.next(of: accessUnit, into: &bytes) else { break }
///       send(bytes.extracting(..<length), marker: packetizer.isAtEnd)
///     } while !packetizer.isAtEnd
public struct H264Packetizer: Sendable {
  /// The least limit: two bytes of header and one of the NAL unit.
  public static let minimumLimit = 3
  /// The greatest limit: the length of a NAL unit in a STAP-A has 16 bits.
  public static let maximumLimit = 65_535

  /// The most bytes of a payload.
  public let payloadLimit: Int

  private var cursor = AnnexBCursor()
  /// The NAL unit of which something is next.
  private var unit: Range<Int>?
  /// Bytes of it that have gone in fragments, its header not counted.
  private var sent = 0

  /// Makes a packetizer; a limit outside `minimumLimit` to `maximumLimit` is brought into it.
  public init(payloadLimit: Int) {
    self.payloadLimit = min(max(payloadLimit, Self.minimumLimit), Self.maximumLimit)
  }

  /// Whether the last payload was the last of its access unit, and the next call begins another.
  public var isAtEnd: Bool { unit == nil }

  /// Writes the next payload of an access unit with start codes and returns its length.
  ///
  /// Nil when the access unit holds nothing that can be sent. Hand in the same access unit until ``isAtEnd``, and room
  /// for ``payloadLimit`` bytes.
  public mutating func next(of accessUnit: RawSpan, into bytes: inout MutableSpan<UInt8>) -> Int? {
    guard let step = step(in: accessUnit) else { return nil }
    switch step {
    case .single(let range): return bytes.copy(range, of: accessUnit, at: 0)
    case .fragment(let header, let range, let marks):
      bytes[0] = header & 0xe0 | H264NAL.fragment
      bytes[1] = header & 0x1f | marks
      return bytes.copy(range, of: accessUnit, at: 2)
    case .aggregate(let start, let count):
      return Self.aggregate(count, of: accessUnit, from: start, into: &bytes)
    }
  }

  /// The number of payloads that an access unit makes.
  public func count(of accessUnit: RawSpan) -> Int {
    var other = Self(payloadLimit: payloadLimit)
    var count = 0
    repeat {
      guard other.step(in: accessUnit) != nil else { break }
      count += 1
    } while !other.isAtEnd
    return count
  }

  // MARK: -

  /// One payload, before it is written.
  private enum Step {
    case single(Range<Int>)
    /// The marks are the bits S and E of the FU header.
    case fragment(header: UInt8, Range<Int>, marks: UInt8)
    /// NAL units from an offset on.
    case aggregate(from: Int, count: Int)
  }

  private mutating func step(in accessUnit: RawSpan) -> Step? {
    if unit == nil {
      cursor = AnnexBCursor()
      unit = Self.unit(after: &cursor, in: accessUnit)
    }
    guard let first = unit else { return nil }
    guard first.count <= payloadLimit else { return fragment(of: first, in: accessUnit) }
    let room = payloadLimit - 1
    var size = 2 + first.count
    var count = 1
    unit = Self.unit(after: &cursor, in: accessUnit)
    while let next = unit, size + 2 + next.count <= room {
      size += 2 + next.count
      count += 1
      unit = Self.unit(after: &cursor, in: accessUnit)
    }
    return count == 1 ? .single(first) : .aggregate(from: first.lowerBound - 3, count: count)
  }

  private mutating func fragment(of whole: Range<Int>, in accessUnit: RawSpan) -> Step {
    let start = whole.lowerBound + 1 + sent
    let end = min(start + payloadLimit - 2, whole.upperBound)
    let marks: UInt8 = (sent == 0 ? 0x80 : 0) | (end == whole.upperBound ? 0x40 : 0)
    sent += end - start
    if end == whole.upperBound {
      sent = 0
      unit = Self.unit(after: &cursor, in: accessUnit)
    }
    return .fragment(header: accessUnit.byte(at: whole.lowerBound), start..<end, marks: marks)
  }

  /// Writes a STAP-A; its nal_ref_idc is the greatest of those inside.
  private static func aggregate(
    _ count: Int, of accessUnit: RawSpan, from start: Int, into bytes: inout MutableSpan<UInt8>
  ) -> Int {
    var cursor = AnnexBCursor(at: start)
    var end = 1
    var reference: UInt8 = 0
    for _ in 0..<count {
      guard let range = unit(after: &cursor, in: accessUnit) else { break }
      bytes.writeBigEndian(UInt16(truncatingIfNeeded: range.count), at: end)
      reference = max(reference, accessUnit.byte(at: range.lowerBound) & 0x60)
      end = bytes.copy(range, of: accessUnit, at: end + 2)
    }
    bytes[0] = reference | H264NAL.aggregate
    return end
  }

  /// The next NAL unit that can be sent.
  private static func unit(after cursor: inout AnnexBCursor, in accessUnit: RawSpan) -> Range<Int>? {
    while let range = cursor.next(in: accessUnit) {
      if !range.isEmpty, H264NAL(header: accessUnit.byte(at: range.lowerBound)).isWhole { return range }
    }
    return nil
  }
}
