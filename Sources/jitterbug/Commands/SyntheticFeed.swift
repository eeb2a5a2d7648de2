import Media
import Packets
import Sending
import Timeline

/// Makes up packets instead of reading files: the reading thread's work for `--synthetic`.
struct SyntheticFeed {
  private let queue: MediaQueue
  private let spec: SyntheticSpec
  private let seed: UInt64
  private let payloadLimit: Int
  private let isVideo: Bool
  /// The stream's clock: 90 kHz, or that of the static payload type asked for.
  private let clockRate: UInt32
  private let limit: Int64?
  private let pacing: FramePacing

  /// The clock of the source itself.
  private static let sourceRate: Int64 = 90_000

  /// - Parameter payloadLimit: the most bytes in one packet of a video-like frame.
  init(
    _ spec: SyntheticSpec, options: SendOptions, clockRate: UInt32, payloadLimit: Int, seed: UInt64, queue: MediaQueue
  ) {
    self.queue = queue
    self.spec = spec
    self.seed = seed
    self.clockRate = clockRate
    isVideo = spec.isVideo
    if case .constant(let packetBytes, _) = spec {
      self.payloadLimit = packetBytes - RTPHeader.size
    } else {
      self.payloadLimit = payloadLimit
    }
    limit = options.duration?.units(rate: clockRate)
    pacing = FramePacing(share: options.pacing, clockRate: Int64(clockRate))
  }

  func run() {
    var source = SyntheticSource(spec, seed: seed)
    // A frame is made once there is room for it, and not before: it may be asked to be a key frame until then.
    while queue.waitForRoom() {
      if queue.takeKeyFrameRequest() { source.makeKeyFrame() }
      let frame = source.next()
      let time = scaled(frame.timestamp)
      if let limit, time >= limit { break }
      guard push(frame, time: time, duration: scaled(source.nextTimestamp) - time) else { return }
    }
    _ = queue.push(.ended)
  }

  /// Cuts a frame into packets.
  ///
  /// The marker is on the last packet of a video-like frame, as video has it, and on the first packet of an audio-like
  /// stream, where a talk spurt begins (RFC 3551 sections 4.1 and 5): tshark restarts its jitter at every marker.
  private func push(_ frame: SyntheticFrame, time: Int64, duration: Int64) -> Bool {
    let count = max(1, (frame.bytes + payloadLimit - 1) / payloadLimit)
    for index in 0..<count {
      let offset = index * payloadLimit
      var payload = [UInt8](repeating: 0, count: min(payloadLimit, frame.bytes - offset))
      var span = payload.mutableSpan
      SyntheticSource.fill(&span, frame: frame.number, offset: offset, seed: seed)
      if isVideo { Self.piece(of: frame, isFirst: index == 0).write(into: &span) }
      var item = MediaFrame(
        payload: payload, time: time, duration: duration,
        sendOffset: pacing.offset(ofPacket: index, of: count, frameBytes: frame.bytes, duration: duration),
        marker: isVideo ? index == count - 1 : frame.number == 0 && index == 0)
      if isVideo, index == 0 { item.begins = frame.isKey ? .keyFrame : .frame }
      guard queue.push(.frame(item)) else { return false }
    }
    return true
  }

  /// What a packet of a video-like frame says of itself.
  private static func piece(of frame: SyntheticFrame, isFirst: Bool) -> SyntheticPiece {
    guard isFirst else { return .continuation }
    return frame.isKey ? .keyFrame : .frame
  }

  private func scaled(_ timestamp: Int64) -> Int64 {
    Int64(Int128(timestamp) * Int128(clockRate) / Int128(Self.sourceRate))
  }
}

extension SyntheticSpec {
  /// Whether it makes frames like a video's, of which one may take many packets.
  var isVideo: Bool { if case .video = self { true } else { false } }

  /// How far apart the first and the last frame may be that wait, in ticks, before the feed makes another one.
  ///
  /// A key frame that is asked for comes behind them. So with 30 frames a second one is ahead at most, and with more of
  /// them as many as take 40 ms.
  func lookahead(clockRate: UInt32) -> Int64? {
    guard case .video(let thousandths, _, _) = self else { return nil }
    return max(0, Int64(clockRate) / 25 - Int64(clockRate) * 1_000 / Int64(thousandths))
  }
}
