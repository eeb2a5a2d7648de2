public import Timeline

/// The non-generic part of a ``Link``: everything but the payloads, which the link keeps by slot.
///
/// So that it is compiled once, and the generic part stays thin enough to be compiled where it is used.
@usableFromInline struct LinkModel: Sendable {
  @usableFromInline let spec: LinkSpec
  @usableFromInline private(set) var record = LinkRecord()

  private var outages: OutageModel
  private var line: Bottleneck
  private var losses: LossModel
  private var corruption: SeededGenerator
  private var delays: DelayModel
  private var reordering: SeededGenerator
  private var duplication: SeededGenerator

  private var held: HeldPackets
  private var schedule = DeliverySchedule()
  private var parcels: [Parcel?] = []
  private var freeSlots: [Int] = []
  private var clock: Instant?

  /// A packet under way, kept once for all its copies.
  private struct Parcel: Sendable {
    var index: UInt64
    var bytes: Int
    var sentAt: Instant
    var corruptedBit: Int?
    /// Copies that haven't been handed out yet.
    var copies: Int
  }

  /// A copy that has arrived.
  @usableFromInline struct Arrival: Sendable {
    @usableFromInline var slot: Int
    /// Whether no other copy needs the payload in the slot.
    @usableFromInline var isLast: Bool
    @usableFromInline var index: UInt64
    @usableFromInline var copy: Int
    @usableFromInline var sentAt: Instant
    @usableFromInline var deliveredAt: Instant
    @usableFromInline var bytes: Int
    @usableFromInline var corruptedBit: Int?
  }

  @usableFromInline init(_ spec: LinkSpec, stream: UInt64) {
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

  /// Decides what becomes of a packet; when it arrives, its payload belongs in `slot` until the last copy has.
  @usableFromInline mutating func send(bytes: Int, at now: Instant) -> (fate: LinkFate, slot: Int?) {
    let now = advance(to: now)
    releaseExpired(at: now)
    let bytes = min(max(bytes, 0), Int(Int32.max))
    let index = record.offered
    record.offered += 1
    record.bytesOffered &+= UInt64(bytes)

    // Every draw comes before every decision, so that no decision shifts the numbers of later packets.
    var isLost = losses.takesNext()
    let time = delays.next()
    let isHeldBack = reordering.nextUnit() < spec.reorder
    var copies = duplication.nextUnit() < spec.duplicate ? 2 : 1
    let corruptedBit = drawCorruptedBit(bytes: bytes)
    let recorded = spec.replay.map { $0.recording.replay(index, then: $0.then) }
    if let recorded {
      isLost = recorded.isEmpty
      copies = max(1, recorded.count)
    }

    let departure: Instant
    switch admit(bytes: bytes, copies: copies, isLost: isLost, at: now) {
    case .departs(let instant): departure = instant
    case .drops(let cause):
      record.drop(cause, bytes: bytes)
      return (LinkFate(index: index, cause: cause), nil)
    }
    record.accept(copies: copies, bytes: bytes)
    let slot = store(
      Parcel(index: index, bytes: bytes, sentAt: now, corruptedBit: corruptedBit, copies: copies))
    var fate = LinkFate(
      index: index, cause: .delivered, copies: copies, isHeldBack: isHeldBack, corruptedBit: corruptedBit)
    if let recorded {
      for (copy, nanoseconds) in recorded.enumerated() {
        let arrival = departure + spec.delay + Interval(nanoseconds: nanoseconds)
        schedule.add(slot: slot, copy: copy, at: arrival)
        if copy == 0 { fate.delay = arrival - now }
        if copy == 1 { fate.duplicateDelay = arrival - now }
      }
      return (fate, slot)
    }
    if isHeldBack {
      held.hold(slot: slot, until: delays.undisturbedArrival(departure: departure) + spec.reorderWait)
      return (fate, slot)
    }
    let arrival = delays.arrival(departure: departure, time: time)
    schedule(slot: slot, at: arrival)
    held.countOvertaker()
    while let overtaken = held.nextOvertaken() {
      schedule(slot: overtaken.slot, at: min(arrival, overtaken.deadline))
    }
    fate.delay = arrival - now
    fate.duplicateDelay = copies > 1 ? arrival + spec.duplicateDelay - now : nil
    return (fate, slot)
  }

  /// Lets outages begin at an instant; before it the link is up.
  @usableFromInline mutating func beginOutages(at instant: Instant) { outages.start = instant }

  /// The next copy that has arrived by `now`.
  @usableFromInline mutating func receive(at now: Instant) -> Arrival? {
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
    return Arrival(
      slot: first.slot, isLast: parcel.copies == 1, index: parcel.index, copy: first.copy, sentAt: parcel.sentAt,
      deliveredAt: first.time, bytes: parcel.bytes, corruptedBit: parcel.corruptedBit)
  }

  /// When the next copy arrives.
  @usableFromInline var nextDelivery: Instant? {
    Instant.earliest(schedule.first?.time, held.first?.deadline)
  }

  /// The most copies that may be under way.
  @usableFromInline static var capacity: Int { 100_000 }

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

  private mutating func store(_ parcel: Parcel) -> Int {
    if let slot = freeSlots.popLast() {
      parcels[slot] = parcel
      return slot
    }
    parcels.append(parcel)
    return parcels.count - 1
  }
}
