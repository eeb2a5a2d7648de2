public import Timeline

/// Everything that one race reports: the same packets over several lanes, each with its own copy of one link.
///
/// Whoever runs the race fills in the settings and the lanes; all that can be counted from the packets, the verdict
/// among it, is counted here.
public struct RaceReport: Sendable {
  /// Where the lanes ran.
  public enum Setting: String, Sendable {
    /// Kernel sockets in network namespaces, with the link between them.
    case namespaces
    /// Kernel sockets on this host, with the link inside this process.
    case inProcess = "in_process"
    /// No sockets: the virtual clock of the simulation.
    case simulated
  }

  /// What the player of a byte stream does when a packet isn't there.
  public enum TCPPlayer: String, Sendable {
    /// It conceals and goes on, as a call does.
    case conceal
    /// It stands still until the packet is there, as a web player does.
    case wait
  }

  /// The command's version.
  public var version: String
  /// The media file, as it was named.
  public var file: String
  /// The encoding as in SDP: "opus/48000/2"; nil when it isn't known.
  public var encoding: String?
  /// The command line that repeats the race, its seed included.
  public var commandLine: String
  /// The specification of the link from the sender to the receiver, without its seed; nil without a link.
  public var link: String?
  /// The specification of the way back, which acknowledgements take; nil where it is the same.
  public var returnLink: String?
  /// The seed of the link.
  public var seed: UInt64?
  /// The delay of the playout buffer: fixed, or what an adaptive one began with.
  public var buffer: Interval
  /// Whether the buffer follows the network.
  public var isBufferAdaptive = false
  /// The length of media in one packet.
  public var packetInterval: Interval
  /// How long the race took.
  public var duration = Interval.zero
  /// When it began, in nanoseconds since 1970; nil where there is no such time.
  public var began: Int64?
  /// Why it ended, in a few words: "the file ended", "interrupted".
  public var ended: String?
  /// What the players of byte streams do.
  public var tcpPlayer = TCPPlayer.conceal
  /// Where the lanes ran.
  public var setting: Setting
  /// Sentences about this run that no figure tells: why a lane was left out, what the kernel lacks.
  public var notes: [String] = []
  /// The lanes in the order they were asked for.
  public var lanes: [LaneReport] = []

  /// Starts a report without lanes.
  public init(
    version: String, file: String, commandLine: String, buffer: Interval, packetInterval: Interval, setting: Setting
  ) {
    self.version = version
    self.file = file
    self.commandLine = commandLine
    self.buffer = buffer
    self.packetInterval = packetInterval
    self.setting = setting
  }
}
