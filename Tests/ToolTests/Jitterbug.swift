import Foundation
import Testing

/// One run of the command as it was built, which lies in the same folder as the tests themselves.
///
/// Its outputs go to files, so that it never waits for the test, and it is ended when the test is over. By
/// `posix_spawn`, because Foundation's `Process` leaks, which the address sanitizer reports.
final class Jitterbug {
  /// What standard input is.
  enum Input {
    case nothing
    /// A pipe that holds these bytes (less than a MiB) and then ends.
    case pipe([UInt8])
  }

  /// The command, beside the program that runs the tests: in a debug build, a release build or one with sanitizers.
  static let path: String = {
    var folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
      folder = URL(filePath: argument).resolvingSymlinksInPath().deletingLastPathComponent()
    }
    return folder.appending(path: "jitterbug").path
  }()

  /// Nothing here lasts nearly as long; what does is killed.
  static let limit = Duration.seconds(60)

  let process: pid_t
  let folder: TemporaryFolder
  private(set) var status: Int32?
  private let start = ContinuousClock.now

  /// Starts the command, or another program; `wrapper` are words to put before it, such as a program that drops
  /// privileges.
  init(_ words: [String], of program: String = path, input: Input = .nothing, wrapper: [String] = []) throws {
    folder = try TemporaryFolder()
    let (out, error) = (folder.file("out", holding: []), folder.file("error", holding: []))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var source: Int32 = -1
    switch input {
    case .nothing: posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    case .pipe(let bytes):
      source = try Self.pipe(holding: bytes, at: folder.file("in"))
      posix_spawn_file_actions_adddup2(&actions, source, 0)
    }
    defer { if source >= 0 { close(source) } }
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_APPEND, 0)
    posix_spawn_file_actions_addopen(&actions, 2, error, O_WRONLY | O_APPEND, 0)
    let command = wrapper + [program] + words
    var arguments = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let code = posix_spawnp(&child, command[0], &actions, nil, &arguments, environ)
    try #require(code == 0, "\(command[0]) can't be started: \(String(cString: strerror(code)))")
    process = child
  }

  deinit {
    guard status == nil else { return }
    kill(process, SIGKILL)
    var ignored: Int32 = 0
    waitpid(process, &ignored, 0)
  }

  /// What it wrote on standard output so far.
  var output: [UInt8] { contents(folder.file("out")) }

  /// What it wrote on standard output so far, as text.
  var text: String { String(decoding: output, as: UTF8.self) }

  /// What it wrote on standard error so far.
  var errors: String { String(decoding: contents(folder.file("error")), as: UTF8.self) }

  /// Waits for its end: the exit status, or the number of the signal that ended it, negative.
  @discardableResult
  func end() async throws -> Int32 {
    try await wait(for: "its end") {
      var raw: Int32 = 0
      guard waitpid(process, &raw, WNOHANG) == process else { return nil }
      let ended = raw & 0x7F == 0 ? raw >> 8 & 0xFF : -(raw & 0x7F)
      status = ended
      return ended
    }
  }

  /// Waits until standard error has `text`.
  func says(_ text: String) async throws {
    try await wait(for: "\"\(text)\"") { errors.contains(text) ? () : nil }
  }

  /// Waits until it listens; where, as a URI.
  func address() async throws -> String {
    try await wait(for: "where it listens") {
      let line = errors.split(separator: "\n").first { $0.hasPrefix("listening on ") }
      return errors.contains("\n") ? line.map { String($0.dropFirst("listening on ".count)) } : nil
    }
  }

  /// Sends it a signal.
  func signal(_ number: Int32) { kill(process, number) }

  /// Looks again and again, because an asynchronous test must not block its thread.
  func wait<Value>(for what: String, _ look: () throws -> Value?) async throws -> Value {
    while true {
      if let value = try look() { return value }
      if ContinuousClock.now - start > Self.limit {
        kill(process, SIGKILL)
        throw Timeout(description: "killed while the test waited for \(what); it said: \(errors.prefix(1_000))")
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  private struct Timeout: Error, CustomStringConvertible {
    let description: String
  }

  /// A named pipe, which unlike `pipe(2)` can be opened so that no command started meanwhile inherits it.
  private static func pipe(holding bytes: [UInt8], at path: String) throws -> Int32 {
    try #require(mkfifo(path, 0o600) == 0)
    let reading = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    let writing = open(path, O_WRONLY | O_CLOEXEC)
    try #require(reading >= 0 && writing >= 0)
    defer { close(writing) }
    let setPipeSize: Int32 = 1031
    _ = fcntl(writing, setPipeSize, 1 << 20)
    try #require(write(writing, bytes, bytes.count) == bytes.count)
    _ = fcntl(reading, F_SETFL, 0)
    return reading
  }

  /// Runs it to its end.
  static func run(
    _ words: [String], input: Input = .nothing, wrapper: [String] = []
  ) async throws -> (status: Int32, output: String, errors: String) {
    let command = try Jitterbug(words, input: input, wrapper: wrapper)
    let status = try await command.end()
    return (status, command.text, command.errors)
  }
}

/// Keeps the number of tests that run commands at once small: more only take the processor from each other.
struct FewAtOnce: TestTrait, SuiteTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await function() }
    await Turnstile.shared.enter()
    do { try await function() } catch {
      await Turnstile.shared.leave()
      throw error
    }
    await Turnstile.shared.leave()
  }

  private actor Turnstile {
    static let shared = Turnstile()
    private var free = 6
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
      if free > 0 {
        free -= 1
      } else {
        await withCheckedContinuation { waiting.append($0) }
      }
    }

    func leave() {
      if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
  }
}

extension Trait where Self == FewAtOnce {
  /// At most six such tests run at once.
  static var fewAtOnce: Self { FewAtOnce() }
}

/// A folder that goes when it is no longer needed.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "jitterbug-tool-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    // Commands with fewer privileges work here too.
    chmod(path, 0o777)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func file(_ name: String, holding bytes: [UInt8]) -> String {
    let descriptor = open(file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    _ = write(descriptor, bytes, bytes.count)
    close(descriptor)
    return file(name)
  }
}

/// What a file holds; without Foundation, whose reading of empty files leaks.
func contents(_ path: String) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return [] }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(descriptor, &block, block.count)
    guard count > 0 else { return bytes }
    bytes += block[..<count]
  }
}
