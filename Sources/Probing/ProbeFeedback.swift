import Packets
import Statistics
public import Timeline

/// What a reflector tells a prober ten times a second, where RTCP's own reports would come every few seconds.
///
/// All counts are totals, so that a lost feedback costs nothing but time.
public struct ProbeFeedback: Equatable, Sendable {
  /// What has arrived of one stream.
  public struct Stream: Equatable, Sendable {
    /// The source.
    public var ssrc: UInt32
    /// The highest sequence number with its wraps, modulo 2^32, as in a report block.
    public var highest: UInt32
    /// Sequence numbers that arrived.
    public var unique: UInt32
    /// Packets that arrived.
    public var received: UInt32
    /// Their bytes with RTP headers, modulo 2^32.
    public var bytes: UInt32
    /// The smallest and the largest transit since the feedback before, in µs relative to the first packet's; nil when
    /// nothing arrived since.
    public var transit: ClosedRange<Int32>?
    /// When the last packet arrived, in µs of the reflector's clock, modulo 2^32.
    public var lastArrival: UInt32

    /// How many of the packets sent lie up to the highest that arrived; of those behind it nothing is said.
    ///
    /// - Parameters:
    ///   - sent: packets sent.
    ///   - first: the number of the first of them.
    public func covered(sent: Int, first: SequenceNumber) -> Int {
      guard sent > 0 else { return 0 }
      // Modulo 2^16 and then brought near to what was sent: the far end may have missed the first wrap.
      let ahead = Int(UInt16(truncatingIfNeeded: highest) &- first.rawValue)
      let turns = max(sent - 1 - ahead + 32_768, 0) / 65_536
      return min(ahead + turns * 65_536 + 1, sent)
    }
  }

  /// The streams that the prober said it sends, those of which something has arrived.
  public var streams: [Stream]

  private static let streamSize = 32
  private static let noTransit = Int32.max

  var size: Int { 4 + Self.streamSize * streams.count }

  init(streams: [Stream]) { self.streams = streams }

  init?(parsing data: RawSpan) {
    guard data.byteCount >= 4 else { return nil }
    let count = Int(data.byte(at: 1))
    guard count <= ProbeProfile.streamLimit, data.byteCount >= 4 + Self.streamSize * count else { return nil }
    streams = (0..<count).map { index in
      let offset = 4 + Self.streamSize * index
      func field(_ place: Int) -> UInt32 { data.bigEndian(at: offset + 4 * place, as: UInt32.self) }
      let (least, most) = (Int32(bitPattern: field(5)), Int32(bitPattern: field(6)))
      let isMissing = least == Self.noTransit || least > most
      return Stream(
        ssrc: field(0), highest: field(1), unique: field(2), received: field(3), bytes: field(4),
        transit: isMissing ? nil : least...most, lastArrival: field(7))
    }
  }

  func write(into data: inout MutableSpan<UInt8>) {
    data[1] = UInt8(clamping: streams.count)
    for (index, stream) in streams.enumerated() {
      let offset = 4 + Self.streamSize * index
      let fields = [
        stream.ssrc, stream.highest, stream.unique, stream.received, stream.bytes,
        UInt32(bitPattern: stream.transit?.lowerBound ?? Self.noTransit),
        UInt32(bitPattern: stream.transit?.upperBound ?? Self.noTransit), stream.lastArrival,
      ]
      for (place, field) in fields.enumerated() { data.writeBigEndian(field, at: offset + 4 * place) }
    }
  }
}

/// Counts what arrives of a prober's stream, for the feedback.
struct ArrivalMeter: Sendable {
  let ssrc: UInt32
  private var statistics: ReceptionStatistics
  private var numbers: SequenceExtender?
  private var timestamps: TimestampExtender?
  private var firstTransit = Interval.zero
  private var transit: ClosedRange<Int32>?
  private var lastArrival = Instant.zero
  private let clockRate: UInt32

  init(ssrc: UInt32, clockRate: UInt32) {
    self.ssrc = ssrc
    self.clockRate = clockRate
    statistics = ReceptionStatistics(clockRate: clockRate)
  }

  mutating func record(_ header: RTPHeader, bytes: Int, arrival: Instant) {
    var extender = numbers ?? SequenceExtender(first: header.sequenceNumber)
    var clock = timestamps ?? TimestampExtender(first: header.timestamp)
    let transit = (arrival - .zero) - Interval(units: clock.extend(header.timestamp), rate: clockRate)
    if numbers == nil { firstTransit = transit }
    _ = statistics.record(
      sequence: extender.extend(header.sequenceNumber), timestamp: header.timestamp, arrival: arrival, bytes: bytes)
    numbers = extender
    timestamps = clock
    lastArrival = max(lastArrival, arrival)
    let delay = Int32(clamping: min((transit - firstTransit).nanoseconds / 1_000, Int64(Int32.max) - 1))
    self.transit = self.transit.map { min($0.lowerBound, delay)...max($0.upperBound, delay) } ?? delay...delay
  }

  /// What to tell; nil before anything arrived.
  mutating func take() -> ProbeFeedback.Stream? {
    guard let numbers else { return nil }
    defer { transit = nil }
    return ProbeFeedback.Stream(
      ssrc: ssrc, highest: UInt32(truncatingIfNeeded: numbers.highest),
      unique: UInt32(truncatingIfNeeded: statistics.unique),
      received: UInt32(truncatingIfNeeded: statistics.received), bytes: UInt32(truncatingIfNeeded: statistics.bytes),
      transit: transit, lastArrival: UInt32(truncatingIfNeeded: lastArrival.nanoseconds / 1_000))
  }
}
