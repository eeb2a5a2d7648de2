import Buffering
import Packets
import Statistics
import Timeline

/// What a stream gives and takes in RTCP.
extension ReceiveStream {
  /// How many packets behind the last one never came, by the sender's final count; 0 when that can't be told.
  ///
  /// It can when earlier reports have shown what is missing at the other end.
  var missingTail: Int64 {
    switch phase {
    case .active, .leaving: return 0
    case .draining, .ended: break
    }
    guard statistics.restarts == 0, let missing = ends(listeningSince: nil).lostAfter, missing < 0x8000 else {
      return 0
    }
    return Int64(missing)
  }

  /// What a call would be judged by, since the beginning (RFC 3611 section 4.7).
  var voipMetrics: XRVoIPMetricsBlock {
    var block = XRVoIPMetricsBlock(ssrc: ssrc)
    let playout = self.playout
    let expected = Double(max(statistics.expected, 1))
    func fraction(_ share: Double) -> UInt8 { UInt8(min(max(share * 256, 0), 255)) }
    func milliseconds(_ interval: Interval) -> UInt16 { UInt16(clamping: Int(interval.milliseconds.rounded())) }
    block.lossRate = fraction(Double(statistics.lost) / expected)
    block.discardRate = fraction(Double(playout.late + playout.discarded.total) / expected)
    let burstGap = statistics.burstGap
    block.burstDensity = fraction(burstGap.burstDensity)
    block.gapDensity = fraction(burstGap.gapDensity)
    block.burstDuration = milliseconds(burstGap.meanBurst)
    block.gapDuration = milliseconds(burstGap.meanGap)
    block.gapThreshold = UInt8(BurstGapMetrics.minimumGap)
    let roundTrips = roundTrip.milliseconds
    if roundTrips.count > 0 { block.roundTripDelay = UInt16(clamping: max(Int(roundTrips.last.rounded()), 1)) }
    let target = milliseconds(playout.target)
    block.endSystemDelay = target
    // Standard concealment where we decode, and a buffer whose delay is fixed or adapts.
    let limit = buffer.adaptation.map { milliseconds($0.limits.upperBound) }
    block.receiverConfiguration = (format == .opus ? 0xc0 : 0) | (limit == nil ? 0x20 : 0x30)
    block.bufferNominal = target
    block.bufferMaximum = target
    block.bufferAbsoluteMaximum = limit ?? target
    return block
  }
}
