public import Statistics

/// What a capture held; each frame is in exactly one of the classes from `rtp` to `malformed`.
public struct CaptureReport: Sendable {
  /// The file or the interface.
  public var name: String
  /// Frames read.
  public var frames = 0
  /// Bytes of the file read; nil for a pipe or an interface.
  public var bytes: Int?
  /// The first frame's time, in nanoseconds since 1970.
  public var first: Int64?
  /// The last frame's time, in nanoseconds since 1970.
  public var last: Int64?
  /// Datagrams taken for RTP.
  public var rtp = 0
  /// Valid RTCP compound packets.
  public var rtcp = 0
  /// STUN messages.
  public var stun = 0
  /// DTLS records.
  public var dtls = 0
  /// Other UDP datagrams.
  public var other = 0
  /// TCP segments with bytes in them.
  public var segments = 0
  /// Later fragments of IP packets.
  public var fragments = 0
  /// Frames of other protocols.
  public var foreign = 0
  /// Frames of a link layer that isn't read.
  public var unreadable = 0
  /// The link type of the first of them.
  public var unreadableType: Int?
  /// Frames with broken headers.
  public var malformed = 0
  /// RTP datagrams of sources that weren't followed.
  public var unfollowed = 0
  /// RTP datagrams of which only the beginning was captured.
  public var cut = 0
  /// Frames with an earlier time than the one before.
  public var backwards = 0
  /// Session descriptions read.
  public var descriptions = 0
  /// RTP datagrams that were counted in no stream, by reason.
  public var discarded = DiscardCounts()
  /// Packets that this host dropped while capturing; nil for a file.
  public var dropped: Int?
  /// Why the capture couldn't be read to its end, and how far it was; nil when it was.
  public var broken: String?
  /// Sources with too few packets to be called streams.
  public var shortStreams: [ShortStream] = []
  /// The number of all such sources.
  public var shortCount = 0

  /// A source with too few packets.
  public struct ShortStream: Hashable, Sendable {
    /// Its source identifier.
    public var ssrc: UInt32
    /// Where its packets came from, as "address:port".
    public var source: String
    /// Where they went to.
    public var destination: String
    /// Its packets.
    public var packets: Int
    /// The number of its first packet in the capture, from 1.
    public var firstFrame: Int

    /// Makes an entry.
    public init(ssrc: UInt32, source: String, destination: String, packets: Int, firstFrame: Int) {
      self.ssrc = ssrc
      self.source = source
      self.destination = destination
      self.packets = packets
      self.firstFrame = firstFrame
    }
  }

  /// Starts with nothing read.
  public init(name: String) { self.name = name }
}

/// Where a stream stands in a capture.
public struct StreamPlace: Hashable, Sendable {
  /// Whether it goes the way of the first stream seen between its ends, or the other way.
  public enum Direction: String, Sendable {
    /// The way of the first.
    case forward
    /// The other way.
    case reverse
  }

  /// The direction.
  public var direction: Direction
  /// Where its packets went to, as "address:port".
  public var destination: String
  /// The number of its first packet in the capture, from 1.
  public var firstFrame: Int
  /// Whether its payload is most likely encrypted, since DTLS was seen between its ends.
  public var isEncrypted: Bool

  /// Makes a place.
  public init(direction: Direction, destination: String, firstFrame: Int, isEncrypted: Bool) {
    self.direction = direction
    self.destination = destination
    self.firstFrame = firstFrame
    self.isEncrypted = isEncrypted
  }
}
