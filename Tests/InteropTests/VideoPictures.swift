import Foundation
import Testing

/// The pictures of videos, as ffmpeg decodes them.
enum VideoPictures {
  /// The sample that the documents play with.
  static let clip = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "samples/clip.h264").path

  /// The checksums of the pictures of a file, as `-f framemd5` tells them, and what ffmpeg complained of.
  static func of(
    _ path: String, _ options: [String] = [], in folder: Folder
  ) async throws -> (sums: [String], complaints: String) {
    let sums = folder.file("\(UUID().uuidString).md5")
    let ffmpeg = try Program(
      "ffmpeg", ["-v", "error"] + options + ["-i", path, "-fps_mode", "passthrough", "-an", "-f", "framemd5", sums])
    #expect(try await ffmpeg.end() == 0)
    return (try self.sums(in: sums), ffmpeg.errors)
  }

  /// The checksums in a file that ffmpeg wrote.
  static func sums(in path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
      .compactMap { $0.split(separator: ",").last.map { $0.trimmingCharacters(in: .whitespaces) } }
  }
}
