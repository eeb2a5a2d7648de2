import Media
import Packets

/// What there is to send: the media, found out by looking at the files before anything is configured.
struct SendInputs: Sendable {
  /// The files with audio, in order.
  private(set) var audio: [String] = []
  /// The files with video, in order.
  private(set) var video: [String] = []
  /// What is sent, in the order of ports: audio, then video.
  private(set) var media: [SentMedia] = []
  /// The first file with video.
  private(set) var opening: VideoOpening?

  /// Audio alone.
  init(audio files: [String]) {
    audio = files
    media = [.audio]
  }

  init(_ options: SendOptions) throws(CommandError) {
    if let spec = options.synthetic {
      media = [spec.isVideo ? .syntheticVideo : .syntheticAudio]
      return
    }
    for file in options.files {
      if Self.isVideo(file, options) { video.append(file) } else { audio.append(file) }
    }
    if !audio.isEmpty { media.append(.audio) }
    if let first = video.first {
      let opening: VideoOpening
      do throws(MediaError) {
        opening = VideoOpening(try VideoOpening.open(first, options), file: first, options: options)
      } catch { throw CommandError(error.description) }
      self.opening = opening
      media.append(.video(opening.encoding))
    }
  }

  /// Whether a file is one with video; one that can't be read is left to the reader of audio, which says why.
  private static func isVideo(_ file: String, _ options: SendOptions) -> Bool {
    if file == "-" { return options.videoFormat != nil }
    return file.hasSuffix(".h264") || file.hasSuffix(".264")
  }

  /// What the session description says of each stream's decoding (`a=fmtp`).
  var parameters: [String?] {
    media.map { media in
      switch media {
      case .audio: "sprop-stereo=1"
      case .video(.h264): H264Format(parameterSets: opening?.parameterSets ?? []).description
      default: nil
      }
    }
  }
}
