/// The last step before the loudspeaker: stretches what was decoded, and softens the edges where audio breaks off,
/// begins again, or jumps.
///
/// Whoever decodes hands in everything that is heard, in order: packets and concealment by ``take(_:units:wish:urgency:preferred:)``,
/// silence by ``silence(_:units:)``. Audio that is whole and needs no stretching passes bit for bit.
///
/// Before silence, or a jump over media that was given up, ``tailLength(for:)`` says how much more audio is wanted to
/// fade out; that is what the decoder's concealment makes of it.
public struct PlayoutAudio: Sendable {
  /// Where the audio's flow is interrupted.
  public enum Edge: Sendable {
    /// Silence follows.
    case silence
    /// Other audio follows at once: media between was left out.
    case jump
  }

  /// Samples a second of each channel.
  public let sampleRate: Int
  /// Channels, interleaved.
  public let channels: Int
  /// What the audio holds.
  public var content: StretchContent {
    get { stretcher.content }
    set { if newValue != stretcher.content { stretcher.content = newValue } }
  }

  /// How long audio fades out into silence, in milliseconds.
  static let fadeOut = 30
  /// How long the two sides of a jump overlap, in milliseconds.
  static let crossFade = 10
  /// How long audio takes to come back after silence, in milliseconds.
  static let fadeIn = 5
  /// How much of a silence the stretcher sees, in milliseconds: all that its past holds.
  private static let silentPast = 60

  private let join: ConcealmentJoin
  private var stretcher: TimeStretcher
  /// What is still to be heard while it fades out, in samples, and how far that has come, in units.
  private var tail: [Int16]
  private var tailPlace = 0
  private var tailUnits = 0
  /// The fade in: how far it has come, and its length, in units.
  private var rise = 0
  private var riseUnits = 0
  private var isAudible = false

  /// Makes a path for audio of one rate and 1 to 8 channels.
  public init(sampleRate: Int = 48_000, channels: Int = 1) {
    stretcher = TimeStretcher(sampleRate: sampleRate, channels: channels)
    self.sampleRate = stretcher.sampleRate
    join = ConcealmentJoin(sampleRate: stretcher.sampleRate)
    self.channels = stretcher.channels
    tail = [Int16](repeating: 0, count: stretcher.sampleRate * Self.fadeOut / 1000 * stretcher.channels)
  }

  /// Units put in by stretching so far.
  public var inserted: Int { stretcher.inserted }
  /// Units taken out by stretching so far.
  public var removed: Int { stretcher.removed }

  /// Takes the first `units` units of `audio`, which are heard next, and returns by how many units they have become
  /// longer, or shorter when it is negative; what is behind them in `audio` is room.
  public mutating func take(
    _ audio: inout MutableSpan<Int16>, units: Int, wish: StretchWish = .keep, urgency: StretchUrgency = .calm,
    preferred: Int = 0
  ) -> Int {
    let units = min(max(units, 0), audio.count / channels)
    guard units > 0 else { return 0 }
    isAudible = true
    fade(&audio, units: units)
    return stretcher.stretch(&audio, units: units, wish: wish, urgency: urgency, preferred: preferred)
  }

  /// The most units of concealment that ``join(_:units:to:)`` looks at.
  public var longestJoin: Int { join.reach + join.fade }

  /// How many units of concealment are wanted to lead over to audio that was waited for; 0 when nothing can be heard.
  public var joinLength: Int { isAudible ? longestJoin : 0 }

  /// Leads over from concealment to the audio that it stood in for while it was waited for, and returns by how many
  /// units the audio has become longer.
  ///
  /// `continuation` is the concealment that would have come next: as much of it is heard as it takes until it is like
  /// the audio's beginning, up to a period of a low voice; then it fades over. Hand in what became of `audio` with
  /// ``take(_:units:wish:urgency:preferred:)``.
  public func join(_ audio: inout MutableSpan<Int16>, units: Int, to continuation: Span<Int16>) -> Int {
    join.lead(continuation, over: &audio, units: units, channels: channels)
  }

  /// How many units of what would have come next are wanted to fade out with; 0 when nothing can be heard.
  public func tailLength(for edge: Edge) -> Int {
    guard isAudible else { return 0 }
    return (edge == .silence ? Self.fadeOut : Self.crossFade) * sampleRate / 1000
  }

  /// An edge has come: `audio` fades out over what follows, and audio that follows fades in.
  public mutating func end(with audio: Span<Int16>, at edge: Edge) {
    guard isAudible else { return }
    isAudible = false
    tailPlace = 0
    tailUnits = min(audio.count, tail.count) / channels
    for index in 0..<tailUnits * channels { tail[index] = audio[index] }
    rise = 0
    riseUnits = (edge == .silence ? Self.fadeIn : Self.crossFade) * sampleRate / 1000
  }

  /// Leaves `units` units silent, and returns how many of them at the beginning aren't quite: they are in `audio`.
  ///
  /// Give an `audio` with room for at least ``tailLength(for:)``.
  public mutating func silence(_ audio: inout MutableSpan<Int16>, units: Int64) -> Int {
    rise = 0
    riseUnits = Self.fadeIn * sampleRate / 1000
    isAudible = false
    let fading = Int(min(units, Int64(tailUnits - tailPlace), Int64(audio.count / channels)))
    for index in 0..<fading * channels { audio[index] = 0 }
    if fading > 0 {
      addTail(to: &audio, units: fading)
      _ = stretcher.stretch(&audio, units: fading, wish: .keep)
    }
    // Long silence is all the same to the stretcher.
    let rest = Int(min(units - Int64(fading), Int64(Self.silentPast * sampleRate / 1000)))
    if rest > 0 {
      var nothing = [Int16](repeating: 0, count: rest * channels)
      var span = nothing.mutableSpan
      _ = stretcher.stretch(&span, units: rest, wish: .keep)
    }
    return fading
  }

  // MARK: Fades

  private mutating func fade(_ audio: inout MutableSpan<Int16>, units: Int) {
    if rise < riseUnits {
      let count = min(units, riseUnits - rise)
      for unit in 0..<count {
        let weight = Self.step(rise + unit, of: riseUnits)
        for channel in 0..<channels {
          let index = unit * channels + channel
          audio[index] = Int16((Float(audio[index]) * weight).rounded())
        }
      }
      rise += count
    }
    if tailPlace < tailUnits { addTail(to: &audio, units: min(units, tailUnits - tailPlace)) }
  }

  private mutating func addTail(to audio: inout MutableSpan<Int16>, units: Int) {
    for unit in 0..<units {
      let weight = 1 - Self.step(tailPlace + unit, of: tailUnits)
      for channel in 0..<channels {
        let index = unit * channels + channel
        let sum = Float(audio[index]) + Float(tail[(tailPlace + unit) * channels + channel]) * weight
        audio[index] = Int16(min(max(sum.rounded(), -32_768), 32_767))
      }
    }
    tailPlace += units
  }

  /// A smooth step from 0 to 1.
  private static func step(_ place: Int, of length: Int) -> Float {
    let time = Float(place + 1) / Float(length + 1)
    return time * time * (3 - 2 * time)
  }
}
