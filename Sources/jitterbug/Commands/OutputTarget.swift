import Packets

/// A file or pipe that `--output` names, and what is written into it.
struct OutputTarget: Equatable, Sendable {
  /// What is written: audio in a format, or the frames of an encoding of video.
  enum Content: Equatable, Sendable {
    case audio(ReceiveOptions.Format)
    case video(VideoEncoding)

    /// What a file's suffix names; nil for one that says nothing.
    init?(suffixOf path: String) {
      guard path != "-", let suffix = path.split(separator: ".").last?.lowercased() else { return nil }
      switch suffix {
      case "wav": self = .audio(.wav)
      case "opus", "ogg", "oga": self = .audio(.opus)
      case "raw", "pcm", "s16": self = .audio(.raw)
      case "h264", "264", "avc": self = .video(.h264)
      case "ivf": self = .video(.vp8)
      case "ts", "m2t": self = .video(.mpegTS)
      default: return nil
      }
    }

    /// Whether it is video.
    var isVideo: Bool { if case .video = self { true } else { false } }

    /// What people call it.
    var name: String {
      switch self {
      case .audio(let format): format.rawValue
      case .video(let encoding): encoding.name
      }
    }

    /// The format of streams that go into it, whose payload type nothing else explains.
    var implied: PayloadFormat {
      switch self {
      case .audio: .opus
      case .video(let encoding): encoding.format
      }
    }

    /// Whether a stream of this format can be written.
    func takes(_ format: PayloadFormat) -> Bool {
      switch self {
      case .audio: format == .opus
      case .video(let encoding): VideoEncoding(format) == encoding
      }
    }
  }

  var path: String
  var content: Content

  /// Why a stream of this format can't be written into it, and what to do.
  func refusal(of format: PayloadFormat) -> String {
    let kind = if case .video(let encoding) = content { encoding.name } else { "audio" }
    let remedy = VideoEncoding(format).map { "write it to seen.\($0.suffix)" } ?? "leave out --output to measure it"
    return "the stream is \(format), which can't be written as \(kind): \(remedy), or name what it is with --format"
  }
}

extension VideoEncoding {
  /// The suffix of files that hold nothing else.
  var suffix: String {
    switch self {
    case .h264: "h264"
    case .vp8: "ivf"
    case .mpegTS: "ts"
    }
  }

  /// What people call it.
  var name: String {
    switch self {
    case .h264: "H.264"
    case .vp8: "VP8"
    case .mpegTS: "a transport stream"
    }
  }
}

extension ReceiveOptions {
  /// What is written: each as asked for with `--output-format`, else by the file's suffix, else raw samples for standard
  /// output.
  ///
  /// Where there are several outputs `--output-format` is for those whose names say nothing.
  func targets() throws(UsageError) -> [OutputTarget] {
    var targets: [OutputTarget] = []
    for path in outputFiles {
      let named = OutputTarget.Content(suffixOf: path)
      let asked = outputFiles.count == 1 ? outputFormat ?? named : named ?? outputFormat
      guard let content = asked ?? (path == "-" ? .audio(.raw) : nil) else {
        throw UsageError(
          "\(path) has no suffix that names a format: call it FILE.wav, FILE.opus or FILE.raw, or add --output-format; "
            + "video goes into FILE.h264, FILE.ivf or FILE.ts")
      }
      targets.append(OutputTarget(path: path, content: content))
    }
    guard targets.count <= 2, targets.count(where: { $0.content.isVideo }) <= 1,
      targets.count(where: { !$0.content.isVideo }) <= 1
    else {
      throw UsageError(
        "--output is given once for audio and once for video, but here it is "
          + targets.map { "\($0.path) (\($0.content.isVideo ? "video" : "audio"))" }.joined(separator: ", ")
          + ": leave out one of a kind")
    }
    return targets
  }

  /// What contradicts the outputs.
  func check(_ targets: [OutputTarget]) throws(UsageError) {
    try checkOutputFormat()
    guard let first = targets.first else { return }
    if hasChannels, targets.allSatisfy(\.content.isVideo) {
      throw UsageError("--channels is for audio, and only video is written: leave it out")
    }
    // A transport stream has a payload type of its own, of which --format says nothing.
    if let format, !targets.contains(where: { $0.content.takes(format) || $0.content == .video(.mpegTS) }) {
      let remedy = VideoEncoding(format).map { "write it to seen.\($0.suffix)" } ?? "leave out --output to measure it"
      throw UsageError(
        "--format says that the stream is \(format), which can't be written to \(first.path): \(remedy), or leave "
          + "--format out")
    }
  }

  private func checkOutputFormat() throws(UsageError) {
    guard let asked = outputFormat else { return }
    guard let path = outputFiles.first else {
      throw UsageError("--output-format says what --output is written as, and there is no --output: add --output FILE")
    }
    let named = outputFiles.map { OutputTarget.Content(suffixOf: $0) }
    if named.count > 1, !named.contains(nil) {
      throw UsageError(
        "--output-format is for an output whose name says nothing, and every name here has a suffix: leave it out")
    }
    // Of audio a suffix may be anybody's own.
    if named.count == 1, let suffix = named[0], suffix != asked, suffix.isVideo || asked.isVideo {
      throw UsageError(
        "\(path) is \(suffix.name) by its suffix, and --output-format says \(asked.name): leave --output-format out, or "
          + "name another file")
    }
  }
}
