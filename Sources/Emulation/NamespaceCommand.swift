internal import CLinux
import Glibc

/// A process that sees to it that no process in a world outlives this one, even if this one is killed.
///
/// It is made while the process has one thread. When it goes, it first kills what still lives in the world.
public struct NamespaceGuard: ~Copyable {
  /// Its number among this process's children.
  public let process: Int32
  private let pipe: CInt

  /// Starts it for these network namespaces.
  public init(networks: [CInt]) throws(EmulationError) {
    var end: CInt = -1
    let number = clinux_guard_start(networks, CInt(networks.count), &end)
    guard number > 0 else { throw EmulationError("starting a guard", code: -number) }
    process = number
    pipe = end
  }

  deinit {
    close(pipe)
    while waitpid(process, nil, 0) < 0, errno == EINTR {}
  }
}

/// Commands that run on a side of a world.
public enum NamespaceCommand {
  /// How a child of this process ended.
  public struct Ending: Hashable, Sendable {
    /// The child.
    public var process: Int32
    /// Its exit status, or the number of the signal that ended it, negative.
    public var status: Int32
  }

  /// Makes orphans of this process's children its own children, so that none of them outlives the world unseen.
  public static func adoptOrphans() throws(EmulationError) {
    let result = clinux_adopt_orphans()
    guard result == 0 else { throw EmulationError("adopting orphans", code: -result) }
  }

  /// Starts a command in a network namespace, with all signals as usual; it dies with this process.
  ///
  /// Returns its number, or the negative errno that says why it can't be run.
  ///
  /// - Parameters:
  ///   - words: the program, found on PATH, and its arguments; at least one.
  ///   - environment: lines of `NAME=VALUE`.
  ///   - network: the namespace.
  ///   - isDetached: it gets a session of its own and no standard input: no terminal stops or interrupts it. What it
  ///     prints goes to standard error.
  public static func start(_ words: [String], environment: [String], network: CInt, isDetached: Bool) -> Int32 {
    var arguments = words.map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer {
      for text in arguments { free(text) }
      for text in variables { free(text) }
    }
    let nothing = isDetached ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1
    defer { if nothing >= 0 { close(nothing) } }
    return arguments.withUnsafeMutableBufferPointer { arguments in
      variables.withUnsafeMutableBufferPointer { variables in
        var command = clinux_command(
          file: UnsafePointer(arguments[0]), arguments: arguments.baseAddress, environment: variables.baseAddress,
          network: network, input: nothing, output: isDetached ? STDERR_FILENO : -1,
          detached: isDetached ? 1 : 0)
        return clinux_command_start(&command)
      }
    }
  }

  /// The next child that has ended; nil when none has.
  public static func nextEnded() -> Ending? {
    var status: Int32 = 0
    let process = clinux_child_ended(&status)
    return process > 0 ? Ending(process: process, status: status) : nil
  }

  /// This process's children, those that it has adopted among them.
  public static func children() -> [Int32] {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    var found: [Int32] = []
    let own = getpid()
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let process = Int32(name), let stat = Isolation.read("/proc/\(name)/stat") else { continue }
      if parent(inStat: stat) == own { found.append(process) }
    }
    return found
  }

  /// The parent's number in /proc/PID/stat: the second field behind the name, which is in parentheses and may hold any.
  static func parent(inStat stat: [UInt8]) -> Int32? {
    guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
    return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
  }

  /// Whether something listens or waits for datagrams on the side where a process runs: /proc tells it by namespace.
  public static func listens(_ process: Int32) -> Bool {
    for name in ["tcp", "tcp6", "udp", "udp6"] {
      guard let table = Isolation.read("/proc/\(process)/net/\(name)", limit: 1 << 20) else { continue }
      if listens(inTable: String(decoding: table, as: UTF8.self), isUDP: name.hasPrefix("udp")) { return true }
    }
    return false
  }

  /// Whether a table of sockets has one that listens (state 0A), or a UDP socket without a peer (07).
  static func listens(inTable table: String, isUDP: Bool) -> Bool {
    table.split(separator: "\n").dropFirst().contains { line in
      let fields = line.split(separator: " ")
      return fields.count > 3 && fields[3] == (isUDP ? "07" : "0A")
    }
  }
}
