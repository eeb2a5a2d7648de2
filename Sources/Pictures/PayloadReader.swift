import Packets
import Timeline

/// Tells from a single payload what it says of its frame: as it arrives, in any order, and without its bytes being kept.
///
/// It remembers the parameter sets of H.264 that came by, without which the numbers of its frames can't be read.
struct PayloadReader: Sendable {
  /// What a payload says.
  struct Reading {
    var piece = VideoPiece()
    /// Whether there is a part of the picture itself in it, so that it is known whether others may refer to it.
    var hasPicture = false
    /// H.264's frame_num, which counts the frames that others may refer to.
    var frameNumber: UInt32?
    /// How many bits it has, by the parameter sets that the picture itself refers to.
    var frameNumberBits: Int?
    /// Whether there is a slice of an instantaneous decoding refresh in it.
    var isIDR = false
    /// Whether there is a sequence parameter set in it, or a part of one.
    var hasSequenceSet = false
    /// The same of a picture parameter set.
    var hasPictureSet = false
    /// After how many frames the picture is right again, if decoding begins here (H.264's recovery_frame_cnt).
    var recoveryCount: Int?
  }

  /// H.264's parameter sets that came by.
  private(set) var sets = H264ParameterSets()

  /// Whether both kinds of parameter sets were told beforehand.
  let isPrepared: Bool

  /// Begins with the parameter sets that were told beforehand, as NAL units.
  init(parameterSets: [[UInt8]] = []) {
    let types = parameterSets.compactMap { $0.first.map { $0 & 0x1f } }
    isPrepared = types.contains(H264NAL.sequenceParameters) && types.contains(H264NAL.pictureParameters)
    for unit in parameterSets { _ = unsafe sets.take(unit.span.bytes) }
  }

  /// What a payload says; nil when it is invalid in itself.
  mutating func read(_ payload: RawSpan, as encoding: VideoEncoding) -> Reading? {
    Self.read(payload, as: encoding, &sets)
  }

  /// How many frames are sent before one that is shown earlier, where that is told.
  var reorderDepth: Int? { sets.first?.reorderDepth }

  /// How long a frame lasts, where H.264's timing tells it: two ticks (E.2.1).
  var frameInterval: Interval? {
    guard let tick = sets.first?.tick else { return nil }
    return Interval(units: 2 * Int64(tick.units), rate: tick.scale)
  }

  /// What a payload says by itself; nil when it is invalid.
  static func readAlone(_ payload: RawSpan, as encoding: VideoEncoding) -> Reading? {
    var sets = H264ParameterSets()
    return read(payload, as: encoding, &sets)
  }

  /// What a payload of the synthetic source says.
  static func readSynthetic(_ payload: RawSpan) -> Reading {
    var reading = Reading(hasPicture: true)
    reading.piece.isReference = true
    switch SyntheticPiece(parsing: payload) {
    case .keyFrame:
      reading.piece.beginsFrame = true
      reading.piece.isKey = true
    case .frame: reading.piece.beginsFrame = true
    case .continuation, nil: break
    }
    return reading
  }

  private static func read(_ payload: RawSpan, as encoding: VideoEncoding, _ sets: inout H264ParameterSets) -> Reading?
  {
    switch encoding {
    case .h264: readH264(payload, &sets)
    case .vp8: VP8Depacketizer.piece(of: payload).map { Reading(piece: $0, hasPicture: true) }
    case .mpegTS: TransportDepacketizer.piece(of: payload).map { Reading(piece: $0, hasPicture: true) }
    }
  }

