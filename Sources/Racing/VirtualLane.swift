public import Buffering
public import Impairment
import Timeline

/// A lane of datagrams on a virtual clock: the sender's schedule, the link and the receiver, without a socket.
///
/// Call ``pollPlayout()`` until it returns nil; then everything has been sent, delivered and played.
public struct VirtualLane: Sendable {
  /// The receiving end.
  public private(set) var receiver: LaneReceiver
  /// What the link decided of each packet, in order.
  public private(set) var fates: [LinkFate] = []

  private var link: Link<Int>
  private var next = 0
  private var scratch: [UInt8] = []
  private var isStopped = false

  /// IP and UDP headers, which take their share of the link's rate: 20 + 8 bytes.
  public static let headers = 28

  /// Sets up the lane.
  public init(_ receiver: LaneReceiver, link: LinkSpec) {
    self.receiver = receiver
    self.link = Link(link, stream: 0)
    self.link.beginOutages(at: receiver.start)
  }

  /// What the link has done.
  public var linkRecord: LinkRecord { link.record }

  /// The next thing that the player does; nil at the end.
  public mutating func pollPlayout() -> (stream: Int, decision: PlayoutDecision)? {
    while true {
      let due = next < receiver.packets.count ? receiver.due(next) : nil
      guard let now = Instant.earliest(due, link.nextDelivery) else { return pollRest() }
      if let decision = receiver.pollPlayout(until: now) { return decision }
      if let due, due <= now {
        fates.append(link.send(next, bytes: receiver.stream.size(next) + Self.headers, at: now))
        next += 1
      }
      while let delivery = link.receive(at: now) {
        receiver.stream.write(delivery.payload, into: &scratch)
        delivery.corrupt(&scratch)
        let bytes = scratch
        unsafe receiver.receive(bytes.span.bytes, at: now)
      }
    }
  }

  /// What the player made of the last packet: so many ticks inserted, or removed when negative.
  public mutating func settleStretch(of stream: Int, by ticks: Int64) { receiver.settleStretch(of: stream, by: ticks) }

  private mutating func pollRest() -> (stream: Int, decision: PlayoutDecision)? {
    if !isStopped {
      // The last packets are played at their time.
      if let decision = receiver.pollPlayout(until: receiver.clock) { return decision }
      isStopped = true
      receiver.stop()
    }
    return receiver.pollPlayout(until: .distantFuture)
  }
}
