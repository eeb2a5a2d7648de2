/// What a player would like to become of a piece of decoded audio.
public enum StretchWish: Equatable, Sendable {
  /// Play it as it is, bit for bit.
  case keep
  /// Take out at most so many units (samples of one channel).
  case shrink(atMost: Int)
  /// Put in at most so many units.
  case expand(atMost: Int)
}

/// How much a stretch matters, against how it sounds.
public enum StretchUrgency: Equatable, Sendable {
  /// One splice at most, and only where it can't be heard; there will be another frame.
  case calm
  /// As many splices as it takes to come near to what is asked, at lower likeness: better than a gap.
  case urgent
}

/// What is in the audio, as far as the player knows.
public enum StretchContent: Equatable, Sendable {
  /// One voice: its pitch period is 2.5 to 15 ms.
  case speech
  /// Many voices at once: lags up to 20 ms, so that there is one that fits them all, longer cross-fades, and a rest
  /// after each splice.
  case music
}

/// The constants of a stretcher; docs/time-stretching.md says where each comes from.
struct StretchTuning: Sendable {
  /// The shortest and the longest lag, in milliseconds.
  var shortestLag = 2.5
  var longestLag = 15.0
  /// How long a cross-fade is where the frame has room, in blocks of about 1 ms.
  var fadeBlocks = 5
  /// How long it may become when there is more room.
  var longestFade = 10
  /// How much before the cross-fade has to be alike as well, in blocks, and how much it weighs.
  var contextBlocks = 5
  var contextWeight: Float = 0.5
  /// The least likeness (1: the same) that is accepted.
  var calmLikeness: Float = 0.97
  var urgentLikeness: Float = 0.5
  /// Energy below this part of the recent loudness hardly counts as unlike.
  var masking: Float = 0.003
  /// How much likeness a splice of the longest lag may lack against one that moves nothing.
  var lengthBonus: Float = 0.1
  /// How much more for a lag that is exactly what is preferred.
  var preferenceBonus: Float = 0.02
  /// Below this part of the recent loudness (energy), everything is silence.
  var silence: Float = 0.0003
  /// Milliseconds after a calm splice in which no other is made.
  var rest = 0.0

  static let speech = StretchTuning()
  static let music: StretchTuning = {
    var tuning = StretchTuning()
    tuning.longestLag = 20
    tuning.calmLikeness = 0.85
    tuning.longestFade = 12
    tuning.lengthBonus = 0.3
    tuning.rest = 40
    return tuning
  }()
}