  /// Single NAL units, STAP-A and FU-A (RFC 6184 sections 5.6 to 5.8).
  private static func readH264(_ payload: RawSpan, _ sets: inout H264ParameterSets) -> Reading? {
    guard payload.byteCount > 0 else { return nil }
    let nal = H264NAL(header: payload.byte(at: 0))
    guard !nal.isForbidden else { return nil }
    var reading = Reading()
    switch nal.type {
    case 1...23:
      note(nal.header, first: payload.byteCount > 1 ? payload.byte(at: 1) : nil, in: &reading)
      look(into: 0..<payload.byteCount, of: payload, &sets, in: &reading)
    case H264NAL.aggregate:
      var offset = 1
      guard payload.byteCount > 1 else { return nil }
      while offset < payload.byteCount {
        guard let range = H264NAL.unit(at: offset, ofAggregate: payload), !range.isEmpty else { return nil }
        let inner = H264NAL(header: payload.byte(at: range.lowerBound))
        guard inner.isWhole else { return nil }
        note(inner.header, first: range.count > 1 ? payload.byte(at: range.lowerBound + 1) : nil, in: &reading)
        look(into: range, of: payload, &sets, in: &reading)
        offset = range.upperBound
      }
    case H264NAL.fragment:
      guard payload.byteCount >= 2 else { return nil }
      let marks = payload.byte(at: 1)
      guard marks & 0xc0 != 0xc0, (1...23).contains(marks & 0x1f) else { return nil }
      let isFirst = marks & 0x80 != 0
      note(
        nal.header & 0xe0 | marks & 0x1f, first: isFirst && payload.byteCount > 2 ? payload.byte(at: 2) : nil,
        in: &reading)
      if isFirst { lookIntoFragment(payload, &sets, in: &reading) } else { reading.piece.beginsFrame = false }
    default: return nil
    }
    return reading
  }

  /// Takes up what a NAL unit's header tells, and the byte behind it where that is known.
  private static func note(_ header: UInt8, first: UInt8?, in reading: inout Reading) {
    // first_mb_in_slice is ue(v): a first bit of 1 is 0, the picture's first slice.
    let isFirstSlice = first.map { $0 & 0x80 != 0 } ?? false
    switch header & 0x1f {
    case H264NAL.delimiter: reading.piece.beginsFrame = true
    case H264NAL.sequenceParameters:
      reading.piece.beginsFrame = true
      reading.hasSequenceSet = true
    case H264NAL.pictureParameters: reading.hasPictureSet = true
    case H264NAL.slice, H264NAL.partitionA: if isFirstSlice { reading.piece.beginsFrame = true }
    case H264NAL.idrSlice:
      reading.piece.isKey = true
      reading.isIDR = true
    default: break
    }
    guard (1...5).contains(header & 0x1f) else { return }
    reading.hasPicture = true
    if header & 0x60 != 0 { reading.piece.isReference = true }
  }

  /// Looks into a NAL unit that is whole, or the beginning of which is.
  private static func look(
    into range: Range<Int>, of payload: RawSpan, _ sets: inout H264ParameterSets, in reading: inout Reading
  ) {
    let unit = payload.extracting(range)
    switch unit.byte(at: 0) & 0x1f {
    case H264NAL.sequenceParameters, H264NAL.pictureParameters: _ = sets.take(unit)
    case H264NAL.supplement:
      guard let count = H264NAL.recoveryCount(of: unit) else { return }
      reading.recoveryCount = count
      if count == 0 { reading.piece.isKey = true }
    case H264NAL.slice, H264NAL.partitionA, H264NAL.idrSlice:
      if let slice = H264SliceHeader(parsing: unit, with: sets) {
        reading.frameNumber = slice.frameNumber
        reading.frameNumberBits = sets.sequence(ofPictureSet: slice.pictureSet)?.frameNumberBits
      }
    default: break
    }
  }

  /// The first fragment of a NAL unit has the unit's beginning, but for its first byte.
  private static func lookIntoFragment(
    _ payload: RawSpan, _ sets: inout H264ParameterSets, in reading: inout Reading
  ) {
    var unit = [payload.byte(at: 0) & 0xe0 | payload.byte(at: 1) & 0x1f]
    for index in 2..<min(payload.byteCount, 2 + sliceStart) { unit.append(payload.byte(at: index)) }
    switch unit[0] & 0x1f {
    // Sets and supplements would be cut.
    case H264NAL.slice, H264NAL.partitionA, H264NAL.idrSlice:
      unsafe look(into: 0..<unit.count, of: unit.span.bytes, &sets, in: &reading)
    default: break
    }
  }

  /// As much of a slice as is needed to read its frame_num.
  private static let sliceStart = 32
}
