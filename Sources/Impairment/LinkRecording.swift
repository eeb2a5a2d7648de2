public import Timeline

/// What a path once did to each packet of a stream: lost, or how long each copy that arrived was under way.
///
/// A link whose spec has a recording does the same again, packet for packet. The text of a recording is defined in
/// docs/links.md: ``init(parsing:)`` reads it, ``write(comment:to:)`` writes it.
public struct LinkRecording: Equatable, Sendable {
  /// What happens to the packets after the last one recorded.
  public enum Continuation: String, CaseIterable, Sendable {
    /// The recording begins again.
    case again = "repeat"
    /// They arrive once, after the smallest transit.
    case clear
    /// They are lost.
    case lost
  }

  /// The most packets that a recording may have.
  public static var packetLimit: Int { 4_000_000 }
  /// The most copies of one packet that may arrive.
  public static var copyLimit: Int { 8 }
  /// The longest delay, relative to the smallest transit.
  public static var longestDelay: Interval { .seconds(3600) }

  /// The delays of all copies, packet after packet, in nanoseconds.
  private var delays: [Int64] = []
  /// Where the copies of each packet end in `delays`.
  private var ends: [UInt32] = []

  /// Makes a recording without packets.
  public init() {}

  /// How many packets it tells of.
  public var count: Int { ends.count }
  /// How many of them were lost.
  public private(set) var lost = 0

  /// Adds the next packet in the order of sending: the delay of each copy that arrived, none when it was lost.
  ///
  /// A delay counts from the smallest transit of all packets. One outside 0 to ``longestDelay`` counts as that bound;
  /// copies beyond ``copyLimit`` are left out. Returns false, and adds nothing, when there are ``packetLimit`` packets.
  @discardableResult public mutating func append(_ copies: some Sequence<Interval>) -> Bool {
    guard ends.count < Self.packetLimit else { return false }
    let start = delays.count
    for delay in copies where delays.count < start + Self.copyLimit {
      delays.append(min(max(delay, .zero), Self.longestDelay).nanoseconds)
    }
    delays[start...].sort()
    lost += delays.count == start ? 1 : 0
    ends.append(UInt32(delays.count))
    return true
  }

  /// The delays of the copies of one packet, the shortest first; none when it was lost.
  public func copies(of packet: Int) -> [Interval] {
    range(of: packet).map { Interval(nanoseconds: delays[$0]) }
  }

  /// Where a packet's delays lie.
  private func range(of packet: Int) -> Range<Int> {
    (packet == 0 ? 0 : Int(ends[packet - 1]))..<Int(ends[packet])
  }

  /// The delays of the packet that is offered as number `index`, from 0.
  func replay(_ index: UInt64, then: Continuation) -> ArraySlice<Int64> {
    if index < UInt64(ends.count) { return delays[range(of: Int(index))] }
    switch then {
    case .again: return ends.isEmpty ? [0] : delays[range(of: Int(index % UInt64(ends.count)))]
    case .clear: return [0]
    case .lost: return []
    }
  }
}

/// A recording that a link does again, and how it goes on.
public struct LinkReplay: Equatable, Sendable {
  /// What it is called: the name of its file.
  public let name: String
  /// What was recorded.
  public let recording: LinkRecording
  /// What happens to the packets after the last one recorded.
  public internal(set) var then: LinkRecording.Continuation

}
