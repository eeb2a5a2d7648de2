public import Statistics
public import Timeline

/// What one run reports of what it sent.
public struct SendingReport: Sendable {
  /// Where it was sent, as URIs.
  public var destinations: [String] = []
  /// The source identifier.
  public var ssrc: UInt32
  /// Encoding as in SDP: "opus/48000/2".
  public var encoding: String?
  /// The payload type.
  public var payloadType: UInt8
  /// RTP packets, each counted once whatever the number of destinations.
  public var packets = 0
  /// Packets made that no socket took, and so were never sent.
  public var neverSent = 0
  /// Packets that left later than half the time to the next one.
  public var sentLate = 0
  /// Bytes of these packets with their RTP headers.
  public var bytes = 0
  /// RTCP compound packets.
  public var rtcpPackets = 0
  /// The length of the media sent.
  public var mediaDuration = Interval.zero
  /// How late packets left.
  public var pacing = PacingError()
  /// What was sent when; nil unless a report that shows it was asked for.
  public var timeline: SendTimeline?
  /// How often the sender stood still longer than it could catch up.
  public var stalls = 0
  /// How long it stood still in all.
  public var stalledDuration = Interval.zero
  /// Errors that the sockets gave, by name, in order of appearance.
  public var socketErrors: [SocketErrors] = []
  /// What the receivers report, in order of appearance.
  public var farEnds: [FarEnd] = []

  /// What was sent of a video's frames; nil for audio.
  public var pictures: Pictures?

  /// The frames of a video, and what receivers asked for.
  public struct Pictures: Sendable {
    /// Frames sent, and key frames among them; nil where they aren't known, as of a transport stream.
    public var frames: (all: Int, key: Int)?
    /// Picture loss indications received (RFC 4585 section 6.3.1).
    public var pictureLosses = 0
    /// Full intra requests received (RFC 5104 section 4.3.1), repetitions aside.
    public var fullIntraRequests = 0
    /// Times that they were answered: by parameter sets before the next frame, or, from the synthetic source, by a key
    /// frame.
    public var answers = 0

    /// Starts with nothing sent.
    public init() {}
  }

  /// How often a socket gave one kind of error.
  public struct SocketErrors: Hashable, Sendable {
    /// The error's name: "ECONNREFUSED".
    public var kind: String
    /// How often.
    public var count: Int

    /// Makes a count.
    public init(kind: String, count: Int) {
      self.kind = kind
      self.count = count
    }
  }

  /// What one receiver says of our stream in its reports (RFC 3550 section 6.4.1, RFC 3611).
  public struct FarEnd: Sendable {
    /// The receiver's source identifier.
    public var ssrc: UInt32
    /// Report blocks received.
    public var reports = 0
    /// Packets lost in all, as it counts: duplicates lower it.
    public var cumulativeLost = 0
    /// The share of packets lost between its last two reports.
    public var lastFractionLost = 0.0
    /// Its interarrival jitter in milliseconds.
    public var jitter = RunningExtent()
    /// The round-trip times.
    public var roundTrip = RoundTrip()
    /// Its canonical name, when it was heard.
    public var cname: String?
    /// Packets sent behind the last one that it has received, by its last report; nil before a report.
    ///
    /// When that report answers our goodbye, they are lost.
    public var missingTail: Int?
    /// Whether its last report was made after it had heard our goodbye, or said its own.
    public var isFinal = false
    /// Whether it said goodbye before it heard ours: packets behind its last report aren't lost, nobody listened.
    public var hasLeftEarly = false
    /// What its extended reports say; nil when it sent none.
    public var extended: Extended?

    /// Starts with no report.
    public init(ssrc: UInt32) { self.ssrc = ssrc }
  }

  /// Starts with nothing sent.
  public init(ssrc: UInt32, payloadType: UInt8) {
    self.ssrc = ssrc
    self.payloadType = payloadType
  }
}
