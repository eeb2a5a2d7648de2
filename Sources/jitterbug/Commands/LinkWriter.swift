import Dissection

/// Writes what a capture did to a stream as a link.
enum LinkWriter {
  static func write(
    _ analysis: borrowing CaptureAnalysis, _ options: AnalyzeOptions, say: (String) -> Void
  ) throws(CommandError) {
    throw CommandError("not yet")
  }
}
