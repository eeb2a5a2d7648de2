/// What a sequence parameter set of H.264 says of its pictures (H.264 7.3.2.1.1 and annex E).
public struct H264SequenceParameters: Equatable, Sendable {
  /// The longest set that is read, in bytes.
  public static let sizeLimit = 4_096
  private typealias Reader = BitReader<4_096>

  /// How the order of display is told (H.264 8.2.1).
  public enum PictureOrder: Equatable, Sendable {
    /// By a number in each slice, of which this many low bits are sent.
    case sent(bits: Int)
    /// By a cycle of offsets and corrections to them; the latter aren't sent when `isFixed`.
    case cycle(isFixed: Bool)
    /// As they are decoded.
    case decoding
  }

  /// The number by which picture parameter sets refer to it: 0 to 31.
  public var id = 0
  /// profile_idc, the byte of constraints, and level_idc: SDP's profile-level-id.
  public var profileLevelID: UInt32 = 0
  /// The size of a picture in luma samples, without what is cropped.
  public var size: (width: Int, height: Int) = (0, 0)
  /// The bits of frame_num.
  public var frameNumberBits = 4
  /// How the order of display is told.
  public var pictureOrder = PictureOrder.decoding
  /// Whether there are only frames, and no fields.
  public var hasOnlyFrames = true
  /// Whether slices carry the colour plane's number.
  public var hasSeparatePlanes = false
  /// num_units_in_tick and time_scale: a tick is the time of a field; nil when it isn't told.
  public var tick: (units: UInt32, scale: UInt32)?
  /// How many pictures may come before one that is shown earlier; nil when it isn't told.
  public var reorderDepth: Int?

  /// The profiles whose sets say more of the samples (H.264 7.3.2.1.1).
  private static let highProfiles: Set<UInt32> = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

  /// Reads a NAL unit of type 7, with its header; nil when it is malformed or too long.
  public init?(parsing unit: RawSpan) {
    guard (4...Self.sizeLimit).contains(unit.byteCount),
      H264NAL(header: unit.byte(at: 0)).type == H264NAL.sequenceParameters
    else { return nil }
    var reader = Reader(unit.extracting(1...))
    profileLevelID = reader.bits(24)
    id = reader.unsigned(upTo: 31)
    var chroma = 1
    if Self.highProfiles.contains(profileLevelID >> 16) { chroma = readSamples(&reader) }
    frameNumberBits = reader.unsigned(upTo: 12) + 4
    readPictureOrder(&reader)
    _ = reader.unsigned(upTo: 16)  // max_num_ref_frames
    _ = reader.flag()  // gaps_in_frame_num_value_allowed_flag
    readSize(&reader, chroma: chroma)
    guard !reader.hasOverrun, size.width > 0, size.height > 0 else { return nil }
    // What follows is a help; where it is broken it is as if it weren't told.
    var hint = self
    if reader.flag() { hint.readUsability(&reader) }
    if !reader.hasOverrun { self = hint }
  }

  /// Whether both say the same.
  public static func == (left: Self, right: Self) -> Bool {
    left.id == right.id && left.profileLevelID == right.profileLevelID && left.size == right.size
      && left.frameNumberBits == right.frameNumberBits && left.pictureOrder == right.pictureOrder
      && left.hasOnlyFrames == right.hasOnlyFrames && left.hasSeparatePlanes == right.hasSeparatePlanes
      && left.tick?.units == right.tick?.units && left.tick?.scale == right.tick?.scale
      && left.reorderDepth == right.reorderDepth
  }

  // MARK: -

