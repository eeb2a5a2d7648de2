public import Timeline

/// What became of one stream's packets after they arrived, and of the media that was due; filled by the receiver.
public struct PlayoutStatistics: Hashable, Sendable {
  /// Who made audio of the packets, and so, what the figures of stretching are about.
  public enum Listener: String, Sendable {
    /// They were decoded, stretched and resampled: each figure is of samples that were made.
    case decoded
    /// They were written as they are: nothing is stretched.
    case packets
    /// Nobody: each change of length that the buffer asked for is taken for done.
    case assumed
  }

  /// Who made audio of the packets.
  public var listener = Listener.assumed
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
  /// How many of these times the next packet came late and was played, and the delay grew.
  public var stalls = 0
  /// How often the delay came back to the target after that, and how long that took in all.
  public var recoveries = 0
  /// How long the delay took in all to come back to the target.
  public var recoveringDuration = Interval.zero
  /// By what share audio is made longer just now, because the sender's clock isn't ours.
  public var driftCorrection = 0.0
  /// The part of it that isn't for the clock, but brings the delay to where a drift needs it.
  public var driftLift = 0.0
  /// How long a packet waited in the buffer on average, in seconds; nil when none was played.
  public var meanWait: Double?
  /// What came out of the buffer, in samples; nil for media that isn't continuous audio.
  public var samples: PlayoutSamples?
  /// How the delay follows the network; nil where it is fixed.
  public var adaptation: PlayoutAdaptation?

  /// The buffer's level in milliseconds, looked at each time something is played.
  public var bufferLevel = RunningExtent()
  /// The delay that the buffer aims at.
  public var target = Interval.zero

  /// Unique packets that arrived and weren't played, because they came too late or too early (packetsDiscarded of the
  /// W3C's webrtc-stats).
  public var discardedByBuffer: Int { late + discarded[.bufferFull] + discarded[.stale] }

  /// How much was inserted in each second of media, in milliseconds; 0 before any.
  public var insertedPerSecond: Double { perSecond(insertedDuration) }
  /// How much was removed in each second of media, in milliseconds; 0 before any.
  public var removedPerSecond: Double { perSecond(removedDuration) }

  private func perSecond(_ length: Interval) -> Double {
    let media = playedDuration + concealedDuration + recoveredDuration + silenceDuration
    return media > .zero ? length.milliseconds / media.seconds : 0
  }

  /// Starts with nothing played.
  public init() {}
}
