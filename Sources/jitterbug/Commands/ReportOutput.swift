import Media
import Reporting

/// Where the report goes: JSON or text on standard output, and a file by its suffix.
enum ReportOutput {
  /// Checks the name of `--report` before anything runs, so that nobody waits for a report that can't be written.
  static func check(_ options: OutputOptions) throws(UsageError) {
    guard let path = options.reportFile else { return }
    guard path.hasSuffix(".json") || path.hasSuffix(".txt") else {
      throw UsageError("--report \(path): reports are written as FILE.json or FILE.txt")
    }
  }

  /// Writes the report; text goes to standard error when standard output carries media.
  static func write(_ report: Report, _ options: OutputOptions, isOutputUsed: Bool) throws(CommandError) {
    if options.isJSON {
      try StandardOutput.write(report.json() + "\n")
    } else if isOutputUsed {
      StandardError.write(report.text())
    } else {
      try StandardOutput.write(report.text())
    }
    guard let path = options.reportFile else { return }
    let file = try TextFile(path: path)
    file.write(path.hasSuffix(".json") ? report.json(pretty: true) + "\n" : report.text())
    try file.close()
  }
}

/// The version of the command.
enum Version {
  static let number = "0.1.0"
}
