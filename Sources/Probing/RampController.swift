import Packets
public import Timeline

/// Raises a rate step by step until loss or a growing delay shows the capacity of a path, then closes in on it.
///
/// Each step sends evenly spaced packets of one rate and then falls silent until everything has arrived, so that a step
/// has its own account: what was sent, what arrived, and how the delay grew. A step overloads the path when even the
/// fastest packets of its end took longer than those before (a queue grew), or when clearly more was lost than in the
/// steps that didn't overload it. Loss alone that is there at every rate isn't taken for a limit, and one bad step
/// isn't believed: the same rate is tried again.
///
/// - Inputs: `handle`, `noteSent`.
/// - Outputs: `advance`, at `nextWake` and after each input; `rate` while something is to be sent.
public struct RampController: Sendable {
  /// What a ramp is set up with.
  public struct Configuration: Sendable {
    /// The first rate, in bits a second with RTP, UDP and IPv4 headers.
    public var start = 200_000.0
    /// The highest rate that is tried.
    public var limit = 50_000_000.0
    /// The lowest rate that is tried.
    public var floor = 25_000.0
    /// How much higher each step is, until the first one that overloads the path.
    public var factor = 1.5
    /// How long each step sends.
    public var stepDuration = Interval.milliseconds(1_500)
    /// The ramp ends when the highest good rate and the lowest bad one are this close.
    public var precision = 1.06
    /// A delay that grows by less than this within a step says nothing.
    public var delayGrowth = Interval.milliseconds(15)
    /// Loss that exceeds the usual by less than this share says nothing.
    public var excessLoss = 0.02
    /// Without any feedback for this long the ramp is given up.
    public var patience = Interval.seconds(4)

    /// A ramp with the usual figures.
    public init() {}
  }

  private enum Phase: Sendable {
    case sending(until: Instant)
    case settling(since: Instant)
    case done
  }

  /// The steps made, in order.
  public private(set) var steps: [RampStep] = []
  /// What came out; nil while the ramp goes on.
  public private(set) var outcome: RampOutcome?

  let configuration: Configuration
  private var phase: Phase
  private var step: RampStep
  private var account = RampAccount()
  private var isRetry = false
  private var lower = 0.0
  private var upper: Double?
  private var lastFeedback: Instant
  /// Packets sent and lost in the steps that didn't overload the path.
  private var good = (sent: 0, lost: 0)
  /// Whether the lowest bad rate is tried once more, and how often that was done.
  private var isConfirming = false
  private var confirmations = 0
  private static let confirmationLimit = 4
  /// How far delays lay apart in them.
  private var spreads: [Interval] = []

  /// Begins with the first step.
  public init(_ configuration: Configuration, at now: Instant) {
    self.configuration = configuration
    step = RampStep(rate: min(configuration.start, configuration.limit), begin: now)
    phase = .sending(until: now + configuration.stepDuration)
    lastFeedback = now
  }

  /// The rate to send at now, in bits a second; nil while nothing is to be sent.
  public var rate: Double? { if case .sending = phase { step.rate } else { nil } }

  /// The number of the step at hand, from 0.
  public var stepNumber: Int { steps.count }

  /// When to call `advance` again.
  public var nextWake: Instant? {
    switch phase {
    case .sending(let end): end
    case .settling: lastFeedback + configuration.patience
    case .done: nil
    }
  }

  /// The loss in the steps that didn't overload the path, 0...1.
  public var usualLoss: Double { good.sent == 0 ? 0 : Double(good.lost) / Double(good.sent) }

  // MARK: Inputs

  /// Notes a packet sent: its size with RTP, UDP and IPv4 headers, and its extended sequence number modulo 2^32.
  public mutating func noteSent(bytes: Int, sequence: UInt32) {
    step.sent += 1
    step.sentBytes += bytes
    account.lastSequence = sequence
  }

  /// Takes in what the far end says has arrived.
  public mutating func handle(_ stream: ProbeFeedback.Stream, at now: Instant) {
    guard outcome == nil else { return }
    lastFeedback = now
    account.take(stream)
    guard case .settling(let since) = phase, account.hasSettled(after: now - since) else { return }
    close(at: now)
  }

  /// Moves on as far as `now` demands.
  public mutating func advance(at now: Instant) {
    switch phase {
    case .sending(let end):
      guard now >= end else { break }
      step.sendingTime = now - step.begin
      phase = .settling(since: now)
    case .settling:
      if now - lastFeedback >= configuration.patience { finish(.noFeedback) }
    case .done: break
    }
  }

