/// What was found broken in a file of H.264 while its whole pictures were read.
public struct AnnexBDamage: Equatable, Sendable {
  /// Pictures left out because decoding can't begin before the first key frame.
  public internal(set) var skippedPictures = 0
  /// NAL units without a byte, with the forbidden bit, or of a type that RTP has no name for; they were left out.
  public internal(set) var invalidUnits = 0
  /// Where in the file the first of those is, in bytes.
  public internal(set) var firstOffset: Int64?
  /// Pictures whose slice header can't be read; they are sent, but when they are shown is a guess.
  public internal(set) var unreadablePictures = 0

  /// Whether nothing at all was wrong.
  public var isEmpty: Bool { self == AnnexBDamage() }

  /// What is wrong, as part of a sentence about the file.
  var detail: String {
    var parts: [String] = []
    if invalidUnits > 0 {
      parts.append(
        "\(invalidUnits) of its NAL units \(invalidUnits == 1 ? "is" : "are") empty or of no valid type"
          + (firstOffset.map { ", the first at byte \($0)" } ?? ""))
    }
    if unreadablePictures > 0 {
      parts.append("\(unreadablePictures) of its slice headers can't be read")
    }
    if skippedPictures > 0 {
      parts.append(
        "\(skippedPictures) of its pictures \(skippedPictures == 1 ? "comes" : "come") before the first key frame")
    }
    return parts.joined(separator: "; ")
  }
}
