internal import CSndFile
import Glibc

/// Reads the samples of a sound file by libsndfile: WAV, FLAC, MP3, Ogg Vorbis, AIFF and what else it knows.
///
/// The file must be seekable; ``MediaInput`` sees to that. Mono stays mono; three to eight channels are mixed to two
/// (ITU-R BS.775, scaled so that nothing clips); more are refused.
public struct SoundFileReader: ~Copyable {
  /// The name as the person gave it, for messages.
  public let name: String
  /// Frames a second.
  public let sampleRate: Int
  /// The channels that ``read(into:frames:)`` gives: 1 or 2.
  public let channels: Int
  /// The whole length in frames, or nil when the file doesn't tell.
  public let frames: Int64?

  private let file: OpaquePointer
  private let fileChannels: Int
  private let downmix: StereoDownmix?
  /// Whether ``frames`` is a promise: an MP3's is an estimate.
  private let lengthIsExact: Bool
  private var position: Int64 = 0
  private var hasEnded = false
  private var scratch: [Float] = []

  /// Opens a file that lies open on a descriptor, from the descriptor's offset, and takes the descriptor over.
  init(_ descriptor: consuming InputDescriptor, name: String) throws(MediaError) {
    var info = SF_INFO()
    guard let file = sf_open_fd(descriptor.release(), Int32(SFM_READ), &info, 1) else {
      throw Self.refusal(name: name)
    }
    let map = Self.places(file, channels: Int(info.channels))
    if let problem = AudioSource.problem(rate: Int(info.samplerate), channels: Int(info.channels)) {
      sf_close(file)
      throw .unsupported(path: name, detail: problem)
    }
    self.file = file
    self.name = name
    sampleRate = Int(info.samplerate)
    fileChannels = Int(info.channels)
    channels = min(fileChannels, 2)
    frames = info.frames > 0 && info.frames < Int64.max ? Int64(info.frames) : nil
    downmix = fileChannels > 2 ? map.map { StereoDownmix($0) } : nil
    lengthIsExact = Int(info.format) & SF_FORMAT_TYPEMASK != SF_FORMAT_MPEG
  }

  deinit { sf_close(file) }

  /// Appends up to `frames` frames to `output`, interleaved, nominally within ±1; returns how many, 0 only at the end.
  ///
  /// Throws ``MediaError/damaged(path:detail:)`` once, after the last whole frame, when the file is broken or shorter
  /// than it says; after that it returns 0.
  public mutating func read(into output: inout [Float], frames: Int) throws(MediaError) -> Int {
    guard frames > 0, !hasEnded else { return 0 }
    let wanted = min(frames, 65_536)
    if scratch.count < wanted * fileChannels { scratch = [Float](repeating: 0, count: wanted * fileChannels) }
    let file = file
    let done = scratch.withUnsafeMutableBufferPointer { samples in
      Int(sf_readf_float(file, samples.baseAddress, sf_count_t(wanted)))
    }
    guard done > 0 else {
      hasEnded = true
      try checkEnd()
      return 0
    }
    position += Int64(done)
    let samples = scratch[..<(done * fileChannels)]
    if let downmix { downmix.mix(samples, appendingTo: &output) } else { output.append(contentsOf: samples) }
    return done
  }

  /// Goes to a frame, counted from the beginning; one behind the end is the end.
  public mutating func seek(toFrame frame: Int64) throws(MediaError) {
    let target = max(0, min(frame, frames ?? frame))
    let reached = sf_seek(file, sf_count_t(target), Int32(SEEK_SET))
    guard reached >= 0 else {
      throw .damaged(path: name, detail: "frame \(target) can't be found in it (\(Self.words(file)))")
    }
    position = Int64(reached)
    hasEnded = false
  }

  private func checkEnd() throws(MediaError) {
    if Int(sf_error(file)) != SF_ERR_NO_ERROR {
      throw .damaged(path: name, detail: "after \(seconds(position)) s: \(Self.words(file))")
    }
    if let frames, lengthIsExact, position < frames {
      throw .damaged(path: name, detail: "it ends after \(seconds(position)) s of \(seconds(frames)) s")
    }
  }

  private func seconds(_ frames: Int64) -> String {
    let tenths = frames * 10 / Int64(sampleRate)
    return "\(tenths / 10).\(tenths % 10)"
  }
}

// MARK: - Opening

extension SoundFileReader {
  /// Where the channels belong: as the file says, or in the usual order; nil when there are too many.
  private static func places(_ file: OpaquePointer, channels: Int) -> [StereoDownmix.Place]? {
    guard let usual = StereoDownmix.defaultPlaces(channels: channels) else { return nil }
    var map = [Int32](repeating: 0, count: channels)
    let known = map.withUnsafeMutableBytes { bytes in
      sf_command(file, Int32(SFC_GET_CHANNEL_MAP_INFO), bytes.baseAddress, Int32(bytes.count))
    }
    guard known != 0 else { return usual }
    return map.enumerated().map { index, value in place(value) ?? usual[index] }
  }

  private static func place(_ value: Int32) -> StereoDownmix.Place? {
    switch Int(value) {
    case SF_CHANNEL_MAP_LEFT, SF_CHANNEL_MAP_FRONT_LEFT,
      SF_CHANNEL_MAP_FRONT_LEFT_OF_CENTER:
      .frontLeft
    case SF_CHANNEL_MAP_RIGHT, SF_CHANNEL_MAP_FRONT_RIGHT,
      SF_CHANNEL_MAP_FRONT_RIGHT_OF_CENTER:
      .frontRight
    case SF_CHANNEL_MAP_MONO, SF_CHANNEL_MAP_CENTER, SF_CHANNEL_MAP_FRONT_CENTER,
      SF_CHANNEL_MAP_REAR_CENTER:
      .centre
    case SF_CHANNEL_MAP_REAR_LEFT, SF_CHANNEL_MAP_SIDE_LEFT: .rearLeft
    case SF_CHANNEL_MAP_REAR_RIGHT, SF_CHANNEL_MAP_SIDE_RIGHT: .rearRight
    case SF_CHANNEL_MAP_LFE: .lowFrequency
    default: nil
    }
  }

  /// Why `sf_open_fd` gave nothing.
  private static func refusal(name: String) -> MediaError {
    let words = words(nil)
    switch Int(sf_error(nil)) {
    case SF_ERR_UNRECOGNISED_FORMAT: return .notAudio(path: name, detail: "")
    case SF_ERR_SYSTEM: return .cannotOpen(path: name, reason: words)
    case SF_ERR_MALFORMED_FILE: return .damaged(path: name, detail: words)
    case SF_ERR_UNSUPPORTED_ENCODING: return .unsupported(path: name, detail: words)
    // Its words for a rate or channels of zero or less are those of an error in the program that called it.
    case _ where words.contains("SF_INFO struct incomplete"):
      return .damaged(path: name, detail: "its header gives no possible sample rate or number of channels")
    default: return .notAudio(path: name, detail: words)
    }
  }

  /// What libsndfile says of its last error, without its prefix and full stop.
  private static func words(_ file: OpaquePointer?) -> String {
    guard let text = sf_strerror(file) else { return "unknown error" }
    var words = Substring(String(cString: text))
    for prefix in ["Error : ", "Error: ", "Error in "] where words.hasPrefix(prefix) { words.removeFirst(prefix.count) }
    while let last = words.last, last == "." || last.isWhitespace { words.removeLast() }
    guard let first = words.first else { return "unknown error" }
    // An abbreviation such as WAV stays as it is.
    return words.dropFirst().first?.isUppercase == true ? String(words) : first.lowercased() + words.dropFirst()
  }
}
