public import Timeline

/// The interarrival jitter of RFC 3550 section 6.4.1, in the floating-point form of appendix A.8.
///
/// For each packet in order of arrival, duplicates and reordered ones included: `D` is the difference of the spacing at
/// the receiver and the spacing of the timestamps since the packet that arrived before it, and `J += (|D| - J) / 16`.
/// The first packet only sets the reference. Packets that share a timestamp (the packets of a video frame) count like
/// any other: RFC 3550 section 6.4.4 finds that appropriate, since the receiver's buffer must hold that spread too.
public struct InterarrivalJitter: Sendable {
  /// `J` after the last packet, in milliseconds.
  public private(set) var last = 0.0
  /// The highest `J` after any packet, in milliseconds.
  public private(set) var max = 0.0
  /// The number of differences taken.
  public private(set) var count = 0
  /// The timestamp clock's rate in Hz.
  public let clockRate: UInt32

  private var sum = 0.0
  private var previous: (timestamp: RTPTimestamp, arrival: Instant)?

  /// Starts at no jitter; a clock rate of 0 counts as 1.
  public init(clockRate: UInt32) { self.clockRate = Swift.max(clockRate, 1) }

  /// The mean of `J` over every packet but the first, in milliseconds.
  public var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// `J` in timestamp units, rounded down, for a report block.
  public var units: UInt32 { UInt32(clamping: Int64(Swift.min(last * Double(clockRate) / 1000, 1e15))) }

  /// Takes a packet in.
  public mutating func record(timestamp: RTPTimestamp, arrival: Instant) {
    defer { previous = (timestamp, arrival) }
    guard let previous else { return }
    let spacing = (arrival - previous.arrival).milliseconds
    let nominal = Double(previous.timestamp.distance(to: timestamp)) * 1000 / Double(clockRate)
    last += ((spacing - nominal).magnitude - last) / 16
    max = Swift.max(max, last)
    sum += last
    count += 1
  }

  /// Forgets the previous packet: the next one's timestamp stands in no relation to it.
  public mutating func restart() { previous = nil }
}
