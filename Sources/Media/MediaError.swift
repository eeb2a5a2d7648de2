/// What can be wrong with a media file or stream that was named for reading or writing.
///
/// Every case carries the name as the person gave it (`-` stands for standard input or output) and, where the system
/// or a library had something to say, its words. `description` is one sentence for people.
public enum MediaError: Error, Equatable, Sendable {
  /// The input couldn't be opened, or reading it failed; `reason` is the system's, e.g. "No such file or directory".
  case cannotOpen(path: String, reason: String)
  /// A directory was named where a file is needed.
  case isDirectory(path: String)
  /// The input holds not a single byte.
  case empty(path: String)
  /// The input is none of the accepted formats; `detail` says what was seen, or is empty.
  case notAudio(path: String, detail: String)
  /// The input is no video of an accepted format; `detail` says what was seen, or is empty.
  case notVideo(path: String, detail: String)
  /// The input is of an accepted format but broken; `detail` says where and how, e.g. "ends inside an Ogg page".
  case damaged(path: String, detail: String)
  /// The input is of an accepted format but broken at its beginning, so that nothing of it can be used.
  case unusable(path: String, detail: String)
  /// The input is well-formed but uses something this program doesn't play; `detail` names it.
  case unsupported(path: String, detail: String)
  /// The output couldn't be created or written; `reason` is the system's, e.g. "No space left on device".
  case cannotWrite(path: String, reason: String)
}

extension MediaError {
  /// The same, said of an input of which nothing has been used.
  var atBeginning: MediaError {
    guard case .damaged(let path, let detail) = self else { return self }
    return .unusable(path: path, detail: detail)
  }
}

extension MediaError: CustomStringConvertible {
  /// One sentence that names what was given, what is accepted and what to do next.
  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "cannot read \(Self.quoted(path)): \(reason); name a file that exists and that you may read, or - for "
        + "standard input"
    case .isDirectory(let path):
      "\(Self.quoted(path)) is a directory; name a file inside it"
    case .empty(let path):
      "\(Self.quoted(path)) is empty; give \(Self.accepted)"
    case .notAudio(let path, _) where Self.isFilm(path):
      "\(Self.quoted(path)) is a film in a container that isn't read; take its video out with "
        + "ffmpeg -i INPUT -an -c:v copy OUTPUT.h264, or with OUTPUT.ts or, for VP8, OUTPUT.ivf"
    case .notAudio(let path, let detail):
      "\(Self.quoted(path)) is not audio that can be read\(detail.isEmpty ? "" : " (\(detail))"); give "
        + "\(Self.accepted)"
    case .notVideo(let path, let detail):
      "\(Self.quoted(path)) is not video that can be sent\(detail.isEmpty ? "" : " (\(detail))"); give H.264 with start "
        + "codes as ffmpeg -i INPUT -an -c:v libx264 OUTPUT.h264 makes it, VP8 in IVF, or an MPEG transport stream"
    case .damaged(let path, let detail):
      "\(Self.quoted(path)) is damaged: \(detail); what is whole was used, make or fetch the file again for the rest"
    case .unusable(let path, let detail):
      "\(Self.quoted(path)) is damaged: \(detail); nothing of it can be used, make or fetch the file again"
    case .unsupported(let path, let detail):
      "\(Self.quoted(path)) cannot be played: \(detail); convert it first, for example with "
        + "ffmpeg -i INPUT -ac 2 -ar 48000 OUTPUT.wav"
    case .cannotWrite(let path, let reason):
      "cannot write \(Self.quoted(path, standard: "output")): \(reason); name a file in a "
        + "directory that you may write to and that has room"
    }
  }

  /// Whether the name is that of a container of video which people have on their disks.
  private static func isFilm(_ path: String) -> Bool {
    let name = path.lowercased()
    return [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"].contains { name.hasSuffix($0) }
  }

  private static let accepted = "an Ogg Opus, Ogg Vorbis, WAV, FLAC or MP3 file"

  /// The name as given; standard input and output are called so beside their `-`.
  private static func quoted(_ path: String, standard stream: String = "input") -> String {
    path == "-" ? "standard \(stream) (-)" : "“\(path)”"
  }
}
