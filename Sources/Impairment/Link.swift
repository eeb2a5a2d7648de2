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
  /// What the link does.
  public let spec: LinkSpec
  /// What the link has done so far.
  public private(set) var record = LinkRecord()

  private var outages: OutageModel
  private var line: Bottleneck
  private var losses: LossModel
  private var corruption: SeededGenerator
  private var delays: DelayModel
  private var reordering: SeededGenerator
  private var duplication: SeededGenerator

  private var held: HeldPackets
  private var schedule = DeliverySchedule()
  private var parcels: [Parcel<Payload>?] = []
  private var freeSlots: [Int] = []
  private var clock: Instant?

  /// Starts a link at packet 0.
  ///
  /// `stream` tells apart several links of one spec, such as the two directions or RTP and RTCP: each has independent
  /// random numbers.
  public init(_ spec: LinkSpec, stream: UInt64 = 0) {
    func generator(_ effect: UInt64) -> SeededGenerator {
      var seeded = SeededGenerator(seed: spec.seed)
      var streamed = SeededGenerator(seed: seeded.next() &+ stream)
      return SeededGenerator(seed: streamed.next() &+ effect)
    }
    self.spec = spec
    // These numbers are part of what a seed means: never give one to another effect.
    losses = LossModel(spec, generator: generator(1))
    outages = OutageModel(spec, generator: generator(2))
    delays = DelayModel(spec, generator: generator(3))
    reordering = generator(4)
    duplication = generator(5)
    corruption = generator(6)
    line = Bottleneck(spec)
    held = HeldPackets(spec)
  }

  /// The most copies that may be under way; a packet offered beyond that is dropped like one that the queue refuses.
  public static var capacity: Int { 100_000 }

  /// Offers a packet of `bytes` bytes at `now` and returns what becomes of it.
  ///
  /// `bytes` is the size on the line, with whatever headers the caller wants to count; it is clamped to 0...2^31 - 1.
  @discardableResult
  public mutating func send(_ payload: Payload, bytes: Int, at now: Instant) -> LinkFate {
    let now = advance(to: now)
    releaseExpired(at: now)
    let bytes = min(max(bytes, 0), Int(Int32.max))
    let index = record.offered
    record.offered += 1
    record.bytesOffered &+= UInt64(bytes)

    // Every draw comes before every decision, so that no decision shifts the numbers of later packets.
    let isLost = losses.takesNext()
    let time = delays.next()
    let isHeldBack = reordering.nextUnit() < spec.reorder
    let copies = duplication.nextUnit() < spec.duplicate ? 2 : 1
    let corruptedBit = drawCorruptedBit(bytes: bytes)

    let departure: Instant
    switch admit(bytes: bytes, copies: copies, isLost: isLost, at: now) {
    case .departs(let instant): departure = instant
    case .drops(let cause):
      record.drop(cause, bytes: bytes)
      return LinkFate(index: index, cause: cause)
    }
    record.accept(copies: copies, bytes: bytes)
    let slot = store(
      Parcel(
        payload: payload, index: index, bytes: bytes, sentAt: now, corruptedBit: corruptedBit, copies: copies))
    var fate = LinkFate(
      index: index, cause: .delivered, copies: copies, isHeldBack: isHeldBack, corruptedBit: corruptedBit)
    if isHeldBack {
      held.hold(slot: slot, until: delays.undisturbedArrival(departure: departure) + spec.reorderWait)
      return fate
    }
    let arrival = delays.arrival(departure: departure, time: time)
    schedule(slot: slot, at: arrival)
    held.countOvertaker()
    while let overtaken = held.nextOvertaken() {
      schedule(slot: overtaken.slot, at: min(arrival, overtaken.deadline))
    }
    fate.delay = arrival - now
    fate.duplicateDelay = copies > 1 ? arrival + spec.duplicateDelay - now : nil
    return fate
  }

  /// The next copy that has arrived by `now`, in the order of arrival; nil when there is none.
  public mutating func receive(at now: Instant) -> Delivery<Payload>? {
    releaseExpired(at: now)
    guard let first = schedule.first, first.time <= now, let parcel = parcels[first.slot] else { return nil }
    schedule.removeFirst()
    if parcel.copies > 1 {
      parcels[first.slot]?.copies -= 1
    } else {
      parcels[first.slot] = nil
      freeSlots.append(first.slot)
    }
    _ = advance(to: first.time)
    record.deliver(
      index: parcel.index, copy: first.copy, bytes: parcel.bytes, isCorrupted: parcel.corruptedBit != nil)
    return Delivery(
      payload: parcel.payload, sentIndex: parcel.index, copy: first.copy, sentAt: parcel.sentAt,
      deliveredAt: first.time, bytes: parcel.bytes, corruptedBit: parcel.corruptedBit)
  }

  /// When the next copy arrives; nil when nothing is under way.
  ///
  /// A packet that is held back counts with the latest time at which it goes; the next packet sent may let it go
  /// earlier, so ask again after each.
  public var nextDelivery: Instant? {
    guard let scheduled = schedule.first?.time else { return held.first?.deadline }
    guard let deadline = held.first?.deadline else { return scheduled }
    return min(scheduled, deadline)
  }

  private enum Admission {
    case departs(Instant)
    case drops(LinkFate.Cause)
  }

  private mutating func admit(bytes: Int, copies: Int, isLost: Bool, at now: Instant) -> Admission {
    if outages.isDown(at: now) { return .drops(.outage) }
    guard Int(record.inFlight) + copies <= Self.capacity else { return .drops(.queueFull) }
    guard let departure = line.admit(bytes: bytes, at: now) else { return .drops(.queueFull) }
    return isLost ? .drops(.lost) : .departs(departure)
  }

  private mutating func drawCorruptedBit(bytes: Int) -> Int? {
    let chance = corruption.nextUnit()
    let position = corruption.nextUnit()
    guard chance < spec.corrupt, bytes > 0 else { return nil }
    return min(Int(position * Double(bytes * 8)), bytes * 8 - 1)
  }

  private mutating func advance(to now: Instant) -> Instant {
    let latest = max(clock ?? now, now)
    clock = latest
    return latest
  }

  private mutating func releaseExpired(at now: Instant) {
    while let expired = held.nextExpired(at: now) { schedule(slot: expired.slot, at: expired.deadline) }
  }

  private mutating func schedule(slot: Int, at arrival: Instant) {
    schedule.add(slot: slot, copy: 0, at: arrival)
    if let copies = parcels[slot]?.copies, copies > 1 {
      schedule.add(slot: slot, copy: 1, at: arrival + spec.duplicateDelay)
    }
  }

  private mutating func store(_ parcel: Parcel<Payload>) -> Int {
    if let slot = freeSlots.popLast() {
      parcels[slot] = parcel
      return slot
    }
    parcels.append(parcel)
    return parcels.count - 1
  }
}

extension Link: Sendable where Payload: Sendable {}

/// A packet under way, kept once for all its copies.
private struct Parcel<Payload> {
  var payload: Payload
  var index: UInt64
  var bytes: Int
  var sentAt: Instant
  var corruptedBit: Int?
  /// Copies that haven't been handed out yet.
  var copies: Int
}

extension Parcel: Sendable where Payload: Sendable {}
