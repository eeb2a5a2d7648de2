public import Timeline

/// Puts every packet that arrives in order for a recording, however late it would be for a listener.
///
/// A packet goes on as soon as all before it have; where some are missing it waits for them, but no longer than
/// ``window``. Only what comes later than that is left out, and counted.
public struct RecordingQueue: Sendable {
  /// A packet whose turn has come.
  public struct Entry: Equatable, Sendable {
    /// The packet.
    public var packet: BufferedPacket
    /// Where its payload is until the next packet is inserted.
    public var slot: Int
    /// Whether timestamps before it can't be compared with its own: it follows what was written last.
    public var beginsTimeline: Bool
  }

  /// How long the others wait for a packet that is missing.
  public static let window = Interval.seconds(10)
  /// How long the first packets wait for those that they may have overtaken.
  private static let startWindow = Interval.milliseconds(500)
  /// A step of the timestamps by more than this beyond the time that has passed is a new timeline.
  private static let discontinuity = Interval.seconds(5)
  private static let packetLimit = 8192
  private static let byteLimit = 16 << 20

  /// Packets that came after their place had been written.
  public private(set) var omitted = 0
  private let clockRate: UInt32
  /// The packets that wait; the second has those after a restart or a jump over more numbers than one can hold.
  private var stores: [PacketStore] = [Self.makeStore()]
  /// The lowest number that can still be written; nil before the first.
  private var next: Int64?
  private var last: BufferedPacket?
  private var isEnded = false

  /// Makes an empty queue for timestamps of this clock.
  public init(clockRate: UInt32) { self.clockRate = clockRate }

  private static func makeStore() -> PacketStore { PacketStore(packetLimit: packetLimit, byteLimit: byteLimit) }

  /// Takes in a packet that isn't a duplicate.
  public mutating func insert(_ packet: BufferedPacket, payload: RawSpan) {
    if let next, packet.sequence < next {
      omitted += 1
      return
    }
    var place = stores.count - 1
    // What was sent before a restart, or a jump, goes before it.
    if place > 0, !stores[place].isEmpty, packet.sequence < stores[place].lowest, !stores[0].isEmpty { place = 0 }
    switch stores[place].insert(packet, payload: payload) {
    case .full where place == stores.count - 1 && stores.count == 1:
      stores.append(Self.makeStore())
      if stores[1].insert(packet, payload: payload) != .stored { omitted += 1 }
    case .full, .misplaced, .late: omitted += 1
    default: break
    }
  }

  /// The sender begins anew: what it sent before goes on at once.
  public mutating func restart() {
    if !stores[stores.count - 1].isEmpty, stores.count == 1 { stores.append(Self.makeStore()) }
  }

  /// Nothing more will come: nothing waits any longer.
  public mutating func end() { isEnded = true }

  /// The next packet whose turn has come by `now`.
  public mutating func poll(at now: Instant) -> Entry? {
    while stores.count > 1, stores[0].isEmpty { stores.removeFirst() }
    guard let head = stores[0].head else { return nil }
    let isFlushing = isEnded || stores.count > 1
    if !isFlushing, head.sequence != next {
      let window = next == nil ? Self.startWindow : Self.window
      guard now - head.arrival >= window else { return nil }
    }
    let slot = stores[0].slot(of: head.sequence)
    stores[0].removeLowest()
    let entry = Entry(packet: head, slot: slot, beginsTimeline: beginsTimeline(head))
    next = head.sequence + 1
    last = head
    return entry
  }

  /// Runs `body` on the payload of the entry that `poll` gave last.
  public func withPayload<Result, Failure: Error>(
    in slot: Int, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try stores[0].withPayload(in: slot, body)
  }

  private func beginsTimeline(_ packet: BufferedPacket) -> Bool {
    guard let last else { return true }
    let step = Interval(units: packet.timestamp, rate: clockRate) - Interval(units: last.timestamp, rate: clockRate)
    let passed = max(.zero, packet.arrival - last.arrival)
    return step < -Self.discontinuity || step > passed + Self.window + Self.discontinuity
  }
}
