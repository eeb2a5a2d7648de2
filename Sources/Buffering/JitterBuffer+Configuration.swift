public import Timeline

extension JitterBuffer {
  /// What a buffer is made for.
  public struct Configuration: Sendable {
    /// Ticks of the RTP clock a second.
    public var clockRate: UInt32
    /// The delay beyond the smallest transit after which a packet is played; where it adapts, what it begins with.
    public var target: Interval
    /// How the delay follows the network; nil keeps it at `target`.
    public var adaptation: Adaptation?
    /// Whether the media is one continuous timeline whose gaps have to be filled (audio), or packets that are just due
    /// at their time (anything else).
    public var isContinuous: Bool
    /// Whether packets are parts of frames (video): what comes after its frame's time is late.
    public var isFramed = false
    /// Whether, of packets that are parts of frames, only those with a duration, the last of each frame, tell how much
    /// delay is needed; where no packet has one (a transport stream), each of them tells.
    public var hasFrameEnds = true
    /// The most packets in store, rounded up to a power of two.
    public var packetLimit = 1024
    /// The most payload bytes in store.
    public var byteLimit = 4 << 20
    /// The longest stretch that is concealed; after that comes silence.
    public var concealmentLimit = Interval.milliseconds(200)
    /// Whether payloads are kept; where nobody plays, only their length counts.
    public var keepsPayloads = true

    /// Describes a buffer of the usual size.
    public init(clockRate: UInt32, target: Interval, isContinuous: Bool = true) {
      self.clockRate = clockRate
      self.target = target
      self.isContinuous = isContinuous
    }
  }

  /// How the target follows the network; nil when it stays.
  public var adaptation: Adaptation? { configuration.adaptation }

  /// How the target follows the network.
  public struct Adaptation: Equatable, Sendable {
    /// The share of media that may come too late, 0...1.
    public var lateBudget: Double
    /// The share of frames that may, where packets are parts of frames: one that is late breaks all that refer to it.
    public var frameBudget: Double
    /// Between what the target stays.
    public var limits: ClosedRange<Interval>

    /// Half a percent of audio late, a hundredth of a percent of frames, and at most two seconds.
    public init(
      lateBudget: Double = 0.005, frameBudget: Double = 0.0001, limits: ClosedRange<Interval> = .zero ... .seconds(2)
    ) {
      self.lateBudget = lateBudget
      self.frameBudget = frameBudget
      self.limits = limits
    }
  }
}
