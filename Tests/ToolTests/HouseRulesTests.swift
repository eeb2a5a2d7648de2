import Foundation
import Testing

/// The rules of the house that neither the compiler nor the formatter enforces, read from the files themselves.
@Suite struct HouseRulesTests {
  static let core = [
    "Timeline", "Packets", "Sending", "Impairment", "Buffering", "Statistics", "Receiving", "Reporting", "Simulation",
    "Dissection", "Probing", "Plots", "Verification",
  ]
  /// Read once for all rules.
  static let read = Result { try SourceText.all(below: "Sources", in: ProjectFiles()) }

  let project: ProjectFiles
  let sources: [SourceText]

  init() throws {
    project = try ProjectFiles()
    sources = try Self.read.get()
    try #require(sources.contains { $0.path == "Sources/Timeline/Instant.swift" })
  }

  @Test func `no file is longer than 500 lines`() throws {
    for path in project.paths where path.hasSuffix(".swift") {
      let lines = try project.read(path).utf8.count { $0 == UInt8(ascii: "\n") }
      if lines > 500 { Issue.record("\(path) has \(lines) lines: what second thing lives there?") }
    }
  }

  @Test func `no function is longer than 70 lines`() {
    for file in sources {
      for function in file.functions where function.lines > 70 {
        Issue.record("\(file.path):\(function.line): this function has \(function.lines) lines.")
      }
    }
  }

  @Test func `nothing is left open`() {
    for file in sources {
      for (number, line) in file.lines.enumerated() where line.contains(/\b(TODO|FIXME|XXX)\b/) {
        Issue.record("\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test func `only the command prints`() {
    for file in sources where file.module != "jitterbug" {
      for (number, line) in file.code.enumerated() where line.contains(/(^|[^.\w])(print|debugPrint|dump)\(/) {
        Issue.record("\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test func `the core imports nothing of the system, and nothing imports Foundation`() {
    let anywhere: Set<Substring> = ["Foundation", "FoundationEssentials", "Dispatch"]
    let inCore = anywhere.union(["Glibc", "Synchronization", "Sockets", "CLinux", "Media", "Codecs"])
    for file in sources {
      let refused = Self.core.contains(String(file.module)) ? inCore : anywhere
      for module in file.imports where refused.contains(module) {
        Issue.record("\(file.path) imports \(module).")
      }
    }
  }

  @Test func `no room is a lumber room`() throws {
    let lumber: Set<String> = ["util", "utils", "utilities", "helper", "helpers", "common", "extension", "extensions"]
    for path in project.paths where path.hasPrefix("Sources/") || path.hasPrefix("Tests/") {
      for part in path.split(separator: "/") {
        let name = part.prefix { $0 != "." }.lowercased()
        if lumber.contains(name) || name.hasSuffix("+extension") || name.hasSuffix("+extensions") {
          Issue.record("\(path): put it beside its only user, or name the concept.")
        }
      }
    }
  }

  @Test func `no module bears the name of a type inside it`() {
    for file in sources {
      for line in file.code {
        for match in line.matches(of: /\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)/)
        where match.1 == file.module {
          Issue.record("\(file.path) declares \(match.1), the name of its module: it can't be qualified.")
        }
      }
    }
  }

  @Test func `every link to a file leads to one`() throws {
    for path in project.paths where path.hasSuffix(".md") {
      let folder = project.root.appending(path: path).deletingLastPathComponent()
      for target in MarkdownLinks.targets(in: try project.read(path)) {
        let file = String(target.prefix { $0 != "#" })
        guard !file.isEmpty, !target.contains(/^[a-z]+:/) else { continue }
        let place = folder.appending(path: file.removingPercentEncoding ?? file)
        if !FileManager.default.fileExists(atPath: place.path) {
          Issue.record("\(path) links to \(target), which isn't there.")
        }
      }
    }
  }

  @Test func `no path of one machine is written down`() throws {
    // Only at a path's beginning: a folder of that name inside another path is no place of a machine.
    let place = /(^|[^\w.}~*-])\/(?:work|root|farm)\//
    for path in project.paths {
      for (number, line) in try project.read(path).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      where line.utf8.count < 10_000 && line.contains(place) {
        Issue.record("\(path):\(number + 1): \(line)")
      }
    }
  }
}

/// What the rules stand on: a reader that took a brace in a string for one in the code would make them useless.
@Suite struct HouseRulesReaderTests {
  @Test func `strings, comments and raw identifiers are no code`() {
    let text = SourceText(
      path: "Sources/Some/File.swift",
      text: #"""
        let a = "{ print(\(b ? "}" : "{")) \" {" // { print(
        /* { /* nested { */ print( */ let `b {` = #"{ " \( {"#
        let c = """
          { "
          """
        """#)
    #expect(!text.code.joined().contains(/[{}]|print/))
    #expect(text.code.count == 5)
    #expect(text.code[1].contains("let"))
  }

  @Test func `a function's length is from its name to its closing brace`() {
    let text = SourceText(
      path: "Sources/Some/File.swift",
      text: """
        protocol P {
          func short()
          init(a: Int)
        }
        func f(
          g: () -> Void = {}
        ) {
          if a {
          }
        }
        init() { self.init(a: 1) }
        """)
    #expect(text.functions == [.init(line: 5, lines: 6), .init(line: 11, lines: 1)])
  }

  @Test func `imports are found with their attributes and access`() {
    let text = SourceText(
      path: "Sources/Some/File.swift",
      text: """
        public import Timeline
        @_exported import Packets
        import struct Foundation.Data
        // import Glibc
        """)
    #expect(text.module == "Some")
    #expect(text.imports == ["Timeline", "Packets", "Foundation"])
  }

  @Test func `links in code blocks are not links`() {
    let text = """
      See [this](docs/a.md#part) and ![that](<b c.png>), `[not](this)`.
      ```
      [nor](this)
      ```
      """
    #expect(MarkdownLinks.targets(in: text) == ["docs/a.md#part", "b c.png"])
  }
}
