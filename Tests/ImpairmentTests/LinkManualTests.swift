import Foundation
import Impairment
import Testing

@Suite struct LinkManualTests {
  @Test func `the manual has every key and every profile as it is`() throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let page = tests.deletingLastPathComponent().appending(path: "docs/links.md")
    let manual = try String(contentsOf: page, encoding: .utf8)
    for key in LinkSpec.Key.allCases {
      #expect(manual.contains("\n| `\(key.rawValue)` | "))
      #expect(!key.summary.isEmpty && !key.values.isEmpty)
    }
    for profile in LinkSpec.profiles {
      #expect(manual.contains("\n| `\(profile.name)` | `\(profile.spec)` | "))
    }
  }
}
