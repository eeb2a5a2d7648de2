/// The outcome of a verification for people.
public enum VerificationText {
  /// The cases, each with what it proves.
  public static func list(_ cases: [VerificationCase]) -> String {
    let width = cases.map(\.name.utf8.count).max() ?? 0
    return cases.map { padded($0.name, width) + "  " + $0.proves + "\n" }.joined()
  }

  /// One line a case, then every figure that differs from the truth.
  public static func table(
    _ results: [CaseResult], isVerbose: Bool, way: String, seed: UInt64, seconds: Double
  ) -> String {
    var rows = [["case", "figures", "sent lost socket dup. reord. late", "reported", ""]]
    for result in results {
      let verdict = result.skipped.map { "skipped: \($0)" } ?? (result.isRight ? "ok" : "WRONG")
      rows.append([
        result.name, result.figures.isEmpty ? "-" : String(result.figures.count), summary(result, \.truth),
        summary(result, \.reported), verdict,
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].utf8.count }.max() ?? 0 }
    var text = ""
    for row in rows {
      var line = zip(row, widths).map { padded($0, $1) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    for result in results {
      if let failure = result.failure { text += "\n\(result.name): \(failure)\n" }
      for remark in result.remarks { text += "\n\(result.name): \(remark)\n" }
      let shown = result.figures.filter { isVerbose || !$0.isRight }
      guard !shown.isEmpty else { continue }
      text += "\n\(result.name): \(result.proves)\n" + shown.map { line($0) }.joined()
    }
    return text + "\n" + verdict(results, way: way, seed: seed, seconds: seconds)
  }

  private static func verdict(_ results: [CaseResult], way: String, seed: UInt64, seconds: Double) -> String {
    let figures = results.reduce(0) { $0 + $1.figures.count }
    let wrong = results.reduce(0) { $0 + $1.figures.count { !$0.isRight } }
    let failed = results.count { $0.failure != nil }
    guard figures > 0 else { return "No figure was compared: run the case the other way.\n" }
    var sentence = wrong == 0 ? "All \(figures) figures" : "\(wrong) of \(figures) figures"
    sentence += wrong == 0 ? " are those of the truth" : " differ from the truth"
    sentence += ", \(way), seed \(seed), in \(number((seconds * 10).rounded() / 10)) s"
    return sentence + (failed > 0 ? "; \(failed) cases couldn't be run to their end." : ".") + "\n"
  }

  private static func line(_ figure: CheckedFigure) -> String {
    let reported = figure.isMissing ? "not reported" : "reported \(number(figure.reported))"
    let verdict = figure.isRight ? "ok" : "WRONG"
    return "  \(padded(figure.key, 48)) truth \(padded(number(figure.truth), 12)) \(padded(reported, 22)) \(verdict)\n"
  }

  /// What most people look at first, summed over the streams.
  private static func summary(_ result: CaseResult, _ side: KeyPath<CheckedFigure, Double?>) -> String {
    guard !result.figures.isEmpty else { return "-" }
    let keys = [
      "loss.total", "loss.network", "loss.dropped_by_socket", "packets.duplicates", "packets.reordered", "packets.late",
    ]
    return keys.map { key in
      let values = result.figures.filter { $0.key.hasSuffix(key) }.compactMap { $0[keyPath: side] }
      return number(values.reduce(0, +))
    }.joined(separator: " ")
  }

  private static func number(_ value: Double?) -> String {
    guard let value else { return "null" }
    let rounded = (value * 1e6).rounded() / 1e6
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : "\(rounded)"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }
}
