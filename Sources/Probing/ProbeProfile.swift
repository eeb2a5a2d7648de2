public import Packets
public import Timeline

/// The traffic of a probe: what media of that kind looks like on the wire, and nothing a listener could hear.
public struct ProbeProfile: Hashable, Sendable {
  /// The kind of media that is imitated; the raw value stands for it in messages.
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// Speech: Opus of 24 kbit/s in packets of 20 ms.
    case opusVoice = 1
    /// Music: Opus of 96 kbit/s in packets of 20 ms.
    case opusMusic = 2
    /// Video-like frames that are cut into packets.
    case video = 3
    /// Telephone speech: PCMU of 64 kbit/s in packets of 20 ms (RFC 3551).
    case g711 = 4
    /// Packets of one size at one interval.
    case custom = 5
  }

  /// The most streams at once.
  public static let streamLimit = 16
  /// Sizes of RTP packets with their headers.
  public static let packetSizes = RTPHeader.size + 8...1_472
  /// The shortest and the longest time between packets or frames.
  public static let intervals = Interval.microseconds(100)...Interval.seconds(10)
  /// Bits a second of video.
  public static let bitrates = 50_000...100_000_000

  /// The kind of media.
  public let kind: Kind
  /// The size of an RTP packet with its header; of video the largest.
  public let packetBytes: Int
  /// The time between packets, or between the frames of video.
  public let interval: Interval
  /// Bits a second of video frames without headers; 0 for other kinds.
  public let bitrate: Int
  /// How many streams of it run at once.
  public let streams: Int

  /// The largest packet of a video frame, and how many frames lie from one key frame to the next.
  static let videoPacketBytes = 1_200
  static let videoGroup = 60
  /// A key frame is this many times as big as another.
  static let videoKeyWeight = 6

  /// Makes a profile; nil when one of the figures is outside its limits.
  public init?(kind: Kind, packetBytes: Int, interval: Interval, bitrate: Int = 0, streams: Int = 1) {
    guard Self.packetSizes.contains(packetBytes), Self.intervals.contains(interval),
      (1...Self.streamLimit).contains(streams), kind == .video ? Self.bitrates.contains(bitrate) : bitrate == 0
    else { return nil }
    self.kind = kind
    self.packetBytes = packetBytes
    self.interval = interval
    self.bitrate = bitrate
    self.streams = streams
  }

  /// The usual figures of a kind; `custom` has none.
  public static func standard(_ kind: Kind, streams: Int = 1) -> ProbeProfile? {
    let header = RTPHeader.size
    let frame = Interval.milliseconds(20)
    return switch kind {
    case .opusVoice: ProbeProfile(kind: kind, packetBytes: header + 60, interval: frame, streams: streams)
    case .opusMusic: ProbeProfile(kind: kind, packetBytes: header + 240, interval: frame, streams: streams)
    case .g711: ProbeProfile(kind: kind, packetBytes: header + 160, interval: frame, streams: streams)
    case .video:
      ProbeProfile(
        kind: kind, packetBytes: videoPacketBytes, interval: .microseconds(33_333), bitrate: 2_000_000,
        streams: streams)
    case .custom: nil
    }
  }

  /// What receivers are told by the payload type.
  public var payloadType: UInt8 {
    switch kind {
    case .opusVoice, .opusMusic: 111
    case .g711: 0
    case .video, .custom: 112
    }
  }

  /// What the payload type stands for.
  public var format: PayloadFormat {
    switch kind {
    case .opusVoice, .opusMusic: .opus
    case .g711: PayloadFormat(encodingName: "PCMU", clockRate: 8_000)
    case .video, .custom: PayloadFormat(encodingName: "synthetic", clockRate: 90_000)
    }
  }

  /// Bits a second of all streams together, with RTP, UDP and IPv4 headers.
  public var totalBitrate: Double {
    let seconds = interval.seconds
    guard kind == .video else { return Double(streams * (packetBytes + Self.lowerLayers) * 8) / seconds }
    let payload = Double(packetBytes - RTPHeader.size)
    // Each frame ends with a packet that is half full in the mean.
    let packets = Double(bitrate) / 8 / payload + 0.5 / seconds
    return Double(streams) * (Double(bitrate) + packets * Double((RTPHeader.size + Self.lowerLayers) * 8))
  }

  /// Bytes of IPv4 and UDP headers.
  public static let lowerLayers = 28

  /// The kind in a word, as `--like` has it.
  public var name: String {
    switch kind {
    case .opusVoice: "opus-voice"
    case .opusMusic: "opus-music"
    case .g711: "g711"
    case .video: "video"
    case .custom: "custom"
    }
  }

  /// Fills a payload with what a listener hears as silence, and random-looking bytes where nobody decodes it.
  ///
  /// An Opus packet whose MDCT frame begins with ff fe is silent whatever follows.
  func fill(_ payload: inout MutableSpan<UInt8>, number: Int) {
    switch kind {
    case .g711:
      for index in 0..<payload.count { payload[index] = 0xff }
    case .opusVoice, .opusMusic, .video, .custom:
      var value = UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15 | 1
      for index in 0..<payload.count {
        value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        payload[index] = UInt8(truncatingIfNeeded: value >> 56)
      }
      guard kind == .opusVoice || kind == .opusMusic, payload.count >= 3 else { return }
      // Configuration 31: fullband MDCT, 20 ms, mono, one frame.
      payload[0] = 0xf8
      payload[1] = 0xff
      payload[2] = 0xfe
    }
  }
}
