public import Timeline

/// Samples from any input that isn't Ogg Opus, at the rate of the input: one or two interleaved channels.
///
/// ``MediaInput`` makes it. It knows nothing of codecs: the command pushes what it reads into an encoder.
public struct AudioSource: ~Copyable {
  /// The name as the person gave it, for messages.
  public let name: String
  /// Frames a second, within ``rates``.
  public let sampleRate: Int
  /// The channels that ``read(frames:into:)`` gives: 1 or 2.
  public let channels: Int
  /// The whole length in frames, or nil when the input doesn't tell, as a live one can't.
  public let frames: Int64?
  /// For an input that is read as it comes: what to wait for with `poll(2)` before a read that mustn't block.
  public let liveDescriptor: CInt?

  /// One of the two is there; an enum of values that can't be copied couldn't be changed in place.
  private var file: SoundFileReader?
  private var raw: RawPCMReader?

  /// The sample rates in Hz that are read.
  public static let rates = 1_000...768_000

  init(_ file: consuming SoundFileReader) {
    name = file.name
    sampleRate = file.sampleRate
    channels = file.channels
    frames = file.frames
    liveDescriptor = nil
    self.file = consume file
    raw = nil
  }

  init(_ raw: consuming RawPCMReader) {
    name = raw.name
    sampleRate = raw.format.rate
    channels = raw.channels
    frames = raw.framesLeft
    liveDescriptor = raw.descriptor
    file = nil
    self.raw = consume raw
  }

  /// How long the whole of it is, where that is known.
  public var duration: Interval? { frames.map { Interval(units: $0, rate: UInt32(sampleRate)) } }

  /// Appends up to `frames` frames to `output`, interleaved, nominally within ±1; returns how many.
  ///
  /// It may be fewer than asked for, as a live input has them, and 0 only at the end. Throws
  /// ``MediaError/damaged(path:detail:)`` once, after the last whole frame, when the input is broken or cut short;
  /// after that it returns 0.
  public mutating func read(frames: Int, into output: inout [Float]) throws(MediaError) -> Int {
    if file != nil { return try file?.read(into: &output, frames: frames) ?? 0 }
    return try raw?.read(into: &output, frames: frames) ?? 0
  }

  /// Passes over a length of time from the beginning, for `--start`; returns what was passed over, less at the end.
  ///
  /// In a file it is a jump, in a pipe reading.
  public mutating func skip(_ time: Interval) throws(MediaError) -> Interval {
    let wanted = max(0, time.units(rate: UInt32(sampleRate)))
    if file != nil, let frames {
      try file?.seek(toFrame: wanted)
      return Interval(units: min(wanted, frames), rate: UInt32(sampleRate))
    }
    var skipped: Int64 = 0
    var passed: [Float] = []
    while skipped < wanted {
      passed.removeAll(keepingCapacity: true)
      let count = try read(frames: Int(min(wanted - skipped, 16_384)), into: &passed)
      if count == 0 { break }
      skipped += Int64(count)
    }
    return Interval(units: skipped, rate: UInt32(sampleRate))
  }

  // MARK: - What is refused

  static var rateWords: String { "\(rates.lowerBound) to \(rates.upperBound) Hz" }

  static func channelWords(_ channels: Int) -> String {
    "it has \(channels) channels, and 1 to \(StereoDownmix.maximumChannels) can be played"
  }

  /// Why an input of this rate and these channels isn't read, or nil when it is.
  static func problem(rate: Int, channels: Int) -> String? {
    if !rates.contains(rate) { return "its sample rate is \(rate) Hz, and \(rateWords) is what can be converted" }
    if !(1...StereoDownmix.maximumChannels).contains(channels) { return channelWords(channels) }
    return nil
  }
}
