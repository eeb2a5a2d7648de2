/// The parameter sets of an H.264 stream that are known, as bytes and as what they say.
public struct H264ParameterSets: Equatable, Sendable {
  private var sequences: [Int: (bytes: [UInt8], parameters: H264SequenceParameters)] = [:]
  private var pictures: [Int: (bytes: [UInt8], sequence: Int)] = [:]

  /// How often a set was added or changed so far: whoever has seen this number needn't compare the sets.
  public private(set) var revision = 0

  /// None known.
  public init() {}

  /// Takes a NAL unit of type 7 or 8, in place of the one with the same number; false when it is malformed.
  public mutating func take(_ unit: RawSpan) -> Bool {
    guard (2...H264SequenceParameters.sizeLimit).contains(unit.byteCount) else { return false }
    var bytes: [UInt8] = []
    bytes.append(0..<unit.byteCount, of: unit)
    switch H264NAL(header: unit.byte(at: 0)).type {
    case H264NAL.sequenceParameters:
      guard let parameters = H264SequenceParameters(parsing: unit) else { return false }
      guard sequences[parameters.id]?.bytes != bytes else { return true }
      sequences[parameters.id] = (bytes, parameters)
      revision += 1
      return true
    case H264NAL.pictureParameters:
      guard let numbers = Self.numbers(ofPictureSet: unit) else { return false }
      guard pictures[numbers.id]?.bytes != bytes else { return true }
      pictures[numbers.id] = (bytes, numbers.sequence)
      revision += 1
      return true
    default: return false
    }
  }

  /// All of them: sequence parameter sets by their numbers, then picture parameter sets.
  public var units: [[UInt8]] {
    sequences.sorted { $0.key < $1.key }.map(\.value.bytes) + pictures.sorted { $0.key < $1.key }.map(\.value.bytes)
  }

  /// What the sequence parameter set says to which a picture parameter set refers.
  public func sequence(ofPictureSet id: Int) -> H264SequenceParameters? {
    pictures[id].flatMap { sequences[$0.sequence]?.parameters }
  }

  /// What the sequence parameter set with the lowest number says.
  public var first: H264SequenceParameters? { sequences.min { $0.key < $1.key }?.value.parameters }

  /// Whether both hold the same, whatever they held before.
  public static func == (left: Self, right: Self) -> Bool { left.units == right.units }

  /// The numbers of a picture parameter set and of the sequence parameter set to which it refers.
  static func numbers(ofPictureSet unit: RawSpan) -> (id: Int, sequence: Int)? {
    var reader = BitReader<16>(unit.extracting(1...))
    let id = reader.unsigned(upTo: 255)
    let sequence = reader.unsigned(upTo: 31)
    return reader.hasOverrun ? nil : (id, sequence)
  }
}
