import Packets
import Statistics

/// The pictures inside a transport stream, whose datagrams don't begin and end with them.
///
/// What is missing is known by the datagrams' numbers and the packets' continuity counters.
struct TransportAccount: Sendable {
  private var timeline: TransportTimeline
  private var monitor = TransportStreamMonitor()
  private var ledger: PictureLedger
  private var next: Int64?
  /// The sender begins anew with this number, whose time hasn't come yet.
  private var restartsAt: Int64?
  /// How many pictures may be missing since the last one ended.
  private var missing = 0
  /// The most packets that a missing datagram is taken to have had: as many as the largest so far.
  private var packets = TransportPacketizer.usualPackets
  private var references = TransportReferences()
  private(set) var hasPictures = false
  private(set) var requests = 0

  init(clockRate: UInt32) {
    timeline = TransportTimeline(clockRate: clockRate)
    ledger = PictureLedger(clockRate: clockRate)
  }

  /// Whether pictures are missing that those to come refer to.
  var isBroken: Bool { references.isBroken }

  /// What a viewer saw.
  var statistics: PictureStatistics {
    var copy = self
    if let frame = copy.monitor.finish() { copy.add(frame) }
    copy.ledger.finish()
    var result = copy.ledger.result
    result.keyFrameRequests = requests
    return result
  }

  /// Takes in a datagram whose time has come, and says how many are missing right before it.
  ///
  /// `time` is when it was to be sent, in units of the RTP clock.
  mutating func play(_ payload: RawSpan, sequence: Int64, time: Int64) -> (missing: Int, isKey: Bool) {
    if let start = restartsAt, sequence >= start { restart() }
    let gap = next.map { Int(clamping: max(0, sequence - $0)) } ?? 0
    next = sequence + 1
    packets = max(packets, payload.byteCount / TransportPacket.size)
    if gap > 0 {
      // A datagram may have held as many pictures as packets.
      missing = min(missing + min(gap, 1 << 20) * packets, 1 << 40)
      monitor.noteGap(packets: min(gap, 1 << 20) * packets)
    }
    timeline.note(time, isNext: gap == 0)
    var isKey = false
    var offset = 0
    while payload.byteCount - offset >= TransportPacket.size {
      let hadPicture = monitor.current != nil
      let ended = monitor.append(payload.extracting(offset..<(offset + TransportPacket.size)))
      if let ended { add(ended) }
      if let begun = monitor.current, ended != nil || !hadPicture { timeline.begin(begun.decode) }
      if monitor.current?.isKey == true { isKey = true }
      offset += TransportPacket.size
    }
    return (gap, isKey)
  }

  /// The sender begins anew with this number; what came before may still be in the buffer.
  mutating func restart(from sequence: Int64) { restartsAt = sequence }

  private mutating func restart() {
    restartsAt = nil
    if let frame = monitor.finish() { add(frame) }
    monitor = TransportStreamMonitor()
    ledger.restart()
    timeline.restart()
    next = nil
    references.noteLoss()
  }

  mutating func noteRequest() { requests += 1 }

  private mutating func add(_ frame: TransportStreamMonitor.Frame) {
    hasPictures = true
    let fate: PictureHistory.Fate =
      references.take(frame) ? .shown : frame.isDamaged ? .damaged : .undecodable
    ledger.add(
      PictureLedger.Entry(
        timestamp: timeline.end(frame.presentation), fate: fate, isKey: frame.isKey, bytes: frame.bytes,
        packets: frame.packets, missingBefore: missing))
    missing = 0
  }
}
