internal import CLinux
import Glibc

/// Getting away from the system: namespaces of this process's own.
enum Isolation {
  /// Leaves for a new user namespace (unless root), a mount namespace and an empty network namespace.
  ///
  /// A user keeps the same number inside, and what they may do to the files outside.
  static func enter() throws(EmulationError) {
    let (user, group) = (geteuid(), getegid())
    let own = UInt32(CLINUX_NETWORK | CLINUX_MOUNT)
    if user == 0 {
      let result = clinux_unshare(own)
      if result == 0 { return try finish() }
      // In a container root may be less than root; a user namespace of its own may still be allowed.
      guard result == -EPERM else { throw EmulationError("making a network namespace", code: -result) }
    }
    let result = clinux_unshare(UInt32(CLINUX_USER))
    guard result == 0 else { throw refusal(-result, isRoot: user == 0) }
    // Whoever has one group only may name it, and only after giving up the right to change groups.
    write("deny", to: "/proc/self/setgroups")
    var code = write("\(user) \(user) 1", to: "/proc/self/uid_map")
    if code == 0 { code = write("\(group) \(group) 1", to: "/proc/self/gid_map") }
    guard code == 0 else { throw refusal(code, isRoot: user == 0) }
    let inner = clinux_unshare(own)
    guard inner == 0 else { throw refusal(-inner, isRoot: user == 0) }
    try finish()
  }

  private static func finish() throws(EmulationError) {
    let result = clinux_mounts_private()
    guard result == 0 else { throw EmulationError("making mounts private", code: -result) }
  }

  /// Writes a small file of the kernel's; its errno, or 0.
  @discardableResult static func write(_ text: String, to path: String) -> CInt {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return errno }
    defer { close(file) }
    let bytes = Array(text.utf8)
    return Glibc.write(file, bytes, bytes.count) == bytes.count ? 0 : errno
  }

  /// What the kernel says in a small file.
  static func read(_ path: String, limit: Int = 65_536) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < limit {
      let count = Glibc.read(file, &block, block.count)
      guard count > 0 else { return count == 0 ? bytes : nil }
      bytes += block[..<count]
    }
    return bytes
  }

  // MARK: Why not

  /// What is known about the refusal.
  struct Circumstances {
    /// Settings of the kernel that are there, by path below /proc/sys.
    var settings: [String: Int] = [:]
    /// Whether a filter of system calls is at work on this process, as in most containers.
    var isFiltered = false

    static func look() -> Circumstances {
      var result = Circumstances()
      for name in [unprivileged, apparmor, limit] {
        guard let bytes = Isolation.read("/proc/sys/" + name) else { continue }
        result.settings[name] = Int(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
      }
      let status = Isolation.read("/proc/self/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
      result.isFiltered = status.split(separator: "\n").contains { $0.hasPrefix("Seccomp:") && !$0.hasSuffix("0") }
      return result
    }

    static let unprivileged = "kernel/unprivileged_userns_clone"
    static let apparmor = "kernel/apparmor_restrict_unprivileged_userns"
    static let limit = "user/max_user_namespaces"
  }

  private static func refusal(_ code: CInt, isRoot: Bool) -> EmulationError {
    refusal(code, isRoot: isRoot, .look())
  }

  /// The sentence about a refusal: the exact reason where it is known, and what to do.
  static func refusal(_ code: CInt, isRoot: Bool, _ known: Circumstances) -> EmulationError {
    let what = "an emulated link needs a user namespace, and this system refuses one"
    let root = isRoot ? "" : "run it as root, or "
    if code == ENOSPC || known.settings[Circumstances.limit] == 0 {
      return EmulationError(
        "\(what): the limit user.max_user_namespaces (\(known.settings[Circumstances.limit] ?? 0)) is reached; "
          + "\(root)raise it with `sysctl -w user.max_user_namespaces=10000`")
    }
    if known.settings[Circumstances.unprivileged] == 0 {
      return EmulationError(
        "\(what) to ordinary users (kernel.unprivileged_userns_clone is 0); "
          + "\(root)allow it with `sysctl -w kernel.unprivileged_userns_clone=1`")
    }
    if known.settings[Circumstances.apparmor] == 1 {
      return EmulationError(
        "\(what) to programs without an AppArmor profile (kernel.apparmor_restrict_unprivileged_userns is 1); "
          + "\(root)allow it with `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`")
    }
    if code == EPERM, known.isFiltered {
      return EmulationError(
        "\(what): a filter of system calls forbids it, as in most containers; start the container with "
          + "`--security-opt seccomp=unconfined --security-opt systempaths=unconfined`, or with --privileged")
    }
    if code == EINVAL {
      return EmulationError(
        "\(what) (\(EmulationError.reason(code))): the kernel has none, or this process has more than one thread")
    }
    return EmulationError(
      "\(what) (\(EmulationError.reason(code))); \(root.isEmpty ? "outside of a container or chroot it works" : "run it as root")"
    )
  }
}
