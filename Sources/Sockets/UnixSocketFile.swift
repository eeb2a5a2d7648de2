import Glibc

/// The file that names a Unix socket of ours; removed with the socket, unless somebody has replaced it.
struct UnixSocketFile: ~Copyable {
  private let path: String
  private let device: dev_t
  private let inode: ino_t

  /// Binds a datagram socket to a path, in place of the file that a dead receiver left.
  init(binding descriptor: CInt, to path: String) throws(SocketError) {
    guard path.utf8.count <= SocketAddress.longestPath else { throw .pathTooLong(path: path) }
    // An empty path would make the kernel choose a name, and a zero byte would cut it.
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw .system(.bind, code: ENOENT, address: .unix(path: path))
    }
    try UnixSocketFile.removeIfStale(path)
    try bindSocket(descriptor, to: .unix(path: path))
    var status = stat()
    let result = checked { lstat(path, &status) }
    guard result >= 0 else { throw .system(.bind, code: -result, address: .unix(path: path)) }
    self.path = path
    device = status.st_dev
    inode = status.st_ino
  }

  deinit {
    var status = stat()
    if lstat(path, &status) == 0 && status.st_dev == device && status.st_ino == inode { unlink(path) }
  }

  private static func removeIfStale(_ path: String) throws(SocketError) {
    let address = SocketAddress.unix(path: path)
    var status = stat()
    let found = checked { lstat(path, &status) }
    if found == -ENOENT { return }
    guard found >= 0 else { throw .system(.bind, code: -found, address: address) }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }

    let probe = try openSocket(.unix, .datagram, for: address)
    let answer = address.withKernelForm(for: .unix) { raw, size in checked { connect(probe.raw, raw, size) } }
    // Only a refusal shows that nobody has the socket open; any other answer may come from a living one.
    guard answer == -ECONNREFUSED else {
      throw .system(.bind, code: answer == -EACCES ? EACCES : EADDRINUSE, address: address)
    }
    let removed = checked { unlink(path) }
    guard removed >= 0 || removed == -ENOENT else { throw .system(.bind, code: -removed, address: address) }
  }
}
