/// The identification header of an Opus stream (RFC 7845 section 5.1).
public struct OpusHead: Equatable, Sendable {
  /// The channels to play, 1 or 2; a packet may hold fewer or more.
  public var channels: Int
  /// Samples at 48 kHz to throw away from the beginning of what the decoder gives, 0 to 65,535.
  public var preSkip: Int
  /// The sample rate of what was encoded, in Hz, 0 for unknown; not that of playing.
  public var inputSampleRate: Int
  /// What to amplify the decoded samples by, in 1/256 dB, -32,768 to 32,767.
  public var outputGain: Int
  /// How channels are mapped: 0, or 1 with a single stream, which for two channels at most is the same.
  public var mappingFamily: Int

  /// Makes a header; the default pre-skip is the delay of libopus at 48 kHz.
  public init(
    channels: Int, preSkip: Int = 312, inputSampleRate: Int = 48_000, outputGain: Int = 0, mappingFamily: Int = 0
  ) {
    self.channels = channels
    self.preSkip = preSkip
    self.inputSampleRate = inputSampleRate
    self.outputGain = outputGain
    self.mappingFamily = mappingFamily
  }

  /// What the header packet begins with.
  static let magic = Array("OpusHead".utf8)

  /// Reads a header packet; `name` is the file's, for the error.
  init(packet: some RandomAccessCollection<UInt8>, name: String) throws(MediaError) {
    let bytes = Array(packet)
    guard bytes.starts(with: Self.magic), bytes.count >= 19 else {
      throw .damaged(path: name, detail: "its OpusHead header is cut short at \(bytes.count) bytes of at least 19")
    }
    guard bytes[8] < 16 else {
      throw .unsupported(path: name, detail: "it is of version \(bytes[8]) of Ogg Opus and only 0 to 15 are known")
    }
    channels = Int(bytes[9])
    preSkip = Int(bytes[10]) | Int(bytes[11]) << 8
    inputSampleRate = (0..<4).reduce(0) { $0 | Int(bytes[12 + $1]) << (8 * $1) }
    outputGain = Int(Int16(bitPattern: UInt16(bytes[16]) | UInt16(bytes[17]) << 8))
    mappingFamily = Int(bytes[18])
    guard channels >= 1 else { throw .damaged(path: name, detail: "its OpusHead header says 0 channels") }
    switch mappingFamily {
    case 0:
      guard channels <= 2 else {
        throw .damaged(
          path: name, detail: "its OpusHead header says \(channels) channels where mapping family 0 has 1 or 2")
      }
    case 1:
      try Self.checkMapping(bytes, channels: channels, name: name)
    default:
      throw .unsupported(
        path: name,
        detail: "it is Opus of channel mapping family \(mappingFamily) and only families 0 and 1 are known")
    }
  }

  /// Accepts of family 1 what is the same as family 0: one stream whose channels keep their order.
  private static func checkMapping(_ bytes: [UInt8], channels: Int, name: String) throws(MediaError) {
    guard channels <= 2 else {
      throw .unsupported(
        path: name, detail: "it is surround Opus (mapping family 1) with \(channels) channels and at most 2 are played")
    }
    guard bytes.count >= 21 + channels else {
      throw .damaged(path: name, detail: "its OpusHead header ends before the channel mapping table does")
    }
    let identity: [UInt8] = channels == 1 ? [0] : bytes[20] == 1 ? [0, 1] : [0, 0]
    guard bytes[19] == 1, bytes[20] <= 1, Array(bytes[21..<(21 + channels)]) == identity else {
      throw .unsupported(
        path: name,
        detail: "its \(channels) channels are mapped to \(bytes[19]) Opus streams and only one stream is played")
    }
  }

  /// The header packet, always of mapping family 0.
  var packet: [UInt8] {
    let rate = UInt32(clamping: inputSampleRate)
    let skip = UInt16(clamping: preSkip)
    let gain = UInt16(bitPattern: Int16(clamping: outputGain))
    var bytes = Self.magic
    bytes += [1, UInt8(clamping: max(1, min(2, channels))), UInt8(truncatingIfNeeded: skip), UInt8(skip >> 8)]
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: rate >> (8 * UInt32($0))) }
    bytes += [UInt8(truncatingIfNeeded: gain), UInt8(gain >> 8), 0]
    return bytes
  }
}
