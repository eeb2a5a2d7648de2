public import Packets
import Pictures

/// How it was found out what a payload type stands for.
public enum FormatOrigin: String, Sendable {
  /// A session description said so.
  case sdp
  /// The user said so.
  case option
  /// The output file's suffix implies it.
  case suffix
  /// The type is a static one (RFC 3551 section 6).
  case staticType = "static"
  /// The packets look like it.
  case packets
  /// Nothing else was known: our own dynamic types, or a guess at the clock.
  case convention
}

/// What payload types stand for, by the best evidence there is.
public struct FormatTable: Sendable {
  /// The formats that a session description gave.
  public var described: [UInt8: PayloadFormat] = [:]
  /// H.264's parameter sets that a session description gave (`sprop-parameter-sets`), as NAL units.
  public var parameterSets: [UInt8: [[UInt8]]] = [:]
  /// The format that the user named for dynamic types.
  public var option: PayloadFormat?
  /// The format that the output file's suffix implies for dynamic types.
  public var suffix: PayloadFormat?
  /// The same of an output for video, which may stand beside one for audio.
  public var videoSuffix: PayloadFormat?
  /// Whether streams of several kinds are expected, so that packets say more than a suffix.
  public var isShared = false
  /// Clock rates that were measured over many packets, for types of which nothing else is known.
  public var measured: [UInt8: UInt32] = [:]

  /// Our synthetic source: packets without media, timed by the 90 kHz clock of video.
  public static let synthetic = PayloadFormat(encodingName: "synthetic", clockRate: 90_000)
  /// The dynamic payload type of the synthetic source.
  public static let syntheticType: UInt8 = 112
  /// The dynamic payload type that everybody uses for Opus.
  static let opusType: UInt8 = 111

  /// An empty table: static types, what packets look like, and conventions.
  public init() {}

  /// One packet as evidence.
  struct Sample {
    var sequence: UInt16
    var timestamp: UInt32
    /// The duration by an Opus table of contents; nil when the payload can't be Opus.
    var opusDuration: Int?
    /// Which video it may be; nil when its payload can't be read.
    var video: VideoGuess?
  }

  func resolve(_ type: UInt8, samples: [Sample]) -> (format: PayloadFormat, origin: FormatOrigin) {
    if let format = described[type] { return (format, .sdp) }
    if let format = PayloadFormat.staticType(type) { return (format, .staticType) }
    if let option { return (option, .option) }
    if !isShared, videoSuffix == nil, let suffix, type != Self.syntheticType { return (suffix, .suffix) }
    if Self.lookLikeOpus(samples) { return (.opus, .packets) }
    if !isShared, let videoSuffix, type != Self.syntheticType, type != Self.opusType { return (videoSuffix, .suffix) }
    // The synthetic source's payloads are random.
    if type != Self.syntheticType, let video = Self.video(samples) { return (video.format, .packets) }
    if let implied = videoSuffix ?? suffix, type != Self.syntheticType, type != Self.opusType {
      return (implied, .suffix)
    }
    let usual = Self.convention(type)
    if let rate = measured[type], rate != usual?.clockRate {
      return (PayloadFormat(encodingName: "unknown", clockRate: rate), .packets)
    }
    return (usual ?? PayloadFormat(encodingName: "unknown", clockRate: 90_000), .convention)
  }

  /// Whether a stream of the synthetic source has frames like a video's: its payloads say so.
  func isSyntheticVideo(_ format: PayloadFormat, samples: [Sample]) -> Bool {
    format.encodingName == Self.synthetic.encodingName && samples.contains { $0.video?.isSynthetic == true }
  }

  private static func video(_ samples: [Sample]) -> VideoEncoding? {
    let guesses = samples.compactMap(\.video)
    return guesses.count == samples.count ? VideoGuess.encoding(of: guesses) : nil
  }

  private static func convention(_ type: UInt8) -> PayloadFormat? {
    switch type {
    case opusType: .opus
    case 96: PayloadFormat(encodingName: "H264", clockRate: 90_000)
    case 98: PayloadFormat(encodingName: "VP8", clockRate: 90_000)
    case syntheticType: synthetic
    default: nil
    }
  }

  /// Opus gives itself away: timestamps advance by just the duration that the table of contents names (RFC 7587
  /// section 4.2), between packets with neighbouring numbers.
  private static func lookLikeOpus(_ samples: [Sample]) -> Bool {
    var agreeing = 0
    for sample in samples {
      guard let duration = sample.opusDuration else { return false }
      guard let next = samples.first(where: { $0.sequence == sample.sequence &+ 1 }) else { continue }
      guard next.timestamp &- sample.timestamp == UInt32(duration) else { return false }
      agreeing += 1
    }
    return agreeing > 0
  }
}
