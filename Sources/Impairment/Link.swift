public import Timeline

/// A bad network path in one direction, as a value: packets go in with the time, and come out later, or not at all.
///
/// Inputs: ``send(_:bytes:at:)``. Outputs: ``receive(at:)`` until it returns nil, then sleep until ``nextDelivery``.
/// Time is an argument and must not run backwards; an instant earlier than one already used is taken as that one.
///
/// A packet passes an outage, the queue and the line, random loss, a bit error, the delay or being held back, and
/// duplication, in this order. Each effect has random numbers of its own and uses as many of them for every packet
/// offered, so the n-th packet meets the same loss whether or not there is jitter, and so on.
public struct Link<Payload> {
  @usableFromInline var model: LinkModel
  /// The payloads under way, by the model's slot.
  @usableFromInline var payloads: [Payload?] = []

  /// Starts a link at packet 0.
  ///
  /// `stream` tells apart several links of one spec, such as the two directions or RTP and RTCP: each has independent
  /// random numbers.
  public init(_ spec: LinkSpec, stream: UInt64 = 0) { model = LinkModel(spec, stream: stream) }

  /// What the link does.
  public var spec: LinkSpec { model.spec }
  /// What the link has done so far.
  public var record: LinkRecord { model.record }

  /// The most copies that may be under way; a packet offered beyond that is dropped like one that the queue refuses.
  public static var capacity: Int { LinkModel.capacity }

  /// Offers a packet of `bytes` bytes at `now` and returns what becomes of it.
  ///
  /// `bytes` is the size on the line, with whatever headers the caller wants to count; it is clamped to 0...2^31 - 1.
  @inlinable @discardableResult
  public mutating func send(_ payload: Payload, bytes: Int, at now: Instant) -> LinkFate {
    let (fate, slot) = model.send(bytes: bytes, at: now)
    if let slot {
      if slot < payloads.count { payloads[slot] = payload } else { payloads.append(payload) }
    }
    return fate
  }

  /// Lets the time of outages begin at `instant` and not with the first packet, so that several links go down together.
  ///
  /// To be called before the first packet; until the instant comes it may be called again with another one.
  public mutating func beginOutages(at instant: Instant) { model.beginOutages(at: instant) }

  /// The next copy that has arrived by `now`, in the order of arrival; nil when there is none.
  @inlinable public mutating func receive(at now: Instant) -> Delivery<Payload>? {
    guard let arrival = model.receive(at: now), let payload = payloads[arrival.slot] else { return nil }
    if arrival.isLast { payloads[arrival.slot] = nil }
    return Delivery(
      payload: payload, sentIndex: arrival.index, copy: arrival.copy, sentAt: arrival.sentAt,
      deliveredAt: arrival.deliveredAt, bytes: arrival.bytes, corruptedBit: arrival.corruptedBit)
  }

  /// When the next copy arrives; nil when nothing is under way.
  ///
  /// A packet that is held back counts with the latest time at which it goes; the next packet sent may let it go
  /// earlier, so ask again after each.
  public var nextDelivery: Instant? { model.nextDelivery }
}

extension Link: Sendable where Payload: Sendable {}
