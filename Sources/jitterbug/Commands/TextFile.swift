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

  private func flush() {
    do { try output.write(buffer.span.bytes) } catch { failure = failure ?? CommandError(error.description) }
    buffer.removeAll(keepingCapacity: true)
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
