import Media
import Packets

/// The first file or pipe of a video, opened ahead: what it holds is needed before anything is sent, and a pipe can be
/// opened only once.
///
/// One thread opens it and another one takes it over when the first is done with it.
final class VideoOpening: @unchecked Sendable {
  let encoding: VideoEncoding
  /// What decoding needs besides the frames: the parameter sets of H.264.
  let parameterSets: [[UInt8]]
  private let file: String
  private let options: SendOptions
  private var source: VideoSource?

  init(_ opened: consuming VideoSource, file: String, options: SendOptions) {
    encoding = opened.encoding
    parameterSets = opened.parameterSets
    self.file = file
    self.options = options
    source = consume opened
  }

  /// The source of a file: the one that lies open, or a new one.
  func take(_ file: String) throws(MediaError) -> VideoSource {
    if file == self.file, let opened = source.take() { return opened }
    return try Self.open(file, options)
  }

  /// Opens a file or standard input as video.
  static func open(_ file: String, _ options: SendOptions) throws(MediaError) -> VideoSource {
    try VideoSource(AnnexBReader(path: file, frameRate: options.frameRate))
  }
}

// Until `Media` has it.
struct VideoSource: ~Copyable {
  private var reader: AnnexBReader
  init(_ reader: consuming AnnexBReader) { self.reader = reader }
  let encoding = VideoEncoding.h264
  var parameterSets: [[UInt8]] { reader.parameterSets.units }
  mutating func next() throws(MediaError) -> VideoFrame? { try reader.next() }
}
