import Testing
import Verification

private func parse(_ text: String) -> JSONValue? { JSONValue(parsing: Array(text.utf8).span) }

@Suite struct JSONValueTests {
  @Test func `a report is read as it is written`() throws {
    let value = try #require(
      parse(#" {"a": [1, -2.5, 3e2, null, true, false], "b": {"c": "x\"\\\n\u001b[é"}, "e": [], "f": {}} "#))
    #expect(value.value(at: "a.1") == .number(-2.5))
    #expect(value.value(at: "a.2") == .number(300))
    #expect(value.value(at: "a.3") == .null)
    #expect(value.value(at: "a.4") == .bool(true))
    #expect(value.value(at: "b.c")?.text == "x\"\\\n\u{1b}[é")
    #expect(value.value(at: "e")?.elements == [])
    #expect(value.value(at: "a.6") == nil)
    #expect(value.value(at: "b.d") == nil)
    #expect(value.value(at: "a.1.x") == nil)
  }

  @Test(arguments: [
    "", "{", "}", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "\"", "\"\\x\"", "\"\\u12\"", "nul", "truex", "1 2",
    "--1", "[1]]", "\"\u{1}\"",
  ])
  func `what isn't JSON is refused`(text: String) { #expect(parse(text) == nil) }

  @Test func `every length and every flipped bit is read or refused, and depth has a limit`() {
    let bytes = Array(#"{"a":[1,2.5,null,true],"b":{"c":"x\u00e9\n"}}"#.utf8)
    for length in 0..<bytes.count { #expect(JSONValue(parsing: Array(bytes[..<length]).span) == nil) }
    var read = 0
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
      read += JSONValue(parsing: damaged.span) == nil ? 0 : 1
    }
    #expect(read > 10)
    #expect(parse(String(repeating: "[", count: 31) + String(repeating: "]", count: 31)) != nil)
    #expect(parse(String(repeating: "[", count: 100_000)) == nil)
  }
}
