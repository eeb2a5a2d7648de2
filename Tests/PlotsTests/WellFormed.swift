import Foundation
import FoundationXML

/// What an XML parser makes of markup: its elements, its text, or where it stopped.
final class WellFormed: NSObject, XMLParserDelegate {
  /// Elements in order with their attributes.
  private(set) var elements: [(name: String, attributes: [String: String])] = []
  /// All text.
  private(set) var text = ""
  private(set) var isWellFormed = false
  private(set) var trouble = ""

  init(_ markup: String) {
    super.init()
    let parser = XMLParser(data: Data(markup.utf8))
    parser.delegate = self
    isWellFormed = parser.parse()
    if let error = parser.parserError { trouble = "line \(parser.lineNumber): \(error)" }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements.append((name, attributes))
  }

  func parser(_ parser: XMLParser, foundCharacters characters: String) { text += characters }
}
