public import Timeline

/// A player that waits for what isn't there, as a web player does: nothing is left out, and the delay grows.
///
/// It begins one buffer's length after the first packet has arrived, plays packets in order, each when the one before
/// has ended, and stands still while the next one isn't there. It goes on as soon as it is: a byte stream brings what
/// was held up behind it at once.
public struct WaitingPlayer: Sendable {
  /// A stretch in which it stood still.
  public struct Pause: Hashable, Sendable {
    /// When it began.
    public var at: Instant
    /// How long it took.
    public var length: Interval

    /// Describes a pause.
    public init(at: Instant, length: Interval) {
      self.at = at
      self.length = length
    }
  }

  /// The pauses so far.
  public private(set) var pauses: [Pause] = []
  /// When what has been taken in is over; nil before the first packet.
  public private(set) var end: Instant?

  private let buffer: Interval
  private var mediaEnd = Interval.zero

  /// Starts with nothing.
  public init(buffer: Interval) { self.buffer = buffer }

  /// Takes in the next packet in order, and returns how long the player stands still before it.
  public mutating func take(time: Interval, duration: Interval, arrival: Instant) -> Interval {
    defer { mediaEnd = time + duration }
    guard let end else {
      self.end = arrival + buffer + duration
      return .zero
    }
    // A pause that the sender made isn't the network's.
    let due = end + (time - mediaEnd)
    let begin = max(due, arrival)
    if begin > due { pauses.append(Pause(at: due, length: begin - due)) }
    self.end = begin + duration
    return begin - due
  }
}
