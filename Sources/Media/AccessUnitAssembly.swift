import Packets

/// An access unit that grows by one NAL unit after the other, and knows when it is over (H.264 7.4.1.2.3).
struct AccessUnitAssembly: ~Copyable {
  /// The NAL units so far, with start codes of four bytes.
  private(set) var bytes: [UInt8] = []
  /// The header of the picture's first slice, where it could be read.
  private(set) var picture: H264SliceHeader?
  /// Whether a slice is among the NAL units.
  private(set) var hasPicture = false
  /// Whether a supplement says that decoding can begin here.
  var hasRecoveryPoint = false

  private var last: H264SliceHeader?
  /// The parameter sets in it.
  private var parameterSets: [[UInt8]] = []
  /// Where further ones can be put: behind the delimiter and its own sequence parameter sets.
  private var parametersEnd = 0
  /// Where prefix NAL units (type 14) begin that may belong to the next picture.
  private var prefixStart: Int?

  /// The header of a slice that begins a picture or goes on with it; nil for everything else.
  func slice(of nal: H264NAL, _ content: RawSpan, _ sets: H264ParameterSets) -> H264SliceHeader? {
    guard nal.isPicture else { return nil }
    return H264SliceHeader(parsing: content, with: sets)
  }

  /// Whether a NAL unit begins another access unit.
  func isOver(before nal: H264NAL, _ slice: H264SliceHeader?) -> Bool {
    guard hasPicture else { return false }
    switch nal.type {
    case H264NAL.supplement...H264NAL.delimiter, 15...18: return true
    case H264NAL.slice, H264NAL.partitionA, H264NAL.idrSlice:
      guard let last, let slice else { return last != nil || slice != nil }
      return last.isOtherPicture(slice)
    default: return false
    }
  }

  /// Begins another access unit; prefix NAL units at the end of the last one go along.
  mutating func begin() {
    let prefixes = prefixStart.map { Array(bytes[$0...]) } ?? []
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
    bytes.append(0)
    bytes.append(0)
    bytes.append(0)
    bytes.append(1)
    bytes.append(contentsOf: content)
    switch nal.type {
    case H264NAL.sequenceParameters:
      parameterSets.append(Array(content))
      parametersEnd = bytes.count
    case H264NAL.pictureParameters: parameterSets.append(Array(content))
    case H264NAL.delimiter where !hasPicture && parameterSets.isEmpty: parametersEnd = bytes.count
    default: break
    }
    guard nal.isPicture else { return }
    hasPicture = true
    if let slice {
      if picture == nil { picture = slice }
      last = slice
    }
  }

  /// The bytes with those of the parameter sets that aren't among them.
  func bytes(with sets: H264ParameterSets) -> [UInt8] {
    let missing = sets.units.filter { !parameterSets.contains($0) }
    guard !missing.isEmpty else { return bytes }
    return bytes[..<parametersEnd] + missing.flatMap { [0, 0, 0, 1] + $0 } + bytes[parametersEnd...]
  }
}
