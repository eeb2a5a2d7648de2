import Foundation
import Testing

/// One run of a program: ours, which lies beside the tests, or somebody else's.
///
/// Its outputs go to files, so that it never waits for the test; what is still running when the test is over is killed.
final class Program {
  /// Our command, beside the program that runs the tests.
  static let jitterbug: String = {
    var folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
      folder = URL(filePath: argument).resolvingSymlinksInPath().deletingLastPathComponent()
    }
    return folder.appending(path: "jitterbug").path
  }()

  /// Nothing here lasts nearly as long; what does is killed.
  static let limit = Duration.seconds(60)

  private let name: String
  private let process: pid_t
  private let folder: Folder
  private let start = ContinuousClock.now
  private var status: Int32?

  /// Starts a program that is found on PATH, or by its path.
  init(_ name: String, _ words: [String]) throws {
    self.name = name
    folder = try Folder()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, folder.file("out"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, folder.file("error"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    // Ctrl-C is to end them, though a shell in the background ignores it and threads of a pool block it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var arguments = ([name] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let code = posix_spawnp(&child, name, &actions, &attributes, &arguments, environ)
    try #require(code == 0, "\(name) can't be started: \(String(cString: strerror(code)))")
    process = child
  }

  deinit {
    guard status == nil else { return }
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }

  /// What it wrote on standard output so far.
  var output: String { text("out") }
  /// What it wrote on standard error so far.
  var errors: String { text("error") }

  /// Waits for its end; its exit status, or the number of the signal that ended it, negative.
  @discardableResult
  func end() async throws -> Int32 {
    if let status { return status }
    return try await wait(for: "its end") {
      var raw: Int32 = 0
      guard waitpid(process, &raw, WNOHANG) == process else { return nil }
      let ended = raw & 0x7F == 0 ? raw >> 8 & 0xFF : -(raw & 0x7F)
      status = ended
      return ended
    }
  }

  /// Asks it to end as Ctrl-C does, and waits until it has.
  func interrupt() async throws {
    if status == nil { kill(process, SIGINT) }
    try await end()
  }

  /// Waits until standard error has `text`.
  func says(_ text: String) async throws {
    try await wait(for: "\"\(text)\"") { errors.contains(text) ? () : nil }
  }

  /// Waits until it has a socket bound to this UDP port.
  func listens(on port: Int) async throws {
    try await wait(for: "a socket on port \(port)") { try Ports.isBound(port) ? () : nil }
  }

  /// Looks again and again, because an asynchronous test must not block its thread.
  @discardableResult
  private func wait<Value>(for what: String, _ look: () throws -> Value?) async throws -> Value {
    while true {
      if let value = try look() { return value }
      if ContinuousClock.now - start > Self.limit {
        kill(process, SIGKILL)
        throw Timeout(description: "\(name) was killed while the test waited for \(what); it said: \(output)\(errors)")
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  private struct Timeout: Error, CustomStringConvertible {
    let description: String
  }

  private func text(_ file: String) -> String {
    String(decoding: FileManager.default.contents(atPath: folder.file(file)) ?? Data(), as: UTF8.self)
  }

  /// Runs a program to its end, which must be a good one; what it wrote on standard output.
  @discardableResult
  static func run(_ name: String, _ words: [String]) async throws -> String {
    let program = try Program(name, words)
    let status = try await program.end()
    try #require(status == 0, "\(name) \(words) ended with \(status): \(program.errors)")
    return program.output
  }

  /// Whether all these programs can be started.
  static func areInstalled(_ names: String...) -> Bool {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.allSatisfy { name in
      folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }
  }
}

/// A folder that goes when it is no longer needed.
final class Folder {
  let path = NSTemporaryDirectory() + "jitterbug-interop-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}
