/// A value of a JSON text (RFC 8259), read so that what is compared is what was printed.
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// How deep arrays and objects may lie in each other.
  static let depthLimit = 32

  /// Reads one value that fills the whole text; nil when it isn't JSON.
  public init?(parsing text: Span<UInt8>) {
    var reader = JSONReader()
    guard let value = reader.value(in: text, depth: 0) else { return nil }
    reader.skipSpace(in: text)
    guard reader.place == text.count else { return nil }
    self = value
  }

  /// The value at a path such as `bursts.histogram.0`; nil when there is none.
  public func value(at path: String) -> JSONValue? {
    var value = self
    for step in path.split(separator: ".") {
      switch value {
      case .object(let members):
        guard let member = members[String(step)] else { return nil }
        value = member
      case .array(let elements):
        guard let index = Int(step), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  /// The elements of an array; nil for anything else.
  public var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

  /// A string's text; nil for anything else.
  public var text: String? { if case .string(let text) = self { text } else { nil } }
}

/// Reads JSON from its place on.
struct JSONReader {
  private(set) var place = 0

  mutating func skipSpace(in text: Span<UInt8>) {
    while place < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[place]) { place += 1 }
  }

  mutating func value(in text: Span<UInt8>, depth: Int) -> JSONValue? {
    skipSpace(in: text)
    guard place < text.count, depth < JSONValue.depthLimit else { return nil }
    switch text[place] {
    case UInt8(ascii: "{"): return object(in: text, depth: depth)
    case UInt8(ascii: "["): return array(in: text, depth: depth)
    case UInt8(ascii: "\""): return string(in: text).map { .string($0) }
    case UInt8(ascii: "t"): return take("true", in: text) ? .bool(true) : nil
    case UInt8(ascii: "f"): return take("false", in: text) ? .bool(false) : nil
    case UInt8(ascii: "n"): return take("null", in: text) ? .null : nil
    default: return number(in: text)
    }
  }

  private mutating func take(_ word: StaticString, in text: Span<UInt8>) -> Bool {
    for byte in "\(word)".utf8 {
      guard place < text.count, text[place] == byte else { return false }
      place += 1
    }
    return true
  }

  private mutating func takes(_ byte: UInt8, in text: Span<UInt8>) -> Bool {
    skipSpace(in: text)
    guard place < text.count, text[place] == byte else { return false }
    place += 1
    return true
  }

  private mutating func object(in text: Span<UInt8>, depth: Int) -> JSONValue? {
    place += 1
    var members: [String: JSONValue] = [:]
    if takes(UInt8(ascii: "}"), in: text) { return .object(members) }
    repeat {
      skipSpace(in: text)
      guard place < text.count, text[place] == UInt8(ascii: "\""), let key = string(in: text),
        takes(UInt8(ascii: ":"), in: text), let member = value(in: text, depth: depth + 1)
      else { return nil }
      members[key] = member
    } while takes(UInt8(ascii: ","), in: text)
    return takes(UInt8(ascii: "}"), in: text) ? .object(members) : nil
  }

  private mutating func array(in text: Span<UInt8>, depth: Int) -> JSONValue? {
    place += 1
    var elements: [JSONValue] = []
    if takes(UInt8(ascii: "]"), in: text) { return .array(elements) }
    repeat {
      guard let element = value(in: text, depth: depth + 1) else { return nil }
      elements.append(element)
    } while takes(UInt8(ascii: ","), in: text)
    return takes(UInt8(ascii: "]"), in: text) ? .array(elements) : nil
  }

  private mutating func string(in text: Span<UInt8>) -> String? {
    place += 1
    var bytes: [UInt8] = []
    while place < text.count {
      let byte = text[place]
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escape(in: text) else { return nil }
        bytes += Array(String(scalar).utf8)
      case ..<0x20: return nil
      default: bytes.append(byte)
      }
    }
    return nil
  }

  /// What a backslash stands for; a surrogate, which our reports never have, counts as the replacement character.
  private mutating func escape(in text: Span<UInt8>) -> Character? {
    guard place < text.count else { return nil }
    let byte = text[place]
    place += 1
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(Unicode.Scalar(byte))
    case UInt8(ascii: "u"):
      var code: UInt32 = 0
      for _ in 0..<4 {
        guard place < text.count, let digit = Character(Unicode.Scalar(text[place])).hexDigitValue else { return nil }
        code = code * 16 + UInt32(digit)
        place += 1
      }
      return Character(Unicode.Scalar(code) ?? "\u{FFFD}")
    default: return nil
    }
  }

  private mutating func number(in text: Span<UInt8>) -> JSONValue? {
    var digits = ""
    while place < text.count, digits.utf8.count < 64 {
      switch text[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "e"), UInt8(ascii: "E"):
        digits.unicodeScalars.append(Unicode.Scalar(text[place]))
        place += 1
      default:
        return Double(digits).map { .number($0) }
      }
    }
    return Double(digits).map { .number($0) }
  }
}
