import Glibc

/// An open descriptor that is closed when it goes, unless it was handed on.
struct InputDescriptor: ~Copyable {
  let value: CInt
  private var isOwned = true

  init(_ value: CInt) { self.value = value }

  /// Opens a file, or standard input for `-`.
  init(path: String) throws(MediaError) {
    var descriptor: CInt
    repeat {
      descriptor =
        path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw .cannotOpen(path: path, reason: systemReason(errno)) }
    self.init(descriptor)
  }

  deinit {
    if isOwned { _ = close(value) }
  }

  /// Hands the descriptor to an owner that closes it.
  consuming func release() -> CInt {
    isOwned = false
    return value
  }

  /// Reads what there is, at most `count` bytes; 0 at the end.
  ///
  /// It waits even where the descriptor itself doesn't.
  func read(into buffer: UnsafeMutableRawPointer, count: Int, name: String) throws(MediaError) -> Int {
    while true {
      let done = Glibc.read(value, buffer, count)
      if done >= 0 { return done }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilReady(value, for: POLLIN)
      case EISDIR: throw .isDirectory(path: name)
      default: throw .cannotOpen(path: name, reason: systemReason(errno))
      }
    }
  }
}

/// The bytes of an input in order: first those that were read ahead to see what it is, then the rest.
struct InputBytes: ~Copyable {
  let name: String
  private(set) var descriptor: InputDescriptor
  private(set) var prefix: [UInt8]

  init(_ descriptor: consuming InputDescriptor, name: String, prefix: [UInt8]) {
    self.descriptor = descriptor
    self.name = name
    self.prefix = prefix
  }

  /// Reads ahead until the prefix has `count` bytes or the input ends; returns whether it has.
  mutating func lookAhead(to count: Int) throws(MediaError) -> Bool {
    while prefix.count < count {
      let before = prefix.count
      let room = count - before
      prefix.append(contentsOf: repeatElement(0, count: room))
      let (done, failure) = readTail(from: before, count: room)
      prefix.removeLast(room - done)
      if let failure { throw failure }
      if done == 0 { return false }
    }
    return true
  }

  /// Drops bytes from the front of the prefix.
  mutating func dropPrefix(_ count: Int) { prefix.removeFirst(min(count, prefix.count)) }

  /// Appends what there is, at most `count` bytes; returns how many, 0 at the end.
  mutating func read(into bytes: inout [UInt8], count: Int) throws(MediaError) -> Int {
    if !prefix.isEmpty {
      let taken = min(count, prefix.count)
      bytes.append(contentsOf: prefix[..<taken])
      prefix.removeFirst(taken)
      return taken
    }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    var failure: MediaError?
    let done = bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return attempt(base + start, count, &failure)
    }
    bytes.removeLast(count - done)
    if let failure { throw failure }
    return done
  }

  /// Gives the descriptor away, with what was read ahead of it.
  consuming func release() -> (descriptor: CInt, prefix: [UInt8]) {
    let prefix = prefix
    return (descriptor.release(), prefix)
  }

  private mutating func readTail(from start: Int, count: Int) -> (Int, MediaError?) {
    var failure: MediaError?
    var bytes = prefix
    prefix = []
    let done = bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return attempt(base + start, count, &failure)
    }
    prefix = bytes
    return (done, failure)
  }

  /// A read whose error is kept instead of thrown, for the closures above can't throw a type.
  private func attempt(_ target: UnsafeMutableRawPointer, _ count: Int, _ failure: inout MediaError?) -> Int {
    do throws(MediaError) {
      return try descriptor.read(into: target, count: count, name: name)
    } catch {
      failure = error
      return 0
    }
  }
}
