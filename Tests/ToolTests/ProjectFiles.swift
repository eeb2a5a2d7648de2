import Foundation
import Testing

/// The files that people write, as they lie in the project's folder, found from where this file was compiled.
struct ProjectFiles {
  private static let suffixes: Set<String> = ["swift", "md", "c", "h", "py", "sh", "json", "modulemap", ""]

  /// The folder that holds Package.swift.
  let root: URL
  /// Every source, script and page, relative to the root and in order; media, captures and what is built are left out.
  let paths: [String]

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let files = FileManager.default
    var paths: [String] = []
    for top in try files.contentsOfDirectory(atPath: root.path) {
      if top == "out" || top.hasPrefix(".") && top != ".ci" { continue }
      let below = try? files.subpathsOfDirectory(atPath: root.appending(path: top).path)
      paths += [top] + (below ?? []).map { "\(top)/\($0)" }
    }
    self.root = root
    self.paths = paths.filter { path in
      let place = root.appending(path: path)
      guard Self.suffixes.contains(place.pathExtension), !path.contains("/.build") else { return false }
      let about = try? files.attributesOfItem(atPath: place.path)
      return about?[.type] as? FileAttributeType == .typeRegular && (about?[.size] as? Int ?? 0) < 1_000_000
    }.sorted()
    try #require(self.paths.contains("Package.swift"))
  }

  /// The text of a file; nothing where it isn't text.
  func read(_ path: String) throws -> String {
    String(data: try Data(contentsOf: root.appending(path: path)), encoding: .utf8) ?? ""
  }
}

/// Finds the links of a Markdown page.
enum MarkdownLinks {
  static func targets(in text: String) -> [String] {
    var targets: [String] = []
    var inBlock = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.contains(/^\s*(```|~~~)/) {
        inBlock.toggle()
      } else if !inBlock {
        let prose = line.replacing(/`[^`]*`/, with: "")
        targets += prose.matches(of: /\]\((?:<([^>]*)>|([^)\s]*))/).map { String($0.1 ?? $0.2 ?? "") }
      }
    }
    return targets
  }
}
