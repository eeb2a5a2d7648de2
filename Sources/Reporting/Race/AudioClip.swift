public import Timeline

/// A piece of what a lane's listener heard, fit to be played in a page.
public struct AudioClip: Sendable {
  /// A stretch in which it isn't the sender's sound.
  public struct Gap: Hashable, Sendable {
    /// When it begins, since the clip's beginning.
    public var start: Interval
    /// How long it is.
    public var duration: Interval
    /// What was the matter: `.lost` and `.late` were concealed or waited for, `.recovered` was rebuilt.
    public var fate: LaneFate

    /// Describes a gap.
    public init(start: Interval, duration: Interval, fate: LaneFate) {
      self.start = start
      self.duration = duration
      self.fate = fate
    }
  }

  /// What it is: "the whole", "the worst moment".
  public var title: String
  /// Where it begins in the media.
  public var start: Interval
  /// How long it is.
  public var duration: Interval
  /// Where it isn't the sender's sound.
  public var gaps: [Gap] = []
  /// The sound as an Ogg Opus file; nil where there is none.
  public var oggOpus: [UInt8]?
  /// The sound as a WAV file; nil where there is none.
  public var wav: [UInt8]?
  /// The least and greatest sample, from -1 to 1, of equal pieces of the clip; 300 to 1,000 of them do.
  public var envelope: [ClosedRange<Float>] = []

  /// Starts a clip without sound.
  public init(title: String, start: Interval, duration: Interval) {
    self.title = title
    self.start = start
    self.duration = duration
  }

  /// The envelope of samples that are interleaved by channel, in at most `pieces` pieces.
  ///
  /// Samples beyond full scale are cut, those that are no number count as silence.
  public static func envelope(of samples: [Float], pieces: Int = 600) -> [ClosedRange<Float>] {
    let count = min(max(pieces, 1), samples.count)
    return (0..<count).map { piece in
      let (from, to) = (samples.count * piece / count, samples.count * (piece + 1) / count)
      var (least, most): (Float, Float) = (1, -1)
      for sample in samples[from..<to] {
        let value = sample.isNaN ? 0 : min(max(sample, -1), 1)
        (least, most) = (min(least, value), max(most, value))
      }
      return least...most
    }
  }
}
