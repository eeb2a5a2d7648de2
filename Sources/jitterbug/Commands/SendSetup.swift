import Codecs
import Media
import Packets
import Receiving
import Sending
import Sockets
import Timeline

/// Makes the streams of `send` from its options: which media, which numbers, which ports.
struct SendSetup {
  let options: SendOptions
  let inputs: SendInputs
  /// A configuration for each stream, in the order of their ports.
  private(set) var configurations: [SendSession.Configuration] = []
  /// What made-up payloads depend on.
  let feedSeed: UInt64

  /// How far the port of a stream is from that of the one before it: RTP and RTCP take two.
  static let portStep: UInt16 = 2

  init(_ options: SendOptions, inputs: SendInputs) throws(CommandError) {
    try Self.check(options, inputs)
    self.options = options
    self.inputs = inputs
    var system = SystemRandomNumberGenerator()
    var generator = SeededGenerator(seed: options.seed ?? system.next())
    let clock = ClockOffset.sample()
    let cname = options.cname ?? HostName.cname()
    for media in inputs.media {
      configurations.append(Self.configuration(for: media, options, clock, cname: cname, using: &generator))
    }
    feedSeed = generator.next()
  }

  /// What can't be sent together, or not there.
  private static func check(_ options: SendOptions, _ inputs: SendInputs) throws(CommandError) {
    guard inputs.media.count > 1 else { return }
    for endpoint in options.destinations {
      guard case .rtp(_, let ports) = endpoint else {
        throw CommandError(
          "\(endpoint) takes one stream, and audio and video are two: send them to rtp://HOST:PORT, or each by a "
            + "command of its own")
      }
      guard ports.upperBound <= .max - portStep - 1 else {
        throw CommandError(
          "\(endpoint): video goes to the port two above that of audio, so choose one up to \(UInt16.max - 3)")
      }
    }
    for (name, isGiven) in [
      ("--payload-type", options.payloadType != nil), ("--ssrc", options.ssrc != nil),
      ("--sequence", options.firstSequence != nil),
    ] where isGiven {
      throw CommandError(
        "\(name) names something of one stream, and audio and video are two: leave it out, or send each by a command "
          + "of its own")
    }
    if let port = options.sourcePort, port > Int(UInt16.max - 3) {
      throw CommandError("--source-port \(port): audio and video take four ports, so choose one up to 65532")
    }
  }

  private static func configuration(
    for media: SentMedia, _ options: SendOptions, _ clock: ClockOffset, cname: String,
    using generator: inout SeededGenerator
  ) -> SendSession.Configuration {
    let ssrc = UInt32(truncatingIfNeeded: generator.next())
    let sequence = UInt16(truncatingIfNeeded: generator.next())
    var result = SendSession.Configuration(
      ssrc: options.ssrc ?? ssrc, payloadType: options.payloadType.map { UInt8($0) } ?? media.usualType,
      clockRate: options.format(of: media).clockRate,
      firstSequence: SequenceNumber(options.firstSequence ?? sequence),
      firstTimestamp: RTPTimestamp(UInt32(truncatingIfNeeded: generator.next())), cname: cname,
      bandwidth: Double(options.encoder.bitrate + 16_000),
      wallClockOffset: clock.realtimeMinusMonotonic.nanoseconds, seed: generator.next())
    result.sendsExtendedReports = !options.hasNoExtendedReports
    return result
  }

  /// Where each stream goes: sockets that aren't open yet.
  func destinations() -> [[Destination]] {
    inputs.media.enumerated().map { index, media in
      let step = UInt16(index) * Self.portStep
      var options = options
      options.sourcePort = options.sourcePort.map { $0 + Int(step) }
      return options.destinations.map {
        Destination($0.portsRaised(by: step), options: options, forbidsFragments: media.isVideo)
      }
    }
  }

