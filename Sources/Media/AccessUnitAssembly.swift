import Packets

/// An access unit that grows by one NAL unit after the other, and knows when it is over (H.264 7.4.1.2.3).
struct AccessUnitAssembly: ~Copyable {
  /// The NAL units so far, with start codes of four bytes.
  private(set) var bytes: [UInt8] = []
  /// The header of the picture's first slice, where it could be read.
  private(set) var picture: H264SliceHeader?
  /// Whether a slice is among the NAL units.
  private(set) var hasPicture = false
  /// Whether a part of the picture was too long, so that it isn't whole.
  private(set) var isTooLong = false
  /// Whether a supplement says that decoding can begin here.
  var hasRecoveryPoint = false

  private var last: H264SliceHeader?
  /// The parameter sets in it.
  private var parameterSets: [[UInt8]] = []
  /// Where further ones can be put: behind the delimiter and its own sequence parameter sets.
  private var parametersEnd = 0
  /// Where prefix NAL units (type 14) begin that may belong to the next picture.
  private var prefixStart: Int?

  /// Whether a NAL unit begins another access unit; `first` is the byte behind its header, if there is one.
  func isOver(before nal: H264NAL, first: UInt8?, _ slice: H264SliceHeader?) -> Bool {
    guard hasPicture else { return false }
    switch nal.type {
    case H264NAL.supplement...H264NAL.delimiter, 15...18: return true
    case H264NAL.slice, H264NAL.partitionA, H264NAL.idrSlice:
      if let last, let slice { return last.isOtherPicture(slice) }
      // What can't be read begins another one when it holds the first macroblock: the first bit is 1.
      return first.map { $0 & 0x80 != 0 } ?? false
    default: return false
    }
  }

  /// Takes away the prefix NAL units at the end, which belong to the next picture.
  mutating func takePrefixes() -> [UInt8] {
    guard let start = prefixStart else { return [] }
    let prefixes = Array(bytes[start...])
    bytes.removeSubrange(start...)
    prefixStart = nil
    return prefixes
  }

  /// Begins another access unit, with the prefix NAL units of its first slice.
  mutating func begin(with prefixes: [UInt8]) {
    self = Self()
    bytes = prefixes
  }

  /// Appends a NAL unit.
  mutating func append(_ nal: H264NAL, _ content: ArraySlice<UInt8>, _ slice: H264SliceHeader?) {
    if nal.type == 14 {
      if hasPicture, prefixStart == nil { prefixStart = bytes.count }
    } else {
      prefixStart = nil
    }
    bytes += H264NAL.startCode
    bytes.append(contentsOf: content)
    switch nal.type {
    case H264NAL.sequenceParameters:
      note(parameterSet: content)
      parametersEnd = bytes.count
    case H264NAL.pictureParameters: note(parameterSet: content)
    case H264NAL.delimiter where !hasPicture && parameterSets.isEmpty: parametersEnd = bytes.count
    default: break
    }
    if nal.isPicture { note(slice) }
  }

  /// Leaves a NAL unit out that is too long, and with it the picture.
  mutating func omit(_ nal: H264NAL, _ slice: H264SliceHeader?) {
    isTooLong = true
    if nal.type != 14 { prefixStart = nil }
    if nal.isPicture { note(slice) }
  }

  private mutating func note(_ slice: H264SliceHeader?) {
    hasPicture = true
    if let slice {
      if picture == nil { picture = slice }
      last = slice
    }
  }

  private mutating func note(parameterSet content: ArraySlice<UInt8>) {
    // There are 32 and 256 numbers; what is more was sent twice, for no good reason.
    guard parameterSets.count < 288, !parameterSets.contains(where: { $0[...] == content }) else { return }
    parameterSets.append(Array(content))
  }

  /// The bytes with those of the parameter sets that aren't among them.
  func bytes(with sets: H264ParameterSets) -> [UInt8] {
    let missing = sets.units.filter { !parameterSets.contains($0) }
    guard !missing.isEmpty else { return bytes }
    return bytes[..<parametersEnd] + H264NAL.annexB(missing) + bytes[parametersEnd...]
  }
}
