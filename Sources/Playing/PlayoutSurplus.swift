/// What a listener behind a pipe has in hand beyond the buffer's delay, after that became shorter.
///
/// A longer delay puts silence in, so that the listener waits. A shorter one can't take it back from a player that has it
/// already; but what comes next may be left out where nobody hears it: in pauses.
public struct PlayoutSurplus: Sendable {
  /// Samples up to this are taken for a pause: -60 dB of full scale.
  static let quiet: Int16 = 32

  /// Frames still to be left out.
  public private(set) var frames: Int64 = 0

  /// Begins with nothing to take back.
  public init() {}

  /// The delay has changed by so many frames; returns the silence to put in.
  public mutating func change(by change: Int64) -> Int64 {
    guard change > 0 else {
      frames -= change
      return 0
    }
    let balanced = min(change, frames)
    frames -= balanced
    return change - balanced
  }

  /// Silence is about to be written; returns how many of its frames to leave out.
  public mutating func take(ofSilence available: Int64) -> Int64 {
    let taken = min(max(available, 0), frames)
    frames -= taken
    return taken
  }

  /// Samples are about to be written; returns how many frames at their beginning to leave out, which is none where they
  /// can be heard.
  public mutating func take(of samples: Span<Int16>, channels: Int) -> Int {
    guard frames > 0 else { return 0 }
    for index in samples.indices where samples[index].magnitude > Self.quiet.magnitude { return 0 }
    return Int(take(ofSilence: Int64(samples.count / max(channels, 1))))
  }
}
