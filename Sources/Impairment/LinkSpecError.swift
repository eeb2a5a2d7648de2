/// Why a text isn't a link spec, as one sentence for the person who wrote it.
public struct LinkSpecError: Error, Equatable, CustomStringConvertible {
  /// What was given, what is accepted and what to do about it.
  public let description: String

  init(_ description: String) { self.description = description }

  /// A value that its key doesn't accept.
  init(_ key: LinkSpec.Key, _ value: Substring, because reason: String) {
    self.init("\(Self.quoted("\(key.rawValue)=\(value)")) is not accepted: \(reason)")
  }

  /// The text in quotation marks, cut to 40 characters and without anything that could steer a terminal.
  static func quoted(_ text: some StringProtocol) -> String {
    var result = "\""
    var count = 0
    for scalar in text.unicodeScalars {
      if count == 40 {
        result += "..."
        break
      }
      result.unicodeScalars.append(isPrintable(scalar) ? scalar : "?")
      count += 1
    }
    return result + "\""
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }

  /// The name nearest to `given`, when it is so near that a slip of the finger explains the difference.
  static func nearest(to given: String, among names: [String]) -> String? {
    guard given.utf8.count <= 40 else { return nil }
    let ranked = names.map { (name: $0, distance: distance(Array(given.utf8), Array($0.utf8))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, best.name.utf8.count / 3) ? best.name : nil
  }

  /// The number of letters to insert, remove, replace or swap with their neighbour to get from one to the other.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 0..<left.count {
      var current = [row + 1]
      for column in 0..<right.count {
        let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
        var cost = min(replaced, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
