public import Statistics
public import Timeline

extension SendingReport.FarEnd {
  /// What one receiver's extended reports say of our stream, packet by packet and in figures (RFC 3611).
  public struct Extended: Sendable {
    /// What became of the packets that were reported on.
    public var reception: ReportedReception.Summary
    /// Packets sent by us, reported on or not.
    public var sent: Int
    /// One packet in 2^thinning was reported on where the receiver thinned its reports; 0 when it never did.
    public var thinning = 0
    /// Packets that came again; nil when a gap in the reports leaves it open.
    public var duplicates: Int?
    /// The spread of the one-way delay, by receipt times of some of the packets; nil without.
    public var delayVariation: DelayPercentiles?
    /// The packets whose receipt times came.
    public var receiptTimes = 0
    /// Jitter between packets that followed each other in the last interval, in milliseconds; nil without.
    public var intervalJitter: IntervalJitter?
    /// What a call would be judged by; nil without.
    public var voipMetrics: VoIPMetrics?

    /// Packets reported on that never arrived, those behind the last that did among them; nil where only one in several
    /// was reported on.
    public var lost: Int? { thinning == 0 && reception.covered > 0 ? reception.lost + reception.lostAtEnd : nil }
    /// The share of those reported on that never arrived; nil before any was.
    public var lossRatio: Double? {
      reception.covered == 0 ? nil : Double(reception.lost + reception.lostAtEnd) / Double(reception.covered)
    }

    /// Starts from what became of the packets.
    public init(reception: ReportedReception.Summary, sent: Int) {
      self.reception = reception
      self.sent = sent
    }

    /// The jitter in a Statistics Summary block, in milliseconds.
    public struct IntervalJitter: Hashable, Sendable {
      /// The least.
      public var least: Double
      /// The mean.
      public var mean: Double
      /// The greatest.
      public var greatest: Double
      /// The standard deviation.
      public var deviation: Double

      /// Makes the figures.
      public init(least: Double, mean: Double, greatest: Double, deviation: Double) {
        self.least = least
        self.mean = mean
        self.greatest = greatest
        self.deviation = deviation
      }
    }

    /// The figures of a VoIP Metrics block that receivers fill in.
    public struct VoIPMetrics: Hashable, Sendable {
      /// The share of packets lost, in steps of 1/256.
      public var lossRate = 0.0
      /// The share of packets that came in vain, in steps of 1/256.
      public var discardRate = 0.0
      /// The share missing within bursts.
      public var burstDensity = 0.0
      /// The mean length of a burst.
      public var burstDuration = Interval.zero
      /// The share missing within gaps.
      public var gapDensity = 0.0
      /// The mean length of a gap.
      public var gapDuration = Interval.zero
      /// The jitter buffer's delay.
      public var buffer = Interval.zero
      /// The rating R on the narrowband scale; nil when unknown.
      public var rFactor: Int?
      /// The listening quality's score; nil when unknown.
      public var listeningQuality: Double?

      /// Starts with nothing known.
      public init() {}
    }
  }
}
