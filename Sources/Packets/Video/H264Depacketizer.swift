/// Puts the NAL units of H.264's RTP payloads together again, with start codes (RFC 6184 sections 5.6 to 5.8).
///
/// It understands single NAL units, STAP-A and FU-A: all of packetization modes 0 and 1. Payloads come in the order of
/// their sequence numbers; of a NAL unit that isn't whole nothing stays in the frame.
public struct H264Depacketizer: Sendable {
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
    /// The frame would be longer than ``VideoEncoding/frameLimit``.
    case tooLong
  }

  /// Why the last payload was refused; nil when it wasn't.
  public private(set) var fault: Fault?

  /// Where the start code of a NAL unit lies of which fragments are awaited, and the unit's own header.
  private var open: (start: Int, header: UInt8)?
  /// Whether something is missing before the next payload, or was, and no NAL unit has begun since.
  private var isAfterGap = true
  /// Whether a part of this frame that came was left out, because its NAL unit isn't whole.
  private var hasCut = false
  /// Whether parameter sets come with the key frames.
  private var hasParameters = false
  /// Whether frames have been seen that begin with a supplement.
  private var hasSupplementsFirst = false

  /// Begins anywhere in a stream.
  public init() {}

  /// Appends the NAL units of a payload, each with a start code of four bytes; an empty frame is a new one.
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
      guard frame.count + 4 + payload.byteCount <= VideoEncoding.frameLimit else { return refuse(.tooLong, in: &frame) }
      let isFirst = frame.isEmpty
      cutOpenUnit(in: &frame)
      var piece = VideoPiece()
      appendUnit(0..<payload.byteCount, of: payload, to: &frame, isFirst: isFirst, &piece)
      isAfterGap = false
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
  ///
  /// Returns whether anything that was accepted isn't in the frame, since it began: a fragment without the NAL unit's
  /// beginning, or a NAL unit without its end.
  @discardableResult
  public mutating func endFrame(in frame: inout [UInt8]) -> Bool {
    cutOpenUnit(in: &frame)
    defer { hasCut = false }
    return hasCut
  }

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
    hasCut = true
    if unit.start < frame.count { frame.removeSubrange(unit.start...) }
  }

  private mutating func appendUnit(
    _ range: Range<Int>, of payload: RawSpan, to frame: inout [UInt8], isFirst: Bool, _ piece: inout VideoPiece
  ) {
    let unit = payload.extracting(range)
    let nal = H264NAL(header: unit.byte(at: 0))
    describe(nal, first: unit.byteCount > 1 ? unit.byte(at: 1) : nil, isFirst: isFirst, in: &piece)
    if nal.type == H264NAL.supplement, H264NAL.isRecoveryPoint(unit) { piece.isKey = true }
    Self.appendStartCode(to: &frame)
    frame.append(range, of: payload)
  }

  private mutating func appendAggregate(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    var offset = 1
    var size = frame.count
    guard payload.byteCount > 1 else { return refuse(.overrun, in: &frame) }
    while offset < payload.byteCount {
      guard let range = H264NAL.unit(at: offset, ofAggregate: payload) else { return refuse(.overrun, in: &frame) }
      guard !range.isEmpty else { return refuse(.empty, in: &frame) }
      let nal = H264NAL(header: payload.byte(at: range.lowerBound))
      guard !nal.isForbidden else { return refuse(.forbiddenBit, in: &frame) }
      guard nal.isWhole else { return refuse(.unsupportedType(nal.type), in: &frame) }
      size += 4 + range.count
      offset = range.upperBound
    }
    guard size <= VideoEncoding.frameLimit else { return refuse(.tooLong, in: &frame) }
    let isFirst = frame.isEmpty
    cutOpenUnit(in: &frame)
    var piece = VideoPiece()
    offset = 1
    while let range = H264NAL.unit(at: offset, ofAggregate: payload) {
      appendUnit(range, of: payload, to: &frame, isFirst: isFirst, &piece)
      offset = range.upperBound
    }
    isAfterGap = false
    return piece
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
    let isOpen = open.map { H264NAL(header: $0.header).type == nal.type } ?? false
    guard isFirst || isOpen || (isAfterGap && open == nil) else { return refuse(.noStart, in: &frame) }
    guard frame.count + 3 + payload.byteCount <= VideoEncoding.frameLimit else { return refuse(.tooLong, in: &frame) }
    let first = isFirst && payload.byteCount > 2 ? payload.byte(at: 2) : nil
    describe(nal, first: first, isFirst: isFirst && frame.isEmpty, in: &piece)
    if isFirst {
      cutOpenUnit(in: &frame)
      isAfterGap = false
      open = (frame.count, nal.header)
      Self.appendStartCode(to: &frame)
      frame.append(nal.header)
    } else if !isOpen {
      hasCut = true
      return piece
    }
    frame.append(2..<payload.byteCount, of: payload)
    if isLast, let unit = open {
      open = nil
      if nal.type == H264NAL.supplement {
        piece.isKey = unsafe H264NAL.isRecoveryPoint(frame.span.bytes.extracting((unit.start + 4)...))
      }
    }
    return piece
  }

  private static func appendStartCode(to frame: inout [UInt8]) {
    frame.append(0)
    frame.append(0)
    frame.append(0)
    frame.append(1)
  }

  /// Takes up what a NAL unit's header tells, and the byte behind it where that is known.
  ///
  /// `isFirst` says that the frame has nothing from other payloads yet.
  private mutating func describe(_ nal: H264NAL, first: UInt8?, isFirst: Bool, in piece: inout VideoPiece) {
    if nal.type == H264NAL.sequenceParameters { hasParameters = true }
    if nal.type == H264NAL.supplement, isFirst, !isAfterGap, !piece.beginsFrame { hasSupplementsFirst = true }
    if isFirst, !isAfterGap || isBeginning(nal, first: first) { piece.beginsFrame = true }
    if nal.type == H264NAL.idrSlice { piece.isKey = true }
    if nal.isPicture, nal.referenceIDC > 0 { piece.isReference = true }
  }

  /// Whether a NAL unit behind a gap shows by itself that nothing of its frame was in the gap.
  private func isBeginning(_ nal: H264NAL, first: UInt8?) -> Bool {
    // first_mb_in_slice is ue(v): a first bit of 1 is 0, the picture's first slice.
    let isFirstSlice = first.map { $0 & 0x80 != 0 } ?? false
    switch nal.type {
    case H264NAL.delimiter, H264NAL.sequenceParameters: return true
    case H264NAL.supplement: return hasSupplementsFirst || !hasParameters
    case H264NAL.slice, H264NAL.partitionA: return isFirstSlice
    // Where key frames bring their parameter sets along, those belong to the frame too.
    case H264NAL.idrSlice: return isFirstSlice && !hasParameters
    default: return false
    }
  }
}
