public import Timeline

/// What a jitter buffer would have made of a stream's arrivals with this or that fixed delay: late packets and
/// concealed ones against delay, each point by a replay through the real buffer.
public struct ReplayCurve: Hashable, Sendable {
  /// One delay and what it would have led to.
  public struct Point: Hashable, Sendable {
    /// The fixed delay of the buffer.
    public var delay: Interval
    /// The share of the packets that arrived that would have been late, 0...1.
    public var late: Double
    /// The share of the expected packets that would have been concealed, lost ones among them, 0...1.
    public var concealed: Double

    /// Makes a point.
    public init(delay: Interval, late: Double, concealed: Double) {
      self.delay = delay
      self.late = late
      self.concealed = concealed
    }
  }

  /// The points by growing delay.
  public var points: [Point]
  /// What an adaptive buffer would have led to, its delay being the mean; nil for media that can't be stretched.
  public var adaptive: Point?
  /// The share of late packets that the adaptive buffer aimed at.
  public var lateBudget = enough
  /// Packets replayed.
  public var packets: Int
  /// Packets that came when no more arrivals were kept; they are in no point.
  public var omitted: Int

  /// Makes a curve.
  public init(points: [Point], packets: Int, omitted: Int) {
    self.points = points
    self.packets = packets
    self.omitted = omitted
  }

  /// The smallest delay of the curve from which on no more than `share` of the packets would have been late.
  public func delay(lateAtMost share: Double) -> Interval? {
    guard let last = points.lastIndex(where: { $0.late > share }) else { return points.first?.delay }
    return last + 1 < points.count ? points[last + 1].delay : nil
  }

  /// The share of late packets that is called enough.
  public static let enough = 0.005
}
