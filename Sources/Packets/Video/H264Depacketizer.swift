/// Puts the NAL units of H.264's RTP payloads together again, with start codes (RFC 6184 sections 5.6 to 5.8).
///
/// It understands single NAL units, STAP-A and FU-A: all of packetization modes 0 and 1. Payloads come in the order of
/// their sequence numbers; of a NAL unit that isn't whole nothing stays in the frame.
public struct H264Depacketizer: Sendable {
  /// The most bytes of a frame; what would make it longer is refused.
  public static let frameLimit = 8 << 20

  /// Why a payload was refused.
  public enum Fault: Equatable, Sendable {
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
    /// The frame would be longer than ``frameLimit``.
    case tooLong
  }

  /// Why the last payload was refused; nil when it wasn't.
  public private(set) var fault: Fault?

  /// Where the start code of a NAL unit lies of which fragments are awaited, and the unit's own header.
  private var open: (start: Int, header: UInt8)?
  /// Whether something is missing before the next payload, or was, and no NAL unit has begun since.
  private var isAfterGap = true
  /// Whether parameter sets come with the key frames.
  private var hasParameters = false

  /// Begins anywhere in a stream.
  public init() {}

  /// Appends the NAL units of a payload, each with a start code of four bytes.
  ///
  /// Nil when the payload is invalid; then nothing is appended, and `fault` says why. A fragment whose beginning was
  /// lost isn't invalid: nothing is appended, but it tells what it was.
  public mutating func append(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    fault = nil
    guard payload.byteCount > 0 else { return refuse(.empty, in: &frame) }
    let nal = H264NAL(header: payload.byte(at: 0))
    guard !nal.isForbidden else { return refuse(.forbiddenBit, in: &frame) }
    switch nal.type {
    case 1...23:
      guard frame.count + 4 + payload.byteCount <= Self.frameLimit else { return refuse(.tooLong, in: &frame) }
      cutOpenUnit(in: &frame)
      var piece = VideoPiece()
      appendUnit(0..<payload.byteCount, of: payload, to: &frame, &piece)
      return piece
    case H264NAL.aggregate: return appendAggregate(payload, to: &frame)
    case H264NAL.fragment: return appendFragment(payload, to: &frame)
    default: return refuse(.unsupportedType(nal.type), in: &frame)
    }
  }

  /// Notes that packets are missing before the next payload: what was begun can't become whole and is cut off.
  public mutating func noteGap(in frame: inout [UInt8]) {
    cutOpenUnit(in: &frame)
    isAfterGap = true
  }

  /// Notes that the frame is over, and cuts off what didn't become whole.
  public mutating func endFrame(in frame: inout [UInt8]) { cutOpenUnit(in: &frame) }

  // MARK: -

  private mutating func refuse(_ reason: Fault, in frame: inout [UInt8]) -> VideoPiece? {
    cutOpenUnit(in: &frame)
    // What it was can't be known; the rest of a NAL unit of which it may have been a part is no fault of its own.
    if reason != .noStart { isAfterGap = true }
    fault = reason
    return nil
  }

  private mutating func cutOpenUnit(in frame: inout [UInt8]) {
    guard let unit = open else { return }
    open = nil
    if unit.start < frame.count { frame.removeSubrange(unit.start...) }
  }

  private mutating func appendUnit(
    _ range: Range<Int>, of payload: RawSpan, to frame: inout [UInt8], _ piece: inout VideoPiece
  ) {
    isAfterGap = false
    Self.appendStartCode(to: &frame)
    frame.append(range, of: payload)
    describe(payload.extracting(range), in: &piece)
  }