  /// The format of the samples and the scaling lists; returns chroma_format_idc.
  private mutating func readSamples(_ reader: inout Reader) -> Int {
    let chroma = reader.unsigned(upTo: 3)
    if chroma == 3 { hasSeparatePlanes = reader.flag() }
    _ = reader.unsigned(upTo: 6)  // bit_depth_luma_minus8
    _ = reader.unsigned(upTo: 6)
    _ = reader.flag()  // qpprime_y_zero_transform_bypass_flag
    guard reader.flag() else { return chroma }
    for list in 0..<(chroma == 3 ? 12 : 8) where reader.flag() {
      var last = 8
      var next = 8
      for _ in 0..<(list < 6 ? 16 : 64) {
        if next != 0 { next = (last + reader.signed()) & 0xff }
        if next != 0 { last = next }
      }
    }
    return chroma
  }

  private mutating func readPictureOrder(_ reader: inout Reader) {
    switch reader.unsigned(upTo: 2) {
    case 0: pictureOrder = .sent(bits: reader.unsigned(upTo: 12) + 4)
    case 1:
      pictureOrder = .cycle(isFixed: reader.flag())
      _ = reader.signed()  // offset_for_non_ref_pic
      _ = reader.signed()  // offset_for_top_to_bottom_field
      for _ in 0..<reader.unsigned(upTo: 255) { _ = reader.signed() }
    default: pictureOrder = .decoding
    }
  }

  private mutating func readSize(_ reader: inout Reader, chroma: Int) {
    // 4,096 macroblocks each way: four times what the highest level allows.
    let columns = reader.unsigned(upTo: 4_095) + 1
    let rows = reader.unsigned(upTo: 4_095) + 1
    hasOnlyFrames = reader.flag()
    if !hasOnlyFrames { _ = reader.flag() }  // mb_adaptive_frame_field_flag
    _ = reader.flag()  // direct_8x8_inference_flag
    let lines = hasOnlyFrames ? 1 : 2
    size = (columns * 16, rows * 16 * lines)
    guard reader.flag() else { return }
    let isSubsampled = chroma == 1 || chroma == 2
    let unit = (isSubsampled ? 2 : 1, (chroma == 1 ? 2 : 1) * lines)
    size.width -= (Int(reader.unsigned(upTo: 65_535)) + Int(reader.unsigned(upTo: 65_535))) * unit.0
    size.height -= (Int(reader.unsigned(upTo: 65_535)) + Int(reader.unsigned(upTo: 65_535))) * unit.1
  }

  /// Annex E.1.1: the timing and the depth of reordering.
  private mutating func readUsability(_ reader: inout Reader) {
    if reader.flag(), reader.bits(8) == 255 { _ = reader.bits(32) }  // aspect ratio
    if reader.flag() { _ = reader.flag() }  // overscan
    if reader.flag() {  // video signal type
      _ = reader.bits(4)
      if reader.flag() { _ = reader.bits(24) }
    }
    if reader.flag() {  // chroma location
      _ = reader.unsigned()
      _ = reader.unsigned()
    }
    if reader.flag() {
      let units = reader.bits(32)
      let scale = reader.bits(32)
      if units > 0, scale > 0, !reader.hasOverrun { tick = (units, scale) }
      _ = reader.flag()  // fixed_frame_rate_flag
    }
    let hasNALModel = reader.flag()
    if hasNALModel { Self.skipBufferModel(&reader) }
    let hasVCLModel = reader.flag()
    if hasVCLModel { Self.skipBufferModel(&reader) }
    if hasNALModel || hasVCLModel { _ = reader.flag() }  // low_delay_hrd_flag
    _ = reader.flag()  // pic_struct_present_flag
    guard reader.flag() else { return }
    _ = reader.flag()
    for _ in 0..<4 { _ = reader.unsigned() }
    reorderDepth = reader.unsigned(upTo: 16)
    _ = reader.unsigned(upTo: 16)
  }

  private static func skipBufferModel(_ reader: inout Reader) {
    let count = reader.unsigned(upTo: 31) + 1
    _ = reader.bits(8)
    for _ in 0..<count {
      _ = reader.unsigned()
      _ = reader.unsigned()
      _ = reader.flag()
    }
    _ = reader.bits(20)
  }
}
