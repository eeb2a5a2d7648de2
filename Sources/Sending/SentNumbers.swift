import Packets
import Timeline

/// The numbers of the packets sent so far, for reports that name them by their 16 bits.
///
/// Packets are numbered from 0 here. Timestamps are kept of the last 16,384 (64 KiB).
struct SentNumbers: Sendable {
  static let timestampCapacity = 16_384

  let firstSequence: SequenceNumber
  /// Packets sent so far.
  private(set) var count: Int64 = 0
  private var timestamps: [UInt32] = []

  init(firstSequence: SequenceNumber) { self.firstSequence = firstSequence }

  /// The next packet was sent.
  mutating func append(_ timestamp: RTPTimestamp) {
    if timestamps.isEmpty { timestamps = [UInt32](repeating: 0, count: Self.timestampCapacity) }
    timestamps[Int(count) & (Self.timestampCapacity - 1)] = timestamp.rawValue
    count += 1
  }

  /// The latest packet with this number; nil when none was sent.
  func index(of wire: UInt16) -> Int64? {
    guard count > 0 else { return nil }
    let last = firstSequence.advanced(by: Int(count - 1)).rawValue
    let index = count - 1 - Int64(last &- wire)
    return index >= 0 ? index : nil
  }

  /// The timestamp of a packet; nil when it wasn't sent or is long gone.
  func timestamp(of index: Int64) -> UInt32? {
    guard index >= 0, index < count, index >= count - Int64(Self.timestampCapacity) else { return nil }
    return timestamps[Int(index) & (Self.timestampCapacity - 1)]
  }
}
