public import Statistics
public import Timeline

/// Everything that one run of the command reports at its end.
public struct Report: Sendable {
  /// The command's version.
  public var version: String
  /// The verb that ran: "receive", "send".
  public var verb: String
  /// The link specification in force, as `LinkSpec` writes it; nil without a link.
  public var link: String?
  /// How long the run took.
  public var duration = Interval.zero
  /// Why the run ended, in a few words: "the sender said goodbye".
  public var ended: String?
  /// What arrived at the sockets; nil when nothing was received.
  public var datagrams: DatagramReport?
  /// What the capture held that was analyzed; nil when none was.
  public var capture: CaptureReport?
  /// What the link inside this process did; nil without one.
  public var linkRecord: LinkReport?
  /// What was sent; nil when nothing was.
  public var sending: SendingReport?
  /// What was sent beside it: the video of audio and video.
  public var alsoSending: [SendingReport] = []
  /// The streams received, in order of appearance.
  public var streams: [StreamReport] = []
  /// What a probe found; nil for the other verbs.
  public var probe: ProbeReport?

  /// Starts a report with nothing in it.
  public init(version: String, verb: String, link: String? = nil) {
    self.version = version
    self.verb = verb
    self.link = link
  }

  /// All that was sent, stream by stream.
  var sendings: [SendingReport] { (sending.map { [$0] } ?? []) + alsoSending }
}

/// What arrived at this process's sockets; each datagram is in exactly one of `rtp`, `rtcp`, `invalid` and `forgotten`.
public struct DatagramReport: Sendable {
  /// Datagrams read.
  public var received = 0
  /// Bytes of their payload.
  public var bytes = 0
  /// Those counted in a stream.
  public var rtp = 0
  /// Valid RTCP compound packets.
  public var rtcp = 0
  /// Those thrown away before they could be counted in a stream, by reason.
  public var invalid = DiscardCounts()
  /// Streams that ended and are no longer in the report, because there were so many.
  public var forgottenStreams = 0
  /// Their datagrams, which are in no other class.
  public var forgotten = 0
  /// What the kernel dropped because the socket's buffer was full (SO_RXQ_OVFL); nil when it can't be known.
  public var droppedBySocket: Int?
  /// Of these, those that are in no stream's account: duplicates, reports, packets of streams that were unknown.
  public var droppedOfNoStream = 0
  /// How long datagrams waited in this host before they were read, of those with the kernel's stamp.
  public var wait = WaitStatistics()
  /// Datagrams whose arrival is only known as the instant at which they were read.
  public var unstamped = 0

  /// Starts with nothing received.
  public init() {}
}

/// What the link inside this process did to the packets offered to it.
///
/// `offered + duplicated = delivered + lost + queueDropped + outageLost + inFlight`.
public struct LinkReport: Sendable {
  /// Packets given to the link.
  public var offered = 0
  /// Copies handed out, duplicates among them.
  public var delivered = 0
  /// Packets lost at random, singly or in bursts.
  public var lost = 0
  /// Packets dropped because too much was waiting.
  public var queueDropped = 0
  /// Packets lost because the link was down.
  public var outageLost = 0
  /// Second copies made.
  public var duplicated = 0
  /// Copies not handed out yet.
  public var inFlight = 0
  /// Packets whose first copy was handed out after a packet offered later.
  public var reordered = 0
  /// Copies handed out with a bit flipped.
  public var corrupted = 0
  /// Runs of packets that were all dropped.
  public var lossRuns = 0
  /// The length of the longest such run.
  public var longestLossRun = 0

  /// Packets of which no copy was handed out, for whatever cause.
  public var dropped: Int { lost + queueDropped + outageLost }

  /// Starts with nothing offered.
  public init() {}
}
