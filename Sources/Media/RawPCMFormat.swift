/// How raw samples are stored, as `--raw s16le,48000,2` says it: encoding, sample rate, channels.
public struct RawPCMFormat: Hashable, Sendable {
  /// How one sample is stored; all are little-endian.
  public enum Encoding: String, Hashable, Sendable, CaseIterable {
    /// A signed integer of 16 bits.
    case s16le
    /// A signed integer of 24 bits in three bytes.
    case s24le
    /// A signed integer of 32 bits.
    case s32le
    /// A float of 32 bits (IEEE 754), ±1 at full scale.
    case f32le

    /// The bytes of a sample.
    public var bytes: Int {
      switch self {
      case .s16le: 2
      case .s24le: 3
      case .s32le, .f32le: 4
      }
    }
  }

  /// How one sample is stored.
  public let encoding: Encoding
  /// Frames a second.
  public let rate: Int
  /// The interleaved channels.
  public let channels: Int

  init(encoding: Encoding, rate: Int, channels: Int) {
    self.encoding = encoding
    self.rate = rate
    self.channels = channels
  }

  /// Reads `s16le,48000,2`; the rate and the channels may be left out and are then 48000 and 2.
  public init(parsing text: String) throws(RawPCMFormatError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= 3 else { throw .tooManyParts(text) }
    guard let encoding = Encoding(rawValue: String(parts[0])) else { throw .unknownEncoding(String(parts[0])) }
    self.encoding = encoding
    rate = parts.count > 1 ? Int(parts[1]) ?? -1 : 48_000
    guard AudioSource.rates.contains(rate) else { throw .badRate(String(parts[1])) }
    channels = parts.count > 2 ? Int(parts[2]) ?? -1 : 2
    guard (1...StereoDownmix.maximumChannels).contains(channels) else { throw .badChannels(String(parts[2])) }
  }

  /// The bytes of a frame: one sample for each channel.
  public var frameBytes: Int { encoding.bytes * channels }
}

/// What is wrong with the text of a ``RawPCMFormat``.
public enum RawPCMFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There are more than three parts.
  case tooManyParts(String)
  /// The first part names no encoding.
  case unknownEncoding(String)
  /// The second part isn't a rate that can be converted.
  case badRate(String)
  /// The third part isn't a number of channels from 1 to 8.
  case badChannels(String)

  /// One sentence that names what was given and what is accepted.
  public var description: String {
    switch self {
    case .tooManyParts(let text):
      "“\(text)” has more than three parts; write encoding,rate,channels as in s16le,48000,2"
    case .unknownEncoding(let text):
      "“\(text)” is no sample encoding; give "
        + RawPCMFormat.Encoding.allCases.map(\.rawValue).joined(separator: ", ") + ", as in s16le,48000,2"
    case .badRate(let text):
      "“\(text)” is no sample rate; give \(AudioSource.rateWords), as in s16le,48000,2"
    case .badChannels(let text):
      "“\(text)” is no number of channels; give 1 to 8, as in s16le,48000,2"
    }
  }
}
