/// Puts the NAL units of H.264's RTP payloads together again, with start codes (RFC 6184 sections 5.6 to 5.8).
///
/// It understands single NAL units, STAP-A and FU-A: all of packetization modes 0 and 1. Payloads come in the order of
/// their sequence numbers; of a NAL unit that isn't whole nothing stays in the frame. Nor do parameter sets that a sender
/// repeats between the slices of a picture (GStreamer's does): in a file each of them would begin another picture
/// (H.264 7.4.1.2.3).
public struct H264Depacketizer: Sendable {
  /// Why the last payload was refused; nil when it wasn't.
  public private(set) var fault: H264Payload.Fault?

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
  /// Whether this frame has a slice, and where the parameter sets before it lie.
  private var hasSlice = false
  private var sets: [Range<Int>] = []
  /// Of more parameter sets than these nobody asks whether they are repeated.
  private static let setLimit = 32

  /// Begins anywhere in a stream.
  public init() {}

  /// Appends the NAL units of a payload, each with a start code of four bytes; an empty frame is a new one.
  ///
  /// Nil when the payload is invalid; then nothing is appended, and `fault` says why. A fragment whose beginning was
  /// lost isn't invalid: nothing is appended, but it tells what it was.
  public mutating func append(_ payload: RawSpan, to frame: inout [UInt8]) -> VideoPiece? {
    fault = nil
    if frame.isEmpty {
      hasSlice = false
      sets.removeAll(keepingCapacity: true)
    }
    do throws(H264Payload.Fault) {
      switch try H264Payload(parsing: payload) {
      case .units(let units): return try append(units, of: payload, to: &frame)
      case .fragment(let nal, let isFirst, let isLast, let range):
        return try append(payload.extracting(range), of: nal, isFirst: isFirst, isLast: isLast, to: &frame)
      }
    } catch {
      cutOpenUnit(in: &frame)
      // What it was can't be known; the rest of a NAL unit of which it may have been a part is no fault of its own.
      if error != .noStart { isAfterGap = true }
      fault = error
      return nil
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

  private mutating func cutOpenUnit(in frame: inout [UInt8]) {
    guard let unit = open else { return }
    open = nil
    hasCut = true
    if unit.start < frame.count { frame.removeSubrange(unit.start...) }
  }

  private mutating func append(
    _ units: H264Payload.Units, of payload: RawSpan, to frame: inout [UInt8]
  ) throws(H264Payload.Fault) -> VideoPiece {
    var size = frame.count
    var ahead = units
    while let range = ahead.next(in: payload) { size += H264NAL.startCode.count + range.count }
    guard size <= VideoEncoding.frameLimit else { throw .tooLong }
    let isFirst = frame.isEmpty
    cutOpenUnit(in: &frame)
    var piece = VideoPiece()
    var units = units
    while let range = units.next(in: payload) {
      let unit = payload.extracting(range)
      let nal = H264NAL(header: unit.byte(at: 0))
      describe(nal, first: unit.byteCount > 1 ? unit.byte(at: 1) : nil, isFirst: isFirst, in: &piece)
      if nal.type == H264NAL.supplement, H264NAL.isRecoveryPoint(unit) { piece.isKey = true }
      if nal.isParameterSet {
        let start = frame.count + H264NAL.startCode.count
        if !hasSlice {
          if sets.count < Self.setLimit { sets.append(start..<(start + range.count)) }
        } else if isRepeated(unit, in: frame) {
          continue
        } else {
          // Another picture's, whose sender gives no times: what was may come back after it.
          sets.removeAll(keepingCapacity: true)
        }
      }
      frame += H264NAL.startCode
      frame.append(range, of: payload)
    }
    isAfterGap = false
    return piece
  }

  /// Whether the frame has this parameter set already.
  private func isRepeated(_ unit: RawSpan, in frame: [UInt8]) -> Bool {
    sets.contains { set in
      set.count == unit.byteCount && set.indices.allSatisfy { frame[$0] == unit.byte(at: $0 - set.lowerBound) }
    }
  }

  private mutating func append(
    _ fragment: RawSpan, of nal: H264NAL, isFirst: Bool, isLast: Bool, to frame: inout [UInt8]
  ) throws(H264Payload.Fault) -> VideoPiece {
    var piece = VideoPiece()
    let isOpen = open.map { H264NAL(header: $0.header).type == nal.type } ?? false
    guard isFirst || isOpen || (isAfterGap && open == nil) else { throw .noStart }
    // With a start code and a header.
    guard frame.count + 5 + fragment.byteCount <= VideoEncoding.frameLimit else { throw .tooLong }
    let first = isFirst && fragment.byteCount > 0 ? fragment.byte(at: 0) : nil
    describe(nal, first: first, isFirst: isFirst && frame.isEmpty, in: &piece)
    if isFirst {
      cutOpenUnit(in: &frame)
      isAfterGap = false
      open = (frame.count, nal.header)
      frame += H264NAL.startCode
      frame.append(nal.header)
    } else if !isOpen {
      hasCut = true
      return piece
    }
    frame.append(0..<fragment.byteCount, of: fragment)
    if isLast, let unit = open {
      open = nil
      if nal.type == H264NAL.supplement {
        piece.isKey = unsafe H264NAL.isRecoveryPoint(frame.span.bytes.extracting((unit.start + 4)...))
      }
    }
    return piece
  }

  /// Takes up what a NAL unit's header tells, and the byte behind it where that is known.
  ///
  /// `isFirst` says that the frame has nothing from other payloads yet.
  private mutating func describe(_ nal: H264NAL, first: UInt8?, isFirst: Bool, in piece: inout VideoPiece) {
    if nal.type == H264NAL.sequenceParameters { hasParameters = true }
    if nal.isPicture { hasSlice = true }
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
