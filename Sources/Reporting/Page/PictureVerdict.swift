internal import Statistics
internal import Timeline

/// What a run of video means to those who watched it.
///
/// A packet lost in a hundred may cost every tenth picture, so the share of packets says nothing here.
extension StreamReport {
  /// The verdict by the frames that could be shown and by the time in which the picture stood still.
  func verdict(on pictures: PictureStatistics) -> Verdict {
    if let timesNote {
      return Verdict(
        grade: .bad, headline: "No times: nothing tells when its frames are to be shown.",
        sentences: [timesNote.prefix(1).uppercased() + timesNote.dropFirst() + ".", packetWords])
    }
    let judgement = judgement(on: pictures)
    var sentences = [
      shortcomings(of: pictures), stillness(of: pictures, judgement.meaning), packetWords, remedy(for: pictures),
    ]
    if let silence = longestSilence {
      sentences.insert("At one point nothing arrived for \(Figures.duration(silence)).", at: 1)
    }
    return Verdict(
      grade: judgement.grade, headline: "\(judgement.word): \(shownWords(pictures)).",
      sentences: sentences.filter { !$0.isEmpty })
  }

  /// The thresholds are those of docs/report-format.md.
  private func judgement(
    on pictures: PictureStatistics
  ) -> (grade: Verdict.Grade, word: String, meaning: String) {
    if pictures.shown == 0 { return (.bad, "Nothing to see", "saw nothing at all") }
    let share = Double(pictures.shown) / Double(pictures.expected)
    // The time without a picture is as bad as that with one that stands still.
    let still = pictures.frozen + (pictures.waited ?? .zero)
    let length = pictures.frameInterval.seconds * Double(pictures.expected)
    if share == 1, pictures.freezes == 0 { return (.fine, "Perfect", "had nothing to complain of") }
    if share >= 0.995, pictures.freezes == 0 { return (.fine, "Good", "would notice little") }
    if share >= 0.97, still.seconds <= length * 0.03 {
      return (.mixed, "Fair", "would notice that pictures are missing now and then")
    }
    return (.bad, "Bad", "would notice all the time that pictures are missing")
  }

  /// The end of the headline, as far as the full stop.
  private func shownWords(_ pictures: PictureStatistics) -> String {
    let all = Figures.count(pictures.expected, "frame")
    var words =
      pictures.shown == 0
      ? "none of \(all) could be shown"
      : pictures.shown == pictures.expected
        ? "every one of \(all) could be shown" : "\(Figures.grouped(pictures.shown)) of \(all) could be shown"
    if pictures.freezes > 0, pictures.shown > 0 {
      words += ", and the picture stood still for \(Figures.duration(pictures.frozen))"
    }
    return words
  }

  /// Why the others couldn't be shown.
  private func shortcomings(of pictures: PictureStatistics) -> String {
    let missing = pictures.expected - pictures.shown
    guard missing > 0 else { return "" }
    let fates = [
      (pictures.damaged, "damaged"), (pictures.late, "too late"), (pictures.lost, "lost"),
      (pictures.undecodable, "whole but of no use, because what they refer to was missing"),
    ]
    let parts = fates.filter { $0.0 > 0 }.map { "\(Figures.grouped($0.0)) \($0.1)" }
    return "\(Figures.count(missing, "frame")) couldn't be shown: \(parts.joined(separator: ", "))."
  }

  /// How often and how long the picture froze, and when the first one came.
  private func stillness(of pictures: PictureStatistics, _ meaning: String) -> String {
    var text = "Whoever watched it \(meaning)"
    guard let waited = pictures.waited else {
      return text + (pictures.keyFrames == 0 ? ": no key frame came whole, and only there a picture can begin." : ".")
    }
    if pictures.freezes == 0 {
      text += ": the picture never froze"
    } else {
      text += ": the picture froze \(Figures.count(pictures.freezes, "time")), "
      text += "\(Figures.duration(pictures.frozen)) in all and \(Figures.duration(pictures.longestFreeze)) at most"
    }
    if waited > .zero { text += "; the first picture came after \(Figures.duration(waited))" }
    return text + "."
  }

  /// What became of the packets, which is where it comes from.
  private var packetWords: String {
    let words = causes
    guard words.first?.isNumber ?? false else { return words }
    return "Of \(Figures.count(loss.total, "packet")) \(words)"
  }

  /// Whether a longer buffer would have helped; of a transport stream's pictures only the packets tell.
  private func remedy(for pictures: PictureStatistics) -> String {
    guard pictures.shown < pictures.expected else { return advice }
    guard pictures.late > 0 else {
      let isTransport = encoding?.lowercased().hasPrefix("mp2t") ?? false
      if isTransport, playout.late > 0 { return advice }
      return "A longer buffer would not have helped: no frame came too late."
    }
    let count = pictures.late == 1 ? "the frame" : "the \(Figures.grouped(pictures.late)) frames"
    var text = "A buffer longer than \(targetWords) would have helped \(count) that came too late"
    if let enough = sufficientBuffer, enough > playout.target {
      text +=
        ": with \(Figures.trimmed(enough.milliseconds, decimals: 1)) ms at most "
        + "\(Figures.trimmed(ReplayCurve.enough * 100, decimals: 1)) % of the packets would have been late"
    }
    return text + "."
  }
}
