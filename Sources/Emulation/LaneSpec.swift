public import Impairment
public import Sockets
public import Statistics

/// An end of a lane.
public enum Side: String, CaseIterable, Sendable {
  /// Where the command runs.
  case here
  /// The far side, "the internet" of a little world.
  case peer
}

/// A direction of a lane.
public enum LinkDirection: String, CaseIterable, Sendable {
  /// From the peer to here.
  case down
  /// From here to the peer.
  case up

  /// Where packets of this direction come from.
  public var source: Side { self == .down ? .peer : .here }
  /// Where packets of this direction go.
  public var destination: Side { self == .down ? .here : .peer }
}

/// What joins the two sides of a lane: a bad network in each direction.
///
/// Lanes of equal specs have equal weather: the n-th packet of one draws the same random numbers as the n-th of another.
/// The two directions are independent of each other, and so are control packets.
public struct LaneSpec: Sendable {
  /// What happens to packets from the peer.
  public var down: LinkSpec
  /// What happens to packets to the peer.
  public var up: LinkSpec
  /// UDP packets from or to these ports have a link of their own with independent random numbers, so that they leave
  /// the fates of the others alone, whenever they are sent.
  public var controlPorts: [UInt16] = []

  /// Makes a lane of two links.
  public init(down: LinkSpec, up: LinkSpec, controlPorts: [UInt16] = []) {
    self.down = down
    self.up = up
    self.controlPorts = controlPorts
  }

  func spec(_ direction: LinkDirection) -> LinkSpec { direction == .down ? down : up }
}

/// What was done to the packets of one direction.
public struct DirectionRecord: Sendable {
  /// What the link did.
  public var link = LinkRecord()
  /// What the link of the control packets did.
  public var control = LinkRecord()
  /// Packets that passed without being judged: neither IPv4 nor IPv6, or to a group, or about neighbours.
  public var passed = 0
  /// Packets that the kernel dropped because the forwarder was too slow.
  public var missed = 0
  /// Packets that the far side's interface didn't take.
  public var refused = 0
  /// Packets larger than the link's 1500 bytes, which are dropped.
  public var oversized = 0
  /// How much later than due packets were handed over.
  public var lateness = PacingError()
}

/// What was done to the packets of a lane.
public struct LaneRecord: Sendable {
  /// From the peer to here.
  public var down = DirectionRecord()
  /// From here to the peer.
  public var up = DirectionRecord()

  /// The record of a direction.
  public subscript(direction: LinkDirection) -> DirectionRecord {
    get { direction == .down ? down : up }
    set { if direction == .down { down = newValue } else { up = newValue } }
  }
}

/// The addresses of one side of a lane.
public struct SideAddresses: Hashable, Sendable {
  /// Its IPv4 address.
  public var v4: IPv4Address
  /// Its IPv6 address.
  public var v6: IPv6Address

  /// The addresses of a side: 10.77.LANE.1 here and .2 at the peer, and fd6a:6200:0:LANE::1 and ::2.
  init(_ side: Side, lane: Int) {
    let last: UInt8 = side == .here ? 1 : 2
    v4 = IPv4Address(bits: 0x0a4d_0000 | UInt32(lane) << 8 | UInt32(last))
    v6 = IPv6Address(high: 0xfd6a_6200_0000_0000 | UInt64(lane), low: UInt64(last))
  }
}
