import Media
import Packets

/// What there is to send: the media, found out by looking at the files before anything is configured.
struct SendInputs: Sendable {
  /// The files with audio, in order.
  private(set) var audio: [String] = []
  /// What is sent, in the order of ports.
  private(set) var media: [SentMedia] = []

  init(_ options: SendOptions) throws(CommandError) {
    if let spec = options.synthetic {
      media = [spec.isVideo ? .syntheticVideo : .syntheticAudio]
      return
    }
    audio = options.files
    media = [.audio]
  }

  /// What the session description says of each stream's decoding (`a=fmtp`).
  var parameters: [String?] { media.map { $0 == .audio ? "sprop-stereo=1" : nil } }
}
