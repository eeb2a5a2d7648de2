import Packets
import Receiving
import Sending
import Timeline

/// One sender and many receivers that all hear each other, as on a multicast group without loss.
struct Crowd {
  /// RTCP on the wire: when, how many bytes with IP and UDP headers, whether from the sender, whether a goodbye.
  struct Sent {
    var at: Instant
    var bytes: Int
    var isFromSender: Bool
    var isGoodbye: Bool
  }

  static let start = Instant.zero + .seconds(1)

  private(set) var now = Instant.zero
  private(set) var sent: [Sent] = []
  private(set) var receivers: [ReceiveSession]
  private(set) var sender: SendSession
  /// Reports of each receiver.
  private(set) var reports: [Int]
  private var nextMedia = Crowd.start
  private var mediaTime: Int64 = 0

  init(count: Int, bandwidth: Double) {
    sender = SendSession(
      SendSession.Configuration(
        ssrc: 1, payloadType: 111, clockRate: 48_000, firstSequence: SequenceNumber(7),
        firstTimestamp: RTPTimestamp(9), cname: "sender@crowd", bandwidth: bandwidth, wallClockOffset: 0, seed: 1))
    receivers = (0..<count).map { index in
      var configuration = ReceiveSession.Configuration(
        ssrc: UInt32(1000 + index), cname: "ear\(index)@crowd", seed: UInt64(index) &* 7919 &+ 3)
      configuration.bandwidth = bandwidth
      return ReceiveSession(configuration)
    }
    reports = [Int](repeating: 0, count: count)
  }

  /// Plays until then; nobody waits on the wire.
  mutating func run(until limit: Instant) {
    while let next = nextInstant, next <= limit {
      now = max(now, next)
      sendMedia()
      poll()
    }
    now = limit
  }

  /// Everybody who listens leaves at the same moment.
  mutating func leaveAll() {
    for index in receivers.indices { receivers[index].leave(at: now) }
  }

  private var nextInstant: Instant? {
    var next = Instant.earliest(nextMedia, sender.nextReport)
    for index in receivers.indices { next = Instant.earliest(next, receivers[index].nextReport) }
    return next
  }

  /// Two packets to begin with, and then one a minute.
  private mutating func sendMedia() {
    guard nextMedia <= now else { return }
    for _ in 0..<(sender.packetCount == 0 ? 2 : 1) {
      let payload: [UInt8] = [31 << 3, 1, 2, 3]
      var buffer = [UInt8](repeating: 0, count: 100)
      var span = buffer.mutableSpan
      guard
        let count = sender.packetize(
          payload.span.bytes, timestampOffset: mediaTime, marker: false, into: &span, deadline: now)
      else { return }
      let datagram = Array(buffer[..<count])
      for index in receivers.indices {
        receivers[index].handleRTP(datagram.span.bytes, from: Peer(id: 1), at: now)
        while receivers[index].pollPlayout(at: now) != nil {}
      }
      mediaTime += 960
    }
    mediaTime += 2_880_000 - 960
    nextMedia = now + .seconds(60)
  }

  private mutating func poll() {
    var buffer = [UInt8](repeating: 0, count: 1500)
    while let due = sender.nextReport, due <= now {
      var span = buffer.mutableSpan
      guard let count = sender.pollReport(into: &span, at: now) else { break }
      deliver(Array(buffer[..<count]), from: nil)
    }
    for index in receivers.indices {
      while let due = receivers[index].nextReport, due <= now {
        var span = buffer.mutableSpan
        guard let count = receivers[index].pollReport(into: &span, at: now) else { break }
        reports[index] += 1
        deliver(Array(buffer[..<count]), from: index)
      }
    }
  }

  private mutating func deliver(_ datagram: [UInt8], from receiver: Int?) {
    let types = datagram.span.bytes
    var isGoodbye = false
    if var cursor = try? CompoundCursor(validating: types) {
      while let part = cursor.next(in: types) { isGoodbye = isGoodbye || part.type == 203 }
    }
    sent.append(
      Sent(
        at: now, bytes: datagram.count + ReportTiming.lowerLayers, isFromSender: receiver == nil, isGoodbye: isGoodbye))
    if receiver != nil { sender.handleRTCP(datagram.span.bytes, at: now) }
    for index in receivers.indices where index != receiver {
      receivers[index].handleRTCP(datagram.span.bytes, from: Peer(id: 2), at: now)
    }
  }
}
