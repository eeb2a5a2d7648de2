import Media
import Packets

/// An input that lies open already: a pipe can be opened only once.
///
/// One thread opens it, and another one takes it over when the first is done with it.
final class OpenInput: @unchecked Sendable {
  private var input: MediaInput?

  init(_ input: consuming MediaInput) { self.input = consume input }

  /// The input, the first time.
  func take() -> MediaInput? { input.take() }
}

/// The first video, opened ahead: what it holds is needed before anything is sent.
///
/// Like an ``OpenInput`` it is handed from one thread to another.
final class VideoOpening: @unchecked Sendable {
  let encoding: VideoEncoding
  /// What decoding needs besides the frames: the parameter sets of H.264.
  let parameterSets: [[UInt8]]
  /// Whether nobody says how many frames a second there are.
  let isRateAssumed: Bool
  /// Whether it is read as it comes.
  let isLive: Bool
  private let file: String
  private var source: VideoSource?

  init(_ opened: consuming VideoSource, file: String) {
    encoding = opened.encoding
    parameterSets = opened.parameterSets?.units ?? []
    isRateAssumed = opened.rateOrigin == .assumed
    isLive = opened.liveDescriptor != nil
    self.file = file
    source = consume opened
  }

  /// The video of this file, the first time.
  func take(_ file: String) -> VideoSource? { file == self.file ? source.take() : nil }
}

extension VideoEncoding {
  /// The video that a file's name promises, for files that don't look like what they are called; nil for other names.
  init?(suffixOf name: String) {
    let parts = name.split(separator: "/").last?.split(separator: ".") ?? []
    guard parts.count > 1 else { return nil }
    switch parts.last?.lowercased() {
    case "h264", "264", "avc": self = .h264
    case "ivf": self = .vp8
    case "ts", "mts", "m2ts": self = .mpegTS
    default: return nil
    }
  }
}
