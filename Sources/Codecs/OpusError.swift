/// Why libopus refused to make a coder, to encode or to decode.
public enum OpusError: Error, Hashable, Sendable {
  /// A setting is outside what Opus takes: its name, the value given, and what is accepted.
  case invalidSetting(name: String, value: Int, accepted: String)
  /// The encoder takes exactly one frame of samples at a time.
  case wrongSampleCount(given: Int, needed: Int)
  /// The output has no room for the result.
  case outputTooSmall(given: Int)
  /// The bytes aren't an Opus packet (RFC 6716 section 3.4).
  case invalidPacket(byteCount: Int)
  /// A length to conceal that isn't positive, or longer than the output.
  case invalidLength(frames: Int)
  /// libopus failed for a reason of its own, by its error code.
  case library(code: Int32)
}

extension OpusError: CustomStringConvertible {
  /// One sentence for people.
  public var description: String {
    switch self {
    case .invalidSetting(let name, let value, let accepted):
      "the Opus \(name) can't be \(value); give \(accepted)"
    case .wrongSampleCount(let given, let needed):
      "the Opus encoder got \(given) samples for a frame of \(needed)"
    case .outputTooSmall(let given):
      "the buffer for Opus output holds only \(given) elements"
    case .invalidPacket(let byteCount):
      "\(byteCount) bytes that aren't an Opus packet"
    case .invalidLength(let frames):
      "\(frames) frames can't be concealed: the length must be positive and fit the output"
    case .library(let code):
      "libopus failed with code \(code)"
    }
  }
}
