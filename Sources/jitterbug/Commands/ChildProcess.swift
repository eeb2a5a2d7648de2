import Glibc
import Media

/// A process of this same command, with its outputs in files; killed when nobody holds it any more.
final class ChildProcess {
  /// How it ended: its exit status, or the number of the signal that ended it, negative; nil while it runs.
  private(set) var status: Int32?
  private let number: pid_t

  /// Starts this command with `words`.
  init(_ words: [String], output: String, errors: String) throws(CommandError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    // What this process blocks and ignores its children don't: they want their signals.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var pipes = sigset_t()
    sigemptyset(&none)
    sigemptyset(&pipes)
    sigaddset(&pipes, SIGPIPE)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &pipes)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var arguments = (["jitterbug"] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, &arguments, environ)
    guard code == 0 else {
      throw CommandError("jitterbug \(words.first ?? "") can't be started: \(String(cString: strerror(code)))")
    }
    number = child
  }

  deinit {
    guard status == nil else { return }
    kill(number, SIGKILL)
    var ignored: Int32 = 0
    while waitpid(number, &ignored, 0) < 0, errno == EINTR {}
  }

  /// Whether it has ended by now.
  var hasEnded: Bool {
    guard status == nil else { return true }
    var raw: Int32 = 0
    guard waitpid(number, &raw, WNOHANG) == number else { return false }
    status = raw & 0x7F == 0 ? raw >> 8 & 0xFF : -(raw & 0x7F)
    return true
  }

  /// Sends it a signal, if it still runs.
  func signal(_ signal: Int32) {
    if status == nil { kill(number, signal) }
  }
}

/// A folder for files that nobody needs afterwards; gone with everything in it when nobody holds it any more.
final class ScratchFolder {
  let path: String

  init() throws(CommandError) {
    do { path = try TemporaryPlace.makeFolder(for: "verify") } catch {
      throw CommandError(
        "no folder can be made in \(TemporaryPlace.path): \(error.reason); set TMPDIR to another place")
    }
  }

  deinit {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        unlink("\(path)/\(name)")
      }
      closedir(folder)
    }
    rmdir(path)
  }

  /// The path of a file in it.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// What a file holds so far; nothing when it isn't there.
  func text(_ name: String) -> String {
    let bytes = try? InputFile.read(path: file(name), limit: 1 << 26)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }
}
