/// The beginning of a slice, as far as it tells pictures apart and puts them in order (H.264 7.3.3).
public struct H264SliceHeader: Equatable, Sendable {
  /// nal_unit_type 5: decoding can begin here, and nothing after it refers to anything before.
  public var isIDR = false
  /// Whether others may refer to the picture.
  public var isReference = false
  /// The number of the first macroblock; 0 at the picture's beginning, unless slices come in any order.
  public var firstMacroblock = 0
  /// Whether all macroblocks refer to nothing else (slice types I and SI).
  public var isIntra = false
  /// The picture parameter set.
  public var pictureSet = 0
  /// frame_num.
  public var frameNumber: UInt32 = 0
  /// Whether the picture is one field of a frame, and which.
  public var field: Field?
  /// idr_pic_id; 0 outside of IDR pictures.
  public var idrID: UInt32 = 0
  /// The low bits of the picture order count; 0 where it isn't sent.
  public var orderBits: UInt32 = 0

  /// Which field.
  public enum Field: Equatable, Sendable {
    /// The one with the first line.
    case top
    /// The other one.
    case bottom
  }

  /// Reads a NAL unit of type 1, 2 or 5, with its header.
  ///
  /// Nil when it is malformed or refers to a parameter set that isn't known.
  public init?(parsing unit: RawSpan, with sets: H264ParameterSets) {
    guard unit.byteCount > 0 else { return nil }
    self.init(H264NAL(header: unit.byte(at: 0)), content: unit.extracting(1...), with: sets)
  }

  /// Reads the beginning of such a NAL unit whose header lies elsewhere.
  public init?(_ nal: H264NAL, content: RawSpan, with sets: H264ParameterSets) {
    guard nal.hasSliceHeader else { return nil }
    isIDR = nal.type == H264NAL.idrSlice
    isReference = nal.referenceIDC > 0
    // The numbers that are accepted have at most 172 bits.
    var reader = BitReader<22>(content)
    firstMacroblock = reader.unsigned(upTo: 1 << 24)
    let type = reader.unsigned(upTo: 9)
    isIntra = type % 5 == 2 || type % 5 == 4
    pictureSet = reader.unsigned(upTo: 255)
    guard !reader.hasOverrun, let sequence = sets.sequence(ofPictureSet: pictureSet) else { return nil }
    if sequence.hasSeparatePlanes { _ = reader.bits(2) }
    frameNumber = reader.bits(sequence.frameNumberBits)
    if !sequence.hasOnlyFrames, reader.flag() { field = reader.flag() ? .bottom : .top }
    if isIDR { idrID = reader.unsigned() }
    if case .sent(let bits) = sequence.pictureOrder { orderBits = reader.bits(bits) }
    if reader.hasOverrun { return nil }
  }

  /// Whether a slice that follows this one belongs to another picture (H.264 7.4.1.2.4).
  ///
  /// A first macroblock that doesn't come later counts too: not every encoder changes what the standard tells it to.
  public func isOtherPicture(_ next: Self) -> Bool {
    isIDR != next.isIDR || isReference != next.isReference || pictureSet != next.pictureSet
      || frameNumber != next.frameNumber || field != next.field || idrID != next.idrID
      || orderBits != next.orderBits || next.firstMacroblock <= firstMacroblock
  }
}
