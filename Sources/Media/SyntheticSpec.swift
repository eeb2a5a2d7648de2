public import Timeline

/// What `--synthetic` asks for: media made up for measuring, without a file.
public enum SyntheticSpec: Hashable, Sendable {
  /// Packets of one size at even times, like audio: `bytes=172,interval=20ms`.
  ///
  /// `packetBytes` is the size of the RTP packet with its header of 12 bytes: 13 to 65 507.
  case constant(packetBytes: Int, interval: Interval)
  /// Frames like a video's, most of them bigger than a datagram: `fps=30,bitrate=2mbit,gop=60`.
  ///
  /// Every `gop`-th frame is a key frame several times the size of the others. `bitrate` is in bits a second of
  /// payload; over each group of pictures it is exact to a byte.
  case video(thousandthsOfFramesPerSecond: Int, bitrate: Int, gop: Int)

  /// The RTP header, without which no packet is (RFC 3550 section 5.1).
  static let headerBytes = 12

  /// Reads `key=value,key=value`; what isn't named has the value of the examples above.
  ///
  /// `bytes` and `interval` belong to the constant kind, `fps`, `bitrate` and `gop` to the video-like one.
  public init(parsing text: String) throws(SyntheticSpecError) {
    var values: [String: Substring] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let equals = part.firstIndex(of: "=") else { throw .notAPair(String(part)) }
      let key = String(part[..<equals])
      guard Self.constantKeys.contains(key) || Self.videoKeys.contains(key) else { throw .unknownKey(key) }
      guard values.updateValue(part[part.index(after: equals)...], forKey: key) == nil else {
        throw .repeatedKey(key)
      }
    }
    let constant = Self.constantKeys.first { values[$0] != nil }
    let video = Self.videoKeys.first { values[$0] != nil }
    if let constant, let video { throw .mixedKinds(constant, video) }
    self = video == nil ? try Self.constant(values) : try Self.video(values)
  }

  private static let constantKeys = ["bytes", "interval"]
  private static let videoKeys = ["fps", "bitrate", "gop"]

  private static func constant(_ values: [String: Substring]) throws(SyntheticSpecError) -> SyntheticSpec {
    let bytes = try number(
      values, "bytes", default: 172, in: headerBytes + 1...65_507, "13 to 65507 (the RTP packet with its header)"
    ) { Int($0) }
    let interval = try number(
      values, "interval", default: 20_000_000, in: 100_000...60_000_000_000, "100us to 60s, as in 20ms",
      SyntheticQuantities.nanoseconds)
    return .constant(packetBytes: bytes, interval: .nanoseconds(Int64(interval)))
  }

  private static func video(_ values: [String: Substring]) throws(SyntheticSpecError) -> SyntheticSpec {
    let fps = try number(
      values, "fps", default: 30_000, in: 1_000...1_000_000, "1 to 1000, as in 30 or 29.97",
      SyntheticQuantities.thousandths)
    let bitrate = try number(
      values, "bitrate", default: 2_000_000, in: 1_000...10_000_000_000, "1kbit to 10gbit, as in 2mbit or 800kbit",
      SyntheticQuantities.bitrate)
    let gop = try number(values, "gop", default: 60, in: 1...100_000, "1 to 100000 frames") { Int($0) }
    let mean = bitrate * 1_000 / (8 * fps)
    guard mean >= smallestMeanFrame else {
      throw .framesTooSmall(bytes: mean)
    }
    return .video(thousandthsOfFramesPerSecond: fps, bitrate: bitrate, gop: gop)
  }

  /// With fewer bytes a frame than this there would be frames with none.
  static let smallestMeanFrame = 64

  private static func number(
    _ values: [String: Substring], _ key: String, default usual: Int, in range: ClosedRange<Int>, _ accepted: String,
    _ read: (Substring) -> Int?
  ) throws(SyntheticSpecError) -> Int {
    guard let text = values[key] else { return usual }
    guard let value = read(text), range.contains(value) else {
      throw .badValue(key: key, value: String(text), accepted: accepted)
    }
    return value
  }
}

/// What is wrong with the text of a ``SyntheticSpec``.
public enum SyntheticSpecError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A part isn't `key=value`.
  case notAPair(String)
  /// No key is called so.
  case unknownKey(String)
  /// A key comes twice.
  case repeatedKey(String)
  /// A value can't be read or is out of range.
  case badValue(key: String, value: String, accepted: String)
  /// Keys of both kinds are named.
  case mixedKinds(String, String)
  /// The bit rate is too low for so many frames: the mean bytes of one.
  case framesTooSmall(bytes: Int)

  /// One sentence that names what was given and what is accepted.
  public var description: String {
    switch self {
    case .notAPair(let part):
      "“\(part)” in the synthetic source isn't key=value; \(Self.examples)"
    case .unknownKey(let key):
      "the synthetic source knows no “\(key)”; \(Self.examples)"
    case .repeatedKey(let key):
      "the synthetic source was given “\(key)” twice; give it once"
    case .badValue(let key, let value, let accepted):
      "the synthetic source's \(key) can't be “\(value)”; give \(accepted)"
    case .mixedKinds(let constant, let video):
      "the synthetic source can't have both “\(constant)” and “\(video)”; \(Self.examples)"
    case .framesTooSmall(let bytes):
      "the synthetic source's frames would have only \(bytes) bytes on average, and "
        + "\(SyntheticSpec.smallestMeanFrame) are needed; give a higher bitrate or a lower fps"
    }
  }

  private static let examples = "write bytes=172,interval=20ms or fps=30,bitrate=2mbit,gop=60"
}