  private mutating func appendAggregate(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    var offset = 1
    var size = frame.count
    guard payload.byteCount > 1 else { return refuse(.overrun, in: &frame) }
    while offset < payload.byteCount {
      guard let range = Self.unit(at: offset, in: payload) else { return refuse(.overrun, in: &frame) }
      guard !range.isEmpty else { return refuse(.empty, in: &frame) }
      let nal = H264NAL(header: payload.byte(at: range.lowerBound))
      guard !nal.isForbidden else { return refuse(.forbiddenBit, in: &frame) }
      guard nal.isWhole else { return refuse(.unsupportedType(nal.type), in: &frame) }
      size += 4 + range.count
      offset = range.upperBound
    }
    guard size <= Self.frameLimit else { return refuse(.tooLong, in: &frame) }
    cutOpenUnit(in: &frame)
    var piece = VideoPiece()
    offset = 1
    while let range = Self.unit(at: offset, in: payload) {
      appendUnit(range, of: payload, to: &frame, &piece)
      offset = range.upperBound
    }
    return piece
  }

  /// Where a NAL unit in a STAP-A lies whose length is at `offset`; nil when it isn't all there.
  private static func unit(at offset: Int, in payload: RawSpan) -> Range<Int>? {
    guard payload.byteCount - offset >= 2 else { return nil }
    let size = Int(payload.bigEndian(at: offset, as: UInt16.self))
    guard size <= payload.byteCount - offset - 2 else { return nil }
    return (offset + 2)..<(offset + 2 + size)
  }

  private mutating func appendFragment(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    guard payload.byteCount >= 2 else { return refuse(.overrun, in: &frame) }
    let marks = payload.byte(at: 1)
    let isFirst = marks & 0x80 != 0
    let isLast = marks & 0x40 != 0
    let nal = H264NAL(header: payload.byte(at: 0) & 0xe0 | marks & 0x1f)
    guard !(isFirst && isLast) else { return refuse(.startAndEnd, in: &frame) }
    guard nal.isWhole else { return refuse(.unsupportedType(nal.type), in: &frame) }
    var piece = VideoPiece()
    if isFirst {
      cutOpenUnit(in: &frame)
      guard frame.count + 3 + payload.byteCount <= Self.frameLimit else { return refuse(.tooLong, in: &frame) }
      isAfterGap = false
      open = (frame.count, nal.header)
      Self.appendStartCode(to: &frame)
      frame.append(nal.header)
    } else if let unit = open, H264NAL(header: unit.header).type == nal.type {
      guard frame.count + payload.byteCount - 2 <= Self.frameLimit else { return refuse(.tooLong, in: &frame) }
    } else if isAfterGap && open == nil {
      describe(nal, first: nil, in: &piece)
      return piece
    } else {
      return refuse(.noStart, in: &frame)
    }
    frame.append(2..<payload.byteCount, of: payload)
    describe(nal, first: isFirst && payload.byteCount > 2 ? payload.byte(at: 2) : nil, in: &piece)
    if isLast { open = nil }
    return piece
  }

  private static func appendStartCode(to frame: inout [UInt8]) {
    frame.append(0)
    frame.append(0)
    frame.append(0)
    frame.append(1)
  }

  // MARK: - What a payload tells

  private mutating func describe(_ unit: RawSpan, in piece: inout VideoPiece) {
    let nal = H264NAL(header: unit.byte(at: 0))
    describe(nal, first: unit.byteCount > 1 ? unit.byte(at: 1) : nil, in: &piece)
    if nal.type == H264NAL.supplement, H264NAL.isRecoveryPoint(unit) { piece.isKey = true }
  }

  /// Takes up what a NAL unit's header tells, and the byte behind it where that is known.
  private mutating func describe(_ nal: H264NAL, first: UInt8?, in piece: inout VideoPiece) {
    // first_mb_in_slice is ue(v): a first bit of 1 is 0, the picture's first slice.
    let isFirstSlice = first.map { $0 & 0x80 != 0 } ?? false
    switch nal.type {
    case H264NAL.delimiter: piece.beginsFrame = true
    case H264NAL.sequenceParameters:
      hasParameters = true
      piece.beginsFrame = true
    case H264NAL.slice, H264NAL.partitionA: if isFirstSlice { piece.beginsFrame = true }
    case H264NAL.idrSlice:
      piece.isKey = true
      // Where key frames bring their parameter sets along, those belong to the frame too.
      if isFirstSlice, !hasParameters { piece.beginsFrame = true }
    default: break
    }
    if nal.isPicture, nal.referenceIDC > 0 { piece.isReference = true }
  }
}
