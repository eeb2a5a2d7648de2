import Media
import Reporting

/// Where the report goes: JSON or text on standard output, and a file by its suffix.
enum ReportOutput {
  /// What a report file holds, by its suffix.
  enum Format: String, CaseIterable {
    case json, html, csv, txt

    init?(path: String) {
      guard let format = Self.allCases.first(where: { path.hasSuffix("." + $0.rawValue) }) else { return nil }
      self = format
    }

    func content(of report: some WritableReport) -> String {
      switch self {
      case .json: report.json(pretty: true) + "\n"
      case .html: report.html()
      case .csv: report.csv()
      case .txt: report.text()
      }
    }
  }

  /// Checks the name of `--report` before anything runs, so that nobody waits for a report that can't be written.
  static func check(_ options: OutputOptions) throws(UsageError) {
    for path in options.reportFiles where Format(path: path) == nil {
      throw UsageError("--report \(path): reports are written as FILE.html, FILE.json, FILE.csv or FILE.txt")
    }
  }

  /// Writes the report; text goes to standard error when standard output carries media.
  static func write(
    _ report: some WritableReport, _ options: OutputOptions, isOutputUsed: Bool
  ) throws(CommandError) {
    if options.isJSON {
      try StandardOutput.write(report.json(pretty: false) + "\n")
    } else if isOutputUsed {
      StandardError.write(report.text())
    } else {
      try StandardOutput.write(report.text())
    }
    for path in options.reportFiles {
      if let format = Format(path: path) { try TextFile.replace(path, with: format.content(of: report)) }
    }
  }
}

/// A report in each of the forms in which it can be written.
protocol WritableReport {
  func json(pretty: Bool) -> String
  func html() -> String
  func csv() -> String
  func text() -> String
}

extension Report: WritableReport {}
extension RaceReport: WritableReport {}
extension SweepReport: WritableReport {}

extension OutputOptions {
  /// Whether the report shows what happened when.
  var showsTimeline: Bool {
    reportFiles.contains { path in
      switch ReportOutput.Format(path: path) {
      case .html, .csv: true
      case .json, .txt, nil: false
      }
    }
  }
}

/// The version of the command.
enum Version {
  static let number = "0.1.0"
}
