import Packets
public import Timeline

/// The prober's side of the handshake: asks for a token, gives it back, and keeps the session alive.
///
/// - Inputs: `handle`.
/// - Outputs: `poll`, at `nextWake` and after each input, until it returns nil; `goodbye`, at the end.
public struct ReflectionClient: Sendable {
  /// Where the handshake stands.
  public enum State: Equatable, Sendable {
    /// No challenge has come.
    case asking
    /// The token is on its way back.
    case proving
    /// The far end does as it was asked.
    case accepted
    /// The far end won't.
    case refused(ProbeAnswer)
    /// The far end never answered.
    case unanswered
  }

  /// Requests and proofs are repeated after this long.
  static let retryInterval = Interval.milliseconds(300)
  /// An accepted session is renewed after this long.
  static let renewalInterval = Interval.seconds(2)
  /// A far end that hasn't answered for this long won't.
  public static let patience = Interval.seconds(6)

  /// Where the handshake stands.
  public private(set) var state = State.asking
  /// The last feedback.
  public private(set) var feedback: ProbeFeedback?
  /// When that came.
  public private(set) var feedbackArrival: Instant?
  /// When to call `poll` again; nil when there is nothing to say any more.
  public private(set) var nextWake: Instant?

  private let wish: ProbeWish
  private let ssrc: UInt32
  private let cname: String
  private let nonce: UInt64
  private let started: Instant
  private var token: ProbeToken?

  /// Begins to ask at `now`; the generator has to be one for secrets.
  public init(
    _ wish: ProbeWish, ssrc: UInt32, cname: String, at now: Instant, using generator: inout some RandomNumberGenerator
  ) {
    self.wish = wish
    self.ssrc = ssrc
    self.cname = cname
    nonce = generator.next()
    started = now
    nextWake = now
  }

  /// Takes in RTCP from the far end's media port; returns whether it was a message of this protocol.
  public mutating func handle(_ datagram: RawSpan, at now: Instant) -> Bool {
    guard let message = ProbeMessage(parsing: datagram) else { return false }
    switch message {
    case .challenge(let nonce, let token):
      guard nonce == self.nonce, state == .asking else { return true }
      self.token = token
      state = .proving
      nextWake = now
    case .answer(let answer): take(answer, at: now)
    case .feedback(let feedback):
      if state == .accepted || state == .proving {
        self.feedback = feedback
        feedbackArrival = now
      }
    case .request, .proof: break
    }
    return true
  }

  /// Writes the goodbye of whoever has asked for something, and falls silent; nil when there is nothing to end.
  public mutating func goodbye(into bytes: inout MutableSpan<UInt8>) -> Int? {
    nextWake = nil
    guard token != nil else { return nil }
    var writer = CompoundWriter()
    guard writer.receiverReport(ssrc: ssrc, into: &bytes),
      writer.sourceDescription(ssrc: ssrc, cname: cname.utf8, into: &bytes),
      writer.goodbye(ssrc: ssrc, into: &bytes)
    else { return nil }
    return writer.count
  }

  /// Writes the next message that is due; nil when none is.
  public mutating func poll(into bytes: inout MutableSpan<UInt8>, at now: Instant) -> Int? {
    guard let due = nextWake, due <= now else { return nil }
    switch state {
    case .asking:
      guard now - started < Self.patience else { return giveUp() }
      nextWake = now + Self.retryInterval
      return ProbeMessage.request(nonce: nonce).write(ssrc: ssrc, cname: cname, into: &bytes)
    case .proving, .accepted:
      guard let token, state == .accepted || now - started < Self.patience * 2 else { return giveUp() }
      nextWake = now + (state == .accepted ? Self.renewalInterval : Self.retryInterval)
      return ProbeMessage.proof(token, wish).write(ssrc: ssrc, cname: cname, into: &bytes)
    case .refused, .unanswered:
      nextWake = nil
      return nil
    }
  }

  private mutating func giveUp() -> Int? {
    state = .unanswered
    nextWake = nil
    return nil
  }

  private mutating func take(_ answer: ProbeAnswer, at now: Instant) {
    guard state == .proving else { return }
    switch answer {
    case .accepted:
      state = .accepted
      nextWake = now + Self.renewalInterval
    case .unknownToken:
      // It was too old, or had to make room: ask for another.
      token = nil
      state = .asking
      nextWake = now + Self.retryInterval
    case .busy, .tooFast:
      state = .refused(answer)
      nextWake = nil
    }
  }
}
