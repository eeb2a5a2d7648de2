import Glibc
import Media

/// Questions about files that are to be written.
enum WritableFile {
  /// Tells at once that a file can't be written, without touching it: nobody should wait for a recording in vain.
  static func check(_ path: String) throws(CommandError) {
    guard path != "-" else { return }
    var information = stat()
    let exists = stat(path, &information) == 0
    if exists, information.st_mode & S_IFMT == S_IFDIR {
      throw CommandError(MediaError.isDirectory(path: path).description)
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    guard access(exists ? path : folder, exists ? W_OK : W_OK | X_OK) == 0 else {
      throw CommandError(MediaError.cannotWrite(path: path, reason: String(cString: strerror(errno))).description)
    }
  }

  /// Whether two names stand for one file, which may not be there yet; a device such as /dev/null takes any number.
  static func isSame(_ one: String, _ other: String) -> Bool {
    if InputFile.exists(one), InputFile.exists(other) {
      return InputFile.isRegular(one) && OutputFile.isSameFile(one, other)
    }
    return place(one) == place(other)
  }

  /// The folder without links in its name, and the file's name in it.
  private static func place(_ path: String) -> String {
    let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
    let folder = path.dropLast(name.count)
    guard let real = realpath(folder.isEmpty ? "." : String(folder), nil) else { return path }
    defer { free(real) }
    return "\(String(cString: real))/\(name)"
  }
}

/// Small files that are read whole, and questions about files.
enum InputFile {
  /// Whether a file of this name exists.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether it is a regular file, which can be opened twice, and not a pipe or a device.
  static func isRegular(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
  }

  /// Whether it is there and neither a regular file nor a folder; opening it may wait for ever.
  static func isPipeOrDevice(_ path: String) -> Bool {
    var information = stat()
    guard stat(path, &information) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(information.st_mode & S_IFMT)
  }

  /// The bytes of a file of at most `limit` bytes.
  static func read(path: String, limit: Int) throws(CommandError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CommandError("\(path) can't be read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw CommandError("\(path) can't be read: \(String(cString: strerror(errno)))") }
      guard count > 0 else { return bytes }
      bytes += block[..<count]
      guard bytes.count <= limit else {
        throw CommandError("\(path) is longer than \(limit) bytes, too long for what it should be: name another file")
      }
    }
  }
}
