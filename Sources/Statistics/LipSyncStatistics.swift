public import Timeline

/// How one stream was kept together with others of its sender.
public struct LipSyncStatistics: Equatable, Sendable {
  /// The source that the others wait for: of all its sender's streams its media takes longest to be played.
  public var reference: UInt32
  /// How much later than the reference's media this stream's of the same instant was played, at last; negative when
  /// earlier.
  public var skew: Interval
  /// How much later it would have been with nothing added.
  public var skewWithout: Interval
  /// For how long it waits for the reference, on top of what its own packets need.
  public var added: Interval

  /// Makes the figures.
  public init(reference: UInt32, skew: Interval, skewWithout: Interval, added: Interval) {
    self.reference = reference
    self.skew = skew
    self.skewWithout = skewWithout
    self.added = added
  }
}
