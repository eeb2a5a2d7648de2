import Foundation
import Testing

/// A value of a JSON report, found by keys; what isn't there is nil.
struct Report {
  private let value: Any?

  private init(value: Any?) { self.value = value }

  /// Reads what `--report FILE.json` wrote.
  init(path: String) throws {
    value = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
  }

  subscript(key: String) -> Report { Report(value: (value as? [String: Any])?[key]) }
  subscript(index: Int) -> Report {
    guard let array = value as? [Any], array.indices.contains(index) else { return Report(value: nil) }
    return Report(value: array[index])
  }

  var int: Int? { (value as? NSNumber)?.intValue }
  var double: Double? { (value as? NSNumber)?.doubleValue }
  var string: String? { value as? String }
  var count: Int { (value as? [Any])?.count ?? 0 }
}

/// `jitterbug receive` at work, on a pair of ports of its own.
struct Receiver {
  let program: Program
  let port: Int
  private let report: String

  /// Starts it with these options and waits until it listens.
  ///
  /// Its buffer is long unless the usual one is asked for, because a test says nothing about time and a busy machine delivers late.
  static func start(
    in folder: Folder, _ options: [String], port: Int? = nil, hasUsualBuffer: Bool = false
  ) async throws -> Receiver {
    let port = try port ?? Ports.pair()
    let report = folder.file("heard-\(port).json")
    let buffer = hasUsualBuffer ? [] : ["--buffer", "1s"]
    let words = ["receive", "rtp://127.0.0.1:\(port)", "--once", "--report", report] + buffer + options
    let program = try Program(Program.jitterbug, words)
    try await program.says("listening on")
    return Receiver(program: program, port: port, report: report)
  }

  /// Waits for its end; its report.
  func heard() async throws -> Report {
    let status = try await program.end()
    try #require(status == 0, "\(program.errors)")
    return try Report(path: report)
  }
}

/// Runs `jitterbug send` to its end; its report.
func send(in folder: Folder, _ words: [String]) async throws -> Report {
  let report = folder.file("sent-\(UUID().uuidString).json")
  try await Program.run(Program.jitterbug, ["send", "--report", report] + words)
  return try Report(path: report)
}