  // MARK: Private

  private mutating func close(at now: Instant) {
    account.close(into: &step)
    let loss = step.loss
    let isFirst = good.sent == 0
    // What hasn't been lost so far may still be as usual as three in all that was sent; bursts vary more than that.
    let usual = min(max(usualLoss, 3 / Double(max(good.sent, 1))), 0.5)
    let noise = 4.5 * (usual * (1 - usual) / Double(max(step.sent, 1))).squareRoot()
    let bound = isFirst ? 0.3 : usualLoss + configuration.excessLoss + noise
    // Where delays vary anyway, a queue has to show above that.
    let spread = spreads.isEmpty ? .zero : spreads.reduce(.zero, +) / Int64(2 * spreads.count)
    step.isOverload = step.delayGrowth >= max(configuration.delayGrowth, spread) || loss > bound
    steps.append(step)
    if step.sendingTime > configuration.stepDuration * 5 / 4 || step.sentShare(of: configuration.stepDuration) < 0.9 {
      if isRetry { return finish(.hostLimit(rate: step.sentRate)) }
      isRetry = true
      return begin(step.rate, at: now)
    }
    if step.isOverload, !isRetry {
      isRetry = true
      return begin(step.rate, at: now)
    }
    // A bad step that didn't repeat itself shows what is usual here.
    if isRetry, !step.isOverload { noteUsual(steps[steps.count - 2]) }
    isRetry = false
    // What was truly sent counts, not what was aimed at: a busy host sends a little less.
    if step.isOverload {
      if isConfirming { return finish(capacity()) }
      upper = min(upper ?? step.sentRate, step.sentRate)
    } else {
      if isConfirming { upper = nil }
      lower = max(lower, step.sentRate)
      noteUsual(step)
    }
    isConfirming = false
    next(at: now)
  }

  private mutating func next(at now: Instant) {
    guard let upper else {
      guard step.rate < configuration.limit else { return finish(.atLeast(rate: configuration.limit)) }
      return begin(min(max(lower, step.rate) * configuration.factor, configuration.limit), at: now)
    }
    if lower == 0 {
      guard upper / 2 >= configuration.floor else { return finish(.below(rate: upper)) }
      return begin(upper / 2, at: now)
    }
    guard upper / lower > configuration.precision else {
      // Once more before it is said: losses that come in bursts may have met this rate by chance.
      guard confirmations < Self.confirmationLimit else { return finish(capacity()) }
      confirmations += 1
      isConfirming = true
      return begin(upper, at: now)
    }
    begin((lower * upper).squareRoot(), at: now)
  }

  private mutating func noteUsual(_ step: RampStep) {
    good = (good.sent + step.sent, good.lost + step.lost)
    spreads.append(step.spread)
  }

  /// An overloaded path delivers as much as it can: that is its capacity, if it lies where the steps say.
  private func capacity() -> RampOutcome {
    let upper = self.upper ?? lower
    let bad = steps.filter(\.isOverload)
    let delivered = bad.map(\.deliveredRate).filter { $0 > 0 }.sorted()
    let median = delivered.isEmpty ? 0 : delivered[delivered.count / 2]
    let (least, most) = (min(lower, upper), max(lower, upper))
    let isPlausible = median >= least / configuration.precision && median <= most * configuration.precision
    let delay = bad.map(\.mostDelay).max() ?? .zero
    let loss = bad.min { $0.sentRate < $1.sentRate }?.loss ?? 0
    return .capacity(
      rate: isPlausible ? median : (lower + upper) / 2, margin: (most - least) / 2, delay: delay, loss: loss)
  }

  private mutating func begin(_ rate: Double, at now: Instant) {
    step = RampStep(rate: rate, begin: now)
    account.open()
    phase = .sending(until: now + configuration.stepDuration)
  }

  private mutating func finish(_ outcome: RampOutcome) {
    self.outcome = outcome
    phase = .done
  }
}

/// What a ramp found; rates are in bits a second with RTP, UDP and IPv4 headers.
public enum RampOutcome: Equatable, Sendable {
  /// The capacity within a margin; the delay that the queue added when it was overloaded, and the loss just above.
  case capacity(rate: Double, margin: Double, delay: Interval, loss: Double)
  /// No limit was met up to the highest rate tried.
  case atLeast(rate: Double)
  /// Even the lowest rate tried was too much.
  case below(rate: Double)
  /// This host couldn't send faster, so nothing is known of the path above.
  case hostLimit(rate: Double)
  /// The far end stopped telling what arrives.
  case noFeedback
}
