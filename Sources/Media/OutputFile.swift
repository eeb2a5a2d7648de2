import Glibc

/// A file or pipe that media is written to; owns its descriptor and closes it when it goes.
///
/// Partial writes, `EINTR` and a non-blocking pipe that is full are seen to here. A pipe whose reader has gone is
/// reported as an error ("Broken pipe"), never as `SIGPIPE`. Writing blocks while a pipe is full.
public struct OutputFile: ~Copyable {
  /// The name as the person gave it, for messages; `-` is standard output.
  public let name: String
  /// Whether bytes already written can be changed: a regular file that wasn't opened for appending.
  public let isSeekable: Bool
  /// What ends the waiting for a pipe that is full; without it a write waits for ever.
  public var interrupt: WriteInterrupt?

  private let descriptor: CInt
  private var closes: Bool
  /// Where the first byte of ours lies: standard output may be a file that already holds something.
  private let base: Int64

  /// Creates or overwrites the file `path`, or takes standard output for `-`.
  ///
  /// An existing file loses its content at once; ask ``isSameFile(_:_:)`` first when it might be an input.
  public init(path: String) throws(MediaError) {
    if path == "-" {
      self.init(descriptor: STDOUT_FILENO, name: path, closes: false)
      return
    }
    var descriptor: CInt
    repeat {
      descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else {
      let code = errno
      throw code == EISDIR
        ? .isDirectory(path: path) : .cannotWrite(path: path, reason: systemReason(code))
    }
    self.init(descriptor: descriptor, name: path, closes: true)
  }

  /// Takes a descriptor that is open for writing; `closes` says whether it is now ours to close.
  public init(descriptor: CInt, name: String, closes: Bool) {
    self.descriptor = descriptor
    self.name = name
    self.closes = closes
    var information = stat()
    let isRegular = fstat(descriptor, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    let offset = isRegular ? lseek(descriptor, 0, SEEK_CUR) : -1
    // pwrite ignores its offset on a descriptor opened with O_APPEND.
    isSeekable = offset >= 0 && fcntl(descriptor, F_GETFL, 0) & O_APPEND == 0
    base = Int64(max(0, offset))
  }

  deinit {
    if closes { _ = Glibc.close(descriptor) }
  }

  /// Whether two paths lead to the same existing file, through links or not.
  public static func isSameFile(_ one: String, _ other: String) -> Bool {
    var first = stat()
    var second = stat()
    guard stat(one, &first) == 0, stat(other, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
  }

  /// Writes all of `bytes` at the end.
  ///
  /// They go to the system in one `write(2)` unless the system takes less at a time.
  public func write(_ bytes: RawSpan) throws(MediaError) {
    let descriptor = self.descriptor
    try writeAll(bytes) { pointer, count, _ in
      guard !isSeekable else { return Glibc.write(descriptor, pointer, count) }
      guard let interrupt else { return writeWithoutSignal(descriptor, pointer, count) }
      // A pipe that polls as writable takes this much without blocking (pipe(7), PIPE_BUF).
      guard waitUntilWritable(descriptor, unless: interrupt) else { return -1 }
      return writeWithoutSignal(descriptor, pointer, min(count, Int(PIPE_BUF)))
    }
  }

  /// Overwrites bytes of a seekable file; `offset` counts from the first byte that was written here.
  public func overwrite(_ bytes: RawSpan, at offset: Int64) throws(MediaError) {
    let descriptor = self.descriptor
    let start = base + offset
    try writeAll(bytes) { pointer, count, done in pwrite(descriptor, pointer, count, Int(start) + done) }
  }

  /// Closes the file and reports what the system had put off saying, such as a full disk.
  public consuming func close() throws(MediaError) {
    guard closes else { return }
    // Even after an error the descriptor is gone: it must not be closed twice.
    closes = false
    guard Glibc.close(descriptor) < 0, errno != EINTR else { return }
    throw .cannotWrite(path: name, reason: systemReason(errno))
  }

  /// Calls `step` with what is left until nothing is.
  private func writeAll(
    _ bytes: RawSpan, _ step: (UnsafeRawPointer, Int, Int) -> Int
  ) throws(MediaError) {
    let code: CInt = bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      var done = 0
      while done < buffer.count {
        let count = step(start + done, buffer.count - done, done)
        if count >= 0 {
          done += count
          continue
        }
        switch errno {
        case EINTR: continue
        case EAGAIN: waitUntilReady(descriptor, for: POLLOUT)
        default: return errno
        }
      }
      return 0
    }
    guard code == 0 else { throw .cannotWrite(path: name, reason: systemReason(code)) }
  }
}

/// Lets a program be stopped while nobody reads the pipe that it writes to.
///
/// A write that waits fails once `descriptor` can be read, or, from then on, when `isRaised` is set; not before the
/// reader has had a second to go on.
public final class WriteInterrupt {
  /// Readable when the program is to stop: a signal descriptor.
  public let descriptor: CInt
  /// Set when the program is stopping, whatever has become of the descriptor.
  public var isRaised = false

  /// Waits for a descriptor, which stays the caller's.
  public init(descriptor: CInt) { self.descriptor = descriptor }
}

/// The system's words for an error number.
func systemReason(_ code: CInt) -> String { String(cString: strerror(code)) }

/// Sleeps until a non-blocking descriptor can be read or written, or has failed.
func waitUntilReady(_ descriptor: CInt, for events: CInt) {
  var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
  _ = poll(&request, 1, -1)
}

/// Sleeps until a pipe can be written; false, with `ECANCELED` in `errno`, when it is to be given up.
private func waitUntilWritable(_ descriptor: CInt, unless interrupt: WriteInterrupt) -> Bool {
  var requests = [
    pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
    pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0),
  ]
  if !interrupt.isRaised {
    while poll(&requests, 2, -1) < 0 && errno == EINTR {}
  }
  // A reader that is only slow gets a second for what is left.
  if requests[0].revents == 0 { _ = poll(&requests, 1, 1_000) }
  if requests[0].revents != 0 { return true }
  errno = ECANCELED
  return false
}

/// `write(2)` that fails with `EPIPE` and leaves no `SIGPIPE` behind.
///
/// The signal is held back for this thread and taken off again, so that the process's handling of signals, which
/// child processes inherit, stays as it was.
private func writeWithoutSignal(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  var pipeSignal = sigset_t()
  var before = sigset_t()
  var pending = sigset_t()
  sigemptyset(&pipeSignal)
  sigaddset(&pipeSignal, SIGPIPE)
  sigpending(&pending)
  let wasPending = sigismember(&pending, SIGPIPE) == 1
  pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
  let result = Glibc.write(descriptor, bytes, count)
  let code = errno
  if result < 0 && code == EPIPE && !wasPending {
    var now = timespec(tv_sec: 0, tv_nsec: 0)
    while sigtimedwait(&pipeSignal, nil, &now) < 0 && errno == EINTR {}
  }
  pthread_sigmask(SIG_SETMASK, &before, nil)
  errno = code
  return result
}
