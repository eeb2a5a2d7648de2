import Glibc
import Media
import Timeline

/// A text file that is written line by line, in blocks; trouble is kept until the end, so that a full disk doesn't
/// stop a stream.
final class TextFile {
  private let output: OutputFile
  private var buffer: [UInt8] = []
  private(set) var failure: CommandError?

  private static let blockSize = 1 << 16

  init(path: String) throws(CommandError) {
    do { output = try OutputFile(path: path) } catch { throw CommandError(error.description) }
  }

  func write(_ text: String) {
    buffer += text.utf8
    if buffer.count >= Self.blockSize { flush() }
  }

  func close() throws(CommandError) {
    flush()
    if let failure { throw failure }
  }

  /// Hands what was written to the system.
  func flush() {
    guard !buffer.isEmpty else { return }
    do { try output.write(buffer.span.bytes) } catch { failure = failure ?? CommandError(error.description) }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Writes a whole file so that at every moment its name stands for the old content or for all of the new.
  ///
  /// It is written beside its place and then renamed. What isn't a regular file, or lies in a folder that takes no new
  /// files, is written in place.
  static func replace(_ path: String, with text: String) throws(CommandError) {
    var information = stat()
    let exists = lstat(path, &information) == 0
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    guard !exists || information.st_mode & S_IFMT == S_IFREG, access(folder, W_OK | X_OK) == 0 else {
      return try write(text, to: path)
    }
    let draft = "\(path).\(getpid()).part"
    do throws(CommandError) {
      try write(text, to: draft)
      if exists { chmod(draft, information.st_mode & 0o7777) }
      guard rename(draft, path) == 0 else {
        throw CommandError(MediaError.cannotWrite(path: path, reason: String(cString: strerror(errno))).description)
      }
    } catch {
      unlink(draft)
      throw error
    }
  }

  private static func write(_ text: String, to path: String) throws(CommandError) {
    let file = try TextFile(path: path)
    file.write(text)
    try file.close()
  }

  // MARK: Numbers as CSV files have them

  /// Seconds with nine decimals.
  static func seconds(_ instant: Instant) -> String { seconds(nanoseconds: instant.nanoseconds) }

  /// Seconds with nine decimals.
  static func seconds(nanoseconds: Int64) -> String {
    let fraction = String(nanoseconds.magnitude % 1_000_000_000)
    let sign = nanoseconds < 0 ? "-" : ""
    return "\(sign)\(nanoseconds.magnitude / 1_000_000_000)."
      + String(repeating: "0", count: 9 - fraction.count) + fraction
  }

  /// Milliseconds with six decimals.
  static func milliseconds(_ interval: Interval) -> String {
    let fraction = String(interval.nanoseconds.magnitude % 1_000_000)
    let sign = interval < .zero ? "-" : ""
    return "\(sign)\(interval.nanoseconds.magnitude / 1_000_000)."
      + String(repeating: "0", count: 6 - fraction.count) + fraction
  }

  /// A number of 32 bits as `0x` and eight digits.
  static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
