public import Timeline

/// What a link does to the packets that cross it: every parameter of the model, in one value.
///
/// Specs are made from text by ``init(parsing:)`` or from a profile, so that every value is within its range; only the
/// seed can be set freely. docs/links.md defines each parameter exactly.
public struct LinkSpec: Equatable, Sendable {
  /// The share of packets that are lost at random, 0 to 1.
  public internal(set) var loss = 0.0
  /// The mean length of a run of lost packets, 1 to 10 000; 0 means that losses are independent of each other.
  public internal(set) var burst = 0.0
  /// The four probabilities of a Gilbert-Elliott model, in place of `loss` and `burst`.
  public internal(set) var gilbertElliott: GilbertElliott?
  /// Times at which the whole link is down.
  public internal(set) var outage: Outage?
  /// The mean one-way delay, besides the time that `rate` and `queue` take.
  public internal(set) var delay = Interval.zero
  /// The standard deviation of the delay.
  public internal(set) var jitter = Interval.zero
  /// The distribution of the delay.
  public internal(set) var jitterShape = JitterShape.normal
  /// Whether jitter may change the order of packets.
  public internal(set) var jitterOrder = JitterOrder.keep
  /// The share of packets that are held back until later ones have overtaken them, 0 to 1.
  public internal(set) var reorder = 0.0
  /// How many later packets overtake one that is held back.
  public internal(set) var reorderBy = 3
  /// The longest time that a packet is held back beyond the time at which it would arrive without jitter.
  public internal(set) var reorderWait = Interval.milliseconds(500)
  /// The share of packets that arrive twice, 0 to 1.
  public internal(set) var duplicate = 0.0
  /// How long after the first copy the second one arrives; zero is right behind it.
  public internal(set) var duplicateDelay = Interval.zero
  /// The share of packets in which one bit is flipped, 0 to 1.
  public internal(set) var corrupt = 0.0
  /// The rate of the line in bits per second; nil when it takes no time to send a packet.
  public internal(set) var rate: UInt64?
  /// How much may wait for the line before packets are dropped.
  public internal(set) var queue = QueueLimit.time(.milliseconds(200))
  /// What the link does to each packet because it was recorded: loss, delays and copies are these, besides `delay`.
  public internal(set) var replay: LinkReplay?
  /// What all random numbers are derived from: the same seed gives the same fates.
  public var seed: UInt64 = 1

  /// The link that delivers every packet at once, unharmed.
  public static let perfect = LinkSpec()

  /// The share of packets that the random loss takes in the long run, without outages and the queue.
  public var expectedLoss: Double {
    guard let recording = replay?.recording else { return gilbertElliott?.expectedLoss ?? loss }
    return recording.count == 0 ? 0 : Double(recording.lost) / Double(recording.count)
  }
}

/// A Markov chain of two states that takes one step a packet, each state with its own loss (Gilbert 1960, Elliott 1963).
public struct GilbertElliott: Equatable, Sendable {
  /// The probability of going from the good state to the bad one, at each packet.
  public internal(set) var p: Double
  /// The probability of going from the bad state to the good one, at each packet.
  public internal(set) var r: Double
  /// The probability that a packet is lost in the good state (1 - k).
  public internal(set) var goodLoss = 0.0
  /// The probability that a packet is lost in the bad state (1 - h).
  public internal(set) var badLoss = 1.0

  /// The share of packets that meet the bad state in the long run; 0 when the chain never moves.
  public var badShare: Double { p + r > 0 ? p / (p + r) : 0 }
  /// The share of packets lost in the long run.
  public var expectedLoss: Double { goodLoss * (1 - badShare) + badLoss * badShare }
}

/// Random times at which a link is down, whatever the packets do.
public struct Outage: Equatable, Sendable {
  /// The mean time that the link is up, exponentially distributed.
  public internal(set) var up: Interval
  /// The mean time that the link is down, exponentially distributed.
  public internal(set) var down: Interval
}

/// The distribution of the one-way delay about its mean.
public enum JitterShape: String, CaseIterable, Sendable {
  /// The normal distribution.
  case normal
  /// A log-normal distribution with the same mean and standard deviation, steep on the left and with a long right tail.
  case heavy
}

/// What becomes of a packet whose delay is so much shorter that it would overtake the one before.
public enum JitterOrder: String, CaseIterable, Sendable {
  /// It waits behind the one before, as in a queue.
  case keep
  /// It overtakes, as over several paths.
  case overtake = "break"
}

/// How much may wait for a line of limited rate.
public enum QueueLimit: Equatable, Sendable {
  /// A packet is dropped when it would have to wait longer than this for its turn.
  case time(Interval)
  /// A packet is dropped when it would bring the waiting bytes above this; an idle line takes every packet.
  case bytes(Int)
}
