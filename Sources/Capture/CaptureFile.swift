import Glibc

/// A capture's bytes: a file, or standard input, which may be a pipe that is still being written.
public struct CaptureFile: ~Copyable {
  /// What reading came to.
  public enum Outcome: Equatable, Sendable {
    /// So many bytes were appended.
    case bytes(Int)
    /// There are no more.
    case end
    /// Somebody wants the report now.
    case interrupted
    /// The system refused; its reason.
    case failed(String)
  }

  /// The file's size; nil for a pipe.
  public let size: Int?

  private let descriptor: CInt
  private let interrupt: CInt

  /// Opens a file, or standard input for `-`; `interrupt` is a descriptor that becomes readable when the waiting for a
  /// pipe is to end.
  public init(path: String, interrupt: CInt) throws(CaptureError) {
    let opened = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw .cannotOpen(path: path, reason: String(cString: strerror(errno))) }
    var information = stat()
    let isKnown = fstat(opened, &information) == 0
    let kind = information.st_mode & S_IFMT
    if isKnown, kind == S_IFDIR {
      if opened != STDIN_FILENO { close(opened) }
      throw .cannotOpen(path: path, reason: "it is a directory")
    }
    size = isKnown && kind == S_IFREG ? Int(information.st_size) : nil
    descriptor = opened
    self.interrupt = interrupt
  }

  deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

  /// Reads up to as many bytes as fit behind the first `count` of `buffer`.
  public mutating func read(into buffer: inout [UInt8], from count: Int) -> Outcome {
    if size == nil {
      var requests = [
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: interrupt, events: Int16(POLLIN), revents: 0),
      ]
      while poll(&requests, 2, -1) < 0, errno == EINTR {}
      if requests[1].revents != 0 { return .interrupted }
    }
    while true {
      let got = buffer.withUnsafeMutableBytes { bytes in
        Glibc.read(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
      }
      if got > 0 { return .bytes(got) }
      if got == 0 { return .end }
      if errno != EINTR { return .failed(String(cString: strerror(errno))) }
    }
  }

  /// Whether the first bytes are those of a compressed file: gzip, zstd, xz or bzip2.
  public static func isCompressed(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount >= 4 else { return false }
    let magic = (0..<4).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    return magic.starts(with: [0x1f, 0x8b]) || magic == [0x28, 0xb5, 0x2f, 0xfd] || magic == [0xfd, 0x37, 0x7a, 0x58]
      || magic.starts(with: [0x42, 0x5a, 0x68])
  }
}
