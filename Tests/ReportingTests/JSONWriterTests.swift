import Foundation
import Reporting
import Testing

struct JSONWriterTests {
  private func parsed(_ text: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: Any])
  }

  @Test(arguments: [false, true])
  func `every scalar value survives a parser`(pretty: Bool) throws {
    var harsh = "\"\\/\u{8}\u{c}\n\r\t\u{7f}\u{85}\u{2028}\u{202e}é漢😀"
    for value: UInt32 in 0..<0x20 { harsh.unicodeScalars.append(Unicode.Scalar(value) ?? " ") }
    var writer = JSONWriter(pretty: pretty)
    writer.object { $0.value(harsh, harsh) }
    #expect(try parsed(writer.text)[harsh] as? String == harsh)
    #expect(!writer.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7f...0x9f).contains($0.value) })
  }

  @Test func `halves of surrogate pairs in hostile bytes can't get in`() throws {
    var writer = JSONWriter()
    writer.object { $0.value("name", String(decoding: [0xed, 0xa0, 0x80, 0x41, 0xff] as [UInt8], as: UTF8.self)) }
    #expect((try parsed(writer.text)["name"] as? String)?.hasSuffix("A\u{fffd}") == true)
  }

  @Test(arguments: [
    (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-1.5, "-1.5"), (0.0004, "0"), (-0.0004, "0"), (0.0005, "0.001"),
    (1234.5678, "1234.568"), (0.1 + 0.2, "0.3"), (1e300, "1e+300"), (.infinity, "null"), (-.infinity, "null"),
    (.nan, "null"), (1_700_000_000_123.456, "1700000000123.456"), (100, "100"),
  ])
  func `numbers are rounded, and null when not finite`(value: Double, expected: String) throws {
    var writer = JSONWriter()
    writer.object { $0.value("n", value, decimals: 3) }
    #expect(writer.text == "{\"n\":\(expected)}")
    _ = try parsed(writer.text)
  }

  @Test func `nesting, commas, empty containers and nulls`() throws {
    var writer = JSONWriter()
    writer.object { json in
      json.object("a") { _ in }
      json.array("b") { _ in }
      json.array("c") { array in
        array.value(nil, 1)
        array.object { $0.value("d", true) }
        array.array { $0.value(nil, nil as String?) }
      }
      json.value("e", nil as Int?)
    }
    #expect(writer.text == #"{"a":{},"b":[],"c":[1,{"d":true},[null]],"e":null}"#)
  }

  @Test func `pretty puts each member on its line`() {
    var writer = JSONWriter(pretty: true)
    writer.object { json in
      json.value("a", 1)
      json.array("b") { $0.value(nil, 2) }
      json.object("c") { _ in }
    }
    #expect(writer.text == "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ],\n  \"c\": {}\n}")
  }
}
