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
  /// Pipes that were looked into.
  private var pipes: [String: OpenInput] = [:]

  /// Audio alone.
  init(audio files: [String]) {
    audio = files
    media = [.audio]
  }

  /// Looks at what the options name.
  init(_ options: SendOptions) throws(CommandError) {
    if let spec = options.synthetic {
      media = [spec.isVideo ? .syntheticVideo : .syntheticAudio]
      return
    }
    for file in options.files { try look(at: file, options) }
    if !audio.isEmpty { media.append(.audio) }
    if let opening { media.append(.video(opening.encoding)) }
    try check(options)
  }

  /// What was asked for and means nothing for what there is.
  private func check(_ options: SendOptions) throws(CommandError) {
    // What should have been video by its name, and can't be read, gets a sentence of its own.
    let isAudio = opening == nil && !audio.contains { VideoEncoding(suffixOf: $0) != nil }
    if options.frameRate != nil, isAudio || opening?.encoding == .mpegTS {
      throw .usage("--fps tells the frames a second of H.264 or VP8, and no input holds any: leave it out")
    }
    if isAudio, options.mtu != nil || options.pacing != nil {
      let name = options.mtu != nil ? "--mtu" : "--pacing"
      throw .usage("\(name) says how frames of video are cut and sent, and no input holds any: leave it out")
    }
    if opening == nil, options.videoFormat != nil, !options.files.contains("-") {
      throw .usage("--format tells what a video is, and every input tells by itself: leave it out")
    }
    if opening != nil, audio.isEmpty, let name = options.encoderOption {
      throw .usage("\(name) is for audio that is encoded, and video is sent as it is: leave it out")
    }
  }

  /// Finds out what a file is; one that can't be read is left to the reader of audio, which says why.
  private mutating func look(at file: String, _ options: SendOptions) throws(CommandError) {
    guard options.raw == nil, let input = try Self.opened(file, options) else { return audio.append(file) }
    let isSeekable = input.isSeekable
    if let told = options.videoFormat, !options.files.contains("-"), let found = input.format.video, found != told {
      throw .usage("\(file) is \(found.name) by its bytes, and --format says \(told.name): leave --format out")
    }
    guard let encoding = Self.encoding(of: file, input.format, options) else {
      audio.append(file)
      if !isSeekable { pipes[file] = OpenInput(input) }
      return
    }
    video.append(file)
    if let opening, opening.encoding != encoding {
      throw .usage(
        "\(video[0]) is \(opening.encoding.name) and \(file) is \(encoding.name), and one stream has one of them: send "
          + "each by a command of its own")
    }
    if opening == nil {
      do throws(MediaError) {
        opening = VideoOpening(try Self.video(input, as: encoding, options), file: file)
      } catch { throw CommandError(error.description) }
    } else if !isSeekable {
      pipes[file] = OpenInput(input)
    }
  }

  /// What video a file holds: what standard input is has to be believed; nil for audio.
  private static func encoding(of file: String, _ format: MediaInput.Format, _ options: SendOptions) -> VideoEncoding? {
    if file == "-", let told = options.videoFormat { return told }
    if let video = format.video { return video }
    guard format == .other else { return nil }
    if !options.files.contains("-"), let told = options.videoFormat { return told }
    return VideoEncoding(suffixOf: file)
  }

  /// Opens a file; nil for one that can't be read, unless it is known that it should have been video.
  private static func opened(_ file: String, _ options: SendOptions) throws(CommandError) -> MediaInput? {
    do throws(MediaError) {
      return try MediaInput(path: file)
    } catch {
      guard error == .empty(path: file), encoding(of: file, .other, options) != nil else { return nil }
      throw CommandError(MediaError.notVideo(path: file, detail: "it is empty").description)
    }
  }

  private static func video(
    _ input: consuming MediaInput, as encoding: VideoEncoding, _ options: SendOptions
  ) throws(MediaError) -> VideoSource {
    try input.videoSource(as: encoding, frameRate: options.frameRate)
  }

  /// A file or pipe, opened anew unless it lies open.
  func open(_ file: String) throws(MediaError) -> MediaInput {
    if let input = pipes[file]?.take() { return input }
    return try MediaInput(path: file)
  }

  /// The video of a file, which may lie open already.
  func openVideo(_ file: String, _ options: SendOptions) throws(MediaError) -> VideoSource {
    if let source = opening?.take(file) { return source }
    let input = try open(file)
    let encoding = Self.encoding(of: file, input.format, options)
    return try Self.video(input, as: encoding ?? .h264, options)
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
