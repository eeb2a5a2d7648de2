/// What came out of the jitter buffer of one audio stream, in samples, by the definitions of the W3C's statistics for
/// WebRTC (webrtc-stats, RTCInboundRtpStreamStats), which are NetEq's.
public struct PlayoutSamples: Hashable, Sendable {
  /// Samples of packets that came out (jitterBufferEmittedCount).
  public var emitted = 0
  /// The sum over these of the seconds that each waited (jitterBufferDelay).
  public var delay = 0.0
  /// The sum over these of the target delay in seconds (jitterBufferTargetDelay).
  public var targetDelay = 0.0
  /// The sum over these of the delay in seconds that the network alone called for (jitterBufferMinimumDelay); nil where
  /// the delay is fixed, and nobody asked the network.
  public var minimumDelay: Double?
  /// Samples made up because packets were lost, late or not there yet (concealedSamples).
  public var concealed = 0
  /// Those of them that were silent (silentConcealedSamples).
  public var silentConcealed = 0
  /// Times that samples were made up behind some that weren't (concealmentEvents).
  public var concealmentEvents = 0
  /// Samples put in to play slower (insertedSamplesForDeceleration).
  public var inserted = 0
  /// Samples taken out to play faster (removedSamplesForAcceleration).
  public var removed = 0
  /// All samples that a listener was given (totalSamplesReceived).
  public var total = 0
  /// Samples that resampling put in because the clocks differ, or took out when it is negative.
  public private(set) var resampled = 0
  /// What was filled in behind the last packet, until it was known that the stream was over; in no other figure.
  public var end = End()

  /// Samples behind the last packet.
  public struct End: Hashable, Sendable {
    /// All of them.
    public var total = 0
    /// Those made up, because the sender hadn't said that it would pause.
    public var concealed = 0
    /// Those of them that were silent.
    public var silentConcealed = 0

    /// None.
    public init() {}
  }

  /// Nothing played yet.
  public init() {}

  /// Resampling made the audio longer by so many samples.
  public mutating func resample(by samples: Int) {
    resampled += samples
    total += samples
  }

  /// What was filled in behind the last packet was heard too.
  public mutating func hearEnd() {
    total += end.total
    concealed += end.concealed
    silentConcealed += end.silentConcealed
    if end.concealed > 0 { concealmentEvents += 1 }
  }

  /// How long a sample waited on average, in seconds; nil before any came out.
  public var meanDelay: Double? { emitted > 0 ? delay / Double(emitted) : nil }
  /// The mean target in seconds; nil before any came out.
  public var meanTarget: Double? { emitted > 0 ? targetDelay / Double(emitted) : nil }
}

/// How a jitter buffer's delay follows the network.
public struct PlayoutAdaptation: Hashable, Sendable {
  /// The share of media that may come too late, 0...1.
  public var lateBudget: Double
  /// The least target in milliseconds.
  public var least: Double
  /// The greatest target in milliseconds.
  public var most: Double

  /// Makes a description.
  public init(lateBudget: Double, least: Double, most: Double) {
    self.lateBudget = lateBudget
    self.least = least
    self.most = most
  }
}
