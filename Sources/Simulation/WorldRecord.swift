public import Buffering
public import Impairment
public import Receiving
public import Timeline

/// What truly happened in a world, beside which a receiver's report can be laid.
public struct WorldRecord: Sendable {
  /// An RTP packet that a sender sent.
  public struct Sent: Sendable {
    /// The sender's place in the configuration.
    public var sender: Int
    /// When it was sent.
    public var at: Instant
    /// Its sequence number.
    public var sequence: UInt16
    /// Its timestamp.
    public var timestamp: UInt32
    /// The media that it holds, in clock units.
    public var duration: Int64
    /// What the link did to it; nil when it was sent into a blackout.
    public var fate: LinkFate?
  }

  /// A copy of a packet that arrived.
  public struct Arrival: Sendable {
    /// Its place among the packets sent.
    public var sentIndex: Int
    /// 0 for the first copy.
    public var copy: Int
    /// When it arrived.
    public var at: Instant
    /// The number of datagrams handed to the receiver before it: its number in the receiver's trace.
    public var handedIn: Int
  }

  /// Packets sent, in order.
  public internal(set) var sent: [Sent] = []
  /// Copies that arrived, in order.
  public internal(set) var arrivals: [Arrival] = []
  /// What was decided to be played, in order.
  public internal(set) var playout: [(stream: Int, decision: PlayoutDecision, at: Instant)] = []
  /// What happened to streams.
  public internal(set) var events: [(stream: Int, event: StreamEvent, at: Instant)] = []
  /// What the receiver says became of each datagram.
  public internal(set) var fates: [DatagramFate] = []
  /// Packets sent.
  public internal(set) var sentCount = 0
  /// Datagrams handed to the receiver as RTP.
  public internal(set) var handedIn = 0
  /// Fates told.
  public internal(set) var fateCount = 0
  /// Decisions made.
  public internal(set) var decisionCount = 0
  /// Receiver reports made.
  public internal(set) var receiverReports = 0
  /// The bytes of the longest datagram among them.
  public internal(set) var longestReceiverReport = 0

  /// Nothing has happened.
  public init() {}
}
