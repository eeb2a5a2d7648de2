public import Timeline

/// What became of one stream's packets after they arrived, and of the media that was due; filled by the receiver.
public struct PlayoutStatistics: Hashable, Sendable {
  /// Packets played out in time.
  public var played = 0
  /// Packets that arrived after their place in the playout was over.
  public var late = 0
  /// Packets never played whose media was rebuilt from others (in-band FEC, redundancy).
  public var recovered = 0
  /// Packets never played whose media was concealed or left silent.
  public var concealed = 0
  /// Unique packets thrown away before playout, by reason.
  public var discarded = DiscardCounts()
  /// Unique packets that wait in the buffer.
  public var stillBuffered = 0

  /// How much media was played from packets.
  public var playedDuration = Interval.zero
  /// How much media was concealed.
  public var concealedDuration = Interval.zero
  /// How much media was rebuilt.
  public var recoveredDuration = Interval.zero
  /// How much of the time the sender was silent on purpose (discontinuous transmission); no loss.
  public var silenceDuration = Interval.zero
  /// By how much playing faster or slower changed the time; positive is longer.
  public var stretchedDuration: Interval { insertedDuration - removedDuration }
  /// How much was inserted into packets' audio to gain time.
  public var insertedDuration = Interval.zero
  /// How much was removed from packets' audio to lose delay.
  public var removedDuration = Interval.zero
  /// How often audio was lengthened or shortened.
  public var stretches = 0
  /// How long there was nothing to play, and the delay grew by it.
  public var stalledDuration = Interval.zero
  /// How often there was nothing to play although the sender hadn't paused.
  public var underruns = 0
  /// The sum over all media played of the time that it waited in the buffer, in seconds times seconds of media.
  public var waited = 0.0
  /// The sum over all media played of the target delay, in seconds times seconds of media.
  public var targeted = 0.0

  /// The buffer's level in milliseconds, looked at each time something is played.
  public var bufferLevel = RunningExtent()
  /// The delay that the buffer aims at.
  public var target = Interval.zero

  /// Starts with nothing played.
  public init() {}
}
