/// What was found broken in a file of H.264 while its whole pictures were read.
public struct AnnexBDamage: Equatable, Sendable {
  /// Pictures left out because decoding can't begin before the first key frame.
  public internal(set) var skippedPictures = 0
  /// NAL units without a byte, with the forbidden bit, or of a type that RTP has no name for; they were left out.
  public internal(set) var invalidUnits = 0
  /// Those of them that have the forbidden bit, by which something on the way says that they are broken.
  public internal(set) var forbiddenUnits = 0
  /// Where in the file the first of those left out is, in bytes.
  public internal(set) var firstOffset: Int64?
  /// Pictures whose slice header can't be read; they are sent, but when they are shown is a guess.
  public internal(set) var unreadablePictures = 0

  /// NAL units that were too long and were left out.
  public internal(set) var longUnits = 0
  /// Where in the file the first of those left out is, in bytes.
  public internal(set) var firstLongOffset: Int64?
  /// Pictures left out because they were too long, or a part of them was.
  public internal(set) var longPictures = 0

  /// Whether nothing at all was wrong.
  public var isEmpty: Bool { self == AnnexBDamage() }

  /// What is wrong, as part of a sentence about the file.
  var detail: String {
    var parts: [String] = []
    if invalidUnits > 0 {
      parts.append(
        "\(invalidUnits) of its NAL units \(invalidUnits == 1 ? "was" : "were") left out: \(invalidity)"
          + (firstOffset.map { ", the first at byte \($0)" } ?? ""))
    }
    if let excess { parts.append(excess) }
    if unreadablePictures > 0 {
      parts.append("\(unreadablePictures) of its slice headers can't be read")
    }
    if skippedPictures > 0 {
      parts.append(
        "\(skippedPictures) of its pictures \(skippedPictures == 1 ? "comes" : "come") before the first key frame")
    }
    return parts.joined(separator: "; ")
  }

  /// What was too long; nil when nothing was.
  var excess: String? {
    let limit = "longer than \(AnnexBReader.frameLimit >> 20) MiB"
    var parts: [String] = []
    if longUnits > 0 {
      parts.append(
        "\(longUnits) of its NAL units \(longUnits == 1 ? "was" : "were") left out: \(limit)"
          + (firstLongOffset.map { ", the first at byte \($0)" } ?? ""))
    }
    if longPictures > 0 {
      let was = longPictures == 1 ? "was" : "were"
      parts.append("\(longPictures) of its pictures \(was) left out: \(longUnits > 0 ? "with them" : limit)")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// What is the matter with the NAL units that were left out.
  private var invalidity: String {
    let others = invalidUnits - forbiddenUnits
    guard forbiddenUnits > 0 else { return "empty, or of no valid type" }
    guard others > 0 else { return "the forbidden bit is set" }
    return "\(forbiddenUnits) with the forbidden bit set and \(others) empty or of no valid type"
  }
}
