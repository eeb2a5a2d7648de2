/// What an RTP payload of H.264 holds: single NAL units, STAP-A and FU-A (RFC 6184 sections 5.6 to 5.8), which are all
/// of packetization modes 0 and 1.
public enum H264Payload: Equatable, Sendable {
  /// NAL units that are whole.
  case units(Units)
  /// A piece of a NAL unit with this header, the first one, the last one, or neither, and where it lies.
  case fragment(H264NAL, isFirst: Bool, isLast: Bool, Range<Int>)

  /// Why a payload is refused: the last two where it stands, by ``H264Depacketizer``, and the others anywhere.
  public enum Fault: Error, Equatable {
    /// It has no byte, or holds a NAL unit without one.
    case empty
    /// The forbidden bit is set: somebody on the way knows that it is broken.
    case forbiddenBit
    /// It is of a type that packetization mode 1 doesn't have: 0, or 24 to 31 but for STAP-A and FU-A.
    case unsupportedType(UInt8)
    /// The lengths in a STAP-A don't add up to it.
    case overrun
    /// A fragment says that it is the first and the last.
    case startAndEnd
    /// A fragment continues a NAL unit that hasn't begun, and nothing is missing before it.
    case noStart
    /// The frame would be longer than ``VideoEncoding/frameLimit``.
    case tooLong
  }

  /// Walks over the NAL units; it keeps an offset, never the bytes.
  public struct Units: Equatable, Sendable {
    /// Where the next NAL unit lies: at 0 it is the payload, and otherwise its length comes first.
    fileprivate var offset: Int

    /// Where the next NAL unit lies; nil behind the last one.
    public mutating func next(in payload: RawSpan) -> Range<Int>? {
      guard offset > 0 else {
        offset = max(payload.byteCount, 1)
        return 0..<payload.byteCount
      }
      guard payload.byteCount - offset >= 2 else { return nil }
      let size = Int(payload.bigEndian(at: offset, as: UInt16.self))
      guard size <= payload.byteCount - offset - 2 else { return nil }
      defer { offset += 2 + size }
      return (offset + 2)..<(offset + 2 + size)
    }
  }

  /// Reads a payload; throws what is wrong with it by itself, wherever it stands.
  public init(parsing payload: RawSpan) throws(Fault) {
    guard payload.byteCount > 0 else { throw .empty }
    let nal = H264NAL(header: payload.byte(at: 0))
    guard !nal.isForbidden else { throw .forbiddenBit }
    switch nal.type {
    case 1...23: self = .units(Units(offset: 0))
    case H264NAL.aggregate: self = .units(try Self.aggregate(payload))
    case H264NAL.fragment: self = try Self.fragment(payload)
    default: throw .unsupportedType(nal.type)
    }
  }

  private static func aggregate(_ payload: RawSpan) throws(Fault) -> Units {
    var units = Units(offset: 1)
    repeat {
      guard let range = units.next(in: payload) else { throw .overrun }
      guard !range.isEmpty else { throw .empty }
      let nal = H264NAL(header: payload.byte(at: range.lowerBound))
      guard !nal.isForbidden else { throw .forbiddenBit }
      guard nal.isWhole else { throw .unsupportedType(nal.type) }
    } while units.offset < payload.byteCount
    return Units(offset: 1)
  }

  private static func fragment(_ payload: RawSpan) throws(Fault) -> Self {
    guard payload.byteCount >= 2 else { throw .overrun }
    let marks = payload.byte(at: 1)
    let nal = H264NAL(header: payload.byte(at: 0) & 0xe0 | marks & 0x1f)
    guard marks & 0xc0 != 0xc0 else { throw .startAndEnd }
    guard nal.isWhole else { throw .unsupportedType(nal.type) }
    return .fragment(nal, isFirst: marks & 0x80 != 0, isLast: marks & 0x40 != 0, 2..<payload.byteCount)
  }
}
