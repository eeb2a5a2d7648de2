import Buffering
import Playing
import Timeline

/// What a listener would have got out of one trace.
struct PlayoutResult {
  var policy: String
  var lateBudget: Double?
  /// Delay above the trace's smallest transit, in milliseconds, one a packet played.
  var delays: [Double] = []
  var concealed = 0.0
  var lost = 0.0
  var media = 0.0
  var discarded = 0
  var counts = PlayoutCounts()
  var longestGap = 0.0
}

/// Plays a trace through the real buffer with a sink that pulls 10 ms every 10 ms.
struct PlayoutRun {
  static let rate: UInt32 = 48_000
  static let block = Interval.milliseconds(10)

  let trace: Trace
  let configuration: JitterBuffer.Configuration
  let phase: Interval

  func result(policy: String, lateBudget: Double?, watch: ((Interval, JitterBuffer) -> Void)? = nil) -> PlayoutResult {
    var result = PlayoutResult(policy: policy, lateBudget: lateBudget)
    var buffer = JitterBuffer(configuration)
    var next = 0
    var queued = Interval.zero
    var gap = 0.0
    var hasPlayed = false
    var tick = phase
    let payload: [UInt8] = []
    var decoder = NullDecoder()
    let last = (trace.packets.last?.sent ?? .zero) + .seconds(3)
    while tick < last {
      while next < trace.arrivals.count, let arrival = trace.packets[trace.arrivals[next]].arrival, arrival <= tick {
        let packet = trace.packets[trace.arrivals[next]]
        _ = buffer.insert(
          BufferedPacket(
            sequence: packet.sequence, timestamp: packet.sent.units(rate: Self.rate),
            duration: trace.spacing.units(rate: Self.rate), arrival: .zero + arrival), payload: payload.span.bytes)
        next += 1
        if next == trace.arrivals.count { buffer.end() }
      }
      watch?(tick, buffer)
      decisions: while true {
        let decision =
          configuration.adaptation == nil
          ? buffer.poll(at: .zero + tick) : buffer.pull(Self.block, at: .zero + tick)
        switch decision {
        case .wait: break decisions
        case .ended:
          tick = last
          break decisions
        case .play(let packet, _, let skip):
          hasPlayed = true
          gap = 0
          let wish = buffer.stretch
          let made = decoder.decode(
            packet.duration - skip, at: packet.timestamp + skip,
            wish: wish.most == 0
              ? .keep : wish.most < 0 ? .shrink(atMost: Int(-wish.most)) : .expand(atMost: Int(wish.most)),
            isUrgent: wish.isUrgent, preferred: wish.preferred)
          buffer.settleStretch(made)
          let change = Interval(units: made, rate: Self.rate)
          let begin = tick + queued - Interval(units: packet.timestamp + skip, rate: Self.rate)
          queued += Interval(units: packet.duration - skip, rate: Self.rate) + change
          let end = tick + queued - Interval(units: packet.timestamp + packet.duration, rate: Self.rate)
          result.delays.append(((begin + end) / 2 - trace.smallestTransit).milliseconds)
          if configuration.adaptation == nil { queued = .zero }
        case .recover(_, let duration): queued += Interval(units: duration, rate: Self.rate)
        case .conceal(let duration), .silence(let duration):
          let length = Interval(units: duration, rate: Self.rate)
          if hasPlayed {
            result.concealed += length.milliseconds
            gap += length.milliseconds
            result.longestGap = max(result.longestGap, gap)
          }
          _ = decoder.decode(duration, at: 0, wish: .keep, isUrgent: false, preferred: 0)
          queued += length
          if configuration.adaptation == nil { queued = .zero }
        case .discard: result.discarded += 1
        }
      }
      queued = max(.zero, queued - Self.block)
      tick += Self.block
    }
    result.media = Double(trace.packets.count) * trace.spacing.milliseconds
    result.lost = Double(trace.lossCount) * trace.spacing.milliseconds
    result.counts = buffer.counts
    return result
  }
}
