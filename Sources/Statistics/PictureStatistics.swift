public import Timeline

/// What a viewer saw of a video stream.
///
/// Every frame expected is in exactly one of `complete`, `damaged`, `late` and `lost`.
public struct PictureStatistics: Equatable, Sendable {
  /// How big complete frames are.
  public struct Sizes: Equatable, Sendable {
    /// Half of them are no bigger.
    public let median: Int
    /// The biggest.
    public let most: Int

    /// Makes sizes from their parts.
    public init(median: Int, most: Int) {
      self.median = median
      self.most = most
    }
  }

  /// Frames from the first to the last that anything is known of; those of which nothing arrived are told by the gap in
  /// the timestamps.
  public var expected = 0
  /// Frames of which every packet was there when they were due.
  public var complete = 0
  /// Frames of which a part was there when they were due, and a part never came.
  public var damaged = 0
  /// Frames that weren't whole when they were due, and of which everything came later: a longer buffer helps.
  public var late = 0
  /// Frames of which nothing was there when they were due, and something never came.
  public var lost = 0
  /// Of the complete ones, those that refer to a frame that isn't whole: nothing to be seen until the next key frame.
  public var undecodable = 0
  /// Of the shown ones, those that are only referred to and never to be seen (VP8's alternate references).
  public var hidden = 0
  /// Complete key frames.
  public var keyFrames = 0
  /// The time from the first frame to the first one shown, in which there is no picture to freeze; nil when none was.
  public var waited: Interval?
  /// How often the picture stood still, by W3C's freezeCount: a frame shown longer than three times the usual, and
  /// 150 ms longer than it.
  public var freezes = 0
  /// How long it stood still in all.
  public var frozen = Interval.zero
  /// The longest time that it stood still.
  public var longestFreeze = Interval.zero
  /// Bytes a complete frame: the median and the most.
  public var frameBytes = Sizes(median: 0, most: 0)
  /// Packets a complete frame: the median and the most.
  public var packetsPerFrame = Sizes(median: 0, most: 0)
  /// The usual time between two frames; zero when it isn't known.
  public var frameInterval = Interval.zero
  /// How many frames are sent before one that is shown earlier: a decoder holds back as many.
  public var reorderDepth = 0
  /// Pictures that bear one and the same timestamp, where nearly all do, since their sender gives no times; else 0.
  ///
  /// They count as one frame, because a timestamp is all that tells frames apart.
  public var untimed = 0
  /// Whether H.264's parameter sets, without which nothing can be decoded, were neither sent nor told beforehand.
  public var lacksParameterSets = false
  /// Picture loss indications sent (RFC 4585 section 6.3.1).
  public var keyFrameRequests = 0
  /// What became of the frames one after the other.
  public var history = PictureHistory()

  /// Nothing seen yet.
  public init() {}

  /// Frames that could be shown: whole, in time, and with all that they refer to.
  public var shown: Int { complete - undecodable }
}
