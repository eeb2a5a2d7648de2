public import Timeline

/// What became of one packet of a lane.
public enum LaneFate: UInt8, CaseIterable, Sendable {
  /// It was there when its media was due.
  case onTime
  /// It came after the deadline: its media was concealed, or a player that waits played it later.
  case late
  /// It never came.
  case lost
  /// It never came, or came too late, but its media was rebuilt from others in time (FEC).
  case recovered
}

/// One packet of the media as it went over a lane.
public struct LanePacket: Hashable, Sendable {
  /// When it was due to be sent, since the first packet of the race was; the same in every lane.
  public var sentAt: Interval
  /// How long after that the receiver had it; nil when it never came.
  ///
  /// Of datagrams by the kernel's stamp, of a byte stream when its last byte could be read, waiting in the sender
  /// included.
  public var delay: Interval?
  /// What became of it.
  public var fate: LaneFate

  /// Describes a packet.
  public init(sentAt: Interval, delay: Interval?, fate: LaneFate) {
    self.sentAt = sentAt
    self.delay = delay
    self.fate = fate
  }
}

/// What the kernel tells of a TCP connection at one instant (TCP_INFO).
public struct TCPSample: Hashable, Sendable {
  /// When, since the first packet of the race was due.
  public var time: Interval
  /// The smoothed round-trip time, which includes what the sender's own queue adds.
  public var roundTrip: Interval
  /// The congestion window in segments.
  public var congestionWindow: Int
  /// Segments sent again so far.
  public var retransmits: Int
  /// The retransmission timeout in force; nil when it isn't known.
  public var timeout: Interval?
  /// Bytes that wait in the sender's socket, sent or not; nil when they aren't known.
  public var queuedBytes: Int?

  /// Describes a sample.
  public init(time: Interval, roundTrip: Interval, congestionWindow: Int, retransmits: Int) {
    self.time = time
    self.roundTrip = roundTrip
    self.congestionWindow = congestionWindow
    self.retransmits = retransmits
  }
}

/// A stretch in which a waiting player stood still.
public struct PlayerPause: Hashable, Sendable {
  /// When it began, since the first packet of the race was due.
  public var at: Interval
  /// How long it took.
  public var length: Interval

  /// Describes a pause.
  public init(at: Interval, length: Interval) {
    self.at = at
    self.length = length
  }
}

/// What one lane of a race did: the same packets as the others, over its own transport.
public struct LaneReport: Sendable {
  /// How a lane carries packets, which decides how its figures are read.
  public enum Transport: String, Sendable {
    /// One datagram a packet, over the link.
    case datagrams
    /// A byte stream with retransmissions, over the link.
    case byteStream = "byte_stream"
    /// Beside the link, as the control.
    case control
  }

  /// The lane's name as it was asked for: "udp", "udp+fec", "tcp", "unix".
  public var name: String
  /// How it carries packets.
  public var transport: Transport
  /// The congestion control of a byte stream: "cubic".
  public var congestionControl: String?
  /// The stream as the lane's receiver reports it; nil when nothing arrived.
  public var stream: StreamReport?
  /// Every packet that was due, in order.
  public var packets: [LanePacket] = []
  /// What the kernel told of the connection, in order of time.
  public var tcpSamples: [TCPSample] = []
  /// Segments that TCP sent again; nil for what knows no retransmissions.
  public var retransmits: Int?
  /// How long the connection took to be set up; nil where none was.
  public var connectionSetup: Interval?
  /// Bytes that crossed the link both ways with IP and transport headers, retransmissions and acknowledgements
  /// included; nil where they can't be counted.
  public var wireBytes: Int?
  /// Of these, bytes on the way back, acknowledgements and reports; nil where they aren't counted.
  public var wireBytesBack: Int?
  /// IP packets that crossed the link both ways; nil where they can't be counted.
  public var wirePackets: Int?
  /// Bytes of media handed to the lane once, without RTP header.
  public var payloadBytes = 0
  /// What the link did on the way to the receiver; nil without one.
  public var linkRecord: LinkReport?
  /// What it did on the way back; nil without one.
  public var returnLinkRecord: LinkReport?
  /// Where a waiting player stood still; nil for a player that conceals.
  public var pauses: [PlayerPause]?
  /// What its listener heard.
  public var clips: [AudioClip] = []
  /// Why the lane failed, as a sentence; nil when it did not.
  public var failure: String?

  /// Starts a lane without packets.
  public init(name: String, transport: Transport) {
    self.name = name
    self.transport = transport
  }
}