  /// The streams, for destinations that are open.
  func streams(to destinations: [[Destination]]) throws(CommandError) -> [SendStream] {
    var streams: [SendStream] = []
    for (index, media) in inputs.media.enumerated() {
      try checkLimit(of: media, to: destinations[index])
      var configuration = configurations[index]
      // Of many who begin at once not all may report at once (RFC 3550 section 6.2); one alone may.
      configuration.reportsAtOnce = !destinations[index].contains(where: \.isMulticast)
      let queue: MediaQueue
      do throws(SocketError) {
        queue = try MediaQueue(
          limit: media.isVideo ? MediaQueue.videoLimit(mtu: options.mtu) : MediaQueue.audioLimit,
          span: options.synthetic?.lookahead(clockRate: configuration.clockRate))
      } catch { throw CommandError(error.description) }
      streams.append(
        SendStream(
          media, session: SendSession(configuration), destinations: destinations[index], queue: queue,
          showsTimeline: options.output.showsTimeline, isLive: media.isVideo && inputs.opening?.isLive == true))
    }
    return streams
  }

  /// Starts the threads that read.
  func startReading(for streams: [SendStream]) throws(CommandError) {
    for stream in streams {
      let (options, inputs, queue, seed) = (options, inputs, stream.queue, feedSeed)
      let clockRate = stream.clockRate
      let payloadLimit = payloadLimit(of: stream)
      let media = stream.media
      let isStarted = BackgroundThread.start {
        if case .video(let encoding) = media {
          VideoFeed(options, inputs: inputs, encoding: encoding, payloadLimit: payloadLimit, queue: queue).run()
        } else if let spec = options.synthetic {
          SyntheticFeed(
            spec, options: options, clockRate: clockRate, payloadLimit: payloadLimit, seed: seed, queue: queue
          ).run()
        } else {
          MediaFeed(options, inputs: inputs, queue: queue).run()
        }
      }
      guard isStarted else { throw CommandError("no thread could be started to read the input: too many are running") }
    }
  }

  /// A packet of a transport stream goes out whole or not at all: one has to fit.
  private func checkLimit(of media: SentMedia, to destinations: [Destination]) throws(CommandError) {
    guard media == .video(.mpegTS), let mtu = options.mtu else { return }
    let least = Self.headerBytes(to: destinations) + RTPHeader.size + TransportPacket.size
    guard mtu < least else { return }
    throw CommandError(
      "--mtu \(mtu) leaves no room for a packet of a transport stream, which takes \(least) bytes with its headers: "
        + "choose \(least) to 65000")
  }

  /// Bytes of IP and UDP headers on each packet, where they are most.
  private static func headerBytes(to destinations: [Destination]) -> Int {
    destinations.map(\.headerBytes).max() ?? 28
  }

  /// The most bytes of payload in a packet that IP needn't cut.
  private func payloadLimit(of stream: SendStream) -> Int {
    let headers = Self.headerBytes(to: stream.destinations)
    if let mtu = options.mtu { return mtu - headers - RTPHeader.size }
    guard stream.media != .video(.mpegTS) else { return TransportPacketizer.usualPackets * TransportPacket.size }
    return SendOptions.usualMTU - headers - RTPHeader.size
  }
}

extension Endpoint {
  /// The same with all ports higher by a number, as far as there are such ports.
  fileprivate func portsRaised(by step: UInt16) -> Endpoint {
    func raised(_ ports: ClosedRange<UInt16>) -> ClosedRange<UInt16> {
      let (low, high) = (UInt32(ports.lowerBound) + UInt32(step), UInt32(ports.upperBound) + UInt32(step))
      return UInt16(clamping: low)...UInt16(clamping: high)
    }
    switch self {
    case .rtp(let host, let ports): return .rtp(host: host, ports: raised(ports))
    case .tcp(let host, let ports): return .tcp(host: host, ports: raised(ports))
    case .unix: return self
    }
  }
}

extension SentMedia {
  /// The payload type that it has unless another one is asked for.
  var usualType: UInt8 {
    switch self {
    case .audio: 111
    case .video(.h264): 96
    case .video(.vp8): 98
    case .video(.mpegTS): 33
    case .syntheticAudio, .syntheticVideo: FormatTable.syntheticType
    }
  }
}

extension SendOptions {
  /// The most bytes in an IP packet of video, unless `--mtu` says otherwise.
  static let usualMTU = 1_200

  /// What a payload type stands for: made-up packets under a static type pass for that encoding (RFC 3551).
  func format(of media: SentMedia) -> PayloadFormat {
    switch media {
    case .audio: .opus
    case .video(let encoding): encoding.format
    case .syntheticAudio, .syntheticVideo:
      PayloadFormat.staticType(payloadType.map { UInt8($0) } ?? FormatTable.syntheticType) ?? FormatTable.synthetic
    }
  }
}
