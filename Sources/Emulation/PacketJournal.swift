public import Impairment
public import Sockets
import Synchronization
public import Timeline

/// Something that happened to a packet.
public struct PacketEvent: Sendable {
  /// What happened.
  public enum Kind: Sendable {
    /// It came to the link, which decided its fate.
    case offered(LinkFate)
    /// It was handed over on the far side: copy 0, or 1 for a duplicate, which was due at this instant.
    case delivered(copy: Int, due: Instant)
    /// It was passed on without being judged.
    case passed
  }

  /// The lane, from 0.
  public var lane: Int
  /// Where it goes.
  public var direction: LinkDirection
  /// Whether the link of control packets judged it.
  public var isControl: Bool
  /// What happened.
  public var kind: Kind
  /// When it happened.
  public var time: Instant
  /// The packet's number among those of its direction and link, from 0; 0 for one that was passed.
  public var index: UInt64
  /// The bytes of the IP packet, without the 14 of the Ethernet header.
  public var bytes: Int

  var place = 0
  var kept = 0
}

/// What happens to the packets of a world, for somebody on another thread who writes it down.
///
/// The forwarder fills blocks and never waits; whoever drains too slowly loses the rest, which is counted.
public final class PacketJournal: Sendable {
  /// Readable when there is something to drain.
  public let wake: WakeDescriptor
  /// How many bytes of each frame are kept.
  let frameBytes: Int
  private let state = Mutex(State())

  struct Block: Sendable {
    var events: [PacketEvent] = []
    var bytes: [UInt8] = []
  }

  private struct State: Sendable {
    var full: [Block] = []
    var spare: [Block] = []
    var omitted = 0
  }

  /// The most bytes that wait in full blocks: 256 blocks.
  static let waitingLimit = 256
  static let blockEvents = 1024
  static let blockBytes = 1 << 20

  /// Opens a journal that keeps so many bytes of each frame, from its Ethernet header on.
  public init(frameBytes: Int) throws(SocketError) {
    wake = try WakeDescriptor()
    self.frameBytes = max(0, min(frameBytes, FramePool.slotSize))
  }

  /// Events that nobody drained in time.
  public var omitted: Int { state.withLock { $0.omitted } }

  /// Hands over each event since the last time with the frame's bytes, as many as are kept.
  public func drain(_ body: (PacketEvent, RawSpan) -> Void) {
    wake.drain()
    while let block = state.withLock({ $0.full.isEmpty ? nil : $0.full.removeFirst() }) {
      let bytes = block.bytes.span.bytes
      for event in block.events { body(event, bytes.extracting(event.place..<event.place + event.kept)) }
      state.withLock { if $0.spare.count < 4 { $0.spare.append(block) } }
    }
  }

  /// Takes a block from the forwarder and gives it an empty one.
  func exchange(_ block: inout Block) {
    guard !block.events.isEmpty else { return }
    var filled = Block()
    swap(&filled, &block)
    state.withLock { state in
      if state.full.count < Self.waitingLimit {
        state.full.append(filled)
        block = state.spare.popLast() ?? Block()
      } else {
        state.omitted += filled.events.count
        block = filled
      }
    }
    block.events.removeAll(keepingCapacity: true)
    block.bytes.removeAll(keepingCapacity: true)
    wake.wake()
  }
}

/// The forwarder's end of a journal.
struct JournalPen {
  private let journal: PacketJournal
  private var block = PacketJournal.Block()
  private var lastExchange = Instant.zero

  init(_ journal: PacketJournal) {
    self.journal = journal
    block.events.reserveCapacity(PacketJournal.blockEvents)
    block.bytes.reserveCapacity(PacketJournal.blockBytes)
  }

  mutating func write(_ event: PacketEvent, _ frame: UnsafeBufferPointer<UInt8>) {
    var event = event
    event.place = block.bytes.count
    event.kept = min(frame.count, journal.frameBytes)
    block.bytes.append(contentsOf: frame[..<event.kept])
    block.events.append(event)
    if block.events.count >= PacketJournal.blockEvents || block.bytes.count > PacketJournal.blockBytes - 2048 {
      journal.exchange(&block)
    }
  }

  /// Hands over what waits, when the last time was a while ago.
  mutating func turn(at now: Instant) {
    guard now - lastExchange > .milliseconds(50) else { return }
    lastExchange = now
    journal.exchange(&block)
  }

  mutating func finish() { journal.exchange(&block) }
}
