import Glibc

/// Copies a pipe into a temporary file that has no name, so that it goes with its descriptor whatever happens.
enum MediaInputSpool {
  /// Copies all of `input`, with its prefix, and returns the file at its beginning.
  ///
  /// The file lies where `TMPDIR` says, else in `/tmp`.
  static func copy(_ input: inout InputBytes, limit: Int64) throws(MediaError) -> InputDescriptor {
    let file = try makeFile(for: input.name)
    var buffer: [UInt8] = []
    var total: Int64 = 0
    while true {
      buffer.removeAll(keepingCapacity: true)
      let count = try input.read(into: &buffer, count: 65_536)
      if count == 0 { break }
      total += Int64(count)
      guard total <= limit else {
        throw .unsupported(
          path: input.name,
          detail: "more than \(limit >> 20) MiB came by the pipe, and only WAV and Ogg Opus can be read as they come")
      }
      try write(buffer, to: file, name: input.name)
    }
    guard lseek(file.value, 0, SEEK_SET) == 0 else {
      throw .cannotOpen(path: input.name, reason: systemReason(errno))
    }
    return file
  }

  private static func makeFile(for name: String) throws(MediaError) -> InputDescriptor {
    do { return InputDescriptor(try TemporaryPlace.makeFile()) } catch {
      throw .cannotOpen(
        path: name, reason: "a temporary file can't be made (\(error.reason)); set TMPDIR to a folder with room")
    }
  }

  private static func write(_ bytes: [UInt8], to file: borrowing InputDescriptor, name: String) throws(MediaError) {
    var start = 0
    while start < bytes.count {
      let done = bytes.withUnsafeBytes { buffer in
        Glibc.write(file.value, buffer.baseAddress.map { $0 + start }, buffer.count - start)
      }
      if done < 0 && errno == EINTR { continue }
      guard done > 0 else {
        throw .cannotOpen(
          path: name, reason: "its copy can't be written (\(systemReason(errno))); set TMPDIR to a folder with room")
      }
      start += done
    }
  }
}
