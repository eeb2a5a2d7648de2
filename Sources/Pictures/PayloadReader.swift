import Packets
import Timeline

/// Tells from a single payload what it says of its frame: as it arrives, in any order, and without its bytes being kept.
///
/// It remembers the parameter sets of H.264 that came by, without which the numbers of its frames can't be read.
struct PayloadReader: Sendable {
  /// What a payload says.
  struct Reading {
    var piece = VideoPiece()
    /// Whether a picture begins in it, whatever its timestamp says: with its first slice, or with a VP8 frame's first
    /// partition.
    var beginsPicture = false
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
    /// Whether the first NAL unit in it is a supplement, or the beginning of one.
    var beginsWithSupplement = false
    /// Whether there is one field of a frame in it.
    var isField = false
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
    reading.beginsPicture = reading.piece.beginsFrame
    return reading
  }

  private static func read(_ payload: RawSpan, as encoding: VideoEncoding, _ sets: inout H264ParameterSets) -> Reading?
  {
    switch encoding {
    case .h264: readH264(payload, &sets)
    case .vp8:
      VP8Depacketizer.piece(of: payload).map { Reading(piece: $0, beginsPicture: $0.beginsFrame, hasPicture: true) }
    case .mpegTS: TransportDepacketizer.piece(of: payload).map { Reading(piece: $0, hasPicture: true) }
    }
  }

  private static func readH264(_ payload: RawSpan, _ sets: inout H264ParameterSets) -> Reading? {
    guard let content = try? H264Payload(parsing: payload) else { return nil }
    var reading = Reading()
    switch content {
    case .units(var units):
      var isFirst = true
      while let range = units.next(in: payload) {
        let unit = payload.extracting(range)
        let nal = H264NAL(header: unit.byte(at: 0))
        if isFirst { reading.beginsWithSupplement = nal.type == H264NAL.supplement }
        isFirst = false
        note(nal, in: &reading)
        look(into: nal, beginning: unit.extracting(1...), sets, in: &reading)
        switch nal.type {
        case H264NAL.sequenceParameters, H264NAL.pictureParameters: _ = sets.take(unit)
        case H264NAL.supplement:
          guard let count = H264NAL.recoveryCount(of: unit) else { continue }
          reading.recoveryCount = count
          if count == 0 { reading.piece.isKey = true }
        default: break
        }
      }
    case .fragment(let nal, let isFirst, _, let range):
      note(nal, in: &reading)
      if isFirst {
        reading.beginsWithSupplement = nal.type == H264NAL.supplement
        look(into: nal, beginning: payload.extracting(range), sets, in: &reading)
      } else {
        reading.piece.beginsFrame = false
      }
    }
    return reading
  }

  /// Takes up what a NAL unit's header tells.
  private static func note(_ nal: H264NAL, in reading: inout Reading) {
    switch nal.type {
    case H264NAL.delimiter: reading.piece.beginsFrame = true
    case H264NAL.sequenceParameters:
      reading.piece.beginsFrame = true
      reading.hasSequenceSet = true
    case H264NAL.pictureParameters: reading.hasPictureSet = true
    case H264NAL.idrSlice:
      reading.piece.isKey = true
      reading.isIDR = true
    default: break
    }
    guard nal.isPicture else { return }
    reading.hasPicture = true
    if nal.referenceIDC > 0 { reading.piece.isReference = true }
  }

  /// Looks at what stands behind a NAL unit's header, which may be no more than the beginning of a slice.
  private static func look(
    into nal: H264NAL, beginning content: RawSpan, _ sets: H264ParameterSets, in reading: inout Reading
  ) {
    guard nal.hasSliceHeader else { return }
    // first_mb_in_slice is ue(v): a first bit of 1 is 0, the picture's first slice.
    if content.byteCount > 0, content.byte(at: 0) & 0x80 != 0 {
      reading.beginsPicture = true
      if nal.type != H264NAL.idrSlice { reading.piece.beginsFrame = true }
    }
    guard let slice = H264SliceHeader(nal, content: content, with: sets) else { return }
    // Both fields of a frame have its number.
    guard slice.field == nil else { return reading.isField = true }
    reading.frameNumber = slice.frameNumber
    reading.frameNumberBits = sets.sequence(ofPictureSet: slice.pictureSet)?.frameNumberBits
  }
}
