import Packets
import Timeline

/// Puts a stream's frames together from its packets, which come in the order of their numbers when they are due.
struct FrameAssembler: Sendable {
  /// A frame that isn't over.
  private struct Open: Sendable {
    var timestamp: Int64
    var time: Int64
    var due: Instant
  }

  /// What a frame that is over was.
  struct Closed {
    var timestamp: Int64
    var time: Int64
    var due: Instant
  }

  private enum Depacketizer: Sendable {
    /// The payloads one after the other.
    case plain
  }

  private var depacketizer = Depacketizer.plain
  private var open: Open?
  private var last: Int64?
  /// The bytes of the frame that isn't over.
  var bytes: [UInt8] = []

  init(encoding: VideoEncoding?) {}

  /// Whether a frame with another timestamp isn't over.
  func isOpen(before timestamp: Int64) -> Bool { open.map { $0.timestamp != timestamp } ?? false }

  /// Appends a payload to the frame with this timestamp; what isn't valid counts as missing.
  mutating func append(_ payload: RawSpan, sequence: Int64, timestamp: Int64, time: Int64, due: Instant) {
    if open == nil { open = Open(timestamp: timestamp, time: time, due: due) }
    if let last, sequence != last + 1 { noteGap() }
    last = sequence
    switch depacketizer {
    case .plain:
      if bytes.count + payload.byteCount <= Self.frameLimit {
        payload.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
      }
    }
  }

  /// The frame is over.
  mutating func close() -> Closed? {
    guard let frame = open else { return nil }
    open = nil
    switch depacketizer {
    case .plain: break
    }
    return Closed(timestamp: frame.timestamp, time: frame.time, due: frame.due)
  }

  private mutating func noteGap() {
    switch depacketizer {
    case .plain: break
    }
  }

  /// The most bytes of a frame.
  private static let frameLimit = 8 << 20
}
