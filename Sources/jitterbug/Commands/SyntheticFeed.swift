import Media
import Packets
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

  /// The clock of the source itself.
  private static let sourceRate: Int64 = 90_000

  init(_ spec: SyntheticSpec, options: SendOptions, clockRate: UInt32, seed: UInt64, queue: MediaQueue) {
    self.queue = queue
    self.spec = spec
    self.seed = seed
    self.clockRate = clockRate
    if case .constant(let packetBytes, _) = spec {
      payloadLimit = packetBytes - RTPHeader.size
      isVideo = false
    } else {
      isVideo = true
      payloadLimit = options.mtu - RTPHeader.size
    }
    limit = options.duration?.units(rate: clockRate)
  }

  func run() {
    var source = SyntheticSource(spec, seed: seed)
    var frame = source.next()
    while true {
      let next = source.next()
      let time = scaled(frame.timestamp)
      if let limit, time >= limit { break }
      guard push(frame, time: time, duration: scaled(next.timestamp) - time) else { return }
      frame = next
    }
    _ = queue.push(.ended)
  }

  /// Cuts a frame into packets.
  ///
  /// The marker is on the last packet of a video-like frame, as video has it, and on the first packet of an audio-like
  /// stream, where a talk spurt begins (RFC 3551 sections 4.1 and 5): tshark restarts its jitter at every marker.
  /// Those of a big frame are spread over half of its interval, so that they don't overrun the first switch on the way.
  private func push(_ frame: SyntheticFrame, time: Int64, duration: Int64) -> Bool {
    let count = max(1, (frame.bytes + payloadLimit - 1) / payloadLimit)
    for index in 0..<count {
      let offset = index * payloadLimit
      var payload = [UInt8](repeating: 0, count: min(payloadLimit, frame.bytes - offset))
      var span = payload.mutableSpan
      SyntheticSource.fill(&span, frame: frame.number, offset: offset, seed: seed)
      let item = MediaFrame(
        payload: payload, time: time, duration: duration,
        sendOffset: duration / 2 * Int64(index) / Int64(count),
        marker: isVideo ? index == count - 1 : frame.number == 0 && index == 0)
      guard queue.push(.frame(item)) else { return false }
    }
    return true
  }

  private func scaled(_ timestamp: Int64) -> Int64 {
    Int64(Int128(timestamp) * Int128(clockRate) / Int128(Self.sourceRate))
  }
}
