import Receiving
import Timeline

/// What an analysis leaves to the sessions of its sources: datagrams in order, most of them still where they stand in a
/// block of the capture.
///
/// Finding streams and following them are apart, so that the one can go ahead of the other on another thread. What comes
/// out is the same, because each session still gets its datagrams in order.
public struct CaptureWork: Sendable {
  /// A datagram for a source.
  struct Delivery: Sendable {
    var time: Instant
    var start: UInt32
    var length: UInt32
    var place: UInt16
    var isControl: Bool
    /// Whether the bytes are in the block, or were kept apart.
    var isInBlock: Bool
  }

  /// Sources that were found since, in order of their places.
  var found: [CaptureAnalysis.Source] = []
  var deliveries: [Delivery] = []
  /// Bytes that stand nowhere in the block: packets that were kept until their source was believed, or were cut.
  var apart: [UInt8] = []
  private var address: UInt = 0
  private var length: UInt = 0

  /// Nothing to do.
  public init() {}

  /// Nothing to do, in a block that stays where it is until the work is done.
  mutating func begin(in block: RawSpan) {
    found.removeAll()
    deliveries.removeAll(keepingCapacity: true)
    apart.removeAll(keepingCapacity: true)
    address = Self.address(of: block)
    length = UInt(block.byteCount)
  }

  /// Leaves a datagram to a source's session.
  mutating func add(_ datagram: RawSpan, for place: Int, isControl: Bool, at time: Instant) {
    let offset = Self.address(of: datagram) &- address
    let isInBlock = offset < length
    let start = isInBlock ? UInt32(offset) : UInt32(apart.count)
    if !isInBlock { unsafe datagram.withUnsafeBytes { unsafe apart.append(contentsOf: $0) } }
    deliveries.append(
      Delivery(
        time: time, start: start, length: UInt32(datagram.byteCount), place: UInt16(place), isControl: isControl,
        isInBlock: isInBlock))
  }

  /// Only told apart from others, never followed: whether a datagram lies in the block, and where.
  private static func address(of span: RawSpan) -> UInt {
    unsafe span.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
  }
}

/// The sessions of an analysis while they are away from it: they do the work that it leaves them.
public struct CaptureSessions: Sendable {
  var sources: [CaptureAnalysis.Source] = []

  /// Sessions of an analysis that has found nothing yet, or will hand over what it has found with its first work.
  public init() {}

  /// Does what was found in this block.
  public mutating func perform(_ work: borrowing CaptureWork, in block: RawSpan) {
    sources.append(contentsOf: work.found)
    for delivery in work.deliveries {
      let range = Int(delivery.start)..<Int(delivery.start + delivery.length)
      if delivery.isInBlock {
        perform(delivery, on: block.extracting(range))
      } else {
        perform(delivery, on: unsafe work.apart.span.bytes.extracting(range))
      }
    }
  }

  private mutating func perform(_ delivery: CaptureWork.Delivery, on datagram: RawSpan) {
    if delivery.isControl {
      sources[Int(delivery.place)].takeControl(datagram, at: delivery.time)
    } else {
      sources[Int(delivery.place)].take(datagram, at: delivery.time)
    }
  }
}

/// An analysis that leaves the sessions' work to somebody else.
extension CaptureAnalysis {
  // MARK: Inputs

  /// From here on leaves what is for the sessions to `takeWork`; the frames that follow lie in `block`.
  ///
  /// Whoever is given the work has to do it in order, in ``CaptureSessions`` that hear of nothing else, and to bring these
  /// back to `resume` before the end. Nobody can hear playout decisions meanwhile.
  public mutating func leaveWork(in block: RawSpan, reusing old: consuming CaptureWork = CaptureWork()) {
    let isFirst = work == nil
    old.begin(in: block)
    if isFirst { old.found = sources }
    work = old
  }

  /// The work that has gathered; more gathers only after the next `leaveWork`.
  public mutating func takeWork() -> CaptureWork {
    defer { work = CaptureWork() }
    return work ?? CaptureWork()
  }

  /// The sessions have done all that was left to them: from here on the analysis does everything itself.
  public mutating func resume(with sessions: consuming CaptureSessions) {
    work = nil
    for place in sources.indices where place < sessions.sources.count {
      sources[place].takeBack(sessions.sources[place])
    }
  }
}

extension CaptureAnalysis.Source {
  /// Takes in a datagram of RTP while nobody listens to what is played.
  mutating func take(_ datagram: RawSpan, at stamp: Instant) {
    let now = playOut(until: stamp)
    session.handleRTP(datagram, from: Peer(id: 0), at: now)
  }

  /// Takes in RTCP while nobody listens to what is played.
  mutating func takeControl(_ datagram: RawSpan, at stamp: Instant) {
    let now = playOut(until: stamp)
    session.handleRTCP(datagram, from: Peer(id: 0), at: now)
  }

  private mutating func playOut(until stamp: Instant) -> Instant {
    let now = advance(to: stamp)
    session.playOut(until: now)
    session.forgetEvents()
    return now
  }
}
